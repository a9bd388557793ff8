"""Who looks at a page of a course, and what they may see there. Every page asks here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from flask import Blueprint, g

from lti_tool.core.errors import ForbiddenError, NagaError
from lti_tool.lti import roles
from lti_tool.lti.models import Launch, Registration
from lti_tool.sis.entities import ClassView, PartView, PersonView
from lti_tool.web.i18n import use_language
from lti_tool.web.sessions import current_launch
from lti_tool.wiring import services


class PersonUnknownError(NagaError):
    """The launch was right, but the SIS does not know this account."""

    code = "person_unknown"
    status = 403
    title = "Your account is not connected yet"


class PersonLeftError(NagaError):
    """The SIS knows the person, and says that they take part no more."""

    code = "person_left"
    status = 403
    title = "Your account is closed"


class ClassUnknownError(NagaError):
    """The launch was right, but the course is not connected to a class of the SIS."""

    code = "class_unknown"
    status = 404
    title = "This course is not connected to a class yet"


class SharingOffError(NagaError):
    """The platform did not offer the service that a page needs."""

    code = "service_not_shared"
    status = 409
    title = "Moodle does not share this with the tool"


@dataclass(frozen=True)
class Viewer:
    """The person behind a launch. Roles are the launch's own, so a demotion counts at once."""

    launch: Launch
    registration: Registration

    @property
    def is_teacher(self) -> bool:
        """Instructor in this course on the platform."""
        return roles.is_instructor(self.launch.roles)

    @property
    def is_student(self) -> bool:
        """Learner in this course on the platform."""
        return roles.is_learner(self.launch.roles)

    @property
    def is_site_administrator(self) -> bool:
        """Administrator of the whole platform."""
        return roles.is_site_administrator(self.launch.roles)

    @property
    def context_id(self) -> str:
        """The course on the platform."""
        if self.launch.context_id is None:
            raise ClassUnknownError(
                "The tool was opened outside a course.",
                remedy="Open it from within a course.",
            )
        return self.launch.context_id

    @cached_property
    def found_person(self) -> PersonView | None:
        """The person of the SIS that this account is linked to now, if any; raises
        :class:`PersonLeftError`."""
        subject = self.launch.subject
        if subject is None:
            return None
        key = services().people.person_key(self.registration.id, subject)
        person = services().sis.person(key) if key else None
        if person is not None and not person.status.may_sign_in:
            raise person_left(reference=self.launch.reference)
        return person

    @property
    def person(self) -> PersonView:
        """The person of the SIS; raises :class:`PersonUnknownError`."""
        if self.found_person is None:
            raise PersonUnknownError(
                "The SIS does not know which of its people your Moodle account belongs to.",
                remedy="Ask the school's SIS administrator to connect your account, "
                "then load this page again.",
                reference=self.launch.reference,
            )
        return self.found_person

    def require_person(self) -> Viewer:
        """This viewer, if the SIS knows them."""
        _ = self.person
        return self

    @cached_property
    def class_keys(self) -> list[str]:
        """The classes that this course is linked to."""
        if self.launch.context_id is None:
            return []
        return services().courses.class_keys(self.registration.id, self.launch.context_id)

    @cached_property
    def found_classes(self) -> tuple[ClassView, ...]:
        """The classes that the SIS still knows of those."""
        found = (services().sis.class_(key) for key in self.class_keys)
        return tuple(class_ for class_ in found if class_ is not None)

    @property
    def classes(self) -> tuple[ClassView, ...]:
        """The classes of this course; raises :class:`ClassUnknownError`."""
        if not self.found_classes:
            raise ClassUnknownError(
                "The SIS does not know which of its classes this course belongs to.",
                remedy="Ask the course's teacher to open the tool once and choose the class.",
                reference=self.launch.reference,
            )
        return self.found_classes

    @cached_property
    def gradable_parts(self) -> tuple[PartView, ...]:
        """The parts whose grades this teacher may see and push."""
        return gradable_parts(self.classes, self.person.person_key)

    @property
    def sees_all_parts(self) -> bool:
        """Whether no part of the course's classes is hidden from this teacher."""
        return len(self.gradable_parts) == sum(len(class_.parts) for class_ in self.classes)


def person_left(*, reference: str | None = None) -> PersonLeftError:
    """What somebody is told whom the SIS no longer lets in."""
    return PersonLeftError(
        "The school's system says that your account is closed.",
        remedy="If that is wrong, ask the registrar.",
        reference=reference,
    )


def gradable_parts(classes: Iterable[ClassView], person_key: str) -> tuple[PartView, ...]:
    """The parts of these classes whose grades somebody who teaches them may see.

    Where the SIS names teachers, one sees only what one teaches (and what nobody is named for); a
    teacher whom the SIS does not name for any sees none. Where it names nobody at all, whoever
    teaches the classes sees all.
    """
    parts = [part for class_ in classes for part in class_.parts]
    if not any(part.teacher_key for part in parts):
        return tuple(parts)
    if not any(part.teacher_key == person_key for part in parts):
        return ()
    return tuple(part for part in parts if part.teacher_key in (person_key, None))


def viewer() -> Viewer:
    """The viewer of this request; raises where there is no session for this course."""
    if "viewer" not in g:
        session = current_launch()
        use_language(session.launch.services.get("locale"))
        who = Viewer(session.launch, session.registration)
        # Most pages ask anyway. It is asked here so that none forgets to: whoever was suspended
        # in the SIS is out at their next request, whatever the request is.
        _ = who.found_person
        g.viewer = who
    found: Viewer = g.viewer
    return found


def require_teacher() -> Viewer:
    """The viewer, if a teacher of this course whom the SIS knows."""
    who = viewer()
    if not who.is_teacher:
        raise ForbiddenError(
            "This page is for teachers of the course.",
            remedy="If you teach this course, ask for the teacher role in Moodle.",
            reference=who.launch.reference,
        )
    return who.require_person()


def require_site_administrator() -> Viewer:
    """The viewer, if an administrator of the whole platform."""
    who = viewer()
    if not who.is_site_administrator:
        raise ForbiddenError(
            "This page is for administrators of the Moodle site.",
            reference=who.launch.reference,
        )
    return who


def in_course(blueprint: Blueprint) -> Blueprint:
    """Put a blueprint under ``/l/<reference>``: its views need not take the reference."""

    @blueprint.url_value_preprocessor
    def _take(_endpoint: str | None, values: dict[str, str] | None) -> None:
        if values is not None:
            values.pop("reference", None)

    @blueprint.url_defaults
    def _give(_endpoint: str, values: dict[str, str]) -> None:
        if "viewer" in g:
            values.setdefault("reference", g.viewer.launch.reference)

    # Before anything else, so that every view of the blueprint has a session behind it.
    blueprint.before_request(_open)
    return blueprint


def _open() -> None:
    viewer()
