"""From which similarity on two tracks are one identity: measured for each embedder, read from ``thresholds.json``.

`benchmarks.reid_accuracy --calibrate` writes the file. What it measures is in `calibration`.
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


class UncalibratedEmbedderError(FarmError, LookupError):
    """Nobody has measured which similarities of this embedder mean anything; the text says how to."""


class FalseMatchPoint(BaseModel):
    """One point of the curve of false matches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Part of the pairs of two different people that are at least so similar.
    rate: Annotated[float, Field(gt=0, le=1)]
    similarity: Cosine


class Thresholds(BaseModel):
    """What the similarities of one embedder mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Name of the model, for people.
    embedder: str
    #: What was measured on, when, with how many pairs; for people.
    measured: str
    #: Mean of the embedder's embeddings of many people; see `camera_bias`.
    mean: Annotated[tuple[Cosine, ...], Field(min_length=1)]
    #: From many false matches to few; similarities rise.
    false_matches: Annotated[tuple[FalseMatchPoint, ...], Field(min_length=2)]
    #: Below this hardly any pair of the same person lies: who has nobody nearer is new.
    nobody: Cosine
    #: By how much the nearest must be nearer than the next one.
    margin: Annotated[float, Field(ge=0, le=2)]
    #: Part of the decisions on people who are not in the gallery that may name somebody.
    false_identification_rate: Annotated[float, Field(gt=0, lt=1)] = 0.01

    @model_validator(mode="after")
    def _check_curve(self) -> Self:
        points = self.false_matches
        for before, after in itertools.pairwise(points):
            if after.rate >= before.rate or after.similarity < before.similarity:
                raise ValueError("the rates of false_matches must fall, and the similarities must not")
        return self

    @cached_property
    def mean_vector(self) -> NDArray[np.float32]:
        """`mean`, shape (dimension,)."""
        return np.array(self.mean, np.float32)

    def somebody(self, compared: int) -> float:
        """Return the similarity from which a track is the identity it is nearest to.

        The more identities there are to be confused with, the higher it is: each of them has its own chance.

        Args:
            compared: Identities that the track was compared with, by an index or one by one.
        """
        wanted = math.log(self.false_identification_rate / max(compared, 1))
        points = [(math.log(point.rate), point.similarity) for point in self.false_matches]
        # Outside the curve its last two points are continued: fewer pairs were measured than a large gallery has.
        index = next((i for i, (rate, _) in enumerate(points[1:-1], 1) if rate <= wanted), len(points) - 1)
        (left, low), (right, high) = points[index - 1], points[index]
        at = low + (high - low) * (wanted - left) / (right - left)
        return max(self.nobody, min(at, 1.0))


@cache
def load_thresholds() -> Mapping[str, Thresholds]:
    """Return the thresholds that come with this package, by `Embedder.version`."""
    text = resources.files("reid.matching").joinpath(FILE).read_text()
    return TypeAdapter(dict[str, Thresholds]).validate_json(text)


def thresholds_of(version: str) -> Thresholds:
    """Return the thresholds of an embedder.

    Raises:
        UncalibratedEmbedderError: There are none.
    """
    known = load_thresholds()
    if version not in known:
        raise UncalibratedEmbedderError(
            f"no thresholds were measured for the embedder {version}; measure them with: "
            "python -m benchmarks.reid_accuracy --model NAME --calibrate"
        )
    return known[version]
