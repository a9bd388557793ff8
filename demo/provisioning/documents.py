"""Documents as the contract describes them: read, checked, normalised."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from demo.model import Role, Status
from demo.provisioning.refusal import RefusedError


def _plain(value: str) -> str:
    if any(character < " " or character == "\x7f" for character in value):
        raise ValueError("holds control characters")
    return value


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", _plain(value)).strip()


def _present(value: str) -> str:
    if not value:
        raise ValueError("must not be blank")
    return value


def _shown(value: str) -> str:
    return _text(value).replace("<", "‹").replace(">", "›")


# A username or an address with a space is wrong, not untidy.
Account = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]
Key = Annotated[
    str, Field(min_length=1, max_length=100), AfterValidator(_text), AfterValidator(_present)
]
Name = Annotated[
    str, Field(min_length=1, max_length=250), AfterValidator(_shown), AfterValidator(_present)
]
PersonName = Annotated[str, Field(max_length=100), AfterValidator(_shown)]
Seconds = Annotated[int, Field(ge=0, le=4_102_444_800)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CategoryDocument(_Strict):
    """A term."""

    kind: Literal["category"]
    idnumber: Key
    name: Name
    parent: Key | None = None
    visible: bool = True


class UserDocument(_Strict):
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


class SectionPart(_Strict):
    """A session of the class."""

    key: Key
    name: Name


class GroupPart(_Strict):
    """A group of the course."""

    idnumber: Key
    name: Name


class CourseDocument(_Strict):
    """A class."""

    kind: Literal["course"]
    idnumber: Key
    shortname: Name
    fullname: Name
    category: Key
    startdate: Seconds
    enddate: Seconds = 0
    visible: bool = True
    sections: Annotated[list[SectionPart], Field(max_length=50)] = []
    groups: Annotated[list[GroupPart], Field(max_length=200)] = []


class MemberPart(_Strict):
    """One person of a roster."""

    user: Key
    role: Role = "student"
    status: Status = "active"
    groups: Annotated[list[Key], Field(max_length=50)] = []


class RosterDocument(_Strict):
    """The complete membership of one course."""

    kind: Literal["roster"]
    course: Key
    count: Annotated[int, Field(ge=0, le=20_000)]
    members: Annotated[list[MemberPart], Field(max_length=20_000)]


Document = CategoryDocument | UserDocument | CourseDocument | RosterDocument
# In the order of their dependencies.
KINDS: dict[str, type[Document]] = {
    "category": CategoryDocument,
    "user": UserDocument,
    "course": CourseDocument,
    "roster": RosterDocument,
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
        return KINDS[kind].model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        path = "".join("/" + _escaped(part) for part in first["loc"])
        raise RefusedError("schema", path, f"{path}: {first['msg']}.") from error


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def kind_of(raw: Any) -> str:
    """Return the kind that a document says, as far as it says one."""
    return raw["kind"] if isinstance(raw, dict) and isinstance(raw.get("kind"), str) else ""


def key_of(raw: Any) -> str:
    """Return the idnumber that a document says, as far as it says one."""
    if not isinstance(raw, dict):
        return ""
    key = raw.get("course" if kind_of(raw) == "roster" else "idnumber")
    return key if isinstance(key, str) else ""


def key(document: Document) -> str:
    """Return the idnumber by which a document's thing is matched."""
    return document.course if isinstance(document, RosterDocument) else document.idnumber
