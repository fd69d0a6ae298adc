"""What is pressed on the screens of people, farm and settings does what it says, in the database and on the page."""

import base64
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from contract import keys
from contract.accounts import Role
from contract.recognition import RecognitionState
from database.recognitions import recognitions
from tests.support.accounts import PASSWORD
from tests.support.gallery_services import jpeg, portrait
from tests.support.people_farm import WORKER, PeopleFarm, people_farm
from tests.support.processes import wait_until
from tests.support.shown_farm import log_in
from tests.support.valkey_server import ValkeyServer
from tests.support.web_pages import browser, need_built_ui, own_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Drops a file onto the screen, as a file manager does.
DROP = """([data, to]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "somebody.jpg", { type: "image/jpeg" }));
  for (const kind of ["dragover", "drop"])
    document.querySelector(to).dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""
#: Whom each test does something with, so that none needs another.
MERGED, KEPT, SPLIT, FORGOTTEN, WATCHED, SEARCHED = range(1, 7)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser."""
    need_built_ui()
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[PeopleFarm]:
    """A farm that has seen six people."""
    with valkey_server.client() as client:
        client.flushall()
    with people_farm(tmp_path_factory.mktemp("people"), valkey_server.url) as made:
        yield made


@pytest.fixture(scope="module")
def page(chromium: Browser, farm: PeopleFarm) -> Iterator[Page]:
    """A page of an administrator; at the end it must have had nothing to complain of."""
    options = {"viewport": {"width": 1280, "height": 900}, "permissions": ["clipboard-read", "clipboard-write"]}
    # Nobody is logged in at first, and clips of what was never recorded cannot be shown.
    with own_page(chromium, farm.url, expected=("status of 401", "status of 404"), **options) as made:
        made.set_default_timeout(10_000)
        log_in(made)
        yield made


def _open_person(page: Page, farm: PeopleFarm, person: int) -> str:
    identity = farm.identity(person)
    page.goto(f"/people/id/{identity}")
    expect(page.get_by_text(identity)).to_be_visible()
    return identity


# --- people ----------------------------------------------------------------------------------------------------------


def test_two_are_merged_and_the_changes_take_it_back(page: Page, farm: PeopleFarm) -> None:
    """Given two identities, when they are merged, they are one; when that is undone in Changes, two again."""
    other = farm.identity(MERGED)
    kept = _open_person(page, farm, KEPT)
    farm.guarded.services.identities.changes.rename(other, "The other one")
    page.get_by_role("button", name="Merge…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("option", name="The other one").click()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_role("heading", name="4 sightings")).to_be_visible()
    assert farm.identity(MERGED) == kept

    page.get_by_role("link", name="Changes").click()
    page.get_by_role("row").filter(has_text="Merged").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("row").filter(has_text="Merged").get_by_text("undone")).to_be_visible()
    assert farm.identity(MERGED) == other
    assert [each.actor for each in farm.audit("undo_change")] == ["olivia"]


def test_a_sighting_of_somebody_else_is_split_off(page: Page, farm: PeopleFarm) -> None:
    """Given an identity with two sightings, when one is said to be somebody else, then it is a new person's."""
    identity = _open_person(page, farm, SPLIT)
    page.get_by_role("checkbox", name="Choose the sighting from Back yard").check()
    page.get_by_role("button", name="This is somebody else").click()
    expect(page.get_by_text("The sighting is a new person's now.")).to_be_visible()
    fresh = farm.gallery.identity_of(f"yard:1:{SPLIT}")
    assert fresh not in {None, identity}
    expect(page.get_by_text(str(fresh))).to_be_visible()
    assert farm.identity(SPLIT) == identity


def test_somebody_is_forgotten_for_ever(page: Page, farm: PeopleFarm) -> None:
    """Given an identity, when it is forgotten, then neither the database nor the page has anything of it."""
    identity = _open_person(page, farm, FORGOTTEN)
    page.get_by_role("button", name="Forget…").click()
    page.get_by_role("button", name="Forget for ever").click()
    expect(page.get_by_text("Forgotten: 2 sightings, 6 embeddings, 6 crops.")).to_be_visible()
    expect(page.locator(f"a[href='/people/id/{identity}']")).to_have_count(0)
    assert farm.reading.of_tracks([f"lobby:1:{FORGOTTEN}"]) == {}


def test_whoever_is_watched_for_pops_up_on_any_screen(page: Page, farm: PeopleFarm) -> None:
    """Given a place on the watch list, when that one is seen again, a notice on another screen leads there."""
    identity = _open_person(page, farm, WATCHED)
    page.get_by_role("button", name="Watch").click()
    page.get_by_label("Note").fill("Call the porter")
    page.get_by_role("dialog").get_by_role("button", name="Watch").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("link", name="Watch list", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="Call the porter")).to_be_visible()
    page.get_by_role("navigation", name="Screens").get_by_role("link", name="Farm", exact=True).click()
    farm.see(WATCHED, f"yard:2:{WATCHED}", 300_000)
    notice = page.get_by_role("alert").filter(has_text="Call the porter")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("Back yard")
    notice.get_by_role("button", name="Show the journey").click()
    expect(page.get_by_text(identity)).to_be_visible()


def test_a_picture_that_is_dropped_is_searched_with(page: Page, farm: PeopleFarm) -> None:
    """Given a picture of somebody, when it is dropped on the screen, then both sightings of that one come first."""
    page.goto("/people")
    expect(page.get_by_role("link", name="Sightings", exact=True)).to_be_visible()
    data = base64.b64encode(jpeg(portrait(SEARCHED, 77))).decode()
    page.evaluate(DROP, [data, "main nav"])
    expect(page.get_by_text(re.compile("most alike first", re.IGNORECASE))).to_be_visible()
    expect(page).to_have_url(re.compile("/people/search"))
    identity = farm.identity(SEARCHED)
    cards = page.get_by_role("listitem").filter(has=page.locator(f"a[href='/people/id/{identity}']"))
    expect(cards).to_have_count(2)
    first = page.locator("main li").first
    assert first.locator(f"a[href='/people/id/{identity}']").count() == 1


def test_a_way_that_is_said_is_listed_and_forgotten(page: Page, farm: PeopleFarm) -> None:
    """Given two cameras, when a way is said, it stands in the table and in the database, until it is forgotten."""
    page.goto("/people/ways")
    for label, name in (("From", "Lobby"), ("To", "Back yard")):
        page.get_by_role("combobox", name=label, exact=True).click()
        page.get_by_role("option", name=name).click()
    page.get_by_label("At least, seconds").fill("12.5")
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="12.5 s")
    expect(row).to_contain_text("Back yard")
    assert [(way.from_camera, way.to_camera, way.shortest_ms) for way in farm.reading.transits()] == [
        ("lobby", "yard", 12_500)
    ]
    row.get_by_role("button", name="Forget").click()
    expect(row).to_have_count(0)
    assert farm.reading.transits() == []


# --- farm ------------------------------------------------------------------------------------------------------------


def _dead(farm: PeopleFarm) -> list[str]:
    query = select(recognitions.c.event_id).where(recognitions.c.state == RecognitionState.DEAD)
    with farm.gallery.engine.connect() as connection:
        return sorted(connection.scalars(query))


def test_dead_letters_are_replayed_and_deleted(page: Page, farm: PeopleFarm) -> None:
    """Given dead letters, when one is replayed and one deleted, then the others are left, on the page, too."""
    page.goto("/farm/letters")
    letters = page.get_by_role("listitem").filter(has_text="broken crop")
    expect(letters).to_have_count(4)
    before = _dead(farm)
    letters.filter(has_text="broken crop 1").first.get_by_role("button", name="Replay").click()
    expect(letters).to_have_count(3)
    letters.filter(has_text="broken crop 2").first.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(letters).to_have_count(2)
    assert len(_dead(farm)) == len(before) - 2
    assert [len(farm.audit(action)) for action in ("replay_recognitions", "delete_recognitions")] == [1, 1]


def test_a_worker_is_asked_to_leave(page: Page, farm: PeopleFarm) -> None:
    """Given a worker, when it is drained, then it is asked, and the audit says by whom."""
    page.goto("/farm")
    page.get_by_role("button", name=f"Drain worker {WORKER}").click()
    page.get_by_role("button", name="Hand over and leave").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert farm.client.exists(keys.worker_drain(WORKER)) == 1
    assert [(each.actor, each.what) for each in farm.audit("drain_worker")] == [("olivia", WORKER)]


# --- settings --------------------------------------------------------------------------------------------------------


def test_a_user_is_added_changed_and_locked_out(page: Page, farm: PeopleFarm) -> None:
    """Given a new user, when role and access are changed, then it counts, and the table says it."""
    page.goto("/settings/users")
    page.get_by_role("button", name="Add user").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("bert")
    form.get_by_label(re.compile("^First password")).fill(PASSWORD)
    form.get_by_role("button", name="Add user").click()
    expect(form).to_be_hidden()
    assert farm.guarded.logged_in("bert").get("/api/v1/auth/me").status_code == 200

    page.get_by_role("button", name="bert").click()
    form.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Operator").click()
    form.get_by_role("switch", name="Disabled").check()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row").filter(has_text="bert")).to_contain_text("Operator")
    expect(page.get_by_role("row").filter(has_text="bert")).to_contain_text("Disabled")
    wrong = farm.guarded.anybody().post("/api/v1/auth/login", json={"user": "bert", "password": PASSWORD})
    assert wrong.status_code == 401


def test_a_token_is_made_copied_and_revoked(page: Page, farm: PeopleFarm) -> None:
    """Given a new token, when it is copied, then it is one that the API takes, until it is revoked."""
    page.goto("/settings/tokens")
    page.get_by_role("button", name="Make token").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("robot")
    form.get_by_role("button", name="Make token").click()
    form.get_by_role("button", name="Copy").click()
    expect(form.get_by_role("button", name="Copied")).to_be_visible()
    client = farm.guarded.anybody()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {page.evaluate('() => navigator.clipboard.readText()')}"
    assert client.get("/api/v1/cameras").status_code == 200
    form.get_by_role("button", name="Done").click()

    page.get_by_role("row").filter(has_text="robot").get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row").filter(has_text="robot")).to_have_count(0)
    farm.guarded.services.accounts.forget()
    assert client.get("/api/v1/cameras").status_code == 401


def test_a_session_is_ended_from_another_one(page: Page, farm: PeopleFarm) -> None:
    """Given two sessions of one user, when one ends the other, then that one has to log in again."""
    elsewhere = farm.guarded.logged_in("olivia", password="a farm to be looked at")  # noqa: S106 - as in shown_farm
    page.goto("/settings/account")
    rows = page.get_by_role("row").filter(has=page.get_by_role("button", name="End"))
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="End").click()
    expect(rows).to_have_count(0)
    farm.guarded.services.accounts.forget()
    assert elsewhere.get("/api/v1/auth/me").status_code == 401


def test_the_audit_is_downloaded_as_it_is_filtered(page: Page, tmp_path: Path) -> None:
    """Given a filter, then table and CSV file have what fits; one that nothing fits says so, and can be cleared."""
    page.goto("/settings/audit")
    page.get_by_role("combobox", name="Did").or_(page.get_by_label("Did")).first.fill("log in")
    row = page.get_by_role("row").filter(has_text="log in")
    expect(row.first).to_be_visible()
    expect(page.get_by_role("link", name="Download as CSV")).to_have_attribute("href", re.compile("action=log_in$"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    download.value.save_as(tmp_path / "audit.csv")
    with (tmp_path / "audit.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {each["action"] for each in rows} == {"log_in"}
    assert "olivia" in {each["actor"] for each in rows}
    page.get_by_label("Who").first.fill("nobody at all")
    expect(page.get_by_text("No entry with these filters")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(row.first).to_be_visible()


# --- who sees one camera ---------------------------------------------------------------------------------------------


def test_a_viewer_of_one_camera_has_neither_dead_controls_nor_anything_of_the_others(
    chromium: Browser, farm: PeopleFarm
) -> None:
    """Given a viewer of the lobby, then no screen names the yard, and none has a button that is not his to press."""
    farm.guarded.user("guard", Role.VIEWER, {"lobby"})
    beyond = re.compile("Merge|Watch$|Forget|Drain|Replay|Delete|Save|Undo|Remove|Change the name")
    with own_page(chromium, farm.url, expected=("status of 401",)) as page:
        page.set_default_timeout(10_000)
        log_in(page, "guard", PASSWORD)
        identity = farm.identity(KEPT)
        for path in ("people", "people/sightings", f"people/id/{identity}", "people/watch", "people/ways", "farm"):
            page.goto(f"/{path}")
            expect(page.locator("main h1")).to_be_visible()
            wait_until(lambda: page.get_by_text("Loading…").count() == 0, f"{path} to be loaded", 10)
            text = page.locator("body").inner_text()
            assert not re.search(r"yard|worker-1", text, re.IGNORECASE), path
            assert page.locator("main").get_by_role("button", name=beyond).count() == 0, path
        expect(page.get_by_role("link", name="Changes")).to_have_count(0)
        page.goto("/settings/users")
        expect(page).to_have_url(re.compile("/settings/account$"))
