"""The API docs page in a real browser, as a new user would use it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

from tests.support.clips import Clips
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

CHROMIUM = shutil.which("chromium")
#: No sandbox: tests may run as root. The rest keeps the browser from looking for hosts that are not there.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian package chromium)"),
]


@pytest.fixture
def page() -> Iterator[Page]:
    """Return an empty page of a headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def test_a_camera_registered_and_deleted_on_the_docs_page_is_followed_within_three_seconds(
    page: Page, tmp_path: Path, own_valkey: ValkeyServer
) -> None:
    """Given a running worker, when the docs page's forms are used, then stream and analysis follow within 3 s."""
    yolo11n()
    media = tmp_path / "media"
    media.mkdir()
    Clips(media).make("squares", fps=10, gop=5, seconds=20, size=(320, 240))
    with (
        RtspServer(media) as cameras,
        Farm(tmp_path, own_valkey.url, api_port=free_port(), FARM_DETECT_SIZE="160", FARM_DETECT_THREADS="1") as farm,
    ):
        farm.start_controller()
        farm.start_worker("one")
        page.goto(f"{farm.base_url}/apidocs/")

        register = _try_out(page, "Register a camera")
        register.locator("textarea.body-param__text").fill(
            json.dumps({"id": "browser", "url": cameras.url("squares.mp4")})
        )
        register.get_by_role("button", name="Execute").click()
        analysed = farm.wait_for(
            lambda: farm.call("GET", "/api/v1/cameras/browser/result")[0] == 200, "it is analysed", 10
        )
        register.locator(".live-responses-table").get_by_text("201").first.wait_for()

        remove = _try_out(page, "Remove a camera")
        remove.locator("tr[data-param-name=camera_id] input").fill("browser")
        remove.get_by_role("button", name="Execute").click()
        closed = farm.wait_for(lambda: cameras.sessions() == 0, "its stream is closed", 10)
        print(f"docs page: analysed after {analysed:.2f} s, stream closed after {closed:.2f} s")
        assert analysed < 3
        assert closed < 3


def test_the_docs_page_asks_who_is_there_and_then_works(page: Page, tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given a farm where people log in, the page shows a login; who logs in reads it and registers a camera."""
    password = "a password of the test"  # noqa: S105
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    with Farm(tmp_path, own_valkey.url, api_port=free_port(), FARM_AUTH="on", FARM_ADMIN_PASSWORD=password) as farm:
        farm.start_api()
        assert farm.call("GET", "/apispec.json")[0] == 401
        page.goto(f"{farm.base_url}/apidocs/")
        page.get_by_label("User").fill("admin")
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").get_by_text("user name or password is wrong").wait_for()
        assert page.locator(".opblock").count() == 0
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()

        register = _try_out(page, "Register a camera")
        register.locator("textarea.body-param__text").fill(json.dumps({"id": "browser", "url": "rtsp://192.0.2.1/"}))
        register.get_by_role("button", name="Execute").click()
        register.locator(".live-responses-table").get_by_text("201").first.wait_for()

        page.reload()  # the cookies say who it is
        shown = _try_out(page, "Show a camera")
        shown.locator("tr[data-param-name=camera_id] input").fill("browser")
        shown.get_by_role("button", name="Execute").click()
        shown.locator(".live-responses-table").get_by_text("rtsp://192.0.2.1/").first.wait_for()
        assert refused == []


def _try_out(page: Page, summary: str) -> Locator:
    """Open the form of one operation and return it."""
    block = page.locator(".opblock", has=page.get_by_text(summary, exact=True)).first
    block.locator(".opblock-summary").first.click()
    block.get_by_role("button", name="Try it out").click()
    return block
