"""Makes the Flask app: resources, documentation page, web UI."""

from functools import partial
from pathlib import Path
from typing import Final, cast

from flasgger import Swagger  # type: ignore[import-untyped]  # ships no types
from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider

from camera_ctrler.accounts.passwords import Passwords
from camera_ctrler.accounts.principal import EVERYBODY
from camera_ctrler.api import authentication, problems, rate_limits
from camera_ctrler.api import services as shared
from camera_ctrler.api.access import set_principal
from camera_ctrler.api.documented import Operation
from camera_ctrler.api.host_names import host_check
from camera_ctrler.api.openapi import build_document
from camera_ctrler.api.other_sites import refuse_other_sites
from camera_ctrler.api.proxies import TrustedProxies
from camera_ctrler.api.resources import (
    audit,
    auth,
    cameras,
    event_details,
    events,
    evidence,
    export_progress,
    exports,
    farm_health,
    farm_settings,
    footage,
    identities,
    links,
    operations,
    pictures,
    recognitions,
    recorded_pictures,
    recordings,
    searches,
    sightings,
    status,
    timelines,
    tokens,
    tracks,
    users,
    walls,
    watching,
    workers,
)
from camera_ctrler.web_ui import pages
from runtime.settings import ControllerSettings

STATIC: Final = Path(__file__).parent.parent / "static"
RESOURCES: Final = tuple(
    module.resource
    for module in (
        cameras,
        status,
        farm_health,
        workers,
        events,
        event_details,
        tracks,
        recognitions,
        identities,
        sightings,
        searches,
        watching,
        pictures,
        walls,
        recordings,
        timelines,
        exports,
        export_progress,
        recorded_pictures,
        evidence,
        links,
        footage,
        auth,
        users,
        tokens,
        audit,
        farm_settings,
        operations,
    )
)

#: Swagger UI sets styles on elements and carries its icons as data.
_DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: A month: long enough for a browser that comes now and then, short enough for who gives TLS up again.
_HSTS_SECONDS: Final = 30 * 86_400
_OTHER_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


def create_app(settings: ControllerSettings, passwords: Passwords | None = None) -> Flask:
    """Return the API as a WSGI app; Redis and the database are first asked by requests.

    Args:
        settings: Of this controller.
        passwords: How they are hashed; default: as they should be.

    Raises:
        FarmError: A setting cannot be used.
    """
    app = Flask("camera_ctrler.api", static_folder=str(STATIC), static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = settings.api_max_body_bytes
    services = shared.Services.create(settings, passwords)
    shared.install(app, services)
    authentication.install_tokens(app, services.box)
    for resource in RESOURCES:
        app.register_blueprint(resource.blueprint)
    # The document's own order is that of a reader: the first example is the one to try.
    cast("DefaultJSONProvider", app.json).sort_keys = False
    _install_docs(app)
    app.register_blueprint(pages.make_blueprint(STATIC / "ui"))
    problems.install(app)
    app.before_request(host_check(settings))
    app.before_request(refuse_other_sites)
    if settings.auth:
        _close(app, services)
    else:
        app.before_request(partial(set_principal, EVERYBODY))
    app.after_request(_secure)
    app.wsgi_app = TrustedProxies(app.wsgi_app, settings.proxy_networks)  # type: ignore[method-assign]  # Flask's own way
    return app


def all_operations() -> list[Operation]:
    """Return what the API offers, in the order of the documentation page."""
    return [operation for resource in RESOURCES for operation in resource.operations]


def _close(app: Flask, services: shared.Services) -> None:
    """Answer only those who have logged in, and nobody more often than anybody needs."""
    operations = all_operations()
    door = authentication.Door(authentication.public_endpoints(operations))
    app.before_request(door.identify)
    rate_limits.install(app, services.limits_client, operations)
    app.before_request(door.refuse)


def _install_docs(app: Flask) -> None:
    specification = {"endpoint": "apispec", "route": "/apispec.json", "rule_filter": lambda _rule: False}
    Swagger(
        app,
        template=build_document(all_operations()),
        config={
            "openapi": "3.0.3",
            "title": "CamFarm API",
            "headers": [],
            "specs": [specification],
            "specs_route": "/apidocs/",
            "static_url_path": "/flasgger_static",
        },
    )


def _secure(response: Response) -> Response:
    policy = _DOCS_POLICY if request.path == "/apidocs/" else _OTHER_POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    # Pictures too are for the farm's own pages: another site's page must not embed them.
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_HSTS_SECONDS}")
    return response
