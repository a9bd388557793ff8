"""The SIS as an interface: the embedded store implements it, and so can the real one elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from lti_tool.sis.entities import (
    ClassGrades,
    ClassTotals,
    ClassView,
    Membership,
    OwnEnrollment,
    PartGradeView,
    PersonView,
    RosterEntry,
    ScaleLetter,
    StudentGrades,
    TermView,
)


class StudentInformationSystem(Protocol):
    """What the integration asks of a SIS. No method raises for an unknown key: it returns none.

    Every method is one to a few statements, however many rows it returns.
    """

    def person(self, person_key: str) -> PersonView | None:
        """The person with this key."""
        ...

    def people(self, person_keys: Collection[str]) -> Mapping[str, PersonView]:
        """The people with these keys, by key; unknown keys are absent."""
        ...

    def find_people(self, text: str, *, limit: int = 20) -> list[PersonView]:
        """People whose name, Khmer name, student id, key or school e-mail holds ``text``."""
        ...

    def class_(self, class_key: str) -> ClassView | None:
        """The class with this key, with its sessions and parts."""
        ...

    def find_classes(self, text: str, *, limit: int = 20) -> list[ClassView]:
        """Classes whose course code, title, term or key holds ``text``; the newest first."""
        ...

    def classes_taught_by(self, person_key: str) -> list[ClassView]:
        """Classes that this person teaches, whole or in part; the newest term first."""
        ...

    def enrollment(self, person_key: str, class_key: str) -> RosterEntry | None:
        """This person's enrolment in this class, whatever its status."""
        ...

    def enrollments_of(self, person_key: str) -> list[OwnEnrollment]:
        """All enrolments of this person, whatever their status; the newest term first."""
        ...

    def class_sizes(self, class_keys: Collection[str]) -> Mapping[str, int]:
        """How many students these classes have who attend or have ended them, by class."""
        ...

    def roster(self, class_key: str, *, chunk: int = 1000) -> Iterator[list[RosterEntry]]:
        """All enrolments of a class, whatever their status, in chunks, ordered by person key."""
        ...

    def part_grades(self, class_key: str, part_keys: Iterable[str]) -> list[PartGradeView]:
        """All grades of these parts, drafts too; at most one per person and part."""
        ...

    def class_totals(
        self, class_key: str, person_keys: Collection[str]
    ) -> Mapping[str, ClassTotals]:
        """Totals of these people in this class, by person key; the same as each one's own page."""
        ...

    def student_grades(self, person_key: str, class_key: str) -> StudentGrades:
        """One student's grades in one class, drafts left out."""
        ...


class SisExtracts(Protocol):
    """What keeping another system equal to the SIS asks of it: many things in few statements.

    Unknown keys are absent from what comes back.
    """

    def term_keys(self) -> list[str]:
        """Keys of all terms, sorted."""
        ...

    def person_keys(self) -> list[str]:
        """Keys of all people, sorted."""
        ...

    def class_keys(self) -> list[str]:
        """Keys of all classes, sorted."""
        ...

    def terms(self, keys: Collection[str]) -> Mapping[str, TermView]:
        """These terms, by key."""
        ...

    def people(self, keys: Collection[str]) -> Mapping[str, PersonView]:
        """These people, by key."""
        ...

    def shared_emails(self, emails: Collection[str]) -> set[str]:
        """Which of these addresses, in lower case, belong to more than one person."""
        ...

    def holders_of_emails(self, emails: Collection[str]) -> Mapping[str, set[str]]:
        """Keys of the people who have these addresses, by the address in lower case."""
        ...

    def classes(self, keys: Collection[str]) -> Mapping[str, ClassView]:
        """These classes, by key; removed ones are CANCELLED."""
        ...

    def memberships(self, class_keys: Collection[str]) -> Mapping[str, list[Membership]]:
        """All enrolments of these classes, whatever their status, by class, ordered by person."""
        ...

    def named_teachers(self, class_keys: Collection[str]) -> Mapping[str, list[str]]:
        """People who teach these classes beyond what their parts say, by class."""
        ...

    def grades(self, class_keys: Collection[str]) -> Mapping[str, ClassGrades]:
        """All grades of these classes, by class; one without any grade has an empty one."""
        ...

    def letters(self, class_keys: Collection[str]) -> Mapping[str, tuple[ScaleLetter, ...]]:
        """The letters of each class's scale, the best first."""
        ...

    def classes_of_terms(self, term_keys: Collection[str]) -> set[str]:
        """Keys of the classes of these terms."""
        ...

    def classes_of_people(self, person_keys: Collection[str]) -> set[str]:
        """Keys of the classes in which these people have an enrolment, whatever its status."""
        ...
