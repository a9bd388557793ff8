"""The conformance list, a line per case, and which tests prove it. Writes docs/conformance.md.

A test belongs to a case by its name: ``test_t12_no_alg_no_use`` proves T12,
``test_a8_a9_the_score_as_sent`` proves A8 and A9. Run as a module to write the page.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "conformance.md"

CASES: dict[str, dict[str, str]] = {
    "Third-party-initiated login": {
        "L1": "GET and POST both begin a sign-in",
        "L2": "each required parameter missing",
        "L3": "unknown issuer, nothing reflected",
        "L4": "several client ids and none named",
        "L5": "the message hint is echoed byte for byte, absent stays absent",
        "L6": "the deployment of the login is the deployment of the launch",
        "L7": "unknown parameters are ignored",
        "L8": "target link on another host",
        "L9": "the authentication request is complete",
        "L10": "an authentication address with a query keeps it",
        "L11": "state and nonce: single use, ten minutes, bound to the registration",
        "L12": "flood",
        "L13": "repeated and oversized parameters",
    },
    "Launch: the answer": {
        "T1": "the platform answers with an error",
        "T2": "state or id_token missing",
        "T3": "state unknown, expired, used, of another registration, of another browser",
        "T4": "GET on the launch address",
        "T5": "the whole request replayed",
        "T6": "two launches in two tabs at once",
    },
    "Launch: the signature": {
        "T7": "alg none",
        "T8": "HS256 with the public key",
        "T9": "other algorithms",
        "T10": "payload or signature tampered with",
        "T11": "key of another registration",
        "T12": "key sets of every bad kind",
        "T13": "headers that choose their own key",
        "T14": "RSA key under 2048 bits",
        "T15": "rotated key: fetched once, the old one stays valid",
        "T16": "encrypted, five parts, no token at all, nested",
    },
    "Launch: the claims": {
        "T17": "iss",
        "T18": "aud",
        "T19": "azp",
        "T20": "exp",
        "T21": "iat",
        "T22": "nbf",
        "T23": "nonce",
        "T24": "sub, anonymous launches",
        "T25": "version",
        "T26": "message_type",
        "T27": "roles",
        "T28": "deployment_id: unknown, inactive, another tenant's",
        "T29": "target_link_uri",
        "T30": "resource_link",
        "T31": "context",
        "T32": "role_scope_mentor",
        "T33": "custom",
        "T34": "launch_presentation",
        "T35": "hostile names and addresses; no merge by e-mail",
        "T36": "services in part or not at all",
        "T37": "migration claims",
    },
    "Deep linking": {
        "D1": "settings missing or wrong",
        "D2": "accept_types without resource links",
        "D3": "document targets missing",
        "D4": "roles missing",
        "D5": "claims of the answer, data echoed",
        "D6": "several items where one is taken",
        "D7": "line items where they are not taken",
        "D8": "nothing chosen, messages",
        "D9": "the form: escaped, nonce, without JavaScript",
        "D10": "one answer per launch",
        "D11": "items lead to this tool only",
    },
    "Names and Roles": {
        "N1": "media type and scope",
        "N2": "next links of every shape",
        "N3": "loops and other hosts",
        "N4": "no page cap; a failure on any page concludes nothing",
        "N5": "status",
        "N6": "the smallest member",
        "N7": "duplicates across pages",
        "N8": "limit, role, rlid",
        "N9": "differences",
        "N10": "10,000 members",
        "N11": "an empty roster",
        "N12": "unknown and withdrawn roles",
    },
    "Assignment and Grade Services": {
        "A1": "the smallest scope for each call",
        "A2": "addresses with a query",
        "A3": "media types",
        "A4": "PUT replaces whole",
        "A5": "DELETE",
        "A6": "filters and pages",
        "A7": "columns are made once",
        "A8": "score and maximum",
        "A9": "timestamps strictly increase",
        "A10": "progress values",
        "A11": "submission times",
        "A12": "results",
        "A13": "every refusal and failure",
        "A14": "409",
        "A15": "a crash between sending and storing",
        "A16": "the column is gone",
        "A17": "two workers on one score",
    },
    "Tokens and keys": {
        "K1": "the client assertion",
        "K2": "deployment_id in the assertion",
        "K3": "form-encoded",
        "K4": "cached per registration and scopes, asked once",
        "K5": "fewer scopes than asked",
        "K6": "our key set: public members, thumbprints, next key beforehand",
    },
    "Cookies and storage": {
        "P1": "messages of other origins, frames and ids are ignored",
        "P2": "no answer from the storage: the next rung",
        "P3": "the stored proof differs",
        "P4": "with a cookie there is no round trip",
        "P5": "only registered platforms may frame pages",
        "P6": "third-party cookies blocked, in a real browser",
        "P7": "the new-window page by keyboard and screen reader",
    },
    "Dynamic Registration": {
        "R1": "invitations: one-time, expiring",
        "R2": "https, public, small, no redirect",
        "R3": "issuer and addresses on the configuration's host",
        "R4": "registration token optional, sent as bearer",
        "R5": "only what is needed and supported",
        "R6": "messages as names or objects",
        "R7": "the answer read tolerantly",
        "R8": "pending until approved",
        "R9": "the platform's refusal is shown",
        "R10": "the last page closes the platform's frame",
        "R11": "duplicates never overwrite",
        "R12": "an invitation used again",
    },
}

_NAME = re.compile(r"test((?:_[tldnakpr]\d{1,2})+)_")


def proofs() -> dict[str, list[str]]:
    """Case → the tests that prove it, as ``folder/file.py::test``."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            named = _NAME.match(node.name + "_")
            for case in named.group(1).split("_")[1:] if named else ():
                place = path.relative_to(TESTS).as_posix()
                found[f"{case[0].upper()}{int(case[1:])}"].append(f"{place}::{node.name}")
    return found


def page() -> str:
    """The Markdown page: every case and where it is proved."""
    proved = proofs()
    lines = [
        "# Conformance",
        "",
        "What of LTI 1.3 Advantage is tested, case by case: the certification guide, the security",
        "framework, and what real platforms and attackers send. The names of the tests carry the",
        "cases. The certification guide's own known-bad and valid launches are in",
        "`tests/conformance/test_launch_known_bad.py`. This page is written by",
        "`python -m tests.conformance.catalogue`.",
    ]
    for chapter, cases in CASES.items():
        lines += ["", f"## {chapter}", "", "| Case | What | Tests |", "|---|---|---|"]
        for case, what in cases.items():
            files = sorted({proof.split("::")[0] for proof in proved.get(case, [])})
            where = ", ".join(f"`{name}`" for name in files)
            lines.append(f"| {case} | {what} | {len(proved.get(case, []))}: {where} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
