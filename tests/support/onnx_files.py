"""Writes small ONNX models for tests, byte by byte: nothing that CamFarm needs brings a library that does.

Source:
    The messages of onnx/onnx.proto; numbers below are those of its fields.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

#: `TensorProto.FLOAT`.
_FLOAT: Final = 1
#: `AttributeProto.INT` and `INTS`.
_INT, _INTS = 2, 7


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _ints(name: str, values: Sequence[int]) -> bytes:
    return _bytes(5, _bytes(1, name) + b"".join(_number(8, value) for value in values) + _number(20, _INTS))


def _int(name: str, value: int) -> bytes:
    return _bytes(5, _bytes(1, name) + _number(3, value) + _number(20, _INT))


def _node(kind: str, taken: str, given: str, attributes: bytes = b"") -> bytes:
    return _bytes(1, _bytes(1, taken) + _bytes(2, given) + _bytes(4, kind) + attributes)


def _tensor(name: str, shape: Sequence[int | str]) -> bytes:
    sides = b"".join(_bytes(1, _number(1, side) if isinstance(side, int) else _bytes(2, side)) for side in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, sides)))


def write_embedder(
    file: Path,
    *,
    batch: int | str = "batch",
    channels: int = 3,
    is_flat: bool = True,
    fails_on_dark: bool = False,
    size: tuple[int, int] = (256, 128),
) -> Path:
    """Write a model whose embedding of a picture is the mean of each of its planes in tiles of 64 pixels.

    Args:
        file: Where to.
        batch: Pictures at once, or a name: any number.
        channels: Planes of the input.
        is_flat: Whether it answers one row of numbers to a picture, as embedders do, or planes.
        fails_on_dark: Answer what is no number where a tile is darker than the mean of ImageNet.
        size: Height and width, multiples of 64.
    """
    tile = _ints("kernel_shape", (64, 64)) + _ints("strides", (64, 64))
    nodes = _node("AveragePool", "images", "tiles", tile)
    nodes += _node("Sqrt", "tiles", "roots") if fails_on_dark else b""
    last = "roots" if fails_on_dark else "tiles"
    nodes += _node("Flatten", last, "embeddings", _int("axis", 1)) if is_flat else _node("Abs", last, "embeddings")
    tiles = (size[0] // 64, size[1] // 64)
    answer: list[int | str] = [batch, channels * tiles[0] * tiles[1]] if is_flat else [batch, channels, *tiles]
    graph = nodes + _bytes(2, "embedder")
    graph += _bytes(11, _tensor("images", [batch, channels, *size])) + _bytes(12, _tensor("embeddings", answer))
    opset = _bytes(1, "") + _number(2, 13)
    file.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, opset))
    return file
