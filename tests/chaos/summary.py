"""Prints what a chaos run has shown."""

import math
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.chaos.event_log import Line
from tests.chaos.fault_kinds import KINDS, UNDISTURBED_SECONDS
from tests.chaos.invariants import Findings, Violation

#: Lines of the log shown before and after one that shows a violation, other than results.
_AROUND: Final = 4
#: Violations shown in full.
_SHOWN: Final = 20
_QUIET: Final = frozenset({"result", "newest", "worker", "event"})


def percentile(values: list[int], share: float) -> int:
    """Return the value that `share` of `values` do not exceed (nearest rank); `values` must not be empty."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def show(findings: Findings, lines: list[Line], path: Path, slack: float) -> None:
    """Print faults, what they cost, and every violation with the lines around it."""
    # As wide as the table, also where the output is no terminal.
    console = Console(highlight=False, width=120)
    console.print(_table(findings))
    console.print(
        f"{findings.results} results and {findings.events} events accepted; {findings.refused_writes} late writes "
        f"refused; {findings.repeated_after_data_loss} accepted again after Redis had lost them"
    )
    console.print(f"In {findings.strictness:.0%} of all cameras' time no fault would have explained a missing result.")
    if slack != 1.0:
        console.print(f"Everything was allowed to take {slack:g} times as long.")
    for text in findings.unchecked:
        console.print(f"not checked: {text}")
    if not findings.violations:
        console.print(f"All invariants hold. The log: {path}")
        return
    console.print(f"{len(findings.violations)} violations:")
    for violation in findings.violations[:_SHOWN]:
        _show_violation(violation, lines, console)
    if len(findings.violations) > _SHOWN:
        console.print(f"... and {len(findings.violations) - _SHOWN} more")
    console.print(f"The log: {path}; check it again with: ./farm chaos --check {path}")


def _table(findings: Findings) -> Table:
    table = Table("fault", "times", "cameras hit", "p50 s", "p95 s", "max s", "mixed", "max s", "allowed s")
    kinds = [*KINDS, *sorted({outage.kind for outage in findings.outages} - set(KINDS))]
    for name in kinds:
        alone = [outage.gap_ms for outage in findings.outages if outage.kind == name and not outage.mixed]
        mixed = [outage.gap_ms for outage in findings.outages if outage.kind == name and outage.mixed]
        if not findings.faults[name] and not alone and not mixed:
            continue
        figures = [percentile(alone, share) for share in (0.5, 0.95, 1.0)] if alone else []
        table.add_row(
            name,
            str(findings.faults[name] or ""),
            str(len(alone) or ""),
            *([f"{figure / 1000:.1f}" for figure in figures] or ["", "", ""]),
            str(len(mixed) or ""),
            f"{max(mixed) / 1000:.1f}" if mixed else "",
            _allowed(name),
        )
    table.caption = (
        "Longest time between two captures of a camera that the fault hit (any camera, where it should hit none), with "
        "nothing else going on; mixed: with other faults. Allowed: so much from the fault's beginning, or after its "
        f"end (it + ...), and between any two captures {UNDISTURBED_SECONDS:g} s."
    )
    return table


def _allowed(name: str) -> str:
    kind = KINDS.get(name)
    if kind is None:
        return ""
    return f"it + {kind.allowance_seconds:g}" if kind.from_end else f"{kind.allowance_seconds:g}"


def _show_violation(violation: Violation, lines: list[Line], console: Console) -> None:
    console.print(f"\n[{violation.invariant}] line {violation.line}: {violation.text}", markup=False)
    telling = [line for line in lines if line["what"] not in _QUIET or line["line"] == violation.line]
    at = next((index for index, line in enumerate(telling) if line["line"] >= violation.line), len(telling) - 1)
    for line in telling[max(0, at - _AROUND) : at + _AROUND + 1]:
        fields = " ".join(f"{name}={value}" for name, value in line.items() if name not in {"line", "what", "at_ms"})
        mark = ">" if line["line"] == violation.line else " "
        console.print(
            f"  {mark} {line['line']:>6} {line['at_ms'] % 10**8 / 1000:.3f} {line['what']} {fields}"[:300], markup=False
        )
