"""Builds the web UI when it is missing or its sources have changed, and checks it."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cli.node import Node, find_node
from contract.errors import FarmError
from runtime.settings import PROJECT_DIR

WEB: Final = PROJECT_DIR / "web"
#: Where the controller looks for it.
BUILT: Final = PROJECT_DIR / "camera_ctrler" / "static" / "ui"
#: In the built folder: of which sources it was made.
STAMP_NAME: Final = "built-from.json"
#: In node_modules: of which lock file it was installed.
_PACKAGES_STAMP: Final = ".camfarm-lock"
#: Held by whoever installs or builds, so that two commands do not do it at once.
_LOCK: Final = PROJECT_DIR / ".farm" / "web.lock"
_LOCK_FILE_NAME: Final = "package-lock.json"
#: What the build reads, beside what is in these folders.
_FILES: Final = ("index.html", "package.json", _LOCK_FILE_NAME, "tsconfig.json", "vite.config.ts")
_FOLDERS: Final = ("src", "bundling")
#: First lines of a failed command that an error shows: npm and Vite begin with what went wrong.
_SHOWN_LINES: Final = 6


class WebBuildError(FarmError):
    """The web UI cannot be built or checked; the text says why."""


class NoPackagesError(WebBuildError):
    """What the web UI is built with cannot be fetched."""


def digest_of_sources(web: Path = WEB) -> str:
    """Return what tells one state of the UI's sources from another; tests do not count."""
    paths = [web / name for name in _FILES]
    for folder in _FOLDERS:
        paths += (path for path in (web / folder).rglob("*") if path.is_file() and ".test." not in path.name)
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(web)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(web: Path = WEB, built: Path = BUILT) -> bool:
    """Tell whether the UI is there, and of the sources that are there; an image has it without its sources."""
    if not web.is_dir():
        return (built / "index.html").is_file()
    try:
        stamp = json.loads((built / STAMP_NAME).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(stamp, dict) and stamp.get("digest") == digest_of_sources(web)


def build() -> str:
    """Build the UI anew; return with what.

    Raises:
        NoNodeError: There is no Node.
        NoPackagesError: Its packages cannot be fetched.
        WebBuildError: It cannot be built.
    """
    with _prepared() as node:
        digest = digest_of_sources()
        fresh, former = BUILT.with_name("ui.new"), BUILT.with_name("ui.old")
        shutil.rmtree(fresh, ignore_errors=True)
        run_npm(node, ["run", "build", "--", "--outDir", str(fresh), "--logLevel", "warn"], "building the web UI")
        (fresh / STAMP_NAME).write_text(json.dumps({"digest": digest}))
        # A controller that runs serves the former one until this moment.
        shutil.rmtree(former, ignore_errors=True)
        if BUILT.exists():
            BUILT.rename(former)
        fresh.rename(BUILT)
        shutil.rmtree(former, ignore_errors=True)
        return node.what


def check() -> None:
    """Run the UI's own checks: types, lint, unit tests.

    Raises:
        NoNodeError: There is no Node.
        NoPackagesError: Its packages cannot be fetched.
        WebBuildError: They found something; the text is what.
    """
    with _prepared() as node:
        run_npm(node, ["run", "check"], "checking the web UI", whole=True)


def dev(arguments: Sequence[str]) -> int:
    """Serve the UI with changes shown at once, until it is stopped; return the exit code."""
    with _prepared() as node:
        pass
    command = [*node.npm, "run", "dev", "--", *arguments]
    return subprocess.run(command, cwd=WEB, env=node.environment(os.environ), check=False).returncode


def run_npm(node: Node, arguments: Sequence[str], doing: str, *, whole: bool = False) -> None:
    """Run npm in the UI's folder.

    Args:
        node: With which Node.
        arguments: What npm is told.
        doing: What this is, for the error.
        whole: Show all of what a failed command said, and not only its end.
    """
    result = subprocess.run(
        [*node.npm, *arguments],
        cwd=WEB,
        env={**node.environment(os.environ), "NO_COLOR": "1", "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        said = [line for line in (result.stdout + result.stderr).splitlines() if line.removeprefix("npm error").strip()]
        shown = "\n".join(said if whole else said[:_SHOWN_LINES])
        raise WebBuildError(f"{doing} failed (npm {' '.join(arguments[:2])}):\n{shown}")


@contextmanager
def _prepared() -> Iterator[Node]:
    """Give a Node with the UI's packages beside it, to one command at a time."""
    if not WEB.is_dir():
        raise WebBuildError(f"there are no sources of the web UI in {WEB}; it can be built only in a checkout")
    try:
        _LOCK.parent.mkdir(parents=True, exist_ok=True)
        with _LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            node = find_node()
            _install_packages(node)
            yield node
    except OSError as error:
        raise WebBuildError(f"{error.filename or WEB} cannot be used: {error.strerror}") from error


def _install_packages(node: Node) -> None:
    stamp = WEB / "node_modules" / _PACKAGES_STAMP
    wanted = hashlib.sha256((WEB / _LOCK_FILE_NAME).read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    # No package's own scripts: none that the build needs has one.
    try:
        run_npm(node, ["ci", "--ignore-scripts", "--loglevel", "error"], "fetching the web UI's packages")
    except WebBuildError as error:
        raise NoPackagesError(f"{error}\ncheck the network; a proxy or a mirror is npm's setting") from error
    stamp.write_text(wanted)
