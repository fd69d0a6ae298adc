"""What is made of py-spy's records, and of its refusals."""

import os
from pathlib import Path

import pytest

from cli.profile_trace import TraceError, check_is_here, format_of, held, only_one_here, refusal
from contract.workers import WorkerStatus

STATUS = WorkerStatus(
    worker_id="one",
    host="north",
    pid=os.getpid(),
    version="0",
    started_at_ms=0,
    updated_at_ms=0,
    device="cpu",
    detector="openvino",
    model="yolo11n",
    cores=2,
    max_cameras=64,
)


def test_who_holds_the_lock_is_told_by_kind_of_thread_and_by_function() -> None:
    """Given stacks of several captures and one detector, captures count as one, and functions by their last frame."""
    found = held(
        "thread (7): capture-gate;run (camera_capture.py);demux (packet_stream.py) 20\n"
        "thread (8): capture-yard;run (camera_capture.py);demux (packet_stream.py) 10\n"
        "thread (9): detector;run (pipeline.py);update (byte_track.py) 40\n"
        "thread (9): detector;run (pipeline.py);demux (packet_stream.py) 10\n"
        "\nwhatever\n",
        samples=100,
    )
    assert found.share == pytest.approx(0.8)
    assert list(found.by_thread) == ["detector", "capture"]
    assert found.by_thread == pytest.approx({"detector": 0.5, "capture": 0.3})
    assert found.by_function == pytest.approx({"demux (packet_stream.py)": 0.4, "update (byte_track.py)": 0.4})


def test_a_lock_that_nobody_held_is_no_error_and_a_share_is_never_more_than_all() -> None:
    """Given an empty record, the share is 0; given one more sample than was reckoned with, it is 1."""
    assert held("", 100).share == 0
    assert held("thread (1): MainThread;main (a.py) 101\n", 100).share == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Permission Denied: Try running again with elevated permissions", "as root (sudo)"),
        ("Error: Operation not permitted (os error 1)", "--cap-add SYS_PTRACE"),
        ("py-spy> Sampling\nError: Failed to get process executable name.\n\nCaused by: x", "Failed to get process"),
        ("", "did not say why"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(said: str, told: str) -> None:
    """Given what py-spy says, then one sentence has the reason, and of missing rights the remedy."""
    sentence = refusal(said, 12)
    assert told in sentence
    assert "process 12" in sentence
    assert "\n" not in sentence


def test_the_only_worker_of_this_host_needs_no_name() -> None:
    """Given one worker here and one elsewhere, it is meant; given two or none here, that is told."""
    elsewhere = STATUS.model_copy(update={"worker_id": "two", "host": "south"})
    assert only_one_here([STATUS, elsewhere], "north") is STATUS
    with pytest.raises(TraceError, match="no worker runs on this host"):
        only_one_here([elsewhere], "north")
    with pytest.raises(TraceError, match="--worker: one, one"):
        only_one_here([STATUS, STATUS], "north")


def test_a_worker_elsewhere_and_one_that_is_gone_are_told_apart() -> None:
    """Given another host's name, or a process that is not there, the error says where to run the command."""
    check_is_here(STATUS, "north")
    with pytest.raises(TraceError, match="runs on north, and this is south"):
        check_is_here(STATUS, "south")
    # Larger than any process id of Linux, 2^22.
    with pytest.raises(TraceError, match="if it runs in a container"):
        check_is_here(STATUS.model_copy(update={"pid": 2**22 + 1}), "north")


def test_a_files_name_says_its_format() -> None:
    """Given the endings that are known, each has its format; another is refused with those that there are."""
    assert [format_of(Path(name)) for name in ("a.json", "a.svg", "a.b.txt")] == ["speedscope", "flamegraph", "raw"]
    with pytest.raises(TraceError, match=r"trace\.png must end with one of \.json, \.svg, \.txt"):
        format_of(Path("trace.png"))
