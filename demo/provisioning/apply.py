"""Applying documents: in the order of their dependencies, one result each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from demo.model import State
from demo.provisioning.categories import plan_category
from demo.provisioning.courses import plan_course
from demo.provisioning.documents import (
    KINDS,
    CategoryDocument,
    CourseDocument,
    Document,
    UserDocument,
    key,
    key_of,
    kind_of,
    read_document,
)
from demo.provisioning.grade_documents import GradebookDocument, GradesDocument
from demo.provisioning.gradebooks import plan_gradebook
from demo.provisioning.grades import plan_grades
from demo.provisioning.plan import Plan, Site
from demo.provisioning.refusal import RefusedError
from demo.provisioning.rosters import plan_roster
from demo.provisioning.users import plan_user

# Another document of the call may give what these miss, or free what they want.
_MAY_PASS = frozenset({"category_missing", "shortname_taken", "username_taken", "email_taken"})


def apply(
    state: State, documents: Sequence[Any], *, dryrun: bool, now: int = 0
) -> list[dict[str, Any]]:
    """Make ``state`` equal to the documents; with ``dryrun`` only say what that would do.

    Returns one result per document in the order in which they were given.
    """
    batch = _Batch(deepcopy(state) if dryrun else state, documents, now)
    results = batch.run()
    if dryrun:
        for result in results:
            if result["result"] == "created" and result["id"] not in batch.known:
                result["id"] = None
    return results


class _Batch:
    def __init__(self, state: State, documents: Sequence[Any], now: int) -> None:
        self.site = Site(state, enrolments=state.school_enrolments, now=now)
        self.results: list[dict[str, Any]] = [{}] * len(documents)
        self.known = {*state.categories, *state.people, *state.courses}
        read = [self._read(number, raw) for number, raw in enumerate(documents)]
        self.documents = {
            number: document for number, document in enumerate(read) if document is not None
        }
        self.parents = self._parents()

    def _read(self, number: int, raw: Any) -> Document | None:
        try:
            return read_document(raw)
        except RefusedError as error:
            self._put(number, kind_of(raw), key_of(raw), error.result())
            return None

    def _parents(self) -> Mapping[str, str | None]:
        return {
            document.idnumber: document.parent
            for document in self.documents.values()
            if isinstance(document, CategoryDocument)
        }

    def run(self) -> list[dict[str, Any]]:
        times = Counter((each.kind, key(each)) for each in self.documents.values())
        for number, document in list(self.documents.items()):
            if times[document.kind, key(document)] > 1:
                del self.documents[number]
                error = RefusedError(
                    "duplicate_document", None, "Two documents of this call are for this thing."
                )
                self._put(number, document.kind, key(document), error.result())
        for kind in KINDS:
            self._run_kind([n for n, document in self.documents.items() if document.kind == kind])
        return self.results

    def _run_kind(self, numbers: list[int]) -> None:
        # The order within a call does not matter: what had to wait is tried again as long as
        # something else of the kind could be done.
        waiting = numbers
        while waiting:
            later = [number for number in waiting if not self._run_one(number)]
            if len(later) == len(waiting):
                return
            waiting = later

    def _run_one(self, number: int) -> bool:
        document = self.documents[number]
        try:
            plan = self._plan(document)
        except RefusedError as error:
            self._put(number, document.kind, key(document), error.result())
            return error.code not in _MAY_PASS
        made = plan.execute()
        self._put(number, document.kind, key(document), {"id": made, **plan.dump()})
        return True

    def _plan(self, document: Document) -> Plan:
        if isinstance(document, CategoryDocument):
            return plan_category(self.site, document, self.parents)
        if isinstance(document, UserDocument):
            return plan_user(self.site, document)
        if isinstance(document, CourseDocument):
            return plan_course(self.site, document)
        if isinstance(document, GradebookDocument):
            return plan_gradebook(self.site, document)
        if isinstance(document, GradesDocument):
            return plan_grades(self.site, document)
        return plan_roster(self.site, document)

    def _put(self, number: int, kind: str, named: str, result: dict[str, Any]) -> None:
        self.results[number] = {
            "kind": kind,
            "key": named,
            "id": None,
            "members": [],
            "notes": [],
            **result,
        }
