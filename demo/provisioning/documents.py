"""Documents as the contract describes them: read, checked, normalised."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from demo.model import Role, Status
from demo.provisioning.grade_documents import GradebookDocument, GradesDocument
from demo.provisioning.refusal import RefusedError
from demo.provisioning.texts import Account, Key, Name, PersonName, Seconds, Strict


class CategoryDocument(Strict):
    """A term."""

    kind: Literal["category"]
    idnumber: Key
    name: Name
    parent: Key | None = None
    visible: bool = True


class UserDocument(Strict):
    """A person."""

    kind: Literal["user"]
    idnumber: Key
    username: Account
    firstname: PersonName
    lastname: PersonName
    email: Account
    alternatename: PersonName = ""
    auth: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")] = "manual"
    suspended: bool = False


class SectionPart(Strict):
    """A session of the class."""

    key: Key
    name: Name


class GroupPart(Strict):
    """A group of the course."""

    idnumber: Key
    name: Name


class CourseDocument(Strict):
    """A class."""

    kind: Literal["course"]
    idnumber: Key
    shortname: Name
    fullname: Name
    category: Key
    startdate: Seconds
    enddate: Seconds = 0
    visible: bool = True
    readonly: bool = False
    sections: Annotated[list[SectionPart], Field(max_length=50)] = Field(default_factory=list)
    groups: Annotated[list[GroupPart], Field(max_length=200)] = Field(default_factory=list)


class MemberPart(Strict):
    """One person of a roster."""

    user: Key
    role: Role = "student"
    status: Status = "active"
    groups: Annotated[list[Key], Field(max_length=50)] = Field(default_factory=list)


class RosterDocument(Strict):
    """The complete membership of one course."""

    kind: Literal["roster"]
    course: Key
    count: Annotated[int, Field(ge=0, le=20_000)]
    members: Annotated[list[MemberPart], Field(max_length=20_000)]


Document = (
    CategoryDocument
    | UserDocument
    | CourseDocument
    | RosterDocument
    | GradebookDocument
    | GradesDocument
)
_OF_COURSE = (RosterDocument, GradebookDocument, GradesDocument)
# In the order of their dependencies.
KINDS: dict[str, type[Document]] = {
    "category": CategoryDocument,
    "user": UserDocument,
    "course": CourseDocument,
    "roster": RosterDocument,
    "gradebook": GradebookDocument,
    "grades": GradesDocument,
}


def read_document(raw: Any) -> Document:
    """Check and normalise one document; raises :class:`RefusedError`."""
    if not isinstance(raw, dict):
        raise RefusedError("schema", "", "A document is a JSON object.")
    kind = raw.get("kind")
    if not isinstance(kind, str):
        raise RefusedError("schema", "/kind", "A document names its kind.")
    if kind not in KINDS:
        raise RefusedError("unknown_kind", "/kind", f"There is no kind {kind!r} here.")
    try:
        document = KINDS[kind].model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        path = "".join("/" + _escaped(part) for part in first["loc"])
        raise RefusedError("schema", path, f"{path}: {first['msg']}.") from error
    if isinstance(document, GradebookDocument | GradesDocument):
        document.check()
    return document


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def kind_of(raw: Any) -> str:
    """Return the kind that a document says, as far as it says one."""
    return raw["kind"] if isinstance(raw, dict) and isinstance(raw.get("kind"), str) else ""


def key_of(raw: Any) -> str:
    """Return the idnumber that a document says, as far as it says one."""
    if not isinstance(raw, dict):
        return ""
    key = raw.get("course" if KINDS.get(kind_of(raw)) in _OF_COURSE else "idnumber")
    return key if isinstance(key, str) else ""


def key(document: Document) -> str:
    """Return the idnumber by which a document's thing is matched."""
    return document.course if isinstance(document, _OF_COURSE) else document.idnumber
