"""How figures and tables look in a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table
from rich.text import Text

BAR_CELLS: Final = 10
#: Loads from which on a bar is yellow, and red: over capacity.
BUSY: Final = 0.85
OVER: Final = 1.0

Cell = str | Text


def bar(ratio: float, *, ascii_only: bool = False) -> Text:
    """Return a load as a bar of `BAR_CELLS` and a percentage."""
    full, empty = ("#", "-") if ascii_only else ("█", "░")
    cells = min(BAR_CELLS, max(0, round(ratio * BAR_CELLS)))
    style = "red" if ratio > OVER else "yellow" if ratio >= BUSY else "green"
    text = Text(full * cells, style=style).append(empty * (BAR_CELLS - cells), style="dim")
    return text.append(f"{ratio:5.0%}", style=style)


def duration(milliseconds: int) -> str:
    """Return a time span in the two units that matter."""
    seconds = milliseconds // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def bytes_text(size: int) -> str:
    """Return a number of bytes for people."""
    if size < 1_000:
        return f"{size} B"
    for unit in ("kB", "MB"):
        size_in_unit = size / (1_000 if unit == "kB" else 1_000_000)
        if size_in_unit < 1_000:
            return f"{size_in_unit:.1f} {unit}"
    return f"{size / 1_000_000_000:.1f} GB"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    heading: str
    right: bool = False
    #: Whether it is cut when there is no room; others are shown whole.
    shrinks: bool = False


def table_of(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Table:
    """Return a table without lines; only columns that shrink are cut when there is no room."""
    # What people wrote is not markup.
    texts = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        widths = [len(column.heading), *(row[number].cell_len for row in texts)]
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=len(column.heading) if column.shrinks else max(widths),
        )
    for row in texts:
        table.add_row(*row)
    return table


def short(name: str, width: int) -> str:
    """Return a name in at most `width` characters: what tells names apart is mostly at their ends."""
    if len(name) <= width:
        return name
    tail = width // 2
    return f"{name[: width - tail - 1]}…{name[-tail:]}"
