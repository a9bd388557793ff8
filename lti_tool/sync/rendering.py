"""The SIS as documents: what should stand in Moodle, rendered from the SIS as it is now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from pydantic import ValidationError

from lti_tool.moodle.documents import (
    NAME_LENGTH,
    PERSON_NAME_LENGTH,
    Account,
    Category,
    Course,
    Document,
    Grades,
    Group,
    Kind,
    Member,
    Roster,
    Section,
    User,
    key_of,
)
from lti_tool.sis.entities import ClassView, Membership, PersonView, TermView
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.account_rendering import NAMELESS, account, address_of, username_of
from lti_tool.sync.grades.rendering import GradeRendering
from lti_tool.sync.lifecycle import Lifecycle, account_suspended, place
from lti_tool.sync.rendered import Former, Nothing, Rendered, Unfit, fit, short, tried
from lti_tool.sync.taught import taught_with


class Rendering:
    """Renders documents, many per statement.

    Args:
        placeholder_domain: people without an address of their own get one in this domain; Moodle
            and Keycloak want one, and no mail ever reaches a name under ``invalid`` (RFC 2606).
    """

    def __init__(
        self,
        sis: SisExtracts,
        lifecycle: Lifecycle,
        grades: GradeRendering,
        *,
        placeholder_domain: str = "no-address.invalid",
    ) -> None:
        self._sis = sis
        self._lifecycle = lifecycle
        self.grades = grades
        self._domain = placeholder_domain

    def render(
        self, kind: Kind, keys: Collection[str], *, now: dt.datetime, site_id: int
    ) -> dict[str, Rendered]:
        """The documents of one kind for these keys, in their order.

        Keys are of the SIS: terms, people, and for all that is a course's the class that is host
        (:func:`host_of`). Grades are a site's own: where they come from, and what it has of them.
        """
        match kind:
            case "category":
                rendered = self._categories(keys)
            case "user":
                rendered = self._users(keys)
            case "course":
                rendered = self._courses(keys, today=self._lifecycle.today(now))
            case "roster":
                rendered = self._rosters(keys)
            case "gradebook":
                rendered = self.grades.gradebooks(site_id, self.groups(keys))
            case "grades":
                rendered = self.grades.grades(site_id, self.groups(keys))
            case "account":
                rendered = self._accounts(keys)
        return {key: _checked(key, found) for key, found in rendered.items()}

    def nothing_new(
        self, site_id: int, documents: Mapping[str, Document], sent: Collection[str]
    ) -> set[str]:
        """Which of these documents, sent before in another form, say nothing that the site does not
        have: grades of which only some are gone, of a student who left."""
        grades = {key: found for key in sent if isinstance(found := documents[key], Grades)}
        return self.grades.agreed(site_id, grades) if grades else set()

    def all_keys(self, kind: Kind) -> list[str]:
        """Keys of everything of a kind that the SIS has."""
        match kind:
            case "category":
                return self._sis.term_keys()
            case "user" | "account":
                return self._sis.person_keys()
            case _:
                return self.hosts(self._sis.class_keys())

    def archived_since(self, view: ClassView) -> dt.date:
        """The first day on which the course of this class is archived."""
        return self._lifecycle.archived_from(view)

    def own_keys(self, kind: Kind) -> set[str]:
        """Keys of everything that the SIS knows, whether a document comes of it or not."""
        of_classes = kind not in ("category", "user", "account")
        return set(self._sis.class_keys() if of_classes else self.all_keys(kind))

    def hosts(self, class_keys: Collection[str]) -> list[str]:
        """The classes in whose courses these are taught, sorted; unknown ones stand for
        themselves."""
        classes = self._sis.classes(class_keys)
        return sorted({host_of(classes[key]) if key in classes else key for key in class_keys})

    def _categories(self, keys: Collection[str]) -> dict[str, Rendered]:
        terms = self._sis.terms(keys)
        return {key: tried(_category, terms.get(key)) for key in keys}

    def _users(self, keys: Collection[str]) -> dict[str, Rendered]:
        people = self._sis.people(keys)
        shared = self._sis.shared_emails(
            [person.school_email for person in people.values() if person.school_email]
        )
        return {key: tried(self._user, people.get(key), shared) for key in keys}

    def _user(self, person: PersonView | None, shared: Collection[str]) -> Rendered:
        if person is None:
            return Nothing("unknown")
        return fit(
            User,
            idnumber=person.person_key,
            username=username_of(person),
            # Moodle sends people with half a name to their profile, which they may not edit.
            firstname=short(person.personal_name, PERSON_NAME_LENGTH) or NAMELESS,
            lastname=short(person.family_name, PERSON_NAME_LENGTH) or NAMELESS,
            email=address_of(person, shared, self._domain),
            alternatename=short(person.khmer_name or "", PERSON_NAME_LENGTH),
            suspended=account_suspended(person.status),
        )

    def _accounts(self, keys: Collection[str]) -> dict[str, Rendered]:
        people = self._sis.people(keys)
        shared = self._sis.shared_emails(
            [person.school_email for person in people.values() if person.school_email]
        )
        return {key: tried(account, people.get(key), shared, self._domain) for key in keys}

    def _courses(self, keys: Collection[str], *, today: dt.date) -> dict[str, Rendered]:
        groups = self.groups(keys)
        return {
            key: _former(key, groups[key], tried(self._course, key, groups[key], today))
            for key in keys
        }

    def _course(self, key: str, classes: list[ClassView], today: dt.date) -> Rendered:
        shown = [view for view in classes if self._lifecycle.exists(view)]
        if not shown:
            return Nothing("draft" if classes else "unknown")
        host = next((view for view in shown if view.class_key == key), shown[0])
        titles = list(dict.fromkeys(view.course_title for view in shown))
        codes = list(dict.fromkeys(f"{view.course_code} {view.section}" for view in shown))
        together = len(shown) > 1
        return fit(
            Course,
            idnumber=key,
            shortname=short(
                f"{' + '.join(codes)} {host.time_of_day} {host.term_code}", NAME_LENGTH
            ),
            fullname=short(f"{' / '.join(titles)} ({' + '.join(codes)})", NAME_LENGTH),
            category=host.term_key,
            startdate=self._lifecycle.starts(host),
            enddate=self._lifecycle.ends(host),
            visible=any(self._lifecycle.visible(view, today=today) for view in shown),
            readonly=all(self._lifecycle.readonly(view, today=today) for view in shown),
            sections=[section for view in shown for section in _sections(view, together=together)],
            groups=(
                [_group(view, codes=[other.course_code for other in shown]) for view in shown]
                if together
                else []
            ),
        )

    def _rosters(self, keys: Collection[str]) -> dict[str, Rendered]:
        groups = self.groups(keys)
        class_keys = [view.class_key for views in groups.values() for view in views]
        memberships = self._sis.memberships(class_keys)
        teachers = self._sis.named_teachers(class_keys)
        teaching = {
            part.teacher_key
            for views in groups.values()
            for view in views
            for part in view.parts
            if part.teacher_key
        } | {key for named in teachers.values() for key in named}
        people = self._sis.people(teaching)
        return {
            key: _former(
                key,
                groups[key],
                tried(self._roster, key, groups[key], memberships, teachers, people),
            )
            for key in keys
        }

    def _roster(
        self,
        key: str,
        classes: list[ClassView],
        memberships: Mapping[str, list[Membership]],
        named: Mapping[str, list[str]],
        people: Mapping[str, PersonView],
    ) -> Rendered:
        shown = [view for view in classes if self._lifecycle.exists(view)]
        if not shown:
            return Nothing("draft" if classes else "unknown")
        together = len(shown) > 1
        roles: dict[str, str] = {}
        places: dict[str, str] = {}
        groups: dict[str, list[str]] = defaultdict(list)
        for view in shown:
            for person_key in _teachers(view, named.get(view.class_key, ())):
                teacher = people.get(person_key)
                if teacher is None:
                    continue
                roles[person_key] = "editingteacher"
                active = not account_suspended(teacher.status)
                places[person_key] = "active" if active else "suspended"
                groups[person_key].append(view.class_key)
            for membership in memberships.get(view.class_key, ()):
                person_key = membership.person_key
                if roles.setdefault(person_key, "student") != "student":
                    continue
                # A place in one of the classes that are taught together is a place in the course.
                if place(membership) == "active":
                    places[person_key] = "active"
                    groups[person_key].append(view.class_key)
                else:
                    places.setdefault(person_key, "suspended")
        found = [
            _member(
                person_key,
                roles[person_key],
                places[person_key],
                sorted(set(groups[person_key])) if together else [],
            )
            for person_key in sorted(roles)
        ]
        members = [member for member in found if member is not None]
        return fit(Roster, course=key, count=len(members), members=members)

    def groups(self, hosts: Collection[str]) -> dict[str, list[ClassView]]:
        """The classes that are taught in each host's course, the host first."""
        together = taught_with(self._sis, hosts)
        grouped: dict[str, list[ClassView]] = {}
        for key in hosts:
            views = together.get(key, [])
            # Who is taught in another's course takes nobody along into the former one.
            grouped[key] = views if views and host_of(views[0]) == key else views[:1]
        return grouped


def host_of(view: ClassView) -> str:
    """The key of the class in whose course this one is taught: its own, unless it is combined."""
    return view.host_key


def _category(term: TermView | None) -> Rendered:
    if term is None:
        return Nothing("unknown")
    name = f"{term.title} ({term.code})" if term.title and term.title != term.code else term.code
    return fit(Category, idnumber=term.term_key, name=short(name, NAME_LENGTH), visible=term.active)


def _sections(view: ClassView, *, together: bool) -> list[Section]:
    before = f"{view.course_code} {view.section}: " if together else ""
    return [
        Section(
            key=f"{view.class_key}#{session.number}",
            name=short(before + (session.name or f"Session {session.number}"), NAME_LENGTH),
        )
        for session in view.sessions
    ]


def _group(view: ClassView, *, codes: list[str]) -> Group:
    alone = codes.count(view.course_code) == 1
    name = view.course_code if alone else f"{view.course_code} {view.section}"
    return Group(idnumber=view.class_key, name=short(name, NAME_LENGTH))


def _teachers(view: ClassView, named: Iterable[str]) -> list[str]:
    of_parts = [part.teacher_key for part in view.parts if part.teacher_key]
    return list(dict.fromkeys([*of_parts, *named]))


def _checked(key: str, found: Rendered) -> Rendered:
    document = found.document if isinstance(found, Former) else found
    if isinstance(document, Nothing | Unfit) or key_of(document) == key:
        return found
    field = "/idnumber" if isinstance(document, Category | User | Course) else "/course"
    return Unfit(
        "/person" if isinstance(document, Account) else field,
        "The key begins or ends with a space, or holds a letter in a form that Moodle compares "
        "differently (not NFC). Correct it in the SIS.",
    )


def _former(key: str, classes: list[ClassView], found: Rendered) -> Rendered:
    host = host_of(classes[0]) if classes else key
    if host == key or isinstance(found, Nothing | Unfit | Former):
        return found
    return Former(found, host)


def _member(person_key: str, role: str, status: str, groups: list[str]) -> Member | None:
    """A member; ``None`` for one whose key is none for Moodle. Such a person has no account there,
    and a dead letter says why."""
    values = {"user": person_key, "role": role, "status": status, "groups": groups}
    try:
        member = Member.model_validate(values)
    except ValidationError:
        return None
    return member if member.user == person_key else None
