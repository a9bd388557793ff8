"""Classes: courses with their sections and groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from demo.model import Category, Course, Group, Section
from demo.provisioning.documents import CourseDocument, GroupPart
from demo.provisioning.plan import Plan, Site, differences, one
from demo.provisioning.refusal import RefusedError


def plan_course(site: Site, document: CourseDocument) -> Plan:
    """Plan one course."""
    _check(document)
    held = site.course(document.idnumber, "/idnumber")
    category = site.category(document.category, "/category")
    if category is None:
        raise RefusedError(
            "category_missing", "/category", f"There is no category {document.category!r}."
        )
    for other in site.state.courses.values():
        if other is not held and other.shortname == document.shortname:
            raise RefusedError(
                "shortname_taken",
                "/shortname",
                f"The course {other.fullname!r} (idnumber {other.idnumber!r}) has this short name.",
            )
    if document.readonly and not site.state.context_locking:
        raise RefusedError(
            "locking_disabled", "/readonly", "Context freezing is off on this site. Switch it on."
        )
    groups = [_group(held, part, number) for number, part in enumerate(document.groups)]

    def make() -> int:
        made = held or Course(site.next_id(), document.shortname, document.fullname)
        _write(site, made, document, category, groups)
        return made.id

    if held is None:
        return Plan("created", make)
    changes = differences(_compare(site, document, held, category, groups))
    return Plan("updated" if changes else "unchanged", make, changes)


def _check(document: CourseDocument) -> None:
    _check_unique("sections", "key", [part.key for part in document.sections])
    _check_unique("groups", "idnumber", [part.idnumber for part in document.groups])
    if document.enddate and not document.startdate:
        # Moodle's own rule.
        raise RefusedError("dates_reversed", "/startdate", "A course that ends has to start.")
    if 0 < document.enddate < document.startdate:
        raise RefusedError(
            "dates_reversed", "/enddate", "The course would end before it starts. Check its dates."
        )


def _check_unique(where: str, name: str, keys: Sequence[str]) -> None:
    for number, key in enumerate(keys):
        if key in keys[:number]:
            raise RefusedError(
                "schema", f"/{where}/{number}/{name}", f"{key!r} stands there twice."
            )


def _group(held: Course | None, part: GroupPart, number: int) -> Group | None:
    groups = held.groups if held else []
    return one(groups, part.idnumber, f"/groups/{number}/idnumber", lambda found: found.name)


def _compare(
    site: Site,
    document: CourseDocument,
    held: Course,
    category: Category,
    groups: Sequence[Group | None],
) -> Iterator[tuple[str, Any, Any]]:
    yield "shortname", held.shortname, document.shortname
    yield "fullname", held.fullname, document.fullname
    if held.category_id != category.id:
        before = site.state.categories.get(held.category_id or 0)
        yield "category", before.idnumber if before else None, document.category
    yield "startdate", held.startdate, document.startdate
    yield "enddate", held.enddate, document.enddate
    yield "visible", held.visible, document.visible
    yield "readonly", held.readonly, document.readonly
    sections = {section.key: section for section in held.sections if section.key}
    for part in document.sections:
        section = sections.get(part.key)
        yield f"sections/{part.key}", section.name if section else None, part.name
    for group_part, group in zip(document.groups, groups, strict=True):
        yield f"groups/{group_part.idnumber}", group.name if group else None, group_part.name


def _write(
    site: Site,
    made: Course,
    document: CourseDocument,
    category: Category,
    groups: Sequence[Group | None],
) -> None:
    made.idnumber, made.shortname = document.idnumber, document.shortname
    made.fullname, made.category_id = document.fullname, category.id
    made.startdate, made.enddate = document.startdate, document.enddate
    made.visible, made.readonly = document.visible, document.readonly
    site.state.courses[made.id] = made
    sections = {section.key: section for section in made.sections if section.key}
    for part in document.sections:
        if part.key in sections:
            sections[part.key].name = part.name
        else:
            made.sections.append(Section(site.next_id(), part.name, part.key))
    for group_part, group in zip(document.groups, groups, strict=True):
        if group is None:
            made.groups.append(Group(site.next_id(), group_part.name, group_part.idnumber))
        else:
            group.name = group_part.name
