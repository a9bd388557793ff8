"""Documents in calls of a bearable size: a roster of a thousand weighs more than one of ten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lti_tool.moodle.documents import Document, Gradebook, Grades, Roster

# Members of one call: below a megabyte of JSON, which every PHP takes.
MAX_WEIGHT = 8000
# A grade, with its note, is as long as so many members.
_GRADE = 2


def batches(documents: Iterable[Document], *, most: int) -> Iterator[list[Document]]:
    """Slices of at most ``most`` documents, and of what one call can carry; in their order."""
    batch: list[Document] = []
    carried = 0
    for document in documents:
        weight = weight_of(document)
        if batch and (len(batch) >= most or carried + weight > MAX_WEIGHT):
            yield batch
            batch, carried = [], 0
        batch.append(document)
        carried += weight
    if batch:
        yield batch


def weight_of(document: Document) -> int:
    """How much a document weighs in a call, in members of a roster."""
    match document:
        case Roster():
            return 1 + len(document.members)
        case Grades():
            return 1 + _GRADE * len(document.grades)
        case Gradebook():
            return 1 + _GRADE * (len(document.items) + len(document.categories))
        case _:
            return 1
