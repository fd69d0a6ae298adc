"""Reads messages of the contract from what Redis holds."""

from collections.abc import Collection
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

Message = TypeVar("Message", bound=BaseModel)


def read_message(kind: type[Message], text: bytes | None) -> Message | None:
    """Return the message in `text`; None where there is none, or one that another version wrote."""
    if text is None:
        return None
    try:
        return kind.model_validate_json(text)
    except ValidationError:  # as good as not written
        return None


class ParsedMessages(Generic[Message]):
    """Keeps messages by what they were read from, so that one that has not changed is not parsed again.

    Who gets a message must not change it. Safe to use from several threads, which at worst parse twice.
    """

    def __init__(self, kind: type[Message]) -> None:
        self._kind = kind
        self._kept: dict[str, tuple[bytes, Message]] = {}

    def read(self, name: str, text: bytes | None) -> Message | None:
        """Return the message of `name`, whose text is now `text`; None as `read_message` has it."""
        kept = self._kept.get(name)
        if kept is not None and kept[0] == text:
            return kept[1]
        message = read_message(self._kind, text)
        if message is None or text is None:
            self._kept.pop(name, None)
        else:
            self._kept[name] = (text, message)
        return message

    def keep_only(self, names: Collection[str]) -> None:
        """Forget all others; `names` is a set or a mapping."""
        for name in list(self._kept):
            if name not in names:
                self._kept.pop(name, None)
