"""The status wall and the docs page in a real browser: nothing from outside, nothing refused by the page's policy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from camera_ctrler.api.app import STATIC
from camera_ctrler.api.services import Services
from contract import keys
from contract.cameras import CameraState
from contract.errors import REMEDIES, StatusReason
from contract.moves import MoveReason
from tests.support.api_server import ApiServer
from tests.support.farm_state import FarmState, now_ms, settings_for
from tests.support.valkey_server import ValkeyServer, free_port

pytestmark = pytest.mark.browser

#: Longest HTML, CSS and JavaScript of the wall together: a real web UI replaces it, so it must stay small.
MAX_LINES = 500


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[ApiServer]:
    """A running API."""
    folder: Path = tmp_path_factory.mktemp("wall")
    server = ApiServer(settings_for(folder, valkey_server.url, api_port=free_port(), api_threads=16), folder / "log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def wall_state(served: ApiServer, valkey_server: ValkeyServer) -> Iterator[FarmState]:
    """One camera online with footage, one refused, one worker, a manager."""
    services = Services.create(served.settings)
    for camera in services.registry.all():
        services.registry.remove(camera.id)
    with valkey_server.client() as client:
        client.flushall()
        state = FarmState(client, services.store, services)
        state.worker("worker-1", "lobby")
        state.plan()
        state.online("lobby", name="Lobby <b>&")
        for step in range(1, 10):
            state.save("lobby", now_ms() - step * 1_000)
        state.camera("dock", name="Dock")
        state.status("dock", CameraState.OFFLINE, StatusReason.AUTH_FAILED)
        yield state
    services.close()


@pytest.fixture
def page(served: ApiServer) -> Iterator[Page]:
    """A page that fails the test when it logs an error, throws, or asks another host for anything."""
    complaints: list[str] = []
    own = f"http://127.0.0.1:{served.settings.api_port}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        made = browser.new_page(base_url=own)
        made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on("request", lambda request: complaints.append(request.url) if not _is_own(request.url, own) else None)
        yield made
        browser.close()
    assert [text for text in complaints if "status of 400" not in text] == []


def _is_own(url: str, own: str) -> bool:
    return url.startswith((own, f"blob:{own}", "data:"))


def test_the_wall_shows_cameras_and_lets_people_add_replay_and_delete(page: Page, wall_state: FarmState) -> None:
    """Given a farm, then a person sees it, adds a camera (a bad one is refused in place), replays and deletes one."""
    page.goto("/")
    expect(page.locator("#summary")).to_have_text("1 of 2 cameras online · 1 worker · 1 object in view")
    lobby, dock = (page.locator("article", has_text=name) for name in ("Lobby <b>&", "Dock"))
    expect(lobby.locator(".seen")).to_have_text("person")
    lobby.locator("img[src^=blob]").wait_for()
    expect(dock.locator(".why")).to_contain_text(REMEDIES[StatusReason.AUTH_FAILED])
    expect(page.locator("#workers-rows tr")).to_contain_text(["worker-1"])

    page.fill("[name=url]", "ftp://192.0.2.1/")
    page.click("#form button")
    expect(page.locator("#said")).to_contain_text("'ftp' is not supported")
    page.fill("[name=url]", "rtsp://192.0.2.1/stream")
    page.fill("[name=id]", "gate")
    page.click("#form button")
    expect(page.locator("article")).to_have_count(3)
    assert wall_state.services.registry.exists("gate")

    lobby.locator(".play").click()
    expect(page.locator("#replay-said")).to_contain_text("10 frames of the last minute, at 4")
    expect(page.locator("#replay-image")).to_have_js_property("naturalWidth", 320)
    assert "/playback.mp4?" in (page.locator("#replay-mp4").get_attribute("href") or "")
    page.keyboard.press("Escape")
    expect(page.locator("#replay")).not_to_be_visible()

    page.once("dialog", lambda dialog: dialog.dismiss())
    dock.locator(".remove").click()
    assert wall_state.services.registry.exists("dock")
    page.once("dialog", lambda dialog: dialog.accept())
    dock.locator(".remove").click()
    expect(page.locator("article")).to_have_count(2)
    assert not wall_state.services.registry.exists("dock")


def test_the_wall_shows_loads_spools_moves_and_cameras_without_a_worker(page: Page, wall_state: FarmState) -> None:
    """Given a busy worker with a spool, one over capacity, moves and an unplaced camera, then a person sees all."""
    wall_state.worker("busy", "lobby", spool_records=1_840, spool_bytes=1_700_000, labels=["gpu"])
    wall_state.worker("over", spool_lost=12, draining=True)
    wall_state.camera("far", require_labels=["site=far"])
    wall_state.move("lobby", MoveReason.WORKER_DIED, from_worker="dead", to_worker="busy")
    wall_state.move("lobby", MoveReason.WITHDRAWN, from_worker="busy", to_worker=None)
    wall_state.plan(
        {"far": StatusReason.NO_LABELS},
        load={"busy": 0.91, "over": 1.3},
        load_cores=4.42,
        capacity_cores=4.0,
        required_workers=3,
    )
    page.goto("/")
    busy, over = (page.locator("#workers-rows tr", has_text=name) for name in ("busy", "over"))
    expect(busy).to_contain_text("91 %")
    expect(busy).to_contain_text("1840 records, 2 MB")
    expect(busy).to_contain_text("gpu")
    expect(busy.locator(".track.busy")).to_be_visible()
    expect(over).to_contain_text("leaving")
    expect(over).to_contain_text("12 lost")
    expect(over.locator(".track.over")).to_be_visible()
    expect(page.locator("#load")).to_contain_text("4.42 of 4.00 cores · 3 workers required · led by controller-1")
    expect(page.locator("#load")).to_contain_text(REMEDIES[StatusReason.NO_LABELS])
    expect(page.locator("#moves-hour")).to_have_text("Last hour: 1 worker died, 1 withdrawn")
    expect(page.locator("#moves-rows li")).to_contain_text(["busy → nobody", "Lobby <b>&: dead → busy"])


def test_the_wall_of_a_farm_that_nobody_leads_says_so(page: Page, wall_state: FarmState) -> None:
    """Given no manager, then the workers' panel asks for the controller instead of showing loads."""
    wall_state.client.delete(keys.plan_report())
    page.goto("/")
    expect(page.locator("#load")).to_contain_text("No manager leads. Is the controller running?")
    expect(page.locator("#moves-hour")).to_have_text("Last hour: nothing moved")


def test_the_wall_fits_a_phone_and_does_not_jump(page: Page, wall_state: FarmState) -> None:
    """Given a phone's width, then nothing is wider than it, and an update moves no tile."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    page.locator("article img[src^=blob]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    places = "[...document.querySelectorAll('article')].map((tile) => tile.getBoundingClientRect().top)"
    before = page.evaluate(places)
    wall_state.result("lobby", detections=())
    expect(page.locator("article", has_text="Lobby").locator(".seen")).to_have_text("nothing in view")
    assert page.evaluate(places) == before


def test_a_camera_is_registered_on_the_docs_page(page: Page, wall_state: FarmState) -> None:
    """Given the docs page, when a person presses Try it out and Execute, then the first example is registered."""
    page.goto("/apidocs/")
    operation = page.locator("#operations-cameras-create_camera")
    operation.locator(".opblock-summary").click()
    operation.locator(".try-out__btn").click()
    operation.locator(".execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("201")
    assert wall_state.services.registry.exists("street-2")


def test_the_wall_stays_small_and_takes_nothing_from_elsewhere() -> None:
    """Given the wall's files, then they are few lines, with no inline script or style and no other host."""
    files = [STATIC / name for name in ("wall.html", "wall.css", "wall.js")]
    texts = [file.read_text() for file in files]
    assert sum(len(text.splitlines()) for text in texts) <= MAX_LINES
    assert not any("https://" in text or "innerHTML" in text for text in texts)
    assert "style=" not in texts[0]
    assert "onclick=" not in texts[0]
