"""The embedded SIS in bulk: what keeps another system equal to it reads through here.

Every method is a statement or two per 1,000 keys; without keys it reads everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.bulk import chunks
from lti_tool.sis.class_views import class_views, header_query
from lti_tool.sis.embedded import PERSON_COLUMNS, person_view
from lti_tool.sis.entities import ClassView, Membership, PersonStatus, PersonView, TermView
from lti_tool.sis.models import ClassHeader, Enrollment, Person, Teaching, Term

_CHUNK = 1000
_people = cast(sa.Table, Person.__table__)
_headers = cast(sa.Table, ClassHeader.__table__)
_enrollments = cast(sa.Table, Enrollment.__table__)
_teachings = cast(sa.Table, Teaching.__table__)
_terms = cast(sa.Table, Term.__table__)


class Extracts:
    """Implements :class:`~lti_tool.sis.interfaces.SisExtracts` on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def term_keys(self) -> list[str]:
        """Keys of all terms, sorted."""
        return self._keys(_terms.c.sourced_id)

    def person_keys(self) -> list[str]:
        """Keys of all people, sorted."""
        return self._keys(_people.c.sourced_id)

    def class_keys(self) -> list[str]:
        """Keys of all classes, sorted."""
        return self._keys(_headers.c.sourced_id)

    def terms(self, keys: Collection[str]) -> dict[str, TermView]:
        """These terms, by key; unknown keys are absent."""
        columns = (_terms.c.code, _terms.c.title, _terms.c.start_date, _terms.c.end_date)
        query = sa.select(_terms.c.sourced_id, *columns, _terms.c.active)
        return {row[0]: TermView(*row) for row in self._rows(query, _terms.c.sourced_id, keys)}

    def people(self, keys: Collection[str]) -> dict[str, PersonView]:
        """These people, by key; unknown keys are absent."""
        query = sa.select(*PERSON_COLUMNS)
        return {row[0]: person_view(row) for row in self._rows(query, _people.c.sourced_id, keys)}

    def shared_emails(self, emails: Collection[str]) -> set[str]:
        """Which of these addresses, in lower case, belong to more than one person."""
        folded = sa.func.lower(_people.c.school_email)
        query = sa.select(folded).group_by(folded).having(sa.func.count() > 1)
        wanted = {email.lower() for email in emails}
        return {row[0] for row in self._rows(query, folded, wanted)}

    def classes(self, keys: Collection[str]) -> dict[str, ClassView]:
        """These classes, by key; unknown keys are absent, removed ones are CANCELLED."""
        found: dict[str, ClassView] = {}
        for some in chunks(set(keys), _CHUNK):
            with self._database.reading() as connection:
                views = class_views(
                    connection, header_query().where(_headers.c.sourced_id.in_(some))
                )
            found.update((view.class_key, view) for view in views)
        return found

    def memberships(self, class_keys: Collection[str]) -> dict[str, list[Membership]]:
        """All enrolments of these classes, whatever their status, by class, ordered by person."""
        query = (
            sa.select(
                _headers.c.sourced_id,
                _people.c.sourced_id,
                _enrollments.c.status,
                _enrollments.c.is_audit,
                _people.c.status,
                _people.c.active,
            )
            .select_from(_enrollments)
            .join(_headers, _headers.c.id == _enrollments.c.header_id)
            .join(_people, _people.c.id == _enrollments.c.person_id)
            .order_by(_headers.c.sourced_id, _people.c.sourced_id)
        )
        found: dict[str, list[Membership]] = defaultdict(list)
        for row in self._rows(query, _headers.c.sourced_id, class_keys):
            class_key, person_key, status, is_audit, person_status, active = row
            if not active and person_status is PersonStatus.ACTIVE:
                person_status = PersonStatus.INACTIVE
            found[class_key].append(
                Membership(class_key, person_key, status, is_audit, person_status)
            )
        return dict(found)

    def named_teachers(self, class_keys: Collection[str]) -> dict[str, list[str]]:
        """People who teach these classes beyond what their parts say, by class."""
        query = (
            sa.select(_headers.c.sourced_id, _people.c.sourced_id)
            .select_from(_teachings)
            .join(_headers, _headers.c.id == _teachings.c.header_id)
            .join(_people, _people.c.id == _teachings.c.person_id)
            .where(_teachings.c.active)
            .order_by(_people.c.sourced_id)
        )
        found: dict[str, list[str]] = defaultdict(list)
        for class_key, person_key in self._rows(query, _headers.c.sourced_id, class_keys):
            found[class_key].append(person_key)
        return dict(found)

    def classes_of_terms(self, term_keys: Collection[str]) -> set[str]:
        """Keys of the classes of these terms."""
        query = sa.select(_headers.c.sourced_id).join(_terms, _terms.c.id == _headers.c.term_id)
        return {row[0] for row in self._rows(query, _terms.c.sourced_id, term_keys)}

    def classes_of_people(self, person_keys: Collection[str]) -> set[str]:
        """Keys of the classes in which these people have an enrolment, whatever its status."""
        query = (
            sa.select(_headers.c.sourced_id)
            .join(_enrollments, _enrollments.c.header_id == _headers.c.id)
            .join(_people, _people.c.id == _enrollments.c.person_id)
            .distinct()
        )
        return {row[0] for row in self._rows(query, _people.c.sourced_id, person_keys)}

    def _keys(self, column: sa.Column[str]) -> list[str]:
        with self._database.reading() as connection:
            return list(connection.scalars(sa.select(column).order_by(column)))

    def _rows(
        self, query: sa.Select[Any], column: sa.ColumnElement[Any], keys: Collection[str]
    ) -> Iterator[Any]:
        for some in chunks(sorted(set(keys)), _CHUNK):
            with self._database.reading() as connection:
                yield from connection.execute(query.where(column.in_(some))).all()
