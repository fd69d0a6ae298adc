"""axe-core on every screen of the web UI, light and dark, wide and narrow: nothing that keeps anybody out."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.api_server import REPOSITORY
from tests.support.shown_farm import SCREENS, Shown, log_in, show, shown_farm
from tests.support.valkey_server import ValkeyServer
from tests.support.web_pages import browser, need_built_ui

AXE = REPOSITORY / "web" / "node_modules" / "axe-core" / "axe.min.js"
#: What WCAG 2.2 asks for at its first two levels.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser."""
    need_built_ui()
    if not AXE.is_file():
        pytest.skip(f"{AXE} is not there; ./farm web build fetches it")
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[Shown]:
    """A farm of which there is something to show on every screen."""
    folder: Path = tmp_path_factory.mktemp("shown")
    with valkey_server.client() as client:
        client.flushall()
    with shown_farm(folder, valkey_server.url) as made:
        yield made


@pytest.fixture(scope="module")
def page(chromium: Browser, shown: Shown) -> Iterator[Page]:
    """A page of somebody who is logged in."""
    made = chromium.new_page(base_url=shown.url, locale="en-GB")
    log_in(made)
    yield made
    made.close()


def violations(page: Page) -> list[str]:
    """Return what axe finds serious or critical, with where it is."""
    if not page.evaluate("() => typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text())
    options = json.dumps({"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]})
    found = page.evaluate(f"async () => (await axe.run(document, {options})).violations")
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:160]} {node['failureSummary'][:300]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"][:3]
    ]


def test_the_login_keeps_nobody_out(chromium: Browser, shown: Shown) -> None:
    """Given nobody who is logged in, then the page on which one logs in has no serious violation, light or dark."""
    for scheme in ("light", "dark"):
        page = chromium.new_page(base_url=shown.url, locale="en-GB", viewport=PHONE, color_scheme=scheme)  # type: ignore[arg-type]
        show(page, "/login")
        assert violations(page) == [], scheme
        page.close()


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_keeps_nobody_out(path: str, page: Page) -> None:
    """Given a screen with something on it, then axe finds nothing serious: wide in light colours, narrow in dark."""
    for size, scheme in ((WIDE, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # as Playwright takes it
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        show(page, path)
        assert violations(page) == [], scheme
