"""One mapping between the path of a crop and what it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.crop_paths import LAST_MS, CropName, crop_path, hour_folder, parse_crop_path
from contract.errors import ContractError
from contract.frame_paths import captured_at_ms
from contract.recording_paths import parse_segment_path

NUMBERS = st.integers(0, 10**15 - 1)


@given(st.integers(0, LAST_MS), NUMBERS, NUMBERS)
def test_a_path_states_what_it_was_made_from(at_ms: int, epoch: int, track_id: int) -> None:
    """Given any time, epoch and track, the path gives them back, and lies in the folder of its hour."""
    name = CropName("cam-1", at_ms, epoch, track_id)
    assert parse_crop_path(crop_path(name)) == name
    assert crop_path(name).startswith(hour_folder("cam-1", at_ms) + "/")


def test_days_and_hours_are_utc() -> None:
    """Given a time just before midnight UTC, day and hour are those of UTC whatever the machine's zone is."""
    path = crop_path(CropName("gate", 1_735_689_599_999, 7, 42))
    assert path == "gate/crops/20241231/23/1735689599999-7-42.jpg"


@given(st.text(max_size=60))
def test_nothing_else_is_a_path(text: str) -> None:
    """Given any text, it is refused, or it is exactly what its parts make again."""
    try:
        name = parse_crop_path(text)
    except ContractError:
        return
    assert crop_path(name) == text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../crops/20241231/23/1735689599999-7-42.jpg",
        "./crops/20241231/23/1735689599999-7-42.jpg",
        ".cam/crops/20241231/23/1735689599999-7-42.jpg",
        "a b/crops/20241231/23/1735689599999-7-42.jpg",
        "a/b/crops/20241231/23/1735689599999-7-42.jpg",
        "cam/crops/20241231/23/../23/1735689599999-7-42.jpg",
        "cam/crops/20241231/22/1735689599999-7-42.jpg",
        "cam/crops/20241230/23/1735689599999-7-42.jpg",
        "cam/crops/20241231/23/01735689599999-7-42.jpg",
        "cam/crops/20241231/23/1735689599999-07-42.jpg",
        "cam/crops/20241231/23/1735689599999--7-42.jpg",
        "cam/crops/20241231/23/1735689599999-7-42.jpg\n",
        "cam/crops/20241231/23/1735689599999-7-42.jpg/x",
        "cam/crops/20241231/23/.1735689599999-7-42.jpg.1.2.part",
        "cam/crops/20241231/23/1735689599999-7-42.png",
        "cam/crops/20241231/23/1735689599999-7.jpg",
        "cam/crops/٢٠٢٤١٢٣١/23/1735689599999-7-42.jpg",
        "cam/crops/99991231/23/999999999999999-7-42.jpg",
        "cam/recordings/20241231/23/1735689599999-7-42.jpg",
        "cam/20241231/23/1735689599999.jpg",
    ],
)
def test_what_is_not_the_path_of_a_crop_is_refused(path: str) -> None:
    """Given a path that `crop_path` cannot make, reading it is an error that shows the right form."""
    with pytest.raises(ContractError, match="<track id>"):
        parse_crop_path(path)


def test_no_path_of_one_kind_is_one_of_another() -> None:
    """Given the path of a crop, it is taken for neither a saved frame nor footage."""
    path = crop_path(CropName("gate", 1_735_689_599_999, 7, 42))
    with pytest.raises(ContractError):
        captured_at_ms(path)
    with pytest.raises(ContractError):
        parse_segment_path(path)
