"""The settings: `.env.example` tells the truth about them, and mistakes are told without telling secrets."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.settings import (
    ALL_SETTINGS,
    LAUNCHER_NAMES,
    PROJECT_DIR,
    CommonSettings,
    ControllerSettings,
    SettingsError,
    StackSettings,
    WorkerSettings,
    known_names,
)

EXAMPLE = PROJECT_DIR / ".env.example"
#: Settings whose default is a path below the checkout, and the launcher's, as the example writes them.
WRITTEN_DEFAULTS = {
    "FARM_DATA_DIR": ".farm",
    "FARM_FRAMES_DIR": "frames",
    "FARM_PYTHON": "",
    "FARM_VENV": ".venv",
    "FARM_ENV_FILE": ".env",
}


def documented() -> dict[str, str]:
    """Return the defaults that the example writes, by name."""
    return dict(re.findall(r"(?m)^# (FARM_[A-Z0-9_]+)=(.*)$", EXAMPLE.read_text()))


def defaults() -> dict[str, Any]:
    """Return the true defaults, by name."""
    return {f"FARM_{name.upper()}": field.default for m in ALL_SETTINGS for name, field in m.model_fields.items()}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:

    for name in [name for name in os.environ if name.startswith("FARM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / ".env"))


def test_the_example_documents_exactly_the_known_names() -> None:
    """Given the models, no name is missing in the example and none is there that nothing reads."""
    assert set(documented()) == known_names()


def test_nothing_in_the_example_is_switched_on() -> None:
    """Given the example as it is, copied to `.env`, it changes nothing."""
    assert [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")] == []


@pytest.mark.parametrize("name", sorted(known_names()))
def test_a_default_written_in_the_example_is_the_true_one(name: str) -> None:
    """Given a setting, what the example writes is what the model says."""
    written = documented()[name]
    if name in WRITTEN_DEFAULTS:
        assert written == WRITTEN_DEFAULTS[name]
        return
    value = defaults()[name]
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    assert written == ("" if value is None else str(value).lower() if isinstance(value, bool) else str(value))


def test_default_folders_lie_in_the_checkout() -> None:
    """Given no settings, data and frames lie where the example says."""
    settings = CommonSettings.load()
    assert settings.data_dir == PROJECT_DIR / ".farm"
    assert settings.frames_dir == PROJECT_DIR / "frames"
    assert settings.models_path == PROJECT_DIR / ".farm" / "models"


def test_a_line_of_the_example_switched_on_is_read(tmp_path: Path) -> None:
    """Given every line of the example without its `#`, all models load: the examples themselves are valid."""
    lines = [f"{name}={value}" for name, value in documented().items() if value and name not in LAUNCHER_NAMES]
    (tmp_path / ".env").write_text("\n".join(lines))
    for model in ALL_SETTINGS:
        assert model.load().lease_seconds == 3.0


def test_an_unknown_name_is_refused_with_the_nearest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a misspelt name in the environment, it is refused and the right one suggested."""
    monkeypatch.setenv("FARM_REDIS_ULR", "redis://localhost")
    with pytest.raises(SettingsError, match=r"FARM_REDIS_ULR \(did you mean FARM_REDIS_URL\?\)"):
        WorkerSettings.load()


def test_an_unknown_name_in_the_file_is_refused_too(tmp_path: Path) -> None:
    """Given a misspelt name in `.env`, it is refused."""
    (tmp_path / ".env").write_text("FARM_API_PROT=1\nOTHER=2\n")
    with pytest.raises(SettingsError, match=r"FARM_API_PROT \(did you mean FARM_API_PORT\?\)"):
        CommonSettings.load()


def test_names_of_other_processes_are_no_mistake(tmp_path: Path) -> None:
    """Given a shared `.env`, a worker does not mind the controller's settings."""
    (tmp_path / ".env").write_text("FARM_API_PORT=1234\nFARM_DRAIN_SECONDS=3\n")
    assert WorkerSettings.load().drain_seconds == 3
    assert ControllerSettings.load().api_port == 1234


def test_the_environment_wins_over_the_file_and_options_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a value in three places, the nearest one counts."""
    (tmp_path / ".env").write_text("FARM_WORKERS=3\n")
    assert StackSettings.load().workers == 3
    monkeypatch.setenv("FARM_WORKERS", "4")
    assert StackSettings.load().workers == 4
    assert StackSettings.load(workers=5).workers == 5


def test_every_unusable_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given two bad values, the error names both settings."""
    monkeypatch.setenv("FARM_API_PORT", "70000")
    monkeypatch.setenv("FARM_LEASE_SECONDS", "soon")
    with pytest.raises(SettingsError, match=r"(?s)FARM_(API_PORT|LEASE_SECONDS).*FARM_(API_PORT|LEASE_SECONDS)"):
        ControllerSettings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FARM_REDIS_URL", "http://admin:hunter2@redis.test"),
        ("FARM_REDIS_URL", "hunter2"),
        ("FARM_LOG_LEVEL", "hunter2"),
    ],
)
def test_an_error_never_shows_the_value(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a value that cannot be used and has a password in it, the error names the setting, not the value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        CommonSettings.load()
    assert "hunter2" not in str(caught.value)


def test_secrets_are_masked_when_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given passwords in settings of their own, neither text nor JSON of the model has them."""
    for name in ("REDIS_PASSWORD", "REDIS_SENTINEL_PASSWORD", "SECRET_KEY", "DATABASE_URL", "CAMERA_SOURCE_URL"):
        monkeypatch.setenv(f"FARM_{name}", "hunter2")
    settings = ControllerSettings.load()
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("device", ["cpu", "auto", "cuda", "cuda:1"])
def test_devices_that_exist_are_accepted(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a device's name, it is taken as it is."""
    monkeypatch.setenv("FARM_DEVICE", device)
    assert WorkerSettings.load().device == device


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", ""])
def test_other_devices_are_refused(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given something else, the error names FARM_DEVICE."""
    monkeypatch.setenv("FARM_DEVICE", device)
    with pytest.raises(SettingsError, match="FARM_DEVICE"):
        WorkerSettings.load()


@pytest.mark.parametrize(
    ("text", "classes"), [("", set()), (" Person , car,,", {"person", "car"}), (None, {"person", "truck", "bus"})]
)
def test_classes_to_be_cropped_are_names_in_small_letters(
    text: str | None, classes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given names with spaces and capitals, none, or no setting, they are read as a set; some by default."""
    if text is not None:
        monkeypatch.setenv("FARM_CROPS", text)
    read = WorkerSettings.load().crop_classes
    assert read >= classes if text is None else read == classes


def test_objects_are_followed_by_appearance_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given no setting, colours count; other trackers than the two are refused."""
    assert WorkerSettings.load().tracker == "appearance"
    monkeypatch.setenv("FARM_TRACKER", "bytetrack")
    assert WorkerSettings.load().tracker == "bytetrack"
    monkeypatch.setenv("FARM_TRACKER", "deepsort")
    with pytest.raises(SettingsError, match="FARM_TRACKER"):
        WorkerSettings.load()
