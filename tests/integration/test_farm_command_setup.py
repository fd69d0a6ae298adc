"""`./farm` before anything is installed, run as people run it: real interpreters, real pip, real locks."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from cli.venv_maker import LOCK_NAME, STAMP_NAME, Group, Venv
from runtime.settings import PROJECT_DIR
from tests.support.processes import is_running, wait_until

#: A lock that installs in a second: the names are real, the packages come from a folder that the test fills.
TINY = {"requirements.txt": "tiny==1.0", "requirements-dev.txt": "", "requirements-torch.txt": ""}


def checkout(tmp_path: Path) -> Path:
    """Return a copy of the launcher with a lock of one tiny package that lies in a folder beside it."""
    folder = tmp_path / "checkout"
    shutil.copytree(PROJECT_DIR / "cli", folder / "cli", ignore=shutil.ignore_patterns("__pycache__", "demo_cameras"))
    shutil.copy(PROJECT_DIR / "farm", folder / "farm")
    wheel = make_wheel(folder / "wheels")
    digest = subprocess.run(["sha256sum", wheel], capture_output=True, text=True, check=True).stdout.split()[0]
    for name, text in TINY.items():
        (folder / name).write_text(f"{text} --hash=sha256:{digest}\n" if text else "")
    return folder


def make_wheel(folder: Path) -> Path:
    """Write the wheel of a package `tiny` 1.0 with one module; return its path."""
    folder.mkdir()
    path = folder / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "SIZE = 1\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which pip sees only the folder of wheels."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "FARM_", "PYTHON"))}
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "wheels")}
    return kept | nowhere | {"FARM_VENV": str(folder / "venv")} | more


def farm(
    folder: Path, *arguments: str, python: str = sys.executable, **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run `./farm` of `folder` from another folder."""
    return subprocess.run(
        [python, str(folder / "farm"), *arguments],
        cwd="/",
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give a checkout after its first setup, and what that printed; tests leave it working."""
    folder = checkout(tmp_path_factory.mktemp("installed"))
    first = farm(folder, "setup")
    assert first.returncode == 0, first.stderr
    return folder, first.stderr


def test_the_first_run_installs_and_the_second_is_immediate(installed: tuple[Path, str]) -> None:
    """Given nothing, setup makes the environment and shows each package; the next run does nothing, quickly."""
    folder, said = installed
    assert "[1/1] tiny 1.0" in said
    assert subprocess.run([folder / "venv/bin/python", "-c", "import tiny"], check=False).returncode == 0
    second = farm(folder, "setup")
    assert second.returncode == 0
    assert second.stderr == ""
    bare = fastest_of_three([sys.executable, "-c", ""], folder)
    assert fastest_of_three([sys.executable, str(folder / "farm"), "setup"], folder) - bare < 1


def fastest_of_three(command: list[str], folder: Path) -> float:
    """Return how many seconds `command` took when the machine disturbed it least."""
    spent = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run(command, env=environment(folder), check=True, capture_output=True)
        spent.append(time.monotonic() - began)
    return min(spent)


def test_a_changed_lock_is_installed_and_a_broken_hash_refused(installed: tuple[Path, str]) -> None:
    """Given another lock, it is installed; one whose hash is wrong is refused, and the environment stays usable."""
    folder, _ = installed
    lock = folder / "requirements.txt"
    good = lock.read_text()
    lock.write_text(f"# anew\n{good}")
    again = farm(folder, "setup")
    assert "installed in" in again.stderr
    assert "making" not in again.stderr
    lock.write_text("tiny==1.0 --hash=sha256:" + "0" * 64 + "\n")
    subprocess.run([folder / "venv/bin/python", "-m", "pip", "uninstall", "-qy", "tiny"], check=True)
    refused = farm(folder, "setup")
    assert refused.returncode == 1
    assert "not the one that was locked" in refused.stderr
    lock.write_text(good)
    assert "making" not in farm(folder, "setup").stderr


@pytest.mark.long
def test_packages_left_half_installed_are_not_trusted(installed: tuple[Path, str]) -> None:
    """Given a run that got SIGKILL while pip installed, the next one makes the environment anew."""
    folder, _ = installed
    stamp = folder / "venv" / STAMP_NAME
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "state": "unfinished"}))
    next(folder.glob("venv/lib/python*/site-packages/tiny.py")).unlink()  # its dist-info says that it is installed
    again = farm(folder, "setup")
    assert again.returncode == 0, again.stderr
    assert "making" in again.stderr
    assert subprocess.run([folder / "venv/bin/python", "-c", "import tiny"], check=False).returncode == 0


@pytest.mark.long
def test_two_at_once_install_once(tmp_path: Path) -> None:
    """Given two commands at the same moment, one installs, the other waits, both succeed."""
    folder = checkout(tmp_path)
    processes = [
        subprocess.Popen(
            [sys.executable, str(folder / "farm"), "setup"],
            env=environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum("making" in text for text in errors) == 1
    assert sum("waiting for it" in text for text in errors) == 1


@pytest.mark.long
def test_an_environment_left_half_made_is_made_again(tmp_path: Path) -> None:
    """Given a run that got SIGKILL while it made the environment, the next one begins anew."""
    folder = checkout(tmp_path)
    process = subprocess.Popen(
        [sys.executable, str(folder / "farm"), "setup"], env=environment(folder), stderr=subprocess.PIPE
    )
    wait_until((folder / "venv" / "pyvenv.cfg").exists, "the environment's beginning")
    process.kill()
    process.communicate()
    again = farm(folder, "setup")
    assert again.returncode == 0, again.stderr
    assert "making" in again.stderr
    assert subprocess.run([folder / "venv/bin/python", "-c", "import tiny"], check=False).returncode == 0


@pytest.mark.long
def test_ctrl_c_ends_pip_and_says_how_to_go_on(tmp_path: Path) -> None:
    """Given a pip that waits for a silent index, SIGINT ends it and the launcher with 130."""
    folder = checkout(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        variables = environment(folder, PIP_INDEX_URL=address, PIP_FIND_LINKS=str(tmp_path / "none"))
        del variables["PIP_NO_INDEX"]
        process = subprocess.Popen(
            [sys.executable, str(folder / "farm"), "setup"],
            env=variables,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        silent.settimeout(30)
        silent.accept()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command goes on" in errors
    assert not is_running(process.pid)


@pytest.mark.long
def test_no_network_names_the_index_and_the_remedy(tmp_path: Path) -> None:
    """Given an index that refuses connections, the error says so with pip's last lines."""
    folder = checkout(tmp_path)
    variables = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    failed = farm(folder, "setup", PIP_FIND_LINKS=str(tmp_path / "none"), **variables)
    assert failed.returncode == 1
    assert "the package index cannot be reached; check the network" in failed.stderr
    assert "  | ERROR:" in failed.stderr
    assert farm(folder, "setup").returncode == 0  # and with a network it goes on


def test_an_environment_behind_a_link_is_left_alone(tmp_path: Path) -> None:
    """Given a link to another checkout's environment, nothing in that one is touched."""
    folder = checkout(tmp_path)
    others = tmp_path / "other-venv"
    (others / "bin").mkdir(parents=True)
    (others / "bin" / "python").write_text("precious")
    (others / "camfarm.json").write_text('{"state": "ready", "path": "/elsewhere", "groups": {}}')
    (folder / "venv").symlink_to(others)
    refused = farm(folder, "setup")
    assert refused.returncode == 1
    assert "which may be another checkout's environment" in refused.stderr
    assert (others / "bin" / "python").read_text() == "precious"


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """Given an environment that somebody else made, nothing in it is touched."""
    folder = checkout(tmp_path)
    mine = folder / "venv" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    refused = farm(folder, "setup")
    assert refused.returncode == 1
    assert "was not made by ./farm and is left alone" in refused.stderr
    assert mine.read_text() == "precious"


def test_a_disk_that_is_too_full_is_told_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given less free space than the packages need, the error has both numbers."""
    folder = checkout(tmp_path)
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: real._replace(free=300_000_000))
    with pytest.raises(Exception, match=r"0\.3 GB free.*needs up to 1\.8 GB"):
        Venv(folder / "venv", folder).make_ready([Group.BASE])


@pytest.mark.parametrize("name", ["python2.7", "python3.6", "python3.9"])
def test_an_old_python_is_told_what_is_needed(tmp_path: Path, name: str) -> None:
    """Given a Python that is too old and no newer one on PATH, one sentence says what to install."""
    old = old_python(name)
    result = farm(checkout(tmp_path), "setup", python=old, PATH="/nonexistent")
    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_old_python_hands_over_to_a_newer_one(tmp_path: Path) -> None:
    """Given a Python that is too old and a newer one on PATH, that one is used."""
    old = old_python("python3.9")
    folder = checkout(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3.11").symlink_to(os.path.realpath(sys.executable))
    result = farm(folder, "setup", python=old, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert result.returncode == 0, result.stderr


def old_python(name: str) -> str:
    """Return the path of an old interpreter, or skip the test."""
    versions = Path.home() / ".pyenv" / "versions"
    found = [str(path) for path in versions.glob(f"{name.removeprefix('python')}*/bin/python")]
    path = next(iter(found), None) or shutil.which(name)
    if path is None or subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip(f"{name} is not installed")
    return path


def test_help_and_mistakes_need_no_installation(tmp_path: Path) -> None:
    """Given nothing installed, help is shown and an unknown command is a usage error; nothing is made."""
    folder = checkout(tmp_path)
    shown = farm(folder, "--help")
    assert shown.returncode == 0
    assert "demo" in shown.stdout
    wrong = farm(folder, "dmeo")
    assert wrong.returncode == 2
    assert "there is no command 'dmeo'" in wrong.stderr
    assert not (folder / "venv").exists()


def test_the_lock_is_held_as_long_as_an_orphaned_pip_works(tmp_path: Path) -> None:
    """Given a launcher killed while its child works, the lock stays taken until that child ends."""
    folder = checkout(tmp_path)
    slow = tmp_path / "slow-python"
    slow.write_text(f'#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 3\nexec {sys.executable} "$@"\n')
    slow.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, str(folder / "farm"), "setup"],
        env=environment(folder, FARM_PYTHON=str(slow)),
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()), "the child")
    process.kill()
    process.wait()
    child = int((tmp_path / "pid").read_text())
    with (folder / "venv" / LOCK_NAME).open("r+") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(child, signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX)
