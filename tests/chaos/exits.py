"""Invariant 4: processes end only with documented codes, and only for a reason that the log shows. Pure."""

import math
import signal
from collections.abc import Iterator
from typing import Final

from runtime import exit_codes
from tests.chaos.event_log import Line
from tests.chaos.story import Fault, Story

DOCUMENTED: Final = frozenset(
    {
        exit_codes.DONE,
        exit_codes.UNUSABLE,
        exit_codes.NOT_YET,
        exit_codes.BROKEN,
        exit_codes.LEASE_LOST,
        exit_codes.FORCED,
    }
)
_REDIS: Final = ("redis_frozen", "redis_killed", "redis_emptied")
#: Seconds after a fault in which a process may still end for it: it looks at its lease once a second, and gives what
#: it holds a few seconds to finish.
_AFTER_SECONDS: Final = 15.0
#: Seconds that a worker which was drained may need: it hands over for up to 15, and has some more to finish.
_DRAIN_SECONDS: Final = 30.0
#: Seconds that the lease of a killed worker may still be in the way of another one with its id.
_LEASE_SECONDS: Final = 10.0
#: Seconds after its start in which a process may still end by SIGTERM itself: it has no cameras yet.
_DEAF_SECONDS: Final = 1.5
#: Milliseconds a freeze must last to be longer than a lease for sure.
_LONGER_THAN_A_LEASE_MS: Final = 4_000


def check_exits(story: Story) -> Iterator[tuple[str, int]]:
    """Yield what is wrong, and the line that shows it."""
    stopping = story.first("stopping")
    for line in story.by_what["process"]:
        if line["state"] == "ended" and not (stopping and line["line"] > stopping["line"] and line["code"] == 0):
            problem = _problem(line, story, stopped=bool(stopping and line["line"] > stopping["line"]))
            if problem:
                yield f"{line['name']} (pid {line['pid']}) {problem}", line["line"]
    yield from _frozen_that_stayed(story)


def _problem(line: Line, story: Story, *, stopped: bool) -> str:
    code = line["code"]
    if _is_explained(line, story):
        return ""
    if code < 0:
        late = " after it was asked to leave and did not" if stopped else ""
        return f"was ended by signal {-code}{late}"
    return f"ended with {code}{' and no fault explains it' if code in DOCUMENTED else ', which no page documents'}"


def _is_explained(line: Line, story: Story) -> bool:
    code, name, at_ms = line["code"], line["name"], line["at_ms"]
    if code == -signal.SIGTERM:
        return _age_ms(line, story) < story.allowed_ms(_DEAF_SECONDS)
    killed = story.faults_of("worker_killed", "controller_killed", target=name)
    redis = story.faults_of(*_REDIS)
    silent = story.faults_of("worker_link_silent", target=name)
    # Exit code -> what explains it, and for how long.
    reasons: dict[int, list[tuple[list[Fault], int]]] = {
        -signal.SIGKILL: [(killed, 2_000)],
        exit_codes.DONE: [(story.faults_of("worker_drained", target=name), story.allowed_ms(_DRAIN_SECONDS))],
        exit_codes.LEASE_LOST: [
            (story.faults_of("worker_frozen", target=name) + silent + redis, story.allowed_ms(_AFTER_SECONDS))
        ],
        exit_codes.NOT_YET: [
            (story.faults_of("worker_link_cut", target=name) + silent + redis, story.allowed_ms(_AFTER_SECONDS)),
            (story.faults_of("worker_killed", target=name), story.allowed_ms(_LEASE_SECONDS)),
        ],
    }
    return any(_any(faults, at_ms, after_ms) for faults, after_ms in reasons.get(code, []))


def _age_ms(ended: Line, story: Story) -> float:
    """Return how long the process that has `ended` ran."""
    began = [
        line["at_ms"] for line in story.by_what["process"] if line["state"] == "started" and line["pid"] == ended["pid"]
    ]
    return float(ended["at_ms"] - max(began)) if began else math.inf


def _any(faults: list[Fault], at_ms: int, after_ms: int) -> bool:
    return any(fault.covers(at_ms, before_ms=100, after_ms=after_ms) for fault in faults)


def _frozen_that_stayed(story: Story) -> Iterator[tuple[str, int]]:
    """Yield workers that slept for longer than their lease, reached Redis, and went on."""
    after_ms = story.allowed_ms(_AFTER_SECONDS)
    for fault in story.faults_of("worker_frozen"):
        too_short = fault.end_ms - fault.begin_ms < _LONGER_THAN_A_LEASE_MS
        around = [
            other
            for other in story.faults
            if other is not fault
            and (other.kind.name in _REDIS or other.target == fault.target)
            and other.end_ms >= fault.begin_ms - 5_000
            and other.begin_ms <= fault.end_ms + after_ms
        ]
        if too_short or around or fault.end_ms + after_ms > story.end_ms:
            continue
        codes = [
            line["code"]
            for line in story.by_what["process"]
            if line["state"] == "ended"
            and line["name"] == fault.target
            and fault.covers(line["at_ms"], after_ms=after_ms)
        ]
        if exit_codes.LEASE_LOST not in codes:
            yield f"{fault.target} was frozen for longer than its lease and did not leave: {codes}", fault.line
