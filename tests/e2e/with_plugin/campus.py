"""The campus of the SIS in Moodle: who and what these tests look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from lti_tool.moodle.models import MoodleEvent
from lti_tool.sis.entities import ClassStatus
from tests.e2e.moodle.site import Moodle
from tests.e2e.tool import Tool
from tests.e2e.with_plugin.plugins import Plugins


@dataclass(frozen=True)
class Chosen:
    """A class under way, taught by itself, and people of it, by their keys in the SIS."""

    class_key: str
    course: str
    students: list[str]
    teacher: str


@dataclass
class Campus:
    """A tool that keeps a Moodle. ``first`` is what the first sync printed."""

    tool: Tool
    moodle: Moodle
    plugins: Plugins
    first: str = ""
    signed_in: dict[str, Any] = field(default_factory=dict)

    def sync(self, *arguments: str) -> str:
        """Run ``nagasis sync …``; its words, however they were wrapped."""
        return " ".join(self.tool.cli("sync", *arguments).split())

    def keys(self) -> dict[str, list[str]]:
        """The idnumbers that the campus has in Moodle, by kind."""
        with self.tool.services() as services:
            rendering = services.provisioning.rendering
            return {kind: rendering.all_keys(kind) for kind in ("category", "user", "course")}

    @cached_property
    def chosen(self) -> Chosen:
        """The class that the tests look at."""
        with self.tool.services() as services:
            sis = services.sis_extracts
            classes = sis.classes(sis.class_keys())
            for key, view in sorted(classes.items()):
                if view.status != ClassStatus.ACTIVE or view.combined_with:
                    continue
                document = services.provisioning.rendering.render(
                    "roster", [key], now=services.clock.now(), site_id=0
                )[key]
                roles: dict[str, list[str]] = {}
                for member in getattr(document, "members", []):
                    if member.status == "active":
                        roles.setdefault(member.role, []).append(member.user)
                if len(roles.get("student", [])) > 2 and roles.get("editingteacher"):
                    return Chosen(
                        key, view.course_code, roles["student"], roles["editingteacher"][0]
                    )
        raise AssertionError("no class of the campus is under way")

    def place(self, person: str) -> dict[str, Any]:
        """How a person stands in the chosen class's course."""
        found: dict[str, Any] = self.plugins.act(
            "place", course=self.chosen.class_key, person=person
        )
        return found

    def account(self, person: str) -> tuple[str, str]:
        """Username and password of a person, with which they sign in to Moodle."""
        if person not in self.signed_in:
            given = self.plugins.act("passwords", people=[person])
            self.signed_in[person] = (given["people"][person]["username"], given["password"])
        username, password = self.signed_in[person]
        return username, password

    def events(self) -> list[MoodleEvent]:
        """Every event of Moodle that the tool holds, in order."""
        with self.tool.services() as services, services.database.read() as session:
            rows = session.scalars(sa.select(MoodleEvent).order_by(MoodleEvent.received_at))
            return list(rows)
