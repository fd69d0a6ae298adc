"""One mapping between the path of a saved frame and its time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ContractError
from contract.frame_paths import captured_at_ms, frame_path, hour_folder

HOUR_MS = 3_600_000
LAST_MS = 253_402_300_799_999


@given(st.integers(0, LAST_MS))
def test_a_path_states_the_time_it_was_made_from(at_ms: int) -> None:
    """Given any capture time up to the year 9999, its path gives it back and lies in the folder of its hour."""
    path = frame_path("cam-1", at_ms)
    assert captured_at_ms(path) == at_ms
    assert path.startswith(hour_folder("cam-1", at_ms) + "/")


@given(st.integers(0, LAST_MS // HOUR_MS - 1))
def test_folders_change_exactly_with_the_hour_and_sort_by_time(hour: int) -> None:
    """Given the border of two hours, the last and first millisecond lie in different folders, in time order."""
    last, first = hour_folder("c", (hour + 1) * HOUR_MS - 1), hour_folder("c", (hour + 1) * HOUR_MS)
    assert hour_folder("c", hour * HOUR_MS) == last < first


def test_days_and_hours_are_utc() -> None:
    """Given a time just before midnight UTC, day and hour are those of UTC whatever the machine's zone is."""
    assert frame_path("gate", 1_735_689_599_999) == "gate/20241231/23/1735689599999.jpg"
    assert frame_path("gate", 1_735_689_600_000) == "gate/20250101/00/1735689600000.jpg"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../20250101/00/1.jpg",
        "cam/../00/1.jpg",
        "cam/20250101/00/../../../x.jpg",
        "cam/20250101/00/1.jpg\n",
        "cam/20250101/00/1.jpg/x",
        "cam/20250101/00/.1.jpg.part",
        "cam/20250101/00/1.png",
        "a b/20250101/00/1.jpg",
        "cam/٢٠٢٥٠١٠١/00/1.jpg",
        "./20250101/00/1.jpg",
    ],
)
def test_what_is_not_the_path_of_a_frame_is_refused(path: str) -> None:
    """Given a path that `frame_path` cannot make, reading its time is an error that shows the right form."""
    with pytest.raises(ContractError, match="YYYYMMDD"):
        captured_at_ms(path)
