"""Invariant 1: no camera is without an accepted result for longer than the faults around it explain. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from tests.chaos.event_log import Line
from tests.chaos.fault_kinds import (
    CONTROL_SECONDS,
    DELIVERY_SECONDS,
    START_SECONDS,
    TAKEOVER_SECONDS,
    UNDISTURBED_SECONDS,
    Scope,
)
from tests.chaos.story import Fault, Span, Story


@dataclass(frozen=True, slots=True)
class Excuse:
    """A time in which results of one camera may be missing, ms of the log's clock."""

    camera: str
    span: Span
    #: Number of the fault; 0: the camera was added or enabled.
    fault: int
    #: The worker that the fault hit; empty: it hit no worker.
    target: str = ""
    #: Whether something else, too, kept the camera from being analysed or placed then.
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class Outage:
    """The longest time without a result, by capture times, that one fault brought one camera."""

    kind: str
    camera: str
    gap_ms: int
    mixed: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without results that is longer than what explains it."""

    camera: str
    span: Span
    unexplained_ms: int
    line: int


def excuses_of(story: Story) -> dict[str, list[Excuse]]:
    """Return camera id -> the times in which its results may be missing."""
    control = _control_spans(story)
    found: dict[str, list[Excuse]] = {camera_id: [] for camera_id in story.hosts}
    for fault in story.faults:
        for camera_id in _cameras_of(fault, story, found):
            target = fault.target if fault.kind.scope is Scope.WORKER else ""
            span = _extended(_span_of(fault, story), control, story)
            span = replace(span, begin_ms=_kept_since(fault, story))
            found[camera_id].append(Excuse(camera_id, span, fault.number, target))
    for camera_id, spans in story.wanted.items():
        for wanted in spans:
            until = wanted.begin_ms + story.allowed_ms(TAKEOVER_SECONDS)
            span = _extended(Span(wanted.begin_ms, until, wanted.why), control, story)
            found[camera_id].append(Excuse(camera_id, span, 0))
    return {camera_id: _marked(its, control) for camera_id, its in found.items()}


def _span_of(fault: Fault, story: Story) -> Span:
    after = fault.end_ms if fault.kind.from_end else fault.begin_ms
    return Span(fault.begin_ms, after + story.allowed_ms(fault.kind.allowance_seconds), fault.kind.name)


def _kept_since(fault: Fault, story: Story) -> int:
    """Return when the worker that a fault hits has begun to keep results which it then had not handed over."""
    since = fault.begin_ms
    if fault.kind.scope is Scope.WORKER:
        for outage in (other for other in story.faults if other.kind.is_redis):
            if outage.begin_ms <= fault.begin_ms <= outage.end_ms + story.allowed_ms(DELIVERY_SECONDS):
                since = min(since, outage.begin_ms)
    return since


def _control_spans(story: Story) -> list[Span]:
    """Return when nothing could be placed.

    While Redis is away, until it is back; when a controller is gone, until another one leads, which may just be
    starting itself.
    """
    found = []
    for fault in story.faults:
        if not fault.kind.stops_placing:
            continue
        since = fault.end_ms
        if not fault.kind.is_redis:
            restarted = [
                other.end_ms + story.allowed_ms(START_SECONDS)
                for other in story.faults_of("controller_killed")
                if other is not fault and other.begin_ms <= fault.begin_ms
            ]
            since = max([fault.begin_ms, *restarted])
        found.append(Span(fault.begin_ms, since + story.allowed_ms(CONTROL_SECONDS), fault.kind.name))
    for span in _without_workers(story):
        found.append(replace(span, end_ms=span.end_ms + story.allowed_ms(CONTROL_SECONDS)))
    return found


def _without_workers(story: Story) -> Iterator[Span]:
    """Yield when every worker that ran was frozen or without a link to Redis, so that nobody could take over."""
    running: set[str] = set()
    out: Counter[str] = Counter()
    changes: list[tuple[int, str, str]] = [
        (line["at_ms"], line["state"], line["name"]) for line in story.by_what["process"] if line["role"] == "worker"
    ]
    for fault in story.faults_of("worker_frozen", "worker_link_silent"):
        changes += [(fault.begin_ms, "out", fault.target), (fault.end_ms, "back", fault.target)]
    since: int | None = None
    for at_ms, state, name in sorted(changes):
        if state in {"started", "ended"}:
            (running.add if state == "started" else running.discard)(name)
        else:
            out[name] += 1 if state == "out" else -1
        none = bool(running) and all(out[worker] > 0 for worker in running)
        if none and since is None:
            since = at_ms
        elif not none and since is not None:
            yield Span(since, at_ms, "without_workers")
            since = None


def _extended(span: Span, control: list[Span], story: Story) -> Span:
    """Let `span` last until cameras can be placed again, and for a takeover after that."""
    for trouble in sorted(control, key=lambda each: each.begin_ms):
        if trouble.meets(span.begin_ms, span.end_ms) and trouble.why != span.why:
            span = Span(span.begin_ms, max(span.end_ms, trouble.end_ms + story.allowed_ms(TAKEOVER_SECONDS)), span.why)
    return span


def _cameras_of(fault: Fault, story: Story, so_far: dict[str, list[Excuse]]) -> list[str]:
    scope = fault.kind.scope
    if scope is Scope.FARM:
        return list(story.hosts)
    if scope is Scope.HOST:
        return [camera_id for camera_id, host in story.hosts.items() if host == fault.target]
    if scope is Scope.WORKER:
        return [
            camera_id
            for camera_id in story.hosts
            # One that another fault has just orphaned may be on its way to this worker.
            if fault.target in story.holders(camera_id, fault.begin_ms)
            or any(excuse.span.meets(fault.begin_ms, fault.begin_ms) for excuse in so_far[camera_id])
        ]
    return []


def _marked(excuses: list[Excuse], control: list[Span]) -> list[Excuse]:
    """Mark those that something else overlaps."""
    return [
        replace(
            excuse,
            mixed=any(
                other is not excuse and other.span.meets(excuse.span.begin_ms, excuse.span.end_ms) for other in excuses
            )
            or any(
                trouble.why != excuse.span.why and trouble.meets(excuse.span.begin_ms, excuse.span.end_ms)
                for trouble in control
            ),
        )
        for excuse in excuses
    ]


def strictness(story: Story) -> float:
    """Return the share of all cameras' time in which no fault would have explained a missing result."""
    excuses = excuses_of(story)
    whole = covered = 0
    for camera_id, spans in story.wanted.items():
        for span in spans:
            begin = max(span.begin_ms, story.breaking_ms)
            if begin < span.end_ms:
                whole += span.end_ms - begin
                covered += _covered_ms(begin, span.end_ms, [excuse.span for excuse in excuses[camera_id]])
    return 1 - covered / whole if whole else 1.0


def check_availability(story: Story) -> tuple[list[Gap], list[Outage]]:
    """Return gaps that nothing explains, and what every fault cost every camera it hit."""
    excuses = excuses_of(story)
    gaps = [
        gap
        for camera_id, spans in story.wanted.items()
        for span in spans
        for gap in _gaps(camera_id, span, story, excuses[camera_id])
    ]
    outages = [
        Outage(excuse.span.why, camera_id, longest, excuse.mixed)
        for camera_id, its in _measured(story, excuses).items()
        for excuse in its
        if excuse.span.begin_ms >= story.breaking_ms
        and (longest := _longest_gap_ms(camera_id, excuse, story)) is not None
    ]
    return gaps, outages


def _measured(story: Story, excuses: dict[str, list[Excuse]]) -> dict[str, list[Excuse]]:
    """Return `excuses`, and times around faults that excuse nothing: what they cost is measured all the same."""
    found = {}
    for camera_id, its in excuses.items():
        free = []
        for fault in story.faults:
            if fault.kind.scope is Scope.NOBODY and not fault.kind.name.startswith("camera"):
                span = Span(fault.begin_ms, fault.end_ms + story.allowed_ms(TAKEOVER_SECONDS), fault.kind.name)
                mixed = any(excuse.span.meets(span.begin_ms, span.end_ms) for excuse in its)
                free.append(Excuse(camera_id, span, fault.number, mixed=mixed))
        found[camera_id] = its + free
    return found


def _captures(story: Story, camera_id: str) -> list[Line]:
    return sorted(story.results.get(camera_id, []), key=lambda line: int(line["captured_at_ms"]))


def _gaps(camera_id: str, wanted: Span, story: Story, excuses: list[Excuse]) -> Iterator[Gap]:
    begin = max(wanted.begin_ms, story.breaking_ms)
    if begin >= wanted.end_ms:
        return
    last_line = story.lines[-1]["line"]
    inside = [
        (int(line["captured_at_ms"]), int(line["line"]))
        for line in _captures(story, camera_id)
        if begin < line["captured_at_ms"] < wanted.end_ms
    ]
    for (before, _), (after, line) in pairwise([(begin, 0), *inside, (wanted.end_ms, last_line)]):
        bare = after - before - _covered_ms(before, after, [excuse.span for excuse in excuses])
        if bare > story.allowed_ms(UNDISTURBED_SECONDS):
            yield Gap(camera_id, Span(before, after), bare, line)


def _covered_ms(begin_ms: int, end_ms: int, spans: list[Span]) -> int:
    """Return how much of a time the union of `spans` covers."""
    covered, reached = 0, begin_ms
    for span in sorted(spans, key=lambda each: each.begin_ms):
        start, stop = max(span.begin_ms, reached), min(span.end_ms, end_ms)
        if stop > start:
            covered += stop - start
            reached = stop
    return covered


def _longest_gap_ms(camera_id: str, excuse: Excuse, story: Story) -> int | None:
    """Return the longest time between two captures that touches an excuse; None where there was none to measure."""
    wanted = next(
        (span for span in story.wanted[camera_id] if span.meets(excuse.span.begin_ms, excuse.span.end_ms)), None
    )
    if wanted is None or wanted.end_ms <= excuse.span.begin_ms:
        return None
    captures = _captures(story, camera_id)
    if excuse.target:
        before = [line["worker"] for line in captures if line["captured_at_ms"] <= excuse.span.begin_ms]
        if before[-1:] != [excuse.target]:
            return None  # it may have been on its way to that worker, and was another's to analyse
    times = [int(line["captured_at_ms"]) for line in captures]
    times = [at for at in times if wanted.begin_ms <= at <= wanted.end_ms]
    if excuse.fault == 0:
        times = [wanted.begin_ms, *times]
    touching = [after - before for before, after in pairwise(times) if excuse.span.meets(before + 1, after - 1)]
    return max(touching, default=None)
