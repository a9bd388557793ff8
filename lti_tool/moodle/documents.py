"""The contract with the Moodle plugin: documents in, results out.

A document is the complete desired state of one thing. These models are the one source of the
contract: the JSON Schemas that the plugin ships are generated from them (``contract.py``).
Text is trimmed and NFC-normalised; ``<`` and ``>`` in names become ``‹`` and ``›``, which Moodle
shows as text everywhere.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

# Moodle's columns: idnumbers of courses, categories and groups hold 100 characters.
KEY_LENGTH = 100
NAME_LENGTH = 250
PERSON_NAME_LENGTH = 100
# Documents of one call; the plugin refuses more.
MAX_DOCUMENTS = 1000
MAX_MEMBERS = 20_000
MAX_GRADES = 50_000
MAX_BYTES = 8 * 1024 * 1024

_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _present(text: str) -> str:
    if not text:
        raise ValueError("must not be blank")
    return text


def _require_once(keys: list[str], what: str) -> None:
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ValueError(f"{what} name {twice} twice")


def _shown(text: str) -> str:
    return _normal(text).replace("<", "‹").replace(">", "›")


def _text(maximum: int, *, minimum: int = 1) -> Any:
    return Field(min_length=minimum, max_length=maximum, pattern=_NO_CONTROLS)


Key = Annotated[str, _text(KEY_LENGTH), AfterValidator(_normal), AfterValidator(_present)]
Name = Annotated[str, _text(NAME_LENGTH), AfterValidator(_shown), AfterValidator(_present)]
PersonName = Annotated[str, _text(PERSON_NAME_LENGTH, minimum=0), AfterValidator(_shown)]
Epoch = Annotated[int, Field(ge=0, le=4_102_444_800)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Category(_Strict):
    """A term: a course category. ``parent`` is another category's idnumber, or the top."""

    kind: Literal["category"] = "category"
    idnumber: Key
    name: Name
    parent: Key | None = None
    visible: bool = True


class User(_Strict):
    """A person: a user account.

    ``auth`` counts only when the account is made: how people sign in is the site's choice.
    """

    kind: Literal["user"] = "user"
    idnumber: Key
    username: Annotated[str, _text(100)]
    firstname: PersonName
    lastname: PersonName
    email: Annotated[str, _text(100)]
    alternatename: PersonName = ""
    auth: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")] = "manual"
    suspended: bool = False


class Section(_Strict):
    """A session of the class: a course section with this name. ``key`` never changes."""

    key: Key
    name: Name


class Group(_Strict):
    """A group of the course, matched by ``idnumber``."""

    idnumber: Key
    name: Name


class Course(_Strict):
    """A class (ClassHeader, or several taught together): a course.

    ``category`` is a category's idnumber. Dates are seconds since 1970, UTC; ``enddate`` 0: none.
    Sections and groups that are not named here are left alone. ``readonly``: everything can be
    read, and nobody but an administrator can change anything (Moodle's context freezing).
    """

    kind: Literal["course"] = "course"
    idnumber: Key
    shortname: Name
    fullname: Name
    category: Key
    startdate: Epoch
    enddate: Epoch = 0
    visible: bool = True
    readonly: bool = False
    sections: Annotated[list[Section], Field(max_length=50)] = []
    groups: Annotated[list[Group], Field(max_length=200)] = []

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        _require_once([section.key for section in self.sections], "sections")
        _require_once([group.idnumber for group in self.groups], "groups")
        return self


Role = Literal["student", "teacher", "editingteacher"]
MemberStatus = Literal["active", "suspended"]


class Member(_Strict):
    """One person of a roster. ``user`` is the person's idnumber, ``groups`` are groups'."""

    user: Key
    role: Role = "student"
    status: MemberStatus = "active"
    groups: Annotated[list[Key], Field(max_length=50)] = []


class Roster(_Strict):
    """The complete membership of one course by the SIS.

    ``count`` is the number of members: a list that was cut short is refused, since who is absent
    is suspended.
    """

    kind: Literal["roster"] = "roster"
    course: Key
    count: Annotated[int, Field(ge=0, le=MAX_MEMBERS)]
    members: Annotated[list[Member], Field(max_length=MAX_MEMBERS)]


# Grades and weights travel as hundredths of a percent: 8750 is 87.50 of the SIS's 0 to 100, and
# integers have one spelling in every language.
Percent = Annotated[int, Field(ge=0, le=10_000)]
# The course's total among the keys of a course's grade items.
TOTAL = "#total"


class GradeCategory(_Strict):
    """A session of the class: a grade category, whose total is the session's.

    ``weight``: its share of its class's final grade.
    """

    key: Key
    name: Name
    weight: Percent


class GradeItem(_Strict):
    """A part of the class: a grade item in its session's ``category``, 0 to 100.

    ``weight``: its share of the session. ``source``: id of the grade item in Moodle, a teacher's
    own, from which the part's grades come (an activity, or the total of a category); ``None``: an
    item of ours.
    """

    key: Key
    name: Name
    category: Key
    weight: Percent
    source: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


class GradeLetter(_Strict):
    """One letter of the class's scale, from ``minimum`` on."""

    letter: Annotated[str, _text(5)]
    minimum: Percent


class Gradebook(_Strict):
    """How a course's grades add up.

    Items and categories that are not named here are the teacher's own, and left alone; what was
    ours and holds grades is never deleted. ``letters`` are the course's, from the best down; none:
    the site's.
    """

    kind: Literal["gradebook"] = "gradebook"
    course: Key
    categories: Annotated[list[GradeCategory], Field(max_length=50)]
    items: Annotated[list[GradeItem], Field(max_length=200)]
    letters: Annotated[list[GradeLetter], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = [each.key for each in self.categories]
        keys = [*named, *(each.key for each in self.items)]
        _require_once(keys, "categories and items")
        _require_once([str(each.source) for each in self.items if each.source], "items' sources")
        _require_once([each.letter for each in self.letters], "letters")
        _require_once([str(each.minimum) for each in self.letters], "letters' minimums")
        if TOTAL in keys:
            raise ValueError(f"{TOTAL} is the course's total")
        stray = next((each for each in self.items if each.category not in named), None)
        if stray is not None:
            raise ValueError(f"item {stray.key} names category {stray.category}, which is not here")
        for category in self.categories:
            weights = [each.weight for each in self.items if each.category == category.key]
            if weights and not sum(weights):
                raise ValueError(f"the weights of the items of {category.key} add up to nothing")
        return self


class Grade(_Strict):
    """One grade of one person.

    ``item``: key of an item, of a category (its total), or ``#total``. ``value`` ``None``: the SIS
    has none (any more); 0 is a grade. ``text``: a letter without a number (I, W, AU …), which
    stands as feedback. ``expected``: what an item holds as far as the tool knows; where something
    else stands there somebody graded in Moodle meanwhile, and nothing is overwritten. Totals of
    categories and the course are the SIS's, whatever stands there. ``note``: who answers for the
    grade, for Moodle's grade history.
    """

    user: Key
    item: Key
    value: Percent | None
    text: Annotated[str, _text(20, minimum=0)] = ""
    expected: Percent | None = None
    note: Annotated[str, _text(200, minimum=0), AfterValidator(_shown)] = ""


class Grades(_Strict):
    """Grades of one course by the SIS. Who or what is not named here is left alone."""

    kind: Literal["grades"] = "grades"
    course: Key
    grades: Annotated[list[Grade], Field(max_length=MAX_GRADES)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: set[tuple[str, str]] = set()
        for grade in self.grades:
            if (grade.user, grade.item) in seen:
                raise ValueError(f"grades name {grade.user} twice for {grade.item}")
            seen.add((grade.user, grade.item))
        return self


class Account(_Strict):
    """A person: an account at the identity provider. No Moodle is ever sent one.

    ``groups`` are names of groups in which the person is, of those that are ours; the others of an
    account are left alone. ``email`` is a placeholder for a person without an address of their
    own; ``email_shared`` says that it is so because several people have the same.
    """

    kind: Literal["account"] = "account"
    person: Key
    username: Annotated[str, _text(100)]
    firstname: PersonName
    lastname: PersonName
    email: Annotated[str, _text(100, minimum=0)] = ""
    email_shared: bool = False
    groups: Annotated[list[Name], Field(max_length=20)] = []
    enabled: bool = True


# What the contract with the plugin knows.
MoodleDocument = Category | User | Course | Roster | Gradebook | Grades
Document = MoodleDocument | Account
AnyMoodleDocument: TypeAdapter[MoodleDocument] = TypeAdapter(
    Annotated[MoodleDocument, Field(discriminator="kind")]
)
AnyDocument: TypeAdapter[Document] = TypeAdapter(Annotated[Document, Field(discriminator="kind")])
Kind = Literal["category", "user", "course", "roster", "gradebook", "grades", "account"]
# Later kinds refer to earlier ones.
MOODLE_KINDS: tuple[Kind, ...] = ("category", "user", "course", "roster", "gradebook", "grades")
KINDS: tuple[Kind, ...] = (*MOODLE_KINDS, "account")
# Grades have no digest: they are reconciled by reading them.
DIGESTED: tuple[Kind, ...] = tuple(kind for kind in MOODLE_KINDS if kind != "grades")


def key_of(document: Document) -> str:
    """The idnumber by which a document's thing is matched; what is a course's has the course's,
    and an account the person's."""
    match document:
        case Roster() | Gradebook() | Grades():
            return document.course
        case Account():
            return document.person
        case _:
            return document.idnumber


Outcome = Literal["created", "updated", "unchanged", "suspended", "refused"]


class _Answer(BaseModel):
    # An answer may hold more than we know: a younger plugin says more, and is still understood.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Change(_Answer):
    """One field that was, or would be, changed. ``before`` is ``None`` for what was made."""

    field: str
    before: Any = None
    after: Any = None


class MemberResult(_Answer):
    """What became of one person of a roster; also of one who is absent from it (suspended). Of
    grades: what became of one grade, by person and ``item``."""

    user: str
    item: str | None = None
    result: Outcome
    changes: list[Change] = []
    code: str | None = None
    field: str | None = None
    message: str | None = None


class Note(_Answer):
    """Something about a thing that was done, which a person should know."""

    code: str
    message: str


class Result(_Answer):
    """What became of one document. ``id`` is Moodle's; ``None`` when there is nothing (yet).

    ``code`` is stable and documented in ``docs/contract.md``; ``field`` is a JSON pointer into the
    document; ``message`` says in plain words what is wrong and what to do.
    """

    kind: str
    key: str
    result: Outcome
    id: int | None = None
    changes: list[Change] = []
    code: str | None = None
    field: str | None = None
    message: str | None = None
    members: list[MemberResult] = []
    notes: list[Note] = []


class Applied(_Answer):
    """The answer to a call of ``apply``: one result per document, in the order they were sent."""

    contract: int
    dryrun: bool
    results: list[Result]
