"""The demo cameras in the registry: added, switched on and off, and never in the way of people's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from camera_ctrler.registry import Registry
from cli.demo import in_view, is_demo_url, not_analysed, register, switch_off
from cli.demo_cameras.footage import DemoCamera
from cli.steps import Steps
from contract.camera_specs import CameraCreate, CameraPatch
from contract.cameras import CameraState
from contract.recordings import RecordMode
from runtime.secret_box import SecretBox
from runtime.settings import DatabaseSettings
from tests.support.looks import look

CAMERAS = [DemoCamera(name, name.title(), Path(f"/media/{name}.mp4")) for name in ("plaza", "street")]


@pytest.fixture
def settings(tmp_path: Path) -> DatabaseSettings:
    """Return settings with a database and a key of the test's own."""
    return DatabaseSettings(data_dir=tmp_path, secret_key=Fernet.generate_key().decode())


@pytest.fixture
def registry(settings: DatabaseSettings) -> Iterator[Registry]:
    """Give a migrated registry."""
    registry = Registry(settings.database, SecretBox.from_settings(settings))
    registry.migrate()
    yield registry
    registry.close()


def enabled(registry: Registry) -> dict[str, tuple[bool, str]]:
    """Return whether each camera is switched on, and its URL."""
    return {camera.id: (camera.enabled, camera.view().url) for camera in registry.all()}


def test_demo_cameras_are_added_once_and_follow_the_port(registry: Registry, settings: DatabaseSettings) -> None:
    """Given two demos one after the other, the cameras are there once, switched off between, with the newest port."""
    register(registry, CAMERAS, 8754, Steps())
    assert enabled(registry)["plaza"] == (True, "rtsp://127.0.0.1:8754/plaza")
    assert registry.get("plaza").recording.record is RecordMode.CONTINUOUS
    registry.update("plaza", CameraPatch(analyse_fps=5))
    switch_off(settings, CAMERAS)
    assert [on for on, _ in enabled(registry).values()] == [False, False]
    register(registry, CAMERAS, 9000, Steps())
    assert enabled(registry)["plaza"] == (True, "rtsp://127.0.0.1:9000/plaza")
    assert registry.get("plaza").settings().analyse_fps == 5  # what a person changed stays


def test_a_persons_own_camera_of_that_name_is_left_alone(registry: Registry, settings: DatabaseSettings) -> None:
    """Given a camera of the same id elsewhere, neither its URL nor its switch is touched."""
    registry.add(CameraCreate(id="plaza", url="rtsp://192.0.2.7:8754/plaza"))
    register(registry, CAMERAS, 8754, Steps())
    switch_off(settings, CAMERAS)
    assert enabled(registry)["plaza"] == (True, "rtsp://192.0.2.7:8754/plaza")


def test_a_demo_camera_that_was_removed_meanwhile_is_no_problem(registry: Registry, settings: DatabaseSettings) -> None:
    """Given a demo camera that a person removed, switching off the others works."""
    register(registry, CAMERAS, 8754, Steps())
    registry.remove("plaza")
    switch_off(settings, CAMERAS)
    assert {name: on for name, (on, _) in enabled(registry).items()} == {"street": False}


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("rtsp://127.0.0.1:1/plaza", True),
        ("rtsp://127.0.0.1:8754/plaza", True),
        ("rtsp://127.0.0.1:8754/street", False),
        ("rtsp://127.0.0.1.example:8754/plaza", False),
        ("rtsp://192.0.2.1:8754/plaza", False),
        ("http://127.0.0.1:8754/plaza", False),
    ],
)
def test_a_demo_camera_is_known_by_its_address(url: str, ours: bool) -> None:
    """Given a URL, only the loopback server's path of that clip is the demo's."""
    assert is_demo_url(url, CAMERAS[0]) is ours


def test_cameras_without_a_first_frame_are_waited_for() -> None:
    """Given one camera online without an analysed frame, one offline and one removed, the first two are waited for."""
    farm = look()
    assert not_analysed(farm, ["gate", "yard", "removed"]) == ["gate", "yard"]
    farm.statuses["gate"] = farm.statuses["gate"].model_copy(update={"frames_analysed": 1, "objects": {"person": 2}})
    assert farm.statuses["gate"].state is CameraState.ONLINE
    assert not_analysed(farm, ["gate", "yard"]) == ["yard"]
    assert in_view(farm) == "1 of 2 cameras online, in view: 2 person"
