"""What is shown of settings and models."""

from pathlib import Path

from pydantic import SecretStr

from camera_ctrler.api.settings_view import model_entries, setting_entries
from model_store.model_file import ModelState
from runtime.settings import ControllerSettings


def entry(settings: ControllerSettings, name: str) -> tuple[str | None, bool, str | None]:
    """Return value, whether it is set, and default of one setting."""
    found = next(each for each in setting_entries(settings) if each.name == name)
    return found.value, found.is_set, found.default


def test_a_setting_is_shown_as_it_would_be_written() -> None:
    """Given settings of every type, then they stand there as .env would have them, beside their defaults."""
    settings = ControllerSettings(auth=False, frames_max_age_hours=12, events_keep="7d")
    assert entry(settings, "FARM_AUTH") == ("off", True, "on")
    assert entry(settings, "FARM_FRAMES_MAX_AGE_HOURS") == ("12", True, "24")
    assert entry(settings, "FARM_EVENTS_KEEP") == ("7d", True, "30d")
    assert entry(settings, "FARM_API_HOST") == ("127.0.0.1", False, "127.0.0.1")
    assert entry(settings, "FARM_TLS_CERT") == ("", False, "")


def test_no_secret_is_shown_but_whether_it_is_set_is() -> None:
    """Given settings with passwords in them, then none of them is anywhere in what is shown."""
    secret = "hunter2-and-more"  # noqa: S105
    settings = ControllerSettings(
        redis_url=f"redis://user:{secret}@redis:6379/0",
        redis_password=SecretStr(secret),
        database_url=SecretStr(f"postgresql+psycopg://u:{secret}@db/farm"),
        camera_source_url=SecretStr(f"sqlite:///{secret}"),
        admin_password=SecretStr(secret),
        archive_s3_key=SecretStr(secret),
        archive_s3_secret=SecretStr(secret),
    )
    shown = setting_entries(settings)
    assert secret not in repr(shown)
    assert entry(settings, "FARM_REDIS_PASSWORD") == (None, True, None)
    assert entry(ControllerSettings(), "FARM_ADMIN_PASSWORD") == (None, False, None)


def model(name: str, state: str = "present") -> ModelState:
    """Return a model of the store."""
    return ModelState(name, "onnx", "detect", "manifest", state, True, 11, "AGPL-3.0", Path(name))  # type: ignore[arg-type]


def test_models_that_are_here_or_used_are_shown_with_their_users() -> None:
    """Given models here, missing, and on other hosts, then those that are neither here nor used are left out."""
    states = [model("yolo11n"), model("yolov8n", "missing"), model("reid", "missing"), model("own", "corrupt")]
    found = {
        each.name: (each.state, each.used_by)
        for each in model_entries(states, {"yolo11n": ["b", "a"], "reid": ["r"], "/srv/site.onnx": ["c"]})
    }
    assert found == {
        "yolo11n": ("present", ["a", "b"]),
        "reid": ("missing", ["r"]),
        "own": ("corrupt", []),
        "site.onnx": ("elsewhere", ["c"]),
    }
