"""``nagasis campus example``: one class and its people, for a demonstration platform."""

from __future__ import annotations

import json
from typing import Any

import click

from lti_tool.cli.session import open_services
from lti_tool.sis.entities import PersonView


def _person(person: PersonView, role: str) -> dict[str, Any]:
    return {
        "person_key": person.person_key,
        "student_id": person.student_id,
        "family_name": person.family_name,
        "personal_name": person.personal_name,
        "khmer_name": person.khmer_name,
        "email": person.school_email,
        "role": role,
    }


@click.command()
def example() -> None:
    """Print one class of the SIS with its people, as JSON."""
    system = open_services().sis
    class_ = system.example_class()
    if class_ is None:
        raise click.ClickException("There is no class yet; run `nagasis campus generate`.")
    teachers = {part.teacher_key for part in class_.parts if part.teacher_key}
    people = [_person(person, "teacher") for person in system.people(teachers).values()]
    for chunk in system.roster(class_.class_key):
        people += [_person(entry.person, "student") for entry in chunk if entry.status.attends]
    document = {
        "class_key": class_.class_key,
        "label": class_.label,
        "title": class_.course_title,
        "people": people,
    }
    click.echo(json.dumps(document, ensure_ascii=False))
