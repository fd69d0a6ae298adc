"""Tells a person at the terminal what is being done, and how long it took."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.markup import escape


class Step:
    """One thing that is being done."""

    def __init__(self, text: str, show: Callable[[str], None]) -> None:
        #: What is shown when it is done; may be changed while it runs.
        self.text = text
        #: Shows how far it is; only on a terminal, and only until the next one.
        self.progress = show


class Steps:
    """Prints a line per step: how long it took, and what was done."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Do something that `text` names."""
        began = time.monotonic()
        with self._console.status(escape(text)) as status:
            step = Step(text, lambda more: status.update(escape(f"{text}: {more}")))
            yield step
        self._console.print(f"[green]{time.monotonic() - began:6.1f} s[/green]  {escape(step.text)}")

    def say(self, text: str) -> None:
        """Print `text`, aligned with the steps."""
        self._console.print(f"          {escape(text)}")

    def warn(self, text: str) -> None:
        """Print something that went wrong and is being dealt with."""
        self._console.print(f"[yellow]        !  {escape(text)}[/yellow]")

    def echo(self, name: str, line: str) -> None:
        """Print a line that a child process wrote."""
        self._console.print(f"[dim]{escape(name):>10} |[/dim] {escape(line)}")

    def block(self, lines: list[tuple[str, str]]) -> None:
        """Print what a person does next: a heading-like label and a value in each line."""
        self._console.print()
        for label, value in lines:
            self._console.print(f"  [bold]{escape(label):<16}[/bold]{escape(value)}")
        self._console.print()
