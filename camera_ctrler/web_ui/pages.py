"""The pages of the web UI and its files, as Flask serves them. They hold no data: that comes from the API."""

from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from flask import Blueprint, Response, abort, request, send_file

from camera_ctrler.web_ui.built_files import BuiltFiles

#: Screens of the UI: each is a path of its own, and so is what lies below it. `web/src/app/routes.tsx` has the same.
SCREENS: Final = ("login", "live", "cameras", "timeline", "events", "people", "farm", "settings")
#: Seconds that a file may be kept whose name has a hash of its content.
_FOR_EVER: Final = 365 * 86_400
#: Scripts and styles come from here alone; styles that Mantine makes while running carry the page's nonce. Pictures
#: and footage are given to elements as blobs.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_MISSING_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_MISSING: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>CamFarm: the web UI is not built</title></head>
<body>
<h1>The web UI is not built</h1>
<p>The farm runs; only its pages are missing. In the folder of CamFarm run</p>
<pre>./farm web build</pre>
<p>and reload this page. It needs the network once, and Node 20.19 or newer, which it fetches where there is none.</p>
<p><code>./farm status</code> shows the farm meanwhile, and
<a href="/apidocs/">the API's documentation</a> what programs can ask.</p>
</body>
</html>
"""


def make_blueprint(folder: Path) -> Blueprint:
    """Return what serves the UI that was built into `folder`."""
    built = BuiltFiles(folder)
    blueprint = Blueprint("web_ui", __name__)

    def page(rest: str = "") -> Response:  # noqa: ARG001 - what lies below a screen is the screen's own affair
        nonce = token_urlsafe(16)
        text = built.page(nonce)
        if text is None:
            response = Response(_MISSING, 503, mimetype="text/html")
            response.headers["Content-Security-Policy"] = _MISSING_POLICY
        else:
            response = Response(text, mimetype="text/html")
            response.headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
        response.cache_control.no_store = True  # the nonce is of this answer alone
        return response

    def file(name: str) -> Response:
        accepted = frozenset(encoding.lower() for encoding, quality in request.accept_encodings if quality > 0)
        found = built.find(name, accepted)
        if found is None:
            abort(404)
        response = send_file(found.path, mimetype=found.mimetype, conditional=True, max_age=0)
        if found.encoding is not None:
            response.content_encoding = found.encoding
        response.vary.add("Accept-Encoding")
        if found.immutable:
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = _FOR_EVER
            response.cache_control.immutable = True
        return response

    blueprint.add_url_rule("/", "page", page)
    for screen in SCREENS:
        blueprint.add_url_rule(f"/{screen}", "page", page)
        blueprint.add_url_rule(f"/{screen}/<path:rest>", "page", page)
    blueprint.add_url_rule("/ui/<path:name>", "file", file)
    return blueprint
