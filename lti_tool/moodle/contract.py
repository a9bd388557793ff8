"""Versions, fingerprints and schemas of the contract with the Moodle plugin.

``docs/contract.md`` explains it; ``moodle_plugin/local_nagasis/contract/`` holds the generated
schemas and the example cases that both sides run.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from lti_tool.moodle.documents import (
    Account,
    AnyMoodleDocument,
    Applied,
    Category,
    Course,
    Document,
    Gradebook,
    Grades,
    Roster,
    User,
)
from lti_tool.moodle.messages import EventBatch, PairingOffer, PairingRequest, SiteStatus

VERSION = 1
# What this tool can speak; the highest that a site's plugin speaks too is used.
SUPPORTED = (1,)


def fingerprint(document: Document) -> str:
    """Return 32 hexadecimal characters that differ when what the SIS owns differs.

    SHA-256 of the canonical JSON of the owned fields, cut in half; the plugin computes the same of
    what stands in Moodle. A suspended member counts as absent: neither may enter.
    """
    return hashlib.sha256(_canonical(_owned(document))).hexdigest()[:32]


def _owned(document: Document) -> list[Any]:
    match document:
        case Category():
            return ["category", document.idnumber, document.name, document.parent, document.visible]
        case User():
            return [
                "user",
                document.idnumber,
                document.username,
                document.firstname,
                document.lastname,
                document.email,
                document.alternatename,
                document.suspended,
            ]
        case Course():
            return [
                "course",
                document.idnumber,
                document.shortname,
                document.fullname,
                document.category,
                document.startdate,
                document.enddate,
                document.visible,
                document.readonly,
                _sorted([each.key, each.name] for each in document.sections),
                _sorted([each.idnumber, each.name] for each in document.groups),
            ]
        case Roster():
            return [
                "roster",
                document.course,
                _sorted(
                    [each.user, each.role, _sorted(each.groups)]
                    for each in document.members
                    if each.status == "active"
                ),
            ]
        case Gradebook():
            return [
                "gradebook",
                document.course,
                _sorted([each.key, each.name, each.weight] for each in document.categories),
                _sorted(
                    # The name of a teacher's own item is the teacher's.
                    [
                        each.key,
                        "" if each.source else each.name,
                        each.category,
                        each.weight,
                        each.source,
                    ]
                    for each in document.items
                ),
                _sorted([each.letter, each.minimum] for each in document.letters),
            ]
        case Grades():
            # Never compared with a digest: grades are reconciled by reading them.
            return [
                "grades",
                document.course,
                sorted(
                    [each.user, each.item, each.value, each.text, each.note]
                    for each in document.grades
                ),
            ]
        case Account():
            return [
                "account",
                document.person,
                document.username,
                document.firstname,
                document.lastname,
                document.email,
                _sorted(document.groups),
                document.enabled,
            ]


def _sorted(items: Any) -> list[Any]:
    # By the bytes of UTF-8, as PHP's strcmp does: no locale, no surrogates.
    return sorted(items, key=lambda item: (item if isinstance(item, str) else item[0]).encode())


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas by file name, as they stand in the plugin's ``contract/schema/``."""
    return {
        "document": AnyMoodleDocument.json_schema(),
        "applied": Applied.model_json_schema(),
        "events": EventBatch.model_json_schema(),
        "offer": PairingOffer.model_json_schema(),
        "pairing": PairingRequest.model_json_schema(),
        "status": SiteStatus.model_json_schema(),
    }
