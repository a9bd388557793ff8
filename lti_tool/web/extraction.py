"""What translators get besides the templates: the words of errors, found where they are raised.

Services speak English; their titles, details and remedies are looked up in the catalogue when a
page shows them. Words that are put together at run time stay English.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import IO, Any

from babel.messages.extract import extract_python

# Line, function, message or messages, comments.
Message = tuple[Any, Any, Any, Any]


def errors(fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Message]:
    """Beside what is marked: titles of error classes, details and remedies where they are made."""
    yield from extract_python(fileobj, keywords, comment_tags, options)
    fileobj.seek(0)
    for node in ast.walk(ast.parse(fileobj.read())):
        for value in _words(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                yield value.lineno, "gettext", value.value, []


def reasons(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[Message]:
    """The reason codes of launches (for Babel)."""
    from lti_tool.lti.errors import REASONS

    for code, reason in REASONS.items():
        yield 1, "gettext", reason.detail, [f"Reason code {code}"]
        yield 1, "gettext", reason.remedy, [f"Reason code {code}"]


def checks(fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Message]:
    """What the checks of connected Moodles and realms find (for Babel)."""
    from lti_tool.identity.keycloak import realm_checks
    from lti_tool.moodle.checks import WORDS

    for name, words in (WORDS | realm_checks.WORDS).items():
        for text in words.values():
            yield 1, "gettext", text, [f"Check {name}"]
    for right, reason in realm_checks.NEEDED_FOR.items():
        yield 1, "gettext", reason, [f"Right {right}"]


def _words(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
        for statement in node.body:
            if isinstance(statement, ast.Assign):
                names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
                if names == ["title"]:
                    yield statement.value
    elif isinstance(node, ast.Call):
        called = node.func
        name = getattr(called, "id", getattr(called, "attr", ""))
        # A launch's error names a code (its words are in the table of reasons); Python's own errors
        # are bugs, whose words nobody sees.
        if name.endswith("Error") and name != "LaunchError" and not hasattr(builtins, name):
            yield from node.args[:1]
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "remedy")
