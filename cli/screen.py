"""Where tables are printed."""

import sys

from rich.console import Console

#: Characters in a line where nobody's terminal limits it, so that nothing is cut out of what is piped on.
_WIDE = 240


def screen() -> Console:
    """Return the standard output: as wide as the terminal, or wide."""
    return Console(width=None if sys.stdout.isatty() else _WIDE)
