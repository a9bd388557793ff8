"""The engine's rounds over all sites, as the schedule calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
import structlog

from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.moodle.models import MoodleSite, Site, SiteStanding
from lti_tool.sync.provisioning.engine import Engine
from lti_tool.sync.provisioning.marks import Marks
from lti_tool.sync.provisioning.models import RunState
from lti_tool.sync.provisioning.reconcile import Reconciler
from lti_tool.sync.provisioning.runs import Runs

log = structlog.get_logger(__name__)
# Runs at one site before the next site has its turn.
_AT_A_STRETCH = 20
_S = TypeVar("_S", bound=Site)


class Rounds:
    """Goes over the connected sites; what fails at one does not keep the others waiting."""

    def __init__(
        self,
        database: Database,
        marks: Marks,
        engine: Engine,
        reconciler: Reconciler,
        runs: Runs,
    ) -> None:
        self._database = database
        self._marks = marks
        self._engine = engine
        self._reconciler = reconciler
        self._runs = runs

    def changes(self) -> None:
        """Send what changed, and what changed meanwhile."""
        self._runs.end_interrupted()
        self.each(self._until_nothing_is_due)

    def _until_nothing_is_due(self, site: Site) -> None:
        # Bounded, so that other sites have their turn.
        for _ in range(_AT_A_STRETCH):
            run = self._engine.run(site)
            if run is None or run.state is not RunState.DONE or run.error or not run.done:
                return

    def everything(self) -> None:
        """Mark everything, and send what differs from what was sent."""
        self.each(lambda site: self._marks.mark_all(site))
        self.changes()

    def reconcile(self, *, missed: bool = False) -> None:
        """Compare with what is really there; with ``missed`` only where events were missed."""
        self.each(
            lambda site: self._reconciler.reconcile(site),
            only=Site.reconcile_since.is_not(None) if missed else None,
        )

    def each_moodle(self, act: Callable[[MoodleSite], object]) -> None:
        """Do something at every connected Moodle."""
        self._each(MoodleSite, act)

    def each(
        self, act: Callable[[Site], object], *, only: sa.ColumnElement[bool] | None = None
    ) -> None:
        """Do something at every connected site."""
        self._each(Site, act, only=only)

    def _each(
        self,
        sites_of: type[_S],
        act: Callable[[_S], object],
        *,
        only: sa.ColumnElement[bool] | None = None,
    ) -> None:
        query = sa.select(sites_of).where(Site.standing == SiteStanding.ACTIVE)
        if only is not None:
            query = query.where(only)
        with self._database.read() as session:
            sites = session.scalars(query.order_by(Site.id)).all()
        for site in sites:
            try:
                act(site)
            except NagaError as error:
                log.warning("sync.round_failed", site=site.id, code=error.code)
            except Exception:
                # One site's fault, or ours with it; the next round comes whatever it was.
                log.exception("sync.round_broken", site=site.id)
