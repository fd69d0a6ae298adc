"""A farm of which everything is there to be shown, served by a controller's own process to a browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from contract.accounts import Role
from contract.recognition import RecognitionState
from tests.support.accounts import guarded_farm_at, guarded_settings
from tests.support.api_server import ApiServer
from tests.support.permission_farm import SEEN, PermissionFarm, identity_of
from tests.support.processes import wait_until
from tests.support.valkey_server import free_port

USER: Final = "olivia"
PASSWORD: Final = "a farm to be looked at"  # noqa: S105 - of a farm that lives for a minute
#: Of whom cameras have seen something, who can be searched for and who is followed.
IDENTITY: Final = identity_of(SEEN)
TRACK: Final = f"{SEEN}:1:1"
#: Every screen, and every part of one that has an address of its own.
SCREENS: Final = (
    "/live",
    f"/live/{SEEN}",
    "/timeline",
    "/events",
    f"/events?event={TRACK}",
    "/people",
    "/people/sightings",
    "/people/vehicles",
    "/people/watch",
    "/people/ways",
    "/people/changes",
    "/people/search",
    f"/people/id/{IDENTITY}",
    "/cameras",
    "/cameras/new",
    f"/cameras/edit/{SEEN}",
    "/cameras/import",
    f"/cameras/zones/{SEEN}",
    "/farm",
    "/farm/letters",
    "/settings/account",
    "/settings/users",
    "/settings/tokens",
    "/settings/audit",
    "/settings/retention",
    "/settings/models",
)


#: Whether anything says that it is loading.
_LOADS: Final = "() => [...document.querySelectorAll('[role=status]')].some((x) => x.textContent === 'Loading…')"


@dataclass(frozen=True, slots=True)
class Shown:
    """The farm, and where it is."""

    farm: PermissionFarm
    server: ApiServer

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server.settings.api_port}"


@contextmanager
def shown_farm(folder: Path, redis_url: str) -> Iterator[Shown]:
    """Serve a farm of two cameras with events, footage, people, dead letters, moves and an administrator."""
    settings = guarded_settings(folder, redis_url, api_port=free_port(), api_threads=32)
    guarded = guarded_farm_at(settings)
    farm = PermissionFarm(guarded, folder)
    farm.fill()
    farm.state.recognition(
        f"{SEEN}:1:2", "reid", RecognitionState.DEAD, reason="the crop cannot be decoded", attempts=3
    )
    guarded.services.accounts.users.add(USER, PASSWORD, Role.ADMIN, given=False)
    server = ApiServer(settings, folder / "controller.log")
    server.start()
    try:
        yield Shown(farm, server)
    finally:
        server.stop()
        guarded.services.close()


def log_in(page: Page, user: str = USER, password: str = PASSWORD) -> None:
    """Log in; as somebody who may everything, where nobody is named."""
    page.goto("/login")
    page.get_by_label("User name").fill(user)
    page.get_by_label(re.compile("^Password")).fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Live", level=1)).to_be_visible()


def show(page: Page, path: str) -> None:
    """Open a screen and wait until it shows what it has."""
    page.goto(path)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    wait_until(lambda: not page.evaluate(_LOADS), f"{path} to be loaded", 15)
    failed = page.get_by_text("This could not be shown")
    assert failed.count() == 0, f"{path}: {page.get_by_role('alert').all_inner_texts()}"
