"""Texts and numbers of documents, checked and normalised."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def plain(value: str) -> str:
    """Refuse control characters."""
    if any(character < " " or character == "\x7f" for character in value):
        raise ValueError("holds control characters")
    return value


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", plain(value)).strip()


def _present(value: str) -> str:
    if not value:
        raise ValueError("must not be blank")
    return value


def shown(value: str) -> str:
    """Normalise what people will see."""
    return _text(value).replace("<", "‹").replace(">", "›")


# A username or an address with a space is wrong, not untidy.
Account = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(plain)]
Key = Annotated[
    str, Field(min_length=1, max_length=100), AfterValidator(_text), AfterValidator(_present)
]
Name = Annotated[
    str, Field(min_length=1, max_length=250), AfterValidator(shown), AfterValidator(_present)
]
PersonName = Annotated[str, Field(max_length=100), AfterValidator(shown)]
Seconds = Annotated[int, Field(ge=0, le=4_102_444_800)]


class Strict(BaseModel):
    """What every part of a document is: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
