"""Checks the log of a chaos run. Pure: the same lines give the same findings, also years later.

1. Cameras: `tests.chaos.availability`.
2. Accepted results: their epochs never fall, none is accepted twice, numbers are missing only where drops are counted;
   the same for events.
3. One writer: no epoch of a camera has results of two workers.
4. Processes: `tests.chaos.exits`.
5. The end: every enabled camera is online, the plan is even, removed cameras have left nothing but their fence.
6. Nothing is left behind: no process, no lock, no assignment of a worker that is gone.
7. SQL equals the stream: every event that the stream took before the calm is stored, and none that it never took.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from tests.chaos.availability import Outage, check_availability, strictness
from tests.chaos.event_log import Line
from tests.chaos.exits import check_exits
from tests.chaos.story import Story

#: Drops of frames that had no number yet: they leave no hole.
_BEFORE_NUMBERING = frozenset({"overload", "detector_failed", "tracking_failed"})

#: Milliseconds within which an event writer has stored an event, if nothing is in its way.
_STORING_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold."""

    #: Its number, as the module's description has it.
    invariant: int
    text: str
    #: The line of the log that shows it.
    line: int


@dataclass
class Findings:
    """What a log shows."""

    violations: list[Violation] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    #: Kind of fault -> how often.
    faults: Counter[str] = field(default_factory=Counter)
    #: What could not be checked, and why.
    unchecked: list[str] = field(default_factory=list)
    results: int = 0
    events: int = 0
    #: Accepted again after Redis had lost the first one: unavoidable, and not a violation.
    repeated_after_data_loss: int = 0
    refused_writes: int = 0
    #: Share of all cameras' time in which no fault would have explained a missing result.
    strictness: float = 1.0


def check(lines: list[Line], slack: float = 1.0) -> Findings:
    """Check a log.

    Args:
        lines: As `event_log.read_log` or `event_log.numbered` return them.
        slack: Every time that something may take is so many times as long: for machines that are slow or busy.
    """
    story = Story(lines, slack)
    found = Findings(faults=Counter(fault.kind.name for fault in story.faults))
    found.results, found.events = len(story.by_what["result"]), len(story.by_what["event"])
    gaps, found.outages = check_availability(story)
    for gap in gaps:
        seconds, bare = (gap.span.end_ms - gap.span.begin_ms) / 1000, gap.unexplained_ms / 1000
        text = f"{gap.camera} has no result for {seconds:.1f} s, {bare:.1f} s of which no fault explains"
        found.violations.append(Violation(1, text, gap.line))
    found.violations += [Violation(2, text, line) for text, line in _check_order(story)]
    found.violations += [Violation(2, text, line) for text, line in _check_repeats(story, found)]
    found.violations += [Violation(2, text, line) for text, line in _check_numbers(story)]
    found.violations += [Violation(3, text, line) for text, line in _check_writers(story)]
    found.violations += [Violation(4, text, line) for text, line in check_exits(story)]
    _check_end(story, found)
    _check_stored(story, found)
    found.strictness = strictness(story)
    found.refused_writes = _refused_writes(story)
    found.violations.sort(key=lambda violation: violation.line)
    return found


# --- 2: order, once, complete ------------------------------------------------------------------------------------


def _check_order(story: Story) -> Iterator[tuple[str, int]]:
    for seen in (story.newest, story.results):
        for camera_id, lines in seen.items():
            for before, after in pairwise(lines):
                if (after["epoch"], after["seq"]) < (before["epoch"], before["seq"]) and not (
                    after["epoch"] == before["epoch"] and story.lost_data_between(before["at_ms"], after["at_ms"])
                ):
                    yield (
                        f"{camera_id}: epoch {after['epoch']} number {after['seq']} of {after['worker']} was accepted "
                        f"after epoch {before['epoch']} number {before['seq']} of {before['worker']}",
                        after["line"],
                    )


def _check_repeats(story: Story, found: Findings) -> Iterator[tuple[str, int]]:
    seen: dict[object, Line] = {}
    for line in story.by_what["result"] + story.by_what["event"]:
        key = line.get("event_id") or (line["camera"], line["epoch"], line["seq"])
        first = seen.get(key)
        seen[key] = line
        if first is None:
            continue
        if story.lost_data_between(first["at_ms"], line["at_ms"]):
            found.repeated_after_data_loss += 1
        else:
            yield f"{key} was accepted twice, first in line {first['line']}", line["line"]


def _check_numbers(story: Story) -> Iterator[tuple[str, int]]:
    """Yield epochs with more numbers missing than their worker has counted as lost."""
    dropped, lost, last_word = _counted_drops(story)
    for what, name in (("result", "seq"), ("event", "number")):
        epochs: dict[tuple[str, int, str], list[Line]] = defaultdict(list)
        for line in story.by_what[what]:
            epochs[line["camera"], line["epoch"], line["worker"]].append(line)
        for (camera_id, epoch, worker_id), lines in epochs.items():
            missing, where = _missing(lines, name, story)
            allowed = lost[worker_id] + (dropped[camera_id, worker_id] if what == "result" else 0)
            # What a worker that was killed lost in its last seconds, nobody could count.
            if missing > allowed and last_word[worker_id] > where["at_ms"] + 2_000:
                yield (
                    f"{camera_id}, epoch {epoch}: {missing} {what}s of {worker_id} are missing before number "
                    f"{where[name]}, and it has counted {allowed} as lost",
                    where["line"],
                )


def _counted_drops(story: Story) -> tuple[Counter[tuple[str, str]], Counter[str], Counter[str]]:
    """Return drops by camera and worker, losses of the spool by worker, and when each worker said something last."""
    dropped: Counter[tuple[str, str]] = Counter()
    for line in story.by_what["status"]:
        count = sum(count for reason, count in line["dropped"].items() if reason not in _BEFORE_NUMBERING)
        key = (line["camera"], line["worker"])
        dropped[key] = max(dropped[key], count)
    lost: Counter[str] = Counter()
    last_word: Counter[str] = Counter()
    for line in story.by_what["worker"]:
        lost[line["worker"]] = max(lost[line["worker"]], line.get("lost", 0))
        last_word[line["worker"]] = line["at_ms"]
    return dropped, lost, last_word


def _missing(lines: list[Line], name: str, story: Story) -> tuple[int, Line]:
    """Return how many numbers are missing, and the last line after a hole; not those that Redis lost with its data."""
    missing, where = 0, lines[0]
    ordered = sorted(lines, key=lambda line: int(line[name]))
    first = ordered[0]
    # When the epoch began is not known, so that any loss of data before its first result may explain what is missing.
    if first[name] > 1 and not story.lost_data_between(story.lines[0]["at_ms"], first["at_ms"]):
        missing, where = first[name] - 1, first
    for before, after in pairwise(ordered):
        hole = after[name] - before[name] - 1
        if hole > 0 and not story.lost_data_between(before["at_ms"], after["at_ms"]):
            missing, where = missing + hole, after
    return missing, where


# --- 3: one writer -----------------------------------------------------------------------------------------------


def _check_writers(story: Story) -> Iterator[tuple[str, int]]:
    for camera_id, lines in story.results.items():
        writers: dict[int, str] = {}
        for line in lines:
            first = writers.setdefault(line["epoch"], line["worker"])
            if first != line["worker"]:
                yield f"{camera_id}, epoch {line['epoch']}: results of {first} and of {line['worker']}", line["line"]
                break


# --- 5 and 6: the end --------------------------------------------------------------------------------------------


def _check_end(story: Story, found: Findings) -> None:
    inventory, leftovers = story.first("inventory"), story.first("leftovers")
    if inventory is None:
        found.unchecked.append("5 and 6, what Redis holds at the end: the log breaks off before")
    else:
        line = inventory["line"]
        found.violations += [Violation(5, text, line) for text in _wrong_at_the_end(inventory, story)]
        found.violations += [Violation(6, text, line) for text in _left_in_redis(inventory, story)]
    if leftovers is None:
        found.unchecked.append("6, processes and files left behind: the log breaks off before")
    else:
        for what in ("processes", "files", "keys"):
            if leftovers[what]:
                found.violations.append(Violation(6, f"{what} left behind: {leftovers[what]}", leftovers["line"]))


def _check_stored(story: Story, found: Findings) -> None:
    line, calm = story.first("stored"), story.first("calm")
    if line is None or calm is None:
        found.unchecked.append("7, whether SQL equals the stream: the log does not say what is stored")
        return
    stored, taken = set(line["events"]), {event["event_id"] for event in story.by_what["event"]}
    for event in story.by_what["event"]:
        # Where Redis loses its data, workers send the newest again; of a worker that is killed then, nobody does.
        lost = story.lost_data_between(event["at_ms"], event["at_ms"] + _STORING_MS)
        if event["at_ms"] < calm["at_ms"] and event["event_id"] not in stored and not lost:
            text = f"event {event['event_id']} was accepted and is not in the database"
            found.violations.append(Violation(7, text, event["line"]))
    # What the stream took and lost with all its data between two looks nobody has seen but the event writer.
    if (unknown := sorted(stored - taken)) and not story.lost_data_ms:
        text = f"{len(unknown)} events are in the database that the stream never had: {unknown[:5]}"
        found.violations.append(Violation(7, text, line["line"]))


def _wrong_at_the_end(inventory: Line, story: Story) -> Iterator[str]:
    at_ms = inventory["at_ms"]
    wanted = {name for name, spans in story.wanted.items() if any(span.meets(at_ms, at_ms) for span in spans)}
    for camera_id in sorted(wanted):
        state, reason = inventory["states"].get(camera_id, ["without a status", None])
        if state != "online":
            yield f"{camera_id} is {state} ({reason}) after the calm"
    if inventory["handing_over"] or inventory["unplaced"]:
        yield f"still handing over {inventory['handing_over']}, unplaced {inventory['unplaced']} after the calm"
    counts = [len(inventory["assignments"].get(worker_id, [])) for worker_id in inventory["alive"]]
    most = math.ceil(len(wanted) / max(1, len(counts))) + 1
    # Cameras differ in cost, so that equal costs are not equal numbers; with few cameras by one, hardly by two.
    if counts and (max(counts) > most or (min(counts) == 0 and len(wanted) >= 2 * len(counts))):
        yield f"the plan is not even: {dict(zip(inventory['alive'], counts, strict=True))}"
    for camera_id, left in inventory["left_of_removed"].items():
        yield f"{camera_id} was removed and has left {left}"


def _left_in_redis(inventory: Line, story: Story) -> Iterator[str]:
    alive = set(inventory["alive"])
    running: dict[str, bool] = {}
    for line in story.by_what["process"]:
        if line["role"] == "worker" and line["line"] < inventory["line"]:
            running[line["name"]] = line["state"] == "started"
    runs = {name for name, does in running.items() if does}
    if alive != runs:
        yield f"workers with a lease are {sorted(alive)}, those that run are {sorted(runs)}"
    if dead := set(inventory["workers"]) - alive:
        yield f"workers that are gone are still listed: {sorted(dead)}"
    if orphaned := {name: its for name, its in inventory["assignments"].items() if name not in alive and its}:
        yield f"workers that are gone still have assignments: {orphaned}"


def _refused_writes(story: Story) -> int:
    """Return the writes that workers say were refused: a restarted worker counts from 0 again."""
    total = 0
    last: dict[str, int] = {}
    for line in story.by_what["worker"]:
        now = line.get("refused", 0)
        total += max(0, now - last.get(line["worker"], 0)) if now >= last.get(line["worker"], 0) else now
        last[line["worker"]] = now
    return total
