"""Makes thresholds of measured similarities. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.errors import FarmError
from reid.matching.thresholds import FalseMatchPoint, Likeness

#: Shape (P, R): similarities of P pairs of tracks, each measured R times with other crops of the same tracks.
Similarities = NDArray[np.float64]

#: Rates of false matches at which the curve has points, as far as there are pairs enough.
RATES: Final = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
#: Pairs that must lie above a point for it to be believed.
ENOUGH_ABOVE: Final = 10
#: Part of the pairs of one person that may lie below `Likeness.lowest_genuine`.
LOST_PART: Final = 0.02


class TooFewPairsError(FarmError, ValueError):
    """There are too few pairs to say anything; the text says how many there are and must be."""


def calibrate(genuine: Similarities, impostor: Similarities, *, rates: Sequence[float] = RATES) -> Likeness:
    """Return what similarities mean.

    Args:
        genuine: Of pairs of tracks of one person.
        impostor: Of pairs of tracks of two people.
        rates: Rates of false matches to look for, falling.

    Raises:
        TooFewPairsError: There is nobody to be confused with, or nobody seen twice.
    """
    if not genuine.size:
        raise TooFewPairsError("no person was seen twice; calibrate on people who were")
    # Those measured again with other crops are no new pairs: how many there are is counted without them.
    usable = [rate for rate in rates if rate * len(impostor) >= ENOUGH_ABOVE]
    if len(usable) < 2:
        raise TooFewPairsError(
            f"there are {len(impostor)} pairs of different people; for rates of {rates[0]} and {rates[1]} it takes "
            f"{int(np.ceil(ENOUGH_ABOVE / rates[1]))}"
        )
    similarities = np.maximum.accumulate(np.quantile(impostor, [1 - rate for rate in usable]))
    return Likeness(
        false_matches=tuple(
            FalseMatchPoint(rate=rate, similarity=round(float(similarity), 4))
            for rate, similarity in zip(usable, similarities, strict=True)
        ),
        lowest_genuine=round(float(np.quantile(genuine, LOST_PART)), 4),
    )


def margin(*measured: Similarities) -> float:
    """Return by how much a similarity changes with other crops of the same tracks: one standard deviation.

    Args:
        measured: Of pairs of any kind, R at least 2.
    """
    variances = np.concatenate([each.var(axis=1, ddof=1) for each in measured])
    return round(float(np.sqrt(variances.mean())), 4)
