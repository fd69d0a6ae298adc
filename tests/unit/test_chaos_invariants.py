"""The checker of chaos logs finds every broken invariant, and finds none where a fault explains what is seen."""

import gzip
import json
from pathlib import Path

import pytest

from tests.chaos.event_log import LogUnreadableError, read_log
from tests.chaos.invariants import Findings, check
from tests.chaos.written_logs import WrittenLog, healthy


def broken(findings: Findings) -> list[tuple[int, str]]:
    """Return the numbers of broken invariants and what is said of them."""
    return [(violation.invariant, violation.text) for violation in findings.violations]


def taken_over(kill_at: float, again_at: float) -> WrittenLog:
    """Return a log in which camera a's worker stops at one time and another one begins at another."""
    log = WrittenLog()
    log.results("a", "w1", 1, -10, kill_at)
    log.results("a", "w2", 2, again_at, log.seconds)
    log.results("b", "w2", 1, -10, log.seconds)
    return log


def killed(again_at: float, role_fault: str = "worker_killed") -> WrittenLog:
    """Return a log in which w1 is killed after 10 s, comes back, and its camera is analysed again at `again_at`."""
    log = taken_over(10, again_at)
    log.fault(10, role_fault, "w1")
    log.ended("w1", 10, -9)
    log.started("w1", 12)
    return log


# --- 1: cameras --------------------------------------------------------------------------------------------------


def test_a_farm_to_which_nothing_happens_breaks_nothing() -> None:
    """Given results without a gap, then nothing is found, and nothing is left unchecked."""
    findings = healthy().check()
    assert broken(findings) == []
    assert findings.unchecked == []
    assert findings.results == 280


def test_a_gap_without_a_fault_is_found() -> None:
    """Given a camera that is not analysed for 4 s, when nothing was broken, then that is a violation."""
    [(invariant, text)] = broken(taken_over(10, 14).check())
    assert invariant == 1
    assert text.startswith("a has no result for 4.5 s, 4.5 s of which no fault explains")


def test_a_takeover_within_its_allowance_is_none() -> None:
    """Given a worker that was killed, when another one has a result 4.5 s later, then the fault explains it."""
    assert broken(killed(14.5).check()) == []


def test_a_takeover_that_takes_too_long_is_found() -> None:
    """Given a worker that was killed, when its camera is analysed again only after 9 s, then that is found."""
    assert [(number, text[:24]) for number, text in broken(killed(19).check())] == [(1, "a has no result for 9.5 ")]


def test_with_slack_everything_may_take_longer() -> None:
    """Given a takeover that takes 9 s, when everything may take three times as long, then nothing is found."""
    assert broken(check(killed(19).lines(), slack=3)) == []


def test_a_takeover_may_wait_for_a_controller() -> None:
    """Given a killed worker when the leader has just been frozen, then another one must lead first, and no longer."""
    log = killed(18)
    log.fault(9, "controller_frozen", "manager-1", 8)
    assert broken(log.check()) == []
    late = killed(24)
    late.fault(9, "controller_frozen", "manager-1", 8)
    assert [number for number, _ in broken(late.check())] == [1]


@pytest.mark.parametrize(("killed_at", "found"), [(15, []), (18, []), (22, [1])], ids=["in it", "soon after", "later"])
def test_what_a_worker_kept_while_redis_was_away_may_die_with_it(killed_at: float, found: list[int]) -> None:
    """Given a worker killed before it could hand over the results of an outage, then these are excused, later not."""
    log = WrittenLog()
    log.results("a", "w1", 1, -10, 10)
    log.results("a", "w2", 2, killed_at + 4.5, log.seconds)
    log.results("b", "w2", 1, -10, log.seconds)
    log.fault(10, "redis_frozen", "redis", 6)
    log.fault(killed_at, "worker_killed", "w1")
    log.ended("w1", killed_at, -9)
    log.started("w1", killed_at + 2)
    assert [number for number, _ in broken(log.check())] == found


@pytest.mark.parametrize(("other_seconds", "found"), [(10, []), (4, [1])], ids=["all are out", "one is back"])
def test_a_takeover_may_wait_for_a_worker_when_all_are_out(other_seconds: float, found: list[int]) -> None:
    """Given the only two workers cut off or frozen, cameras wait for the first that is back, and no longer."""
    log = WrittenLog()
    log.results("a", "w1", 1, -10, 10)
    log.results("a", "w2", 2, 29, log.seconds)
    log.results("b", "w2", 1, -10, 10)
    log.results("b", "w2", 2, 29, log.seconds)
    log.fault(10, "worker_frozen", "w1", 13)
    log.fault(10, "worker_link_silent", "w2", other_seconds)
    assert sorted({number for number, _ in broken(log.check())} & {1}) == found


def test_a_fault_of_one_worker_excuses_no_camera_of_another() -> None:
    """Given a worker that was killed, when a camera of another worker has a gap, then that is a violation."""
    log = WrittenLog()
    log.results("a", "w1", 1, -10, 10)
    log.results("a", "w2", 2, 14, log.seconds)
    log.results("b", "w2", 1, -10, 10)
    log.results("b", "w2", 1, 14, log.seconds, first=41)
    log.fault(10, "worker_killed", "w1")
    log.ended("w1", 10, -9)
    log.started("w1", 12)
    assert [text[:22] for _, text in broken(log.check())] == ["b has no result for 4."]


def test_a_fault_of_a_camera_host_excuses_only_its_cameras() -> None:
    """Given host-b frozen for 4 s, when cameras of both hosts have a gap, then that of the other host is found."""
    log = WrittenLog()
    for camera_id, worker_id in (("a", "w1"), ("b", "w2")):
        log.results(camera_id, worker_id, 1, -10, 10)
        log.results(camera_id, worker_id, 1, 16, log.seconds, first=41)
    log.fault(10, "host_frozen", "host-b", 4)
    assert [text[:22] for _, text in broken(log.check())] == ["a has no result for 6."]


def test_a_camera_that_is_disabled_owes_no_results() -> None:
    """Given a camera that was disabled for 20 s, then its missing results are no violation, but late ones are."""
    log = WrittenLog()
    log.results("b", "w2", 1, -10, log.seconds)
    log.results("a", "w1", 1, -10, 10)
    log.add(10, "camera", camera="a", change="disabling")
    log.add(10.1, "camera", camera="a", change="disabled")
    log.add(30, "camera", camera="a", change="enabled")
    log.results("a", "w1", 3, 33, log.seconds)
    assert broken(log.check()) == []
    late = healthy(40)
    late.add(10, "camera", camera="c", change="added", host="host-a")
    late.results("c", "w1", 1, 21, 40)
    late.inventory["states"]["c"] = ["online", None]
    assert [text[:22] for _, text in broken(late.check())] == ["c has no result for 11"]


def test_a_camera_that_is_never_analysed_again_is_found_although_no_result_shows_it() -> None:
    """Given a killed worker whose camera nobody takes over, then the time until the end is a gap."""
    log = killed(59.9)
    assert [number for number, _ in broken(log.check())] == [1]


def test_what_a_fault_cost_each_camera_is_told_by_kind() -> None:
    """Given a takeover after 4 s, then it is listed under its kind, not as mixed with other faults."""
    [outage] = [outage for outage in killed(14).check().outages if outage.kind == "worker_killed"]
    assert (outage.camera, outage.gap_ms, outage.mixed) == ("a", 4_500, False)


# --- 2 and 3: results --------------------------------------------------------------------------------------------


def test_a_result_of_an_older_epoch_after_a_newer_one_is_found() -> None:
    """Given a takeover, when the former worker's next result is accepted after it, then that is a violation."""
    log = killed(14)
    log.result("a", "w1", 1, 41, 15.1)
    numbers = [number for number, _ in broken(log.check())]
    assert numbers == [2, 2]  # once where it stood as the newest, once in the stream


def test_a_result_that_is_accepted_twice_is_found() -> None:
    """Given a result that is accepted again, then that is a violation, unless Redis had lost its data meanwhile."""
    log = healthy()
    log.add(5.1, "result", camera="a", epoch=1, seq=31, worker="w1", captured_at_ms=0)
    assert [text[:35] for _, text in broken(log.check())] == ["('a', 1, 31) was accepted twice, fi"]
    lost = healthy()
    lost.fault(5.05, "redis_emptied", "redis", 1)
    lost.add(5.3, "result", camera="a", epoch=1, seq=31, worker="w1", captured_at_ms=1_005_000)
    findings = lost.check()
    assert broken(findings) == []
    assert findings.repeated_after_data_loss == 1


def test_missing_numbers_are_found_unless_they_were_counted() -> None:
    """Given two results that are missing in the middle, then as many drops must have been counted."""
    gone = WrittenLog()
    gone.results("b", "w2", 1, -10, gone.seconds)
    gone.results("a", "w1", 1, -10, 10)
    gone.results("a", "w1", 1, 10, gone.seconds, first=43)
    gone.word("w1", 30)
    assert broken(gone.check()) == [
        (2, "a, epoch 1: 2 results of w1 are missing before number 43, and it has counted 0 as lost")
    ]
    gone.add(12, "status", camera="a", worker="w1", epoch=1, state="online", reason=None, dropped={"overload": 9})
    assert len(broken(gone.check())) == 1  # those had no number yet
    gone.add(13, "status", camera="a", worker="w1", epoch=1, state="online", reason=None, dropped={"saving_backlog": 2})
    assert broken(gone.check()) == []


def test_results_that_are_missing_at_the_beginning_of_an_epoch_are_found() -> None:
    """Given an epoch whose first result has number 4, then three are missing."""
    log = WrittenLog()
    log.results("b", "w2", 1, -10, log.seconds)
    log.results("a", "w1", 1, -10, log.seconds, first=4)
    log.word("w1", 30)
    assert [text[:36] for _, text in broken(log.check())] == ["a, epoch 1: 3 results of w1 are miss"]


def test_an_event_that_is_missing_or_repeated_is_found() -> None:
    """Given events 1, 3 and 3 of an epoch, then one is missing and one is repeated."""
    log = healthy()
    for number, at in ((1, 3), (3, 4), (3, 5)):
        log.event("a", "w1", 1, number, at)
    log.word("w1", 30)
    assert sorted(text[:34] for _, text in broken(log.check())) == [
        "a, epoch 1: 1 events of w1 are mis",
        "a:1:3 was accepted twice, first in",
    ]


def test_two_writers_of_one_epoch_are_found() -> None:
    """Given an epoch of a camera, when results of two workers are accepted under it, then that is a violation."""
    log = WrittenLog()
    log.results("b", "w2", 1, -10, log.seconds)
    log.results("a", "w1", 1, -10, 10)
    log.results("a", "w2", 1, 10, log.seconds, first=41)
    assert [number for number, _ in broken(log.check())] == [3]


# --- 4: processes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (75, "ended with 75 and no fault explains it"),
        (69, "ended with 69 and no fault explains it"),
        (0, "ended with 0 and no fault explains it"),
        (70, "ended with 70 and no fault explains it"),
        (1, "ended with 1, which no page documents"),
        (-11, "was ended by signal 11"),
        (-9, "was ended by signal 9"),
        (-15, "was ended by signal 15"),
    ],
)
def test_a_process_that_ends_without_a_reason_is_found(code: int, says: str) -> None:
    """Given a worker that ends while nothing is broken, then that is a violation, whatever its code."""
    log = healthy()
    log.ended("w3", 20, code)
    assert broken(log.check()) == [(4, f"w3 (pid 1) {says}")]


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("worker_killed", "w3", -9),
        ("controller_killed", "w3", -9),
        ("worker_drained", "w3", 0),
        ("worker_frozen", "w3", 75),
        ("worker_link_silent", "w3", 75),
        ("redis_emptied", "redis", 75),
        ("redis_killed", "redis", 69),
        ("worker_killed", "w3", 69),
    ],
)
def test_a_process_that_ends_for_a_fault_is_no_violation(kind: str, target: str, code: int) -> None:
    """Given a fault, when a process ends as the fault explains, then nothing is found."""
    log = healthy()
    log.fault(20, kind, target)
    log.ended("w3", 20.05, code)
    assert broken(log.check()) == []


@pytest.mark.parametrize(("age", "count"), [(0.8, 0), (3.0, 1)])
def test_a_process_may_end_by_sigterm_only_before_it_can_hear_it(age: float, count: int) -> None:
    """Given a worker that is asked to leave while Python starts, that is no violation; later it is one."""
    log = healthy()
    log.started("w3", 20)
    log.ended("w3", 20 + age, -15)
    assert len(broken(log.check())) == count


def test_a_worker_that_goes_on_after_it_slept_past_its_lease_is_found() -> None:
    """Given a worker that was frozen for 6 s, when it does not leave with 75, then that is a violation."""
    log = healthy()
    log.fault(10, "worker_frozen", "w3", 6)
    assert broken(log.check()) == [(4, "w3 was frozen for longer than its lease and did not leave: []")]


def test_a_process_that_has_to_be_killed_at_the_end_is_found() -> None:
    """Given the end of a run, when a process does not leave and is killed, then that is a violation."""
    log = healthy()
    log.ended("w2", 61, -9)
    log.ended("w1", 61, 0)
    assert [text for _, text in broken(log.check())] == [
        "w2 (pid 1) was ended by signal 9 after it was asked to leave and did not"
    ]


# --- 5 and 6: the end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("states", {"a": ["online", None], "b": ["offline", "timeout"]}, "b is offline (timeout) after the calm"),
        ("states", {"a": ["online", None]}, "b is without a status (None) after the calm"),
        ("handing_over", ["a"], "still handing over ['a'], unplaced {} after the calm"),
        ("left_of_removed", {"c": ["farm:camera:c:result"]}, "c was removed and has left ['farm:camera:c:result']"),
    ],
)
def test_a_farm_that_is_not_well_after_the_calm_is_found(field: str, value: object, says: str) -> None:
    """Given the end of the calm, when something is not as it should be, then that is a violation."""
    log = healthy()
    log.inventory[field] = value
    assert broken(log.check()) == [(5, says)]


def test_a_plan_that_is_not_even_is_found() -> None:
    """Given eight cameras, when one of two live workers has all of them but one, then that is a violation."""
    log = healthy()
    for number in range(6):
        log.add(-15, "camera", camera=f"c{number}", change="added", host="host-a")
        log.results(f"c{number}", "w1", 1, -10, 60)
        log.inventory["states"][f"c{number}"] = ["online", None]
    log.inventory["assignments"] = {"w1": ["a", "c0", "c1", "c2", "c3", "c4", "c5"], "w2": ["b"]}
    assert broken(log.check()) == [(5, "the plan is not even: {'w1': 7, 'w2': 1}")]
    log.inventory["assignments"] = {"w1": ["a", "c0", "c1", "c2", "c3"], "w2": ["b", "c4", "c5"]}
    assert broken(log.check()) == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("alive", ["w1"], "workers with a lease are ['w1'], those that run are ['w1', 'w2']"),
        ("workers", ["w0", "w1", "w2"], "workers that are gone are still listed: ['w0']"),
        (
            "assignments",
            {"w0": ["x"], "w1": ["a"], "w2": ["b"]},
            "workers that are gone still have assignments: {'w0': ['x']}",
        ),
    ],
)
def test_what_dead_workers_leave_in_redis_is_found(field: str, value: object, says: str) -> None:
    """Given the end of the calm, when Redis still holds something of a dead worker, then that is a violation."""
    log = healthy()
    log.inventory[field] = value
    assert (6, says) in broken(log.check())


@pytest.mark.parametrize("what", ["processes", "files", "keys"])
def test_what_is_left_when_all_have_ended_is_found(what: str) -> None:
    """Given the end, when a process, a file or a key is left, then that is a violation."""
    log = healthy()
    log.leftovers[what] = ["something"]
    assert broken(log.check()) == [(6, f"{what} left behind: ['something']")]


# --- the file ----------------------------------------------------------------------------------------------------


def test_a_log_that_breaks_off_is_checked_as_far_as_it_goes(tmp_path: Path) -> None:
    """Given a log whose last line was cut, then it is read without it, and what could not be checked is named."""
    path = tmp_path / "log.jsonl"
    lines = [line for line in healthy().lines() if line["what"] not in {"inventory", "stopping", "leftovers"}]
    path.write_text("\n".join(json.dumps(line) for line in lines)[:-10])
    read = read_log(path)
    assert len(read) == len(lines) - 1
    assert len(check(read).unchecked) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin with a start"),
        ('{"what": "result", "at_ms": 1}\n', "does not begin with a start"),
        ('{"what": "start", "at_ms": 1}\nnonsense\n{"what": "end", "at_ms": 2}\n', "line 2 is no JSON"),
        ('{"what": "start", "at_ms": 1}\n[1]\n', "line 2 has no `what`"),
    ],
)
def test_a_file_that_is_no_log_is_refused_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    """Given another file, when it is to be checked, then the error names the line and what is wrong with it."""
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(LogUnreadableError, match=says):
        read_log(path)


def test_a_packed_log_is_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    """Given a log as it is kept, it is read; one that was cut short is refused."""
    path = tmp_path / "log.jsonl.gz"
    packed = gzip.compress("\n".join(json.dumps(line) for line in healthy().lines()).encode())
    path.write_bytes(packed)
    assert broken(check(read_log(path))) == []
    path.write_bytes(packed[:-20])
    with pytest.raises(LogUnreadableError, match=r"log\.jsonl\.gz cannot be read"):
        read_log(path)


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Given no file, when it is to be checked, then the error names it."""
    with pytest.raises(LogUnreadableError, match=r"nowhere\.jsonl cannot be read"):
        read_log(tmp_path / "nowhere.jsonl")


# --- 7: SQL equals the stream --------------------------------------------------------------------------------------


def test_an_event_that_was_accepted_and_is_not_stored_is_found() -> None:
    """Given three accepted events of which one is not in the database at the end, then it is named."""
    log = healthy()
    for number in (1, 2, 3):
        log.event("a", "w1", 1, number, number)
    assert broken(log.check()) == []
    log.unstored = {"a:1:2"}
    assert broken(log.check()) == [(7, "event a:1:2 was accepted and is not in the database")]


def test_an_event_that_nobody_published_is_found() -> None:
    """Given an event in the database that the stream never had, then it is named."""
    log = healthy()
    log.made_up = {"a:1:9"}
    [(invariant, text)] = broken(log.check())
    assert invariant == 7
    assert "a:1:9" in text


def test_an_event_that_went_with_all_data_of_redis_before_it_was_stored_is_explained() -> None:
    """Given a Redis that lost its data a second after an event, then that event may be missing, and no earlier one."""
    log = healthy()
    log.event("a", "w1", 1, 1, 2)
    log.event("a", "w1", 1, 2, 9.5)
    log.fault(10, "redis_emptied", "redis")
    log.unstored = {"a:1:2"}
    assert [text for number, text in broken(log.check()) if number == 7] == []
    log.unstored = {"a:1:1", "a:1:2"}
    texts = [text for number, text in broken(log.check()) if number == 7]
    assert texts == ["event a:1:1 was accepted and is not in the database"]
