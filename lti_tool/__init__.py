"""Naga SIS as an LTI 1.3 Advantage tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from lti_tool.core.clock import Clock
    from lti_tool.settings import Settings

# The largest form is a launch: an id_token and a state.
_MAX_BODY = 1024 * 1024


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Flask:
    """Build the Flask application. With no ``settings`` they are read from the environment."""
    # Imported here: whoever needs one room must not load them all with the package.
    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    from lti_tool import api, web
    from lti_tool.core.logging import configure_logging
    from lti_tool.settings import load_settings
    from lti_tool.wiring import build_services

    settings = settings or load_settings()
    configure_logging(level=settings.log_level, json=settings.log_format == "json")
    app = Flask(__name__, static_folder=None, template_folder=None)
    services = build_services(settings, clock=clock)
    secrets = [secret.hex() for secret in services.keyring.derive("flask.secret_key")]
    app.config.update(
        SECRET_KEY=secrets[0],
        SECRET_KEY_FALLBACKS=secrets[1:],
        MAX_CONTENT_LENGTH=_MAX_BODY,
        MAX_FORM_MEMORY_SIZE=_MAX_BODY,
        PREFERRED_URL_SCHEME=settings.public_url.split(":", 1)[0],
    )
    app.extensions["naga"] = services
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_prefix=0
        )
    web.init_app(app)
    api.init_app(app)
    return app
