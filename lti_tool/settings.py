"""Every setting of the tool, typed and documented. The only place that reads the environment.

Settings are read from environment variables (and from a file ``.env`` in the working directory).
Names start with ``NAGASIS_``; those that the integration plan names start with ``MOODLE_``.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from lti_tool.core.errors import ConfigurationError


def _moodle(name: str) -> AliasChoices:
    return AliasChoices(name, name.lower())


class Settings(BaseSettings):
    """The settings. ``docs/settings.md`` is generated from these fields."""

    model_config = SettingsConfigDict(
        env_prefix="NAGASIS_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    public_url: str = Field(
        "http://localhost:8700",
        description="The address of the tool as people's browsers and Moodle reach it; no path.",
    )
    tool_name: str = Field("Naga SIS", description="The tool's name, as platforms show it.")
    database_url: str = Field(
        "sqlite:///var/naga.db",
        description="SQLAlchemy address: sqlite:///… or postgresql+psycopg://user:password@host/db",
    )
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = Field(
        10, description="Database connections kept per process."
    )
    keys_dir: Path = Field(
        Path("keys"), description="Directory of the encryption keys; back it up, guard it."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least important messages that are logged."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="json for machines, console for a terminal."
    )
    timezone: str = Field("Asia/Phnom_Penh", description="Time zone in which pages show times.")

    broker_url: str = Field(
        "filesystem://",
        description="Celery broker: filesystem:// (embedded), redis://… or amqp://…",
    )
    broker_dir: Path = Field(
        Path("var/broker"), description="Where the filesystem broker keeps its messages."
    )
    rate_limit_storage: str = Field(
        "process://", description="Where request counts are kept: process:// or redis://…"
    )
    launch_rate_limit: str = Field(
        "300/minute", description="Logins and launches allowed per address."
    )
    session_hours: Annotated[float, Field(gt=0, le=24)] = Field(
        8, description="Hours after which a launch's session ends."
    )
    launch_record_days: Annotated[int, Field(ge=1)] = Field(
        180, description="Days that launch records are kept."
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = Field(
        0, description="Number of reverse proxies in front whose X-Forwarded-* headers are trusted."
    )

    import_removal_share: Annotated[Decimal, Field(ge=0, le=1)] = Field(
        Decimal("0.05"),
        description="Share of what the SIS has, 0 to 1: if a whole import file misses more, nobody "
        "is removed until somebody accepts it.",
    )
    import_removal_count: Annotated[int, Field(ge=0)] = Field(
        200, description="The same as a number of rows; the lower of the two holds."
    )

    outbound_allow_private: bool = Field(
        False, description="Whether platforms on private networks and loopback may be called (lab)."
    )
    outbound_allow_http: bool = Field(
        False, description="Whether platforms may be called by plain http (lab)."
    )
    ca_bundle: Path | None = Field(
        None, description="PEM file of authorities that replaces the system's."
    )

    moodle_base_url: str = Field(
        "",
        validation_alias=_moodle("MOODLE_BASE_URL"),
        description="Address (wwwroot) of a Moodle that `nagasis site add` connects without "
        "pairing.",
    )
    moodle_api_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=_moodle("MOODLE_API_TOKEN"),
        description="Web-service token for that site, for `nagasis site add` without pairing; a "
        "Moodle that pairs brings its own.",
    )
    moodle_sync_enabled: bool = Field(
        False,
        validation_alias=_moodle("MOODLE_SYNC_ENABLED"),
        description="Whether the tool changes anything in Moodle on its own.",
    )
    moodle_batch_size: Annotated[int, Field(ge=1, le=1000)] = Field(
        100,
        validation_alias=_moodle("MOODLE_BATCH_SIZE"),
        description="Items sent to a platform in one batch; receipts are stored batch by batch.",
    )
    moodle_retry_attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        3,
        validation_alias=_moodle("MOODLE_RETRY_ATTEMPTS"),
        description="Attempts at a call that fails for a passing reason.",
    )
    moodle_sync_interval: Annotated[int, Field(ge=10)] = Field(
        3600,
        validation_alias=_moodle("MOODLE_SYNC_INTERVAL"),
        description="Seconds between scheduled runs of the sync.",
    )
    moodle_rate_limit: Annotated[int, Field(ge=1)] = Field(
        100,
        validation_alias=_moodle("MOODLE_RATE_LIMIT"),
        description="Web-service requests a minute, per site.",
    )
    moodle_timeout: Annotated[float, Field(gt=0, le=600)] = Field(
        30,
        validation_alias=_moodle("MOODLE_TIMEOUT"),
        description="Seconds until a call to a platform is given up.",
    )
    moodle_concurrency: Annotated[int, Field(ge=1, le=32)] = Field(
        4,
        validation_alias=_moodle("MOODLE_CONCURRENCY"),
        description="Calls to one platform under way at once.",
    )

    moodle_guard_share: Annotated[Decimal, Field(ge=0, le=1)] = Field(
        Decimal("0.05"),
        validation_alias=_moodle("MOODLE_GUARD_SHARE"),
        description="Share of a site's people, 0 to 1, that may be suspended within ten minutes "
        "without somebody's yes; 1 switches the guard off.",
    )
    moodle_guard_count: Annotated[int, Field(ge=0)] = Field(
        200,
        validation_alias=_moodle("MOODLE_GUARD_COUNT"),
        description="The same as a number of people; the lower of the two holds. 0: every "
        "suspension waits for a yes.",
    )
    moodle_course_open_days: Annotated[int, Field(ge=0, le=365)] = Field(
        7,
        validation_alias=_moodle("MOODLE_COURSE_OPEN_DAYS"),
        description="Days before its term on which students begin to see a course.",
    )
    moodle_course_archive_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        30,
        validation_alias=_moodle("MOODLE_COURSE_ARCHIVE_DAYS"),
        description="Days after its term on which a course is archived.",
    )
    moodle_course_archived: Literal["readonly", "hidden", "open"] = Field(
        "readonly",
        validation_alias=_moodle("MOODLE_COURSE_ARCHIVED"),
        description="What archived means for students: the course can be read and no longer "
        "changed, is hidden, or stays open.",
    )
    moodle_grade_push: Literal["automatic", "on_request"] = Field(
        "automatic",
        validation_alias=_moodle("MOODLE_GRADE_PUSH"),
        description="When grades go to Moodle: by themselves as soon as they are submitted in the "
        "SIS, or when a teacher sends them.",
    )

    oidc_issuer: str = Field(
        "",
        description="Issuer of the OpenID provider at which people sign in to the tool and connect "
        "their account (https://…/realms/school); empty: off.",
    )
    oidc_client_id: str = Field(
        "", validate_default=True, description="The tool's client id at that provider."
    )
    oidc_client_secret: SecretStr = Field(
        SecretStr(""),
        description="The client's secret, where it has one: for `client_secret_basic`.",
    )
    oidc_client_auth: Literal["private_key_jwt", "client_secret_basic", "none"] | None = Field(
        None,
        description="How the tool proves to the provider that it is the client: by its own key, "
        "which needs no secret; by the secret; or not at all (a public client). Not set: by the "
        "secret if there is one, else by the key.",
    )
    oidc_person_claim: str = Field(
        "person_uuid",
        min_length=1,
        description="The claim of the ID token that holds the person's key in the SIS. People must "
        "not be able to edit it.",
    )
    oidc_roles_claim: str = Field(
        "naga_roles",
        min_length=1,
        description="The claim of the ID token that holds the person's roles (administrator, "
        "registrar, auditor, teacher, student); a dotted path (`resource_access.naga-tool.roles`). "
        "Whom the SIS names as a teacher or a student is one without it.",
    )
    keycloak_concurrency: Annotated[int, Field(ge=1, le=32)] = Field(
        8, description="Accounts that are written to a Keycloak at once."
    )
    keycloak_required_actions: str = Field(
        "UPDATE_PASSWORD",
        pattern=r"^[A-Za-z0-9_-]*( [A-Za-z0-9_-]+)*$",
        description="What Keycloak asks of a person at their first sign-in, when the tool made "
        "their account: names of its required actions, with spaces between them "
        "(`UPDATE_PASSWORD VERIFY_EMAIL`); empty: nothing.",
    )
    session_idle_minutes: int = Field(
        30,
        ge=1,
        le=480,
        description="Minutes without a page after which a session of somebody who signed in at the "
        "provider ends. After 8 hours it ends anyway.",
    )
    step_up_minutes: int = Field(
        30,
        ge=1,
        le=480,
        description="Minutes since they last proved who they are, after which people who signed in "
        "at the provider are asked to do so again before an act that reaches far.",
    )
    oidc_step_up_acr: str = Field(
        "",
        description="What the provider calls a sign-in that is good enough for acts that reach far "
        "(`acr`); several are separated by spaces, and any of them will do. It is asked for it "
        "then, and lower is refused. Empty: any fresh sign-in will do.",
    )
    oidc_scopes: str = Field(
        "openid profile", description="Scopes asked of the provider; openid is one of them."
    )

    @field_validator("public_url", "moodle_base_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("must be an absolute http(s) address")
        return value.rstrip("/")

    @field_validator("oidc_client_id")
    @classmethod
    def _client_of_issuer(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value:
            raise ValueError("must be set where NAGASIS_OIDC_ISSUER is")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("must hold openid")
        return value

    @field_validator("public_url")
    @classmethod
    def _no_path(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.path:
            raise ValueError("must have no path: the tool lives at the root of its host")
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme == "http" and not local:
            raise ValueError("must be https: browsers send our cookies over nothing else")
        return value


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises :class:`ConfigurationError` with a line per wrong setting."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0]) if problem["loc"] else "settings"
            name = name.upper() if name.upper().startswith("MOODLE_") else f"NAGASIS_{name.upper()}"
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{name}: {message}")
        raise ConfigurationError("\n".join(lines)) from error
