"""The web UI's shell and its live wall in a real browser, before a controller whose worker is played."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from camera_ctrler.api.services import Services
from contract import keys
from contract.cameras import CameraState
from contract.errors import REMEDIES, StatusReason
from tests.support.api_server import ApiServer
from tests.support.farm_state import FarmState, settings_for
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.web_pages import browser, need_built_ui, own_page

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
#: Of boxes around people.
BLUE = [0x56, 0xB4, 0xE9]
#: Colours on a canvas: a picture has many, an empty one has one.
_COLOURS_JS = """(canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4 * 97) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
  return seen.size;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for all tests."""
    need_built_ui()
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[ApiServer]:
    """A running controller."""
    folder: Path = tmp_path_factory.mktemp("web")
    server = ApiServer(settings_for(folder, valkey_server.url, api_port=free_port()), folder / "log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def farm(served: ApiServer, valkey_server: ValkeyServer) -> Iterator[FarmState]:
    """One camera online, one that refuses the password, one worker, a manager."""
    services = Services.create(served.settings)
    for camera in services.registry.all():
        services.registry.remove(camera.id)
    with valkey_server.client() as client:
        client.flushall()
        state = FarmState(client, services.store, services)
        state.worker("worker-1", "lobby")
        state.plan()
        state.online("lobby", name="Lobby <b>&")
        state.camera("dock", name="Dock")
        state.status("dock", CameraState.OFFLINE, StatusReason.AUTH_FAILED)
        yield state
    services.close()


@pytest.fixture
def page(chromium: Browser, served: ApiServer) -> Iterator[Page]:
    """A page of its own context."""
    with own_page(chromium, f"http://127.0.0.1:{served.settings.api_port}") as made:
        yield made


@pytest.mark.usefixtures("farm")
def test_the_wall_shows_pictures_and_says_why_a_camera_has_none(page: Page) -> None:
    """Given two cameras, then one's picture is drawn, names are text, and the other's tile says what to do."""
    page.goto("/")
    expect(page).to_have_url("/live")
    lobby = page.get_by_role("listitem").filter(has_text="Lobby <b>&")
    canvas = lobby.locator("canvas")
    expect(canvas).to_be_visible()
    wait_until(lambda: bool(canvas.evaluate(_COLOURS_JS) > 10), "the picture to be drawn", 10)
    expect(page.get_by_role("listitem").filter(has_text="Dock")).to_contain_text(REMEDIES[StatusReason.AUTH_FAILED])
    expect(page.get_by_role("banner")).to_contain_text("is offline: the camera refused the user name or password")


@pytest.mark.usefixtures("farm")
def test_the_box_of_an_object_is_drawn_where_it_is_and_can_be_switched_off(page: Page) -> None:
    """Given an object, then its box is on the picture, and not when boxes are switched off."""
    page.goto("/live")
    canvas = page.get_by_role("listitem").filter(has_text="Lobby").locator("canvas")
    expect(canvas).to_be_visible()
    corner = """(canvas) => {
      const across = canvas.width / canvas.height > 320 / 240 ? canvas.height / 240 : canvas.width / 320;
      const left = (canvas.width - 320 * across) / 2, top = (canvas.height - 240 * across) / 2;
      const line = canvas.getContext("2d").getImageData(left + 40 * across, top + 120 * across, 1, 1).data;
      return [...line.slice(0, 3)];
    }"""
    wait_until(lambda: canvas.evaluate(corner) == BLUE, "the box to be drawn", 10)
    page.get_by_role("button", name="Boxes around objects").click()
    wait_until(lambda: canvas.evaluate(corner) != BLUE, "the box to go", 10)


@pytest.mark.usefixtures("farm")
def test_a_tile_is_moved_with_the_keyboard_and_stays_there(page: Page) -> None:
    """Given two tiles, when the second is moved before the first, then it stays there when the page is loaded anew."""
    page.goto("/live")
    tiles = page.get_by_role("listitem")
    expect(tiles).to_have_count(2)
    expect(tiles.first).to_contain_text("Dock")
    grip = page.get_by_role("button", name="Move Lobby <b>&")
    grip.focus()
    page.keyboard.press("Space")
    page.wait_for_timeout(100)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(100)
    page.keyboard.press("Space")
    expect(tiles.first).to_contain_text("Lobby")
    page.reload()
    expect(page.get_by_role("listitem").first).to_contain_text("Lobby")


@pytest.mark.usefixtures("farm")
def test_a_click_opens_a_camera_and_escape_leads_back(page: Page) -> None:
    """Given the wall, when a tile is clicked, then the camera is large with what is known of it, until Escape."""
    page.goto("/live")
    page.get_by_role("link", name="Open Lobby <b>&").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lobby <b>&")
    expect(page.get_by_role("main")).to_contain_text("In view: person")
    canvas = page.locator("canvas")
    wait_until(lambda: bool(canvas.evaluate(_COLOURS_JS) > 10), "the picture to be drawn", 10)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text("Live")


def test_a_hidden_page_watches_nothing(page: Page, farm: FarmState) -> None:
    """Given the wall, when its page is hidden, then nobody watches; when it is seen again, somebody does."""
    channel = keys.camera_channel("lobby")

    def watchers() -> int:
        return int(farm.client.pubsub_numsub(channel)[0][1])

    page.goto("/live")
    wait_until(lambda: watchers() == 1, "the wall to be watched", 10)
    for state, wanted in (("hidden", 0), ("visible", 1)):
        page.evaluate(
            "(state) => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
            " document.dispatchEvent(new Event('visibilitychange')); }",
            state,
        )
        # The controller notices with what it sends next that nobody listens.
        wait_until(lambda wanted=wanted: watchers() == wanted, f"{wanted} watchers", 15)  # type: ignore[misc]


@pytest.mark.usefixtures("farm")
def test_every_screen_fits_a_phone_in_every_language(chromium: Browser, served: ApiServer) -> None:
    """Given a phone, then no screen is wider than it, whatever the language, and the bar leads to every screen."""
    base_url = f"http://127.0.0.1:{served.settings.api_port}"
    with own_page(chromium, base_url, viewport=PHONE) as page:
        page.goto("/live")
        for language, live in (("pt", "Ao vivo"), ("zh-Hant", "即時影像"), ("en", "Live")):
            page.evaluate("(language) => localStorage.setItem('camfarm.language', language)", language)
            page.goto("/live")
            expect(page.get_by_role("heading", level=1)).to_have_text(live)
            assert page.evaluate("document.documentElement.lang") == language
            for screen in ("live", "settings"):
                page.goto(f"/{screen}")
                expect(page.get_by_role("heading", level=1)).to_be_visible()
                assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], (language, screen)


def test_without_cameras_the_wall_says_what_to_do(page: Page, farm: FarmState) -> None:
    """Given no camera, then the wall leads to where one is added."""
    for camera in ("lobby", "dock"):
        farm.services.registry.remove(camera)
    page.goto("/live")
    expect(page.get_by_role("main")).to_contain_text("No cameras to show")
    page.get_by_role("link", name="Add a camera").click()
    expect(page).to_have_url("/cameras/new")


@pytest.mark.usefixtures("farm")
def test_a_controller_that_hangs_is_said_and_its_return_noticed(page: Page, served: ApiServer) -> None:
    """Given the wall, when the controller stops answering, then that is said in words, until it answers again."""
    page.goto("/live")
    expect(page.get_by_role("listitem")).to_have_count(2)
    master = psutil.Process(served.process.pid)
    processes = [master, *master.children(recursive=True)]
    for each in processes:
        each.suspend()
    try:
        expect(page.get_by_role("alert")).to_contain_text("The controller does not answer", timeout=30_000)
    finally:
        for each in processes:
            each.resume()
    expect(page.get_by_role("alert")).to_have_count(0, timeout=30_000)
