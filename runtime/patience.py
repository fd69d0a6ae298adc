"""Asks what may hang for as long as it likes, on a thread that keeps nobody waiting."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")


def on_its_own(ask: Callable[[], Answer], name: str) -> Future[Answer]:
    """Return what `ask` will answer, asked on a daemon thread called `name`.

    An executor's thread would keep the process from ending while it hangs.
    """
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:  # raised again where the answer is taken
            answer.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return answer
