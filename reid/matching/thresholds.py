"""From which similarity on two tracks are one identity: measured for each embedder, read from ``thresholds.json``.

`benchmarks.reid_accuracy --calibrate` writes the file, with `calibration`.
"""

import itertools
import math
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from contract.errors import FarmError

FILE: Final = "thresholds.json"
Cosine = Annotated[float, Field(ge=-1, le=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]


class UncalibratedEmbedderError(FarmError, LookupError):
    """Nobody has measured which similarities of this embedder mean anything; the text says how to."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FalseMatchPoint(_Strict):
    """One point of the curve of false matches."""

    #: Part of the pairs of two different people that are at least so similar.
    rate: Annotated[float, Field(gt=0, le=1)]
    similarity: Cosine


class Likeness(_Strict):
    """What similarities of one kind of pair mean."""

    #: From many false matches to few; similarities do not fall.
    false_matches: Annotated[tuple[FalseMatchPoint, ...], Field(min_length=2)]
    #: Below this hardly any pair of the same person lies.
    lowest_genuine: Cosine

    @model_validator(mode="after")
    def _check_curve(self) -> Self:
        for before, after in itertools.pairwise(self.false_matches):
            if after.rate >= before.rate or after.similarity < before.similarity:
                raise ValueError("the rates of false_matches must fall, and the similarities must not")
        return self

    def at(self, rate: float) -> float:
        """Return the similarity that a part of `rate` of the strangers reach, between the points by logarithms.

        Outside the curve its outermost two points are continued: a large gallery holds more pairs than were measured.
        """
        wanted = math.log(rate)
        points = [(math.log(point.rate), point.similarity) for point in self.false_matches]
        last = len(points) - 1
        index = next((i for i in range(1, last) if points[i][0] <= wanted), last)
        (left, low), (right, high) = points[index - 1], points[index]
        return float(np.clip(low + (high - low) * (wanted - left) / (right - left), -1, 1))


class Thresholds(_Strict):
    """What the similarities of one embedder mean."""

    #: Name of the model, for people.
    embedder: str
    #: What was measured on, when, with how many pairs; for people.
    measured: str
    #: Mean of the embedder's embeddings of many people; see `camera_bias`.
    mean: Annotated[tuple[Cosine, ...], Field(min_length=1)]
    #: Strangers in one camera are more alike than in two.
    same_camera: Likeness
    other_camera: Likeness
    #: How alike two tracks of one person in one camera mostly are. In a camera that has seen little, strangers are as
    #: alike as people are elsewhere; only this tells them apart.
    certain: Cosine
    #: By how much the nearest must be nearer than the next one: what other crops of the same two tracks change.
    margin: Annotated[float, Field(ge=0, le=2)]
    #: Part of the strangers to a gallery who may be taken for somebody in it. A choice, not a measurement: at 0.05 half
    #: as many people again are named, and four times as many strangers are; see benchmarks/README.md.
    false_identification_rate: Rate = 0.02
    #: Part of them of whom may be said, for safety, that they are unknown and not new.
    doubt_rate: Rate = 0.2

    @cached_property
    def mean_vector(self) -> NDArray[np.float32]:
        """`mean`, shape (dimension,)."""
        return np.array(self.mean, np.float32)

    def somebody(self, compared: int, *, same_camera: bool, is_young: bool = False) -> float:
        """Return the similarity from which a track is the identity that it is nearest to.

        The more identities there are to be confused with, the higher it is: each of them has its own chance.

        Args:
            compared: Identities that the track was compared with, by an index or one by one.
            same_camera: Whether the two were seen by one camera.
            is_young: Whether that camera has seen little yet; see `camera_bias.ENOUGH_TRACKS`.
        """
        likeness = self._likeness(same_camera=same_camera)
        rate = self.false_identification_rate / max(compared, 1)
        lowest = self.certain if same_camera and is_young else likeness.lowest_genuine
        return max(lowest, likeness.at(rate))

    def nobody(self, compared: int, *, same_camera: bool) -> float:
        """Return the similarity below which a track is like everybody else, and so new; at most `somebody`."""
        likeness = self._likeness(same_camera=same_camera)
        by_chance = likeness.at(min(0.5, self.doubt_rate / max(compared, 1)))
        return min(max(likeness.lowest_genuine, by_chance), self.somebody(compared, same_camera=same_camera))

    def _likeness(self, *, same_camera: bool) -> Likeness:
        return self.same_camera if same_camera else self.other_camera


@cache
def load_thresholds() -> Mapping[str, Thresholds]:
    """Return the thresholds that come with this package, by `Embedder.version`."""
    text = resources.files("reid.matching").joinpath(FILE).read_text()
    return TypeAdapter(dict[str, Thresholds]).validate_json(text)


def thresholds_of(version: str, *, false_identification_rate: float | None = None) -> Thresholds:
    """Return the thresholds of an embedder.

    Args:
        version: `Embedder.version`.
        false_identification_rate: What `Thresholds` says of it; None: the default.

    Raises:
        UncalibratedEmbedderError: There are none.
    """
    known = load_thresholds()
    if version not in known:
        raise UncalibratedEmbedderError(
            f"no thresholds were measured for the embedder {version}; measure them with: "
            "python -m benchmarks.reid_accuracy --file WEIGHTS --name NAME --calibrate"
        )
    if false_identification_rate is None:
        return known[version]
    return known[version].model_copy(update={"false_identification_rate": false_identification_rate})
