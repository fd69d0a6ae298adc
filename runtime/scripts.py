"""Lua scripts, one file each in `lua/`: what must happen at once inside Redis."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import redis
from redis.client import Pipeline

_FOLDER: Final = Path(__file__).with_name("lua")


@cache
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.lua").read_text()


class Script:
    """One script on one client; loaded again by itself when the server has lost it."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._script = client.register_script(_source(name))

    def __call__(self, keys: list[str], args: list[Any]) -> int:
        """Run it with `keys` and `args` as its file describes them; return its answer."""
        return int(self._script(keys=keys, args=args))

    def answer(self, keys: list[str], args: list[Any]) -> Any:
        """Run it as well; return an answer that is no number, as redis-py has it."""
        return self._script(keys=keys, args=args)

    def queue(self, pipeline: Pipeline, keys: list[str], args: list[Any]) -> None:
        """Let it run as one command of `pipeline`; its answer is one of those of the pipeline."""
        self._script(keys=keys, args=args, client=pipeline)
