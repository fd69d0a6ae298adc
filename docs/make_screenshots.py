"""Takes pictures of every screen of a running farm's web UI: `python -m docs.make_screenshots --help`.

Of each screen at 1440 and 390 pixels, light and dark: as it is, while it loads, with an API that fails, that cannot be
reached, and that says that one may not. Pictures of the empty states are those of a farm without cameras; screens of
one camera or one event are then left out. The login is pictured with `--screens login` and without `--auth`. Pillow
writes the pictures as WebP, so that they are small.
"""

import argparse
import getpass
import io
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Error, Page, Route, sync_playwright

#: Paths; `{camera}` and `{event}` stand for the first of the farm.
SCREENS: Final = (
    "live",
    "live/{camera}",
    "timeline",
    "events",
    "events?event={event}",
    "events?text=nothing-has-this-text",
    "people",
    "people/sightings",
    "people/vehicles",
    "people/search",
    "people/watch",
    "people/ways",
    "people/changes",
    "cameras",
    "cameras/new",
    "cameras/import",
    "cameras/edit/{camera}",
    "cameras/zones/{camera}",
    "farm",
    "farm/letters",
    "settings/account",
    "settings/users",
    "settings/tokens",
    "settings/audit",
    "settings/retention",
    "settings/models",
)
WIDTHS: Final = {1440: 900, 390: 844}
SCHEMES: Final = ("light", "dark")
STATES: Final = ("normal", "loading", "broken", "unreachable", "forbidden")
#: Milliseconds until a screen must show what it has, and for which what moves may settle.
_PATIENCE_MS: Final = 10_000
_SETTLE_MS: Final = 1_500
_QUALITY: Final = 82
#: Of these the answer is always the real one: who is logged in decides what is shown at all.
_ALWAYS: Final = "/api/v1/auth/"
_AWAY: Final = (
    '{"type": "urn:camfarm:problem:redis-away", "title": "Redis cannot be reached", "status": 503, "detail": "The API '
    'cannot reach Redis, so states and results are not known now; check that it runs and FARM_REDIS_URL.", '
    '"instance": "", "errors": []}'
)
_FORBIDDEN: Final = (
    '{"type": "urn:camfarm:problem:forbidden", "title": "That is not yours to do", "status": 403, "detail": "You are a '
    'viewer, and this needs the role admin; an admin can give it to you.", "instance": "", "errors": []}'
)


@contextmanager
def opened(browser: Browser, arguments: argparse.Namespace, width: int, scheme: str) -> Iterator[Page]:
    """Give a page of that width and scheme, logged in where the farm asks for it."""
    context = browser.new_context(
        base_url=arguments.url,
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of `SCHEMES`
        locale=arguments.language,
        reduced_motion="reduce",
        has_touch=width < 600,
    )
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    if arguments.auth:
        page.goto("/login")
        page.locator("input[name=user]").fill(arguments.user)
        page.locator("input[name=password]").fill(arguments.password)
        page.locator("button[type=submit]").click()
        page.wait_for_url("**/live*")
    yield page
    context.close()


def named(page: Page, screens: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each screen with its path; without those that are of something which the farm has none of."""
    cameras = page.request.get("/api/v1/cameras?limit=1").json().get("items")
    events = page.request.get("/api/v1/events?kind=track_ended&limit=1").json().get("items")
    known = {
        "{camera}": cameras[0]["id"] if cameras else None,
        "{event}": quote(events[0]["event_id"]) if events else None,
    }
    for screen in screens:
        path = screen
        for word, value in known.items():
            path = path.replace(word, value or word)
        if "{" in path:
            print(f"{screen}: the farm has none", file=sys.stderr)
        else:
            yield re.sub(r"[^a-z]+", "-", screen).strip("-"), path


def take(page: Page, screen: str, state: str) -> bytes:
    """Return a picture of a screen in one state, as PNG."""
    page.unroute_all(behavior="ignoreErrors")
    if state != "normal":
        page.route("**/api/v1/**", lambda route: _answer(route, state))
    page.goto(f"/{screen}")
    try:
        page.locator("h1").first.wait_for()
    except Error:
        print(f"{screen}, {state}: there is no heading", file=sys.stderr)
    # Queries are tried again before they fail.
    page.wait_for_timeout(_SETTLE_MS * (1 if state in ("normal", "loading") else 3))
    return page.screenshot()


def _answer(route: Route, state: str) -> None:
    """Answer a request as the API does in that state; while it loads, never."""
    if _ALWAYS in route.request.url:
        route.continue_()
    elif state == "unreachable":
        route.abort("connectionrefused")
    elif state != "loading":
        status, body = (503, _AWAY) if state == "broken" else (403, _FORBIDDEN)
        route.fulfill(status=status, content_type="application/problem+json", body=body)


def keep(png: bytes, file: Path) -> None:
    """Write a picture as WebP."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)


def main() -> int:
    """Take the pictures; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.make_screenshots", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--url", default="http://127.0.0.1:15439", help="where the farm is")
    parser.add_argument("--user", default="admin", help="who looks; the password is asked for, or FARM_PASSWORD")
    parser.add_argument("--language", default="en-GB", help="of the pages, such as zh-TW or pt-BR")
    parser.add_argument("--screens", default=",".join(SCREENS), help="paths, separated by commas")
    parser.add_argument("--states", default=",".join(STATES), help="such as normal,broken; all of them if left out")
    parser.add_argument("--schemes", default=",".join(SCHEMES), help="light or dark; separated by commas")
    parser.add_argument("--auth", action="store_true", help="the farm asks who is there")
    arguments = parser.parse_args()
    arguments.password = ""
    if arguments.auth:
        arguments.password = os.environ.get("FARM_PASSWORD") or getpass.getpass(f"Password of {arguments.user}: ")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width in WIDTHS:
            for scheme in arguments.schemes.split(","):
                with opened(browser, arguments, width, scheme) as page:
                    for name, path in named(page, arguments.screens.split(",")):
                        for state in arguments.states.split(","):
                            file = arguments.out / f"{name}-{state}-{width}-{scheme}.webp"
                            keep(take(page, path, state), file)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
