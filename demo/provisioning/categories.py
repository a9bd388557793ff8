"""Terms: course categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo.model import Category
from demo.provisioning.documents import CategoryDocument
from demo.provisioning.plan import Plan, Site, differences
from demo.provisioning.refusal import RefusedError


def plan_category(
    site: Site, document: CategoryDocument, parents: Mapping[str, str | None]
) -> Plan:
    """Plan one category. ``parents``: where this call's documents want their categories."""
    held = site.category(document.idnumber, "/idnumber")
    if _loops(site, document, parents):
        raise RefusedError(
            "category_loop",
            "/parent",
            f"{document.parent!r} is below {document.idnumber!r} itself.",
        )
    parent = site.category(document.parent, "/parent") if document.parent is not None else None
    if document.parent is not None and parent is None:
        raise RefusedError(
            "category_missing", "/parent", f"There is no category {document.parent!r}. Send it too."
        )

    def make() -> int:
        made = held or Category(site.next_id(), document.name, document.idnumber)
        made.name, made.visible = document.name, document.visible
        made.parent_id = parent.id if parent else None
        site.state.categories[made.id] = made
        return made.id

    if held is None:
        return Plan("created", make)
    changes = differences(_compare(site, document, held, parent))
    return Plan("updated" if changes else "unchanged", make, changes)


def _compare(
    site: Site, document: CategoryDocument, held: Category, parent: Category | None
) -> Iterator[tuple[str, Any, Any]]:
    yield "name", held.name, document.name
    if held.parent_id != (parent.id if parent else None):
        before = site.state.categories.get(held.parent_id or 0)
        yield "parent", before.idnumber if before else None, document.parent
    yield "visible", held.visible, document.visible


def _loops(site: Site, document: CategoryDocument, parents: Mapping[str, str | None]) -> bool:
    above, seen = document.parent, set[str]()
    while above is not None and above not in seen:
        if above == document.idnumber:
            return True
        seen.add(above)
        above = parents[above] if above in parents else _above(site, above)
    return False


def _above(site: Site, idnumber: str) -> str | None:
    at = site.category(idnumber, "/parent")
    while at is not None:
        at = site.state.categories.get(at.parent_id or 0)
        if at is not None and at.idnumber:
            return at.idnumber
    return None
