"""Reads the stream of a wall of live views: messages, and the picture that belongs to each."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from camera_ctrler.api.wall_parts import BOUNDARY

Message = dict[str, Any]


def read_parts(chunks: Iterable[bytes]) -> Iterator[tuple[Message, bytes]]:
    """Yield each message with its picture, or with nothing where it has none."""
    waiting: Message | None = None
    for content_type, body in _parts(chunks):
        if content_type == "image/jpeg":
            assert waiting is not None, "a picture without a message"
            yield waiting, body
            waiting = None
            continue
        message = json.loads(body)
        assert waiting is None, "a message without its picture"
        if message["kind"] == "picture":
            waiting = message
        else:
            yield message, b""


def _parts(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    held = b""
    for chunk in chunks:
        held += chunk
        while b"\r\n\r\n" in held:
            head, _, rest = held.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            assert first == f"--{BOUNDARY}", first
            fields = dict(line.split(": ", 1) for line in lines)
            length = int(fields["Content-Length"])
            if len(rest) < length + 2:
                break
            assert rest[length : length + 2] == b"\r\n"
            held = rest[length + 2 :]
            yield fields["Content-Type"], rest[:length]
