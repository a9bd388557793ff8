"""The grades of one course: seen before they are sent, sent when asked."""

from __future__ import annotations

from collections.abc import Collection

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import NotFoundError
from lti_tool.moodle.documents import Document, Gradebook, Grades, MemberResult
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.receipts import Receipts
from lti_tool.sync.grades.values import CellKey
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.explain import Explanations
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.letters import DeadLetters
from lti_tool.sync.provisioning.marks import Marks
from lti_tool.sync.provisioning.services import SyncService, Things
from lti_tool.sync.rendering import Rendering


class MoodleGradeSyncService(SyncService):
    """Gradebooks and grades: how a course's grades add up, and the SIS's grades in it."""

    kind = "grades"

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: SisExtracts,
        client: MoodleAPIClient,
        rendering: Rendering,
        marks: Marks,
        ledger: Ledger,
        letters: DeadLetters,
        explanations: Explanations,
        receipts: Receipts,
    ) -> None:
        super().__init__(
            database, clock, sis, client, rendering, marks, ledger, letters, explanations
        )
        self._receipts = receipts

    def preview(
        self, site: MoodleSite, course_key: str, cells: Collection[CellKey] | None = None
    ) -> list[MemberResult]:
        """What sending these grades now would do, or all of the course; nothing is done. A grade
        of which nothing is to be said has no result: one that nobody submitted, or that waits for
        somebody's decision. Where the whole document is refused, each grade is.

        Raises:
            PluginError: Moodle did not answer.
        """
        document = self._document(site, course_key, cells)
        if document is None or not document.grades:
            return []
        documents: list[Document] = [document]
        if course_key not in self._ledger.known(site.id, "gradebook", [course_key]):
            # A dry run leaves nothing: what the grades need travels with them.
            books = self._rendering.grades.gradebooks(site.id, self._rendering.groups([course_key]))
            documents += [book for book in books.values() if isinstance(book, Gradebook)]
        result = self._client.apply(site, documents, dryrun=True).results[0]
        if result.result != "refused":
            return result.members
        # Where Moodle takes nothing of the course, it takes none of these.
        return [
            MemberResult(
                user=grade.user,
                item=grade.item,
                result="refused",
                code=result.code,
                message=result.message,
            )
            for grade in document.grades
        ]

    def push(
        self,
        site: MoodleSite,
        course_key: str,
        cells: Collection[CellKey] | None = None,
        *,
        actor: str,
    ) -> int:
        """Ask for these grades to be sent as they are now, or for all of the course; the next run
        does it. Returns how many: those of which there is something to say.

        ``cells``: keys of a person and an item each. ``actor``: a person's key, or whoever else
        stands for it in the receipts.
        """
        document = self._document(site, course_key, cells)
        if document is None or not document.grades:
            return 0
        belonging = self._receipts.belonging([document])
        with self._database.writing() as connection:
            self._receipts.asked(connection, site.id, document, belonging, actor=actor)
            self._ledger.send_again(connection, site.id, "grades", [course_key])
        return len(document.grades)

    def _document(
        self, site: MoodleSite, course_key: str, cells: Collection[CellKey] | None
    ) -> Grades | None:
        groups = self._rendering.groups([course_key])
        found = self._rendering.grades.grades(
            site.id, groups, cells=None if cells is None else set(cells), at_once=True
        )[course_key]
        return found if isinstance(found, Grades) else None

    def _things(self, key: str) -> Things:
        if key not in self._sis.classes([key]):
            raise NotFoundError("The SIS has no class with this key.", class_key=key)
        hosts = self._rendering.hosts([key])
        return {"gradebook": hosts, "grades": hosts}
