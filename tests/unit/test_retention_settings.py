"""The settings of retention and of the archive: mistakes end the start, with the name and what would do."""

import os
from pathlib import Path

import pytest

from contract.recordings import KeptFor
from runtime.settings import ControllerSettings, SettingsError


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("FARM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FARM_ENV_FILE", str(tmp_path / ".env"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FARM_RECORDINGS_KEEP", "continuous=3", "'3' is not an age; write hours as 12h, days as 3d"),
        ("FARM_RECORDINGS_KEEP", "motion=7d,event=1h", "event must not be kept for a shorter time than motion"),
        ("FARM_ARCHIVE_AFTER", "soon", "'soon' is not an age"),
        ("FARM_CROPS_KEEP", "a month", "'a month' is not an age"),
        ("FARM_AUDIT_KEEP", "30d", "'30d' is too short for an audit; write 31d or more"),
        ("FARM_AUDIT_KEEP", "a year", "'a year' is not an age"),
        ("FARM_ARCHIVE_URL", "ftp://host/x", "must be file:///folder or s3://bucket/prefix"),
        ("FARM_ARCHIVE_URL", "file://host/x", "must be file:///folder"),
        ("FARM_ARCHIVE_URL", "s3://", "must be file:///folder or s3://bucket/prefix"),
        ("FARM_ARCHIVE_URL", "s3://key:secret@bucket/x", "keys have settings of their own"),
        ("FARM_ARCHIVE_S3_ENDPOINT", "storage:9000", "must be a URL such as https://storage.example:9000"),
        ("FARM_RECORDINGS_MAX_BYTES", "-1", "greater than or equal to 0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a value that makes no sense, the error names the setting and says what would do."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        ControllerSettings.load()
    assert name in str(caught.value)
    assert said in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_the_settings_are_read_as_they_are_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given rules and an age, they come out in milliseconds; the secret is not shown."""
    monkeypatch.setenv("FARM_RECORDINGS_KEEP", "continuous=1d,person=90d")
    monkeypatch.setenv("FARM_ARCHIVE_AFTER", "2d")
    monkeypatch.setenv("FARM_ARCHIVE_S3_SECRET", "hunter2")
    monkeypatch.setenv("FARM_CROPS_KEEP", "12h")
    settings = ControllerSettings.load()
    assert settings.crops_keep_ms == 12 * 3_600_000
    assert settings.keep_rules.ages_ms[KeptFor.CONTINUOUS] == 86_400_000
    assert settings.keep_rules.labels_ms == {"person": 90 * 86_400_000}
    assert settings.archive_after_ms == 2 * 86_400_000
    assert "hunter2" not in repr(settings)


def test_crops_are_kept_as_long_as_the_events_that_name_them_unless_told_otherwise() -> None:
    """Given no settings, both have the same age."""
    settings = ControllerSettings.load()
    assert settings.crops_keep_ms == settings.events_keep_ms
