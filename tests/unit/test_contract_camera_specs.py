"""What people may say of a camera."""

from typing import Any

import pytest
from pydantic import ValidationError

from contract.camera_specs import CameraCreate, CameraPatch

HIDDEN = "s3cr3tpw"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../x"},
        {"url": "ftp://h/x"},
        {"analyse_fps": 0},
        {"analyse_fps": 31},
        {"analyse_fps": float("nan")},
        {"confidence": 0},
        {"confidence": 1.1},
        {"classes": ["x"] * 81},
        {"classes": [""]},
        {"box_padding": -0.1},
        {"save_frames": "sometimes"},
        {"name": "a\nb"},
        {"name": "x" * 201},
        {"analyze_fps": 1},
        {"password": ""},
    ],
)
def test_a_camera_with_a_field_that_cannot_be_is_refused_by_name(wrong: dict[str, Any]) -> None:
    """Given one unusable field, the error names that field."""
    with pytest.raises(ValidationError) as caught:
        CameraCreate.model_validate({"url": "rtsp://h/x"} | wrong)
    assert caught.value.errors()[0]["loc"][0] == next(iter(wrong))


def test_a_patch_says_only_what_was_given() -> None:
    """Given a patch, its changes are the given fields; null removes credentials and nothing else."""
    assert CameraPatch(name="Gate", password=None).changes() == {"name": "Gate", "password": None}
    with pytest.raises(ValidationError, match="must not be null"):
        CameraPatch(analyse_fps=None)


def test_passwords_do_not_show_in_reprs_nor_in_errors() -> None:
    """Given specs with a password, neither printing them nor printing a refusal shows it."""
    url = f"rtsp://admin:{HIDDEN}@h/x"
    shown = repr(CameraCreate(url=url, password=HIDDEN)) + repr(CameraPatch(url=url, password=HIDDEN))
    for bad in ({"url": url, "password": HIDDEN, "nme": 1}, {"url": url + " ", "password": HIDDEN * 50}):
        with pytest.raises(ValidationError) as created:
            CameraCreate.model_validate(bad)
        with pytest.raises(ValidationError) as patched:
            CameraPatch.model_validate(bad)
        shown += str(created.value) + str(patched.value)
    assert HIDDEN not in shown
