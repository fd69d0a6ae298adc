"""What benchmarks make of what they have seen: rates, ages, fairness, missing footage, bytes that nobody has read."""

from pathlib import Path

import pytest

from benchmarks.load.analysed import analysed
from benchmarks.load.camera_server import unread_bytes
from benchmarks.load.footage_gaps import footage

#: Columns as the kernel writes them: number, local, remote, state, send:receive queue.
TCP_TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:2171 01 00000000:00000A00 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
   2: 0100007F:2171 0100007F:C350 01 00000100:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:2171 08 00000000:00000B00 00:00000000 00000000     0        0 4 1 0 20 4 30 10 -1
"""


def frames(rate: float, age: float, *, since: float = 100.0, seconds: float = 10.0) -> list[tuple[float, float]]:
    """Return frames that are done `age` seconds after they were captured, the first at `since`."""
    done = [since + number / rate for number in range(round(seconds * rate))]
    return [(at - age, at) for at in done]


def test_only_frames_of_the_span_count() -> None:
    """Given frames before, in and after a span; when it is judged; then only those in it have rates and ages."""
    seen = frames(2, 9, since=90) + frames(2, 0.25, since=100) + frames(2, 9, since=110)
    its = analysed({"a": seen}, ["a"], 100, 110)
    assert its.rates == {"a": 2.0}
    assert its.age_p95_ms == pytest.approx(250)


def test_a_camera_that_was_never_analysed_is_the_slowest() -> None:
    """Given one camera without a frame; when the span is judged; then the rule sees a rate of 0, not its absence."""
    its = analysed({"a": frames(1, 0.1)}, ["a", "b"], 100, 110)
    assert its.slowest_fps == 0
    assert its.fairness() == 0


def test_the_camera_that_has_it_worst_is_told_apart() -> None:
    """Given many young results and one camera with old ones; when judged; then its age is not hidden by the others."""
    its = analysed({"a": frames(9, 0.1), "b": frames(0.2, 3)}, ["a", "b"], 100, 110)
    assert its.age_p95_ms < 1_000
    assert its.worst_camera_p95_ms == pytest.approx(3_000)


def test_fairness_is_by_what_a_camera_asked_for() -> None:
    """Given a camera that asked for twice as much and got it; when judged; then that is fair by weight alone."""
    its = analysed({"a": frames(2, 0.1), "b": frames(4, 0.1)}, ["a", "b"], 100, 110)
    assert its.fairness() == pytest.approx(0.5)
    assert its.fairness({"a": 1.0, "b": 2.0}) == pytest.approx(1.0)


def test_whole_footage_has_no_hole() -> None:
    """Given a picture every 40 ms; when a span in the middle is judged; then nothing is missing."""
    its = footage([number / 25 for number in range(1_000)], 10, 20, fps=25)
    assert (its.share, its.longest_hole_seconds) == (1.0, 0.0)


def test_missing_pictures_are_a_hole() -> None:
    """Given that one second of pictures is missing; when ten seconds are judged; then a tenth is missing."""
    times = [number / 25 for number in range(1_000) if not 375 <= number < 400]
    its = footage(times, 10, 20, fps=25)
    assert its.share == pytest.approx(0.9)
    assert its.longest_hole_seconds == pytest.approx(1.0)


def test_footage_that_ends_early_is_a_hole_to_the_end_of_the_span() -> None:
    """Given footage that stops two seconds early, or none; when judged; then what is missing at the end counts."""
    its = footage([number / 25 for number in range(451)], 10, 20, fps=25)
    assert its.longest_hole_seconds == pytest.approx(2 - 0.04)
    assert footage([], 10, 20, fps=25).share == pytest.approx(0, abs=0.01)


def test_bytes_that_a_receiver_has_not_read_are_found(tmp_path: Path) -> None:
    """Given the kernel's table of connections; when asked for a server's port; then open receivers of it are told."""
    table = tmp_path / "tcp"
    table.write_text(TCP_TABLE)
    assert unread_bytes(table, 0x2171) == [0xA00]
    assert unread_bytes(tmp_path / "none", 0x2171) == []
