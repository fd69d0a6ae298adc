"""The web UI in a real browser: a page fails its test when it complains, or asks another host for anything."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cli import web_ui

CHROMIUM: Final = shutil.which("chromium")
_ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

#: What the browser says when a test looks at a canvas more than once.
_OF_TESTS: Final = "Multiple readback operations using getImageData"


def need_built_ui() -> None:
    """Skip what needs the web UI where it was not built from these sources."""
    if not web_ui.is_current():
        pytest.skip(
            "the web UI is not built from these sources; ./farm web build does it, and needs Node or the network"
        )


@contextmanager
def browser() -> Iterator[Browser]:
    """Give a browser."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def own_page(made: Browser, base_url: str, *, expected: tuple[str, ...] = (), **context: object) -> Iterator[Page]:
    """Give a page; at the end it must have had nothing to complain of.

    Args:
        made: The browser.
        base_url: Where the farm is; everything else is elsewhere.
        expected: Parts of complaints that the test causes on purpose.
        context: Of the browser's context, as Playwright takes it.
    """
    complaints: list[str] = []
    options = {"base_url": base_url, "locale": "en-GB", "reduced_motion": "reduce", **context}
    page = made.new_page(**options)  # type: ignore[arg-type]  # handed on as they are
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if _is_own(asked.url, base_url) else complaints.append(asked.url))
    yield page
    page.close()
    unexpected = [text for text in complaints if not any(part in text for part in (*expected, _OF_TESTS))]
    assert not unexpected, unexpected


def _is_own(url: str, base_url: str) -> bool:
    return url.startswith((base_url, f"blob:{base_url}", "data:"))
