"""What would change at a site: the plan that an administrator sees before saying yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lti_tool.core.clock import Clock
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import (
    MAX_DOCUMENTS,
    Course,
    Document,
    Gradebook,
    Grades,
    Kind,
    Result,
    Roster,
)
from lti_tool.moodle.models import Site
from lti_tool.sync.provisioning.batches import MAX_WEIGHT, weight_of
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.marks import Marks
from lti_tool.sync.provisioning.people import outcome_of, people_of
from lti_tool.sync.provisioning.slices import joined, only, slices
from lti_tool.sync.rendered import Former, Nothing, Unfit
from lti_tool.sync.rendering import Rendering

# Documents of one dry run, with what they refer to.
_CALL = 800
_BATCH: dict[Kind, int] = {
    "category": 500,
    "user": 500,
    "course": 200,
    "roster": 50,
    "gradebook": 100,
    "grades": 50,
    "account": 500,
}
# New people of one dry run, with their places and their grades.
_SLICE = 700
# Kinds that name people, or are named by grades, although they are there already.
_GROWING = ("roster", "gradebook")


@dataclass(slots=True)
class Preview:
    """Results that differ from ``unchanged``, by kind, and how many of each outcome."""

    results: list[Result] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, kind: Kind, outcome: str, number: int = 1) -> None:
        """Count an outcome."""
        of_kind = self.counts.setdefault(kind, {})
        of_kind[outcome] = of_kind.get(outcome, 0) + number

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not self.results


class Previews:
    """Asks the site itself, by dry runs: nothing is changed, and nothing is guessed."""

    def __init__(
        self,
        clock: Clock,
        client: MoodleAPIClient,
        rendering: Rendering,
        marks: Marks,
        ledger: Ledger,
    ) -> None:
        self._clock = clock
        self._client = client
        self._rendering = rendering
        self._marks = marks
        self._ledger = ledger

    def preview(
        self,
        site: Site,
        *,
        everything: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Preview:
        """What a run would do now; with ``everything``, also where nothing is known to differ."""
        self._marks.gather()
        preview = Preview()
        kinds = [kind for kind in site.kinds if site.takes(kind)]
        work = {kind: self._documents(site, kind, everything, preview) for kind in kinds}
        total = sum(map(len, work.values()))
        done = 0
        # What does not exist yet must travel with what refers to it: a dry run leaves nothing.
        coming: dict[tuple[str, str], Document] = {}
        for kind in kinds:
            of_what = "grades" if kind == "grades" else "people"
            for batch in _batches(kind, work[kind], coming):
                wanted = set(batch)
                for document, result in self._asked(site, kind, work[kind], batch, coming):
                    if result.kind != kind or result.key not in wanted:
                        continue
                    wanted.discard(result.key)
                    preview.add(kind, outcome_of(result))
                    for member in result.members:
                        preview.add(kind, f"{of_what}_{outcome_of(member)}")
                    if result.result == "created" or (
                        kind in _GROWING and result.result == "updated"
                    ):
                        coming[kind, result.key] = document
                    if result.result != "unchanged" or any(
                        member.result != "unchanged" for member in result.members
                    ):
                        preview.results.append(result)
                done += len(batch)
                progress(done, total)
        return preview

    def _documents(
        self, site: Site, kind: Kind, everything: bool, preview: Preview
    ) -> dict[str, Document]:
        keys = (
            self._rendering.all_keys(kind)
            if everything
            else [mark.key for mark in self._marks.due(site.id, kind)]
        )
        known = self._ledger.known(site.id, kind, keys)
        found: dict[str, Document] = {}
        for key, rendered in self._rendering.render(
            kind, keys, now=self._clock.now(), site_id=site.id
        ).items():
            document = rendered
            if isinstance(rendered, Former) and key in known:
                document = rendered.document
            if isinstance(document, Nothing | Former):
                continue
            if isinstance(document, Unfit):
                preview.add(kind, "refused")
                preview.results.append(document.as_result(kind, key))
            elif everything or key not in known or known[key].fingerprint != fingerprint(document):
                found[key] = document
        return found

    def _asked(
        self,
        site: Site,
        kind: Kind,
        documents: dict[str, Document],
        batch: list[str],
        coming: dict[tuple[str, str], Document],
    ) -> list[tuple[Document, Result]]:
        own = [documents[key] for key in batch]
        sent = _with_needed(own, coming)
        if len(sent) > MAX_DOCUMENTS and len(own) == 1:
            return [(own[0], self._in_slices(site, own[0], coming))]
        if len(sent) > MAX_DOCUMENTS:
            halves = batch[: len(batch) // 2], batch[len(batch) // 2 :]
            return [
                each
                for half in halves
                for each in self._asked(site, kind, documents, list(half), coming)
            ]
        answer = self._client.apply(site, sent, dryrun=True)
        return [
            (document, result)
            for document, result in zip(sent, answer.results, strict=True)
            if result.kind == kind
        ]

    def _in_slices(
        self, site: Site, document: Document, coming: dict[tuple[str, str], Document]
    ) -> Result:
        """A document with more new people than one call takes: some of them at a time."""
        parts = []
        for part in slices(document, people=_SLICE):
            people = people_of(part)
            some = {
                reference: only(found, people)
                for reference, found in coming.items()
                if reference[0] != "user" or reference[1] in people
            }
            answer = self._client.apply(site, _with_needed([part], some), dryrun=True)
            parts.append((part, answer.results[-1]))
        return joined(document, parts)


def _with_needed(own: list[Document], coming: dict[tuple[str, str], Document]) -> list[Document]:
    """Documents, after those that they refer to and that do not exist yet."""
    needed = {
        reference: coming[reference]
        for document in own
        for reference in _references(document)
        if reference in coming
    }
    for reference in [*needed]:
        for further in _references(needed[reference]):
            if further in coming:
                needed[further] = coming[further]
    return [*needed.values(), *own]


def _references(document: Document) -> Iterator[tuple[str, str]]:
    match document:
        case Course():
            yield "category", document.category
        case Roster():
            yield "course", document.course
            for member in document.members:
                yield "user", member.user
        case Gradebook():
            yield "course", document.course
        case Grades():
            for kind in ("course", "roster", "gradebook"):
                yield kind, document.course
            for person_key in people_of(document):
                yield "user", person_key
        case _:
            return


def _batches(
    kind: Kind, documents: dict[str, Document], coming: dict[tuple[str, str], Document]
) -> Iterator[list[str]]:
    batch: list[str] = []
    carried: set[tuple[str, str]] = set()
    weight = 0
    for key, document in documents.items():
        also = {reference for reference in _references(document) if reference in coming}
        full = (
            len(batch) + 1 + 2 * len(carried | also) > _CALL
            or len(batch) >= _BATCH[kind]
            or weight + weight_of(document) > MAX_WEIGHT
        )
        if batch and full:
            yield batch
            batch, carried, weight = [], set(), 0
        batch.append(key)
        weight += weight_of(document)
        carried |= also
    if batch:
        yield batch
