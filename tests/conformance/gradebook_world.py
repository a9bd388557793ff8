"""A small gradebook for the conformance tests of Assignment and Grade Services."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

from werkzeug import Request, Response

from lti_tool.lti.assignment_grades import LineItem, Score
from lti_tool.lti.platforms.base import LINE_ITEM, LINE_ITEM_READ, RESULT_READ
from lti_tool.lti.platforms.base import SCORE as SCORE_SCOPE
from tests.lti.outbound_world import NOW, World, as_json

ITEMS = "/2/lineitems"
ITEM = "/2/lineitems/9/lineitem"
ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"


def ags_claim(world: World, *scopes: str) -> dict[str, Any]:
    """The launch's claim."""
    return {
        "scope": list(scopes) or [LINE_ITEM, LINE_ITEM_READ, RESULT_READ, SCORE_SCOPE],
        "lineitems": f"{world.url}{ITEMS}?type_id=3",
    }


def line_item(world: World, number: int, **values: Any) -> dict[str, Any]:
    """A line item as the platform writes it."""
    return {
        "id": f"{world.url}/2/lineitems/{number}/lineitem?type_id=3",
        "label": "Part",
        "scoreMaximum": 100,
        "resourceId": "part-1",
        "tag": "naga-part",
        **values,
    }


def item_url(world: World) -> str:
    """The address of line item 9."""
    return f"{world.url}{ITEM}?type_id=3"


def a_score(given: str | None = "85.5", **values: Any) -> Score:
    """A valid score."""
    return Score(
        **{
            "user_id": "7",
            "score_given": None if given is None else Decimal(given),
            "score_maximum": Decimal(100),
            "timestamp": NOW,
            **values,
        }
    )


def ensure(world: World, **values: Any) -> LineItem:
    """Ensure the line item of part 1."""
    wishes: dict[str, Any] = {
        "label": "Part",
        "maximum": Decimal(100),
        "resource_id": "part-1",
        "tag": "naga-part",
    }
    return world.grades.ensure_line_item(world.registration, ags_claim(world), **(wishes | values))


class Gradebook:
    """Line items as a platform keeps them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.items: dict[int, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.next = 9
        world.stub.on("GET", ITEMS, self.list)
        world.stub.on("POST", ITEMS, self.create)

    def list(self, request: Request) -> Response:
        """Answer as a platform does."""
        with self.lock:
            items = [
                item
                for item in self.items.values()
                if all(
                    name not in request.args or item[key] == request.args[name]
                    for name, key in (("resource_id", "resourceId"), ("tag", "tag"))
                )
            ]
        return as_json(items)

    def create(self, request: Request) -> Response:
        """Answer as a platform does."""
        with self.lock:
            number, self.next = self.next, self.next + 1
            item = line_item(self.world, number) | request.get_json(force=True)
            self.items[number] = item
        self.world.stub.on("DELETE", f"/2/lineitems/{number}/lineitem", self.delete)
        return as_json(item, 201)

    def delete(self, request: Request) -> Response:
        """Answer as a platform does."""
        with self.lock:
            del self.items[int(request.path.split("/")[3])]
        return Response("", 204)
