"""What `./farm status` shows of farm, workers and cameras, at the widths that terminals have."""

from dataclasses import replace

import pytest
from rich.console import Console

from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.schemas import RecordingStatusView
from camera_ctrler.event_store.store import Totals
from cli.status_tables import FarmTables
from cli.table_text import bar, bytes_text, duration, short
from contract.errors import StatusReason
from contract.moves import MoveReason
from contract.recordings import RecordingState
from runtime.event_feed import Backlog
from tests.support.looks import NOW_MS, led_look, look


def shown(seen: FarmLook, width: int = 160, *, lines: int | None = None, trouble: str = "") -> list[str]:
    """Return the lines of the tables."""
    console = Console(width=width, legacy_windows=False)
    with console.capture() as capture:
        console.print(FarmTables(seen, lines=lines, trouble=trouble))
    return [line.rstrip() for line in capture.get().splitlines()]


def line_of(lines: list[str], start: str) -> str:
    """Return the line that begins so."""
    return next(line for line in lines if line.startswith(start))


def test_a_camera_is_shown_with_state_reason_rates_and_age() -> None:
    """Given a working and a failing camera, each line has what an operator looks for, names as they are."""
    lines = shown(look())
    assert line_of(lines, "gate").split() == ["gate", "[bold]gate", "online", "w-1", "1", "1.0/25", "1.5", "s"]
    yard = line_of(lines, "yard")
    assert yard.split() == ["yard", "[bold]yard", "offline", "w-1", "1", "0.0/0", "1.5", "s", "auth_failed"]


def test_what_a_recording_does_is_shown_beside_its_camera() -> None:
    """Given a recorded camera and one whose disk is full, then the one is on and the other fails, with a reason."""
    seen = look()
    seen.statuses["gate"].recording = RecordingStatusView(state=RecordingState.RECORDING)
    full = RecordingStatusView(state=RecordingState.FAILING, reason=StatusReason.DISK_FULL, detail="No space left")
    seen.statuses["yard"].recording = full
    lines = shown(seen)
    assert line_of(lines, "gate").split()[-1] == "on"
    assert line_of(lines, "yard").endswith("fails auth_failed not recorded: disk_full No space left")
    assert line_of(shown(seen, 80), "yard").split()[-1] == "fails"


def test_what_is_in_trouble_comes_first() -> None:
    """Given a working camera and a failing one behind it in the alphabet, then the failing one is shown first."""
    lines = shown(look())
    assert lines.index(line_of(lines, "yard")) < lines.index(line_of(lines, "gate"))


def test_a_worker_is_shown_with_its_state_and_lease() -> None:
    """Given a live one that leaves, a dead and a silent worker, the lines say which is which."""
    lines = shown(look())
    assert line_of(lines, "w-1").split()[:6] == ["w-1", "leaving", "2", "1/64", "2.4", "s"]
    assert line_of(lines, "w-2").split()[:4] == ["w-2", "gone", "1/64", "lost"]
    assert line_of(lines, "w-3").split() == ["w-3", "gone", "lost"]


def test_a_farm_without_a_leading_manager_says_so() -> None:
    """Given no plan, the head asks for the controller and does not guess at loads."""
    lines = shown(look())
    assert "no manager leads; is the controller running?" in lines
    assert not any(line.startswith("load") for line in lines)


def test_the_head_says_who_leads_how_loaded_all_is_and_what_moved() -> None:
    """Given a led farm, the head has leader, load, required workers, moves with reasons, spool and refusals."""
    lines = shown(led_look(required_workers=3, refused_plans=1))
    assert "a-host-with-a-name-77ab31, for 3 h 07 min · 2 controllers" in line_of(lines, "leader")
    assert "25%  1.00 of 4.00 cores · required workers 3, live 2" in line_of(lines, "load")
    assert line_of(lines, "moves").endswith("last hour: 9 placed, 4 worker_died")
    assert line_of(lines, "spool").endswith("0 records, 0 B, 0 lost · refused: 0 late writes, 1 plan")


def test_unplaced_cameras_are_named_with_their_reason() -> None:
    """Given five cameras without a worker, then the count stands first and some are named."""
    lines = shown(led_look(unplaced={f"c{number}": StatusReason.NO_LABELS for number in range(5)}))
    assert line_of(lines, "unplaced").split(maxsplit=1)[1].startswith("5: c0 no_labels, c1 no_labels")
    assert line_of(lines, "unplaced").endswith("…")
    assert not any(line.startswith("unplaced") for line in shown(led_look()))


def test_a_worker_shows_load_as_a_bar_with_cores_and_spool() -> None:
    """Given a worker at half its capacity with a spool that lost records, then bar, cores and losses are there."""
    seen = led_look()
    known = seen.workers[0].status
    assert known is not None
    said = known.model_copy(update={"spool_records": 7, "spool_lost": 2})
    seen = replace(seen, workers=[replace(seen.workers[0], status=said), seen.workers[1]])
    line = line_of(shown(seen), "a-host-with-a-name-000000")
    assert "█████░░░░░  50% 1.00/2    1/64 2.4 s 7 (-2)" in line
    assert "1 record" not in line_of(shown(seen), "spool")
    assert "7 records, 0 B, 2 lost" in line_of(shown(seen), "spool")


def test_a_worker_that_was_asked_to_leave_and_goes_on_is_seen() -> None:
    """Given a wish to drain that the worker has not taken up yet, then its state says so."""
    seen = led_look()
    seen = replace(seen, workers=[replace(seen.workers[0], drain_asked=True), seen.workers[1]])
    assert line_of(shown(seen), "a-host-with-a-name-000000").split()[1] == "asked"
    assert line_of(shown(seen), "a-host-with-a-name-000001").split()[1] == "working"


def test_a_measured_camera_shows_what_it_costs() -> None:
    """Given a camera that was measured, then its line has its epoch and cost in cores."""
    assert line_of(shown(led_look()), "cam-0000000000000001").split()[-5:] == ["12", "0.12", "1.0/25", "1.5", "s"]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_at_every_width_ids_states_and_figures_are_whole(width: int) -> None:
    """Given long names, then no line is wider than the terminal, and camera ids, states, epochs and costs are whole."""
    seen = led_look(cameras=3, unplaced={"cam-0000000000000000": StatusReason.NO_CAPACITY})
    lines = shown(seen, width)
    assert max(map(len, lines)) <= width
    for number in range(3):
        words = line_of(lines, f"cam-{number:016x} ").split()
        assert {"online", "12", "0.12", "1.0/25", "1.5"} <= set(words)
    worker = line_of(lines, "a-host-with-a-name-000000")
    assert "50% 1.00/2    2/64 2.4 s" in worker


def test_a_narrow_terminal_shows_the_reason_instead_of_the_state() -> None:
    """Given 80 columns and a camera that refuses the password, then the reason is there in full."""
    assert line_of(shown(look(), 80), "yard").split()[:2] == ["yard", "auth_failed"]


@pytest.mark.parametrize("lines", [16, 24, 40])
def test_what_does_not_fit_is_counted(lines: int) -> None:
    """Given more workers and cameras than lines, then the screen is not overrun and the rest is counted."""
    seen = led_look(cameras=200, workers=50)
    found = shown(seen, 100, lines=lines)
    assert len(found) <= lines
    rest = [line for line in found if line.startswith("…")]
    cameras = sum(line.startswith("cam-") for line in found)
    workers = sum(line.startswith("a-host") for line in found)
    assert rest == [f"… and {50 - workers} workers more", f"… and {200 - cameras} cameras more"]


def test_a_look_that_is_not_new_says_why() -> None:
    """Given an outage while the farm is watched, then the reason stands above what was known before."""
    lines = shown(led_look(), trouble="Redis does not answer")
    assert lines.index("Redis does not answer") < lines.index(line_of(lines, "cam-"))


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.0, "----------   0%"), (0.5, "#####-----  50%"), (1.0, "########## 100%"), (2.5, "########## 250%")],
)
def test_a_bar_shows_a_load_also_over_capacity(ratio: float, text: str) -> None:
    """Given a load, then the bar is as long as it and the percentage exact."""
    assert bar(ratio, ascii_only=True).plain == text


def test_times_sizes_and_names_are_short() -> None:
    """Given figures of any size, then they are shown in units that people read."""
    spans = [9_000, 59 * 60_000, 3 * 3_600_000 + 240_000, 50 * 3_600_000]
    assert [duration(span) for span in spans] == ["9 s", "59 min", "3 h 04 min", "2 d 2 h"]
    assert [bytes_text(size) for size in (999, 1_500, 2_500_000, 3_200_000_000)] == [
        "999 B",
        "1.5 kB",
        "2.5 MB",
        "3.2 GB",
    ]
    assert (short("a-short-name", 14), short("a-long-host-name-0a8f2c", 14)) == ("a-short-name", "a-long…-0a8f2c")


def test_reasons_are_sorted_by_how_often_they_were() -> None:
    """Given moves for several reasons, then the most frequent is named first."""
    seen = replace(led_look(), moves_last_hour={MoveReason.PLACED: 1, MoveReason.BALANCE: 5})
    assert line_of(shown(seen), "moves").endswith("last hour: 5 balance, 1 placed")


def test_events_that_wait_long_are_lost_or_have_no_writer_are_shown() -> None:
    """Given events that are stored at once, there is their number; trouble is said in words."""
    healthy = replace(look(), events=(Totals(stored=12), Backlog(waiting=1, oldest_ms=NOW_MS - 100, writers=1)))
    assert line_of(shown(healthy), "events").split(maxsplit=1)[1] == "12 stored, 1 waiting, 0 lost"
    late = Backlog(waiting=7, oldest_ms=NOW_MS - 60_000, lost=3)
    troubled = replace(look(), events=(Totals(stored=12, dead_letters=1), late))
    said = line_of(shown(troubled), "events").split(maxsplit=1)[1]
    assert said == "12 stored, 7 waiting for 1 min, 3 lost, 1 dead letter · no event writer runs"
