"""The manifest is complete, and what is wrong in one is found when it is read."""

import tomllib
from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from model_store import UnknownModelError
from model_store.manifest import PICKLED, Manifest, UrlSource, load_manifest
from runtime.settings import ReidSettings, WorkerSettings


def as_written() -> dict[str, Any]:
    """Return the manifest as it stands in the package."""
    return tomllib.loads(resources.files("model_store").joinpath("manifest.toml").read_text())


def test_the_default_model_is_in_the_manifest_and_no_pickle() -> None:
    """Given the settings' default, a worker can load it without trust and without torch."""
    model = load_manifest().model(WorkerSettings.model_fields["model"].default)
    assert model.format not in PICKLED
    assert len(model.class_names) == 80
    assert (model.class_names[0], model.class_names[2], model.class_names[79]) == ("person", "car", "toothbrush")


def test_no_two_entries_share_a_file() -> None:
    """Given all entries, each has a file name of its own, so that none overwrites another."""
    manifest = load_manifest()
    for entries in (manifest.models, manifest.footage):
        assert len({entry.file for entry in entries.values()}) == len(entries)


#: Weights that no package was found to carry; recognition is off where their address does not answer.
NOT_PACKAGED = {"osnet-x0-25-msmt17"}


def test_the_default_embedder_is_in_the_manifest_and_can_be_opened() -> None:
    """Given the settings' default, then it is a model for ReID in a format that embedders read."""
    model = load_manifest().model(ReidSettings.model_fields["reid_model"].default)
    assert (model.kind, model.format, model.input_size) == ("reid", "onnx", (256, 128))


def test_everything_can_be_had_from_a_package() -> None:
    """Given a network where only package registries answer, every entry has a source that answers, or is named here."""
    manifest = load_manifest()
    for name, entry in {**manifest.models, **manifest.footage}.items():
        if name in NOT_PACKAGED:
            continue
        assert any(not isinstance(source, UrlSource) for source in entry.sources), name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "c130"),
        ("size_bytes", 0),
        ("file", "../yolo11n.onnx"),
        ("file", ".hidden"),
        ("format", "exe"),
        ("sources", []),
        ("sources", [{"url": "http://example.com/net.onnx"}]),
        ("sources", [{"pypi": "--index-url==1", "member": "m", "archive_bytes": 1, "archive_sha256": "0" * 64}]),
        ("sources", [{"npm": "-x@1", "member": "m", "archive_bytes": 1, "archive_sha256": "0" * 64}]),
        ("colour", "blue"),
    ],
)
def test_an_unusable_entry_is_refused(field: str, value: object) -> None:
    """Given a manifest with one wrong field, reading it fails and names the field."""
    written = as_written()
    written["models"]["yolo11n"][field] = value
    with pytest.raises(ValidationError, match=field):
        Manifest.model_validate(written)


def test_an_unknown_model_is_told_with_the_known_ones() -> None:
    """Given a misspelt name, the error lists the names there are and how to add one."""
    with pytest.raises(UnknownModelError, match=r"'yolo12n'.*yolo11n.*models add"):
        load_manifest().model("yolo12n")
