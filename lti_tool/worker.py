"""The Celery application: tasks and schedule, a line each.

Tasks carry only "there is work"; what it is stands in the database.
"""

from __future__ import annotations

import os
import threading
import time
from functools import cache
from typing import Any

from celery.schedules import crontab
from celery.signals import beat_embedded_init, setup_logging

from lti_tool.core.logging import configure_logging
from lti_tool.settings import load_settings
from lti_tool.sync.broker import Broker
from lti_tool.wiring import Services, build_services

_settings = load_settings()
celery = Broker(_settings.broker_url, _settings.broker_dir).celery
celery.set_default()
celery.conf.beat_schedule = {
    # A message that was lost, or a worker that died: found within seconds.
    "resume pushes": {"task": "resume_pushes", "schedule": 5.0, "options": {"expires": 5}},
    # Cheap when nothing is due: a look at the marks.
    "sync": {"task": "sync", "schedule": 2.0, "options": {"expires": 2}},
    # Cheap as well: a look at the events, and at the courses that are to be read.
    "take grades": {"task": "take_grades", "schedule": 2.0, "options": {"expires": 2}},
    "carry out orders": {"task": "carry_out_orders", "schedule": 5.0, "options": {"expires": 5}},
    "compare by date": {
        "task": "compare_by_date",
        "schedule": float(_settings.moodle_sync_interval),
    },
    "take sign-ins": {"task": "take_sign_ins", "schedule": 60.0, "options": {"expires": 60}},
    "read activity": {"task": "read_activity", "schedule": crontab(hour="17", minute="27")},
    "reconcile": {"task": "reconcile", "schedule": crontab(hour="18", minute="7")},
    "reconcile what was missed": {
        "task": "reconcile_missed",
        "schedule": crontab(minute="*/10"),
    },
    # Who was suspended in the SIS is out within a minute.
    "keep sessions": {"task": "keep_sessions", "schedule": 20.0, "options": {"expires": 20}},
    "rotate keys": {"task": "rotate_keys", "schedule": crontab(minute="17")},
    "check sites": {"task": "check_sites", "schedule": crontab(minute="*/15")},
    "purge": {"task": "purge", "schedule": crontab(hour="19", minute="43")},
}
_RECEIPT_DAYS = 400
_ROSTER_DAYS = 30
_EVENT_DAYS = 90
_ORDER_DAYS = 30
# Seconds.
_LOOKS_EVERY = 1.0


@setup_logging.connect
def _log_as_the_app_does(**_signal: Any) -> None:
    configure_logging(level=_settings.log_level, json=_settings.log_format == "json")


@beat_embedded_init.connect
def _end_with_the_worker(**_signal: Any) -> None:
    """The schedule runs in a process of its own, and nobody tells it that the worker was killed."""
    worker = os.getppid()

    def watch() -> None:
        while os.getppid() == worker:
            time.sleep(_LOOKS_EVERY)
        os._exit(0)

    threading.Thread(target=watch, name="worker watch", daemon=True).start()


_building = threading.Lock()


@cache
def _built() -> Services:
    return build_services(_settings)


def _services() -> Services:
    # Tasks begin on several threads at once, and a cache alone would build twice.
    with _building:
        return _built()


@celery.task(name="push_grades")
def push_grades(push_id: str) -> None:
    """Send the grades of one push."""
    _services().pushes.run(push_id)


@celery.task(name="resume_pushes")
def resume_pushes() -> None:
    """Send what is queued, or was left by a worker that died."""
    _services().pushes.resume_abandoned()


@celery.task(name="sync")
def sync() -> None:
    """Bring connected Moodles up to what changed in the SIS."""
    if _settings.moodle_sync_enabled:
        _services().provisioning.rounds.changes()


@celery.task(name="take_grades")
def take_grades() -> None:
    """Bring grades from Moodle of which it told, or for which somebody asked."""
    if _settings.moodle_sync_enabled:
        pulls = _services().grades.pulls
        _services().provisioning.rounds.each_moodle(pulls.take_events)
        _services().provisioning.rounds.each_moodle(pulls.run)


@celery.task(name="carry_out")
def carry_out(order_id: int) -> None:
    """Do what an administrator asked for at a site: a preview, an apply, a comparison, an undo."""
    _services().orders.run(order_id)


@celery.task(name="carry_out_orders")
def carry_out_orders() -> None:
    """Do what was asked and not done, or was left by a worker that died."""
    _services().orders.resume()


@celery.task(name="compare_by_date")
def compare_by_date() -> None:
    """Look at everything once more: courses open and close by date, without a change."""
    if _settings.moodle_sync_enabled:
        _services().provisioning.rounds.everything()


@celery.task(name="take_sign_ins")
def take_sign_ins() -> None:
    """Note the sign-ins that Moodle has told of."""
    _services().provisioning.rounds.each_moodle(_services().activity_sync.take_events)


@celery.task(name="read_activity")
def read_activity() -> None:
    """Read when people were last seen in Moodle."""
    _services().provisioning.rounds.each_moodle(_services().activity_sync.read)


@celery.task(name="reconcile")
def reconcile() -> None:
    """Prove that every connected Moodle equals the SIS."""
    if _settings.moodle_sync_enabled:
        _services().provisioning.rounds.reconcile()


@celery.task(name="reconcile_missed")
def reconcile_missed() -> None:
    """The same, at once, where events were missed."""
    if _settings.moodle_sync_enabled:
        _services().provisioning.rounds.reconcile(missed=True)


@celery.task(name="keep_sessions")
def keep_sessions() -> None:
    """End the sessions of people who left, and learn of changed roles."""
    parts = _services().signing_in
    if parts is not None:
        parts.sessions.keep_current()


@celery.task(name="rotate_keys")
def rotate_keys() -> None:
    """Publish the next signing key, or begin to use it, when its time has come."""
    _services().tool_keys.rotate(actor="schedule")


@celery.task(name="check_sites")
def check_sites() -> None:
    """Try the connections with the Moodles, so that their pages say how they are."""
    _services().site_checks.check_all()


@celery.task(name="purge")
def purge() -> None:
    """Delete what nobody needs any more."""
    services = _services()
    services.logins.purge()
    services.launches.purge(older_than_days=_settings.launch_record_days)
    services.admin_sessions.purge()
    services.dynamic_registration.purge()
    services.rosters.purge(older_than_days=_ROSTER_DAYS)
    services.pushes.purge(older_than_days=_RECEIPT_DAYS)
    services.pairing.purge()
    services.signed_requests.purge()
    services.event_intake.purge(older_than_days=_EVENT_DAYS)
    services.orders.purge(older_than_days=_ORDER_DAYS)
    services.provisioning.runs.purge(older_than_days=_RECEIPT_DAYS)
