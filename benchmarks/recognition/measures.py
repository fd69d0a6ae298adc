"""Measures of recognition: rank-k, mAP, and the open-set curve."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Shape (queries, gallery).
SimilarityMatrix = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well the right ones are found, each in [0, 1]."""

    #: Part of the queries that have a right one among the k nearest, by k.
    rank: dict[int, float]
    mean_average_precision: float


def ranking(
    similarities: SimilarityMatrix, query_ids: Sequence[str], gallery_ids: Sequence[str], ks: Sequence[int] = (1, 5, 10)
) -> Ranking:
    """Score queries against a gallery in which each of them has somebody.

    Args:
        similarities: Shape (Q, G).
        query_ids: Q of them.
        gallery_ids: G of them.
        ks: Which ranks.

    Source:
        Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015, section 4; average precision is the
        mean of the precisions at the right ones, without interpolation.
    """
    order = np.argsort(-similarities, axis=1, kind="stable")
    right = np.asarray(gallery_ids)[order] == np.asarray(query_ids)[:, None]
    first = right.argmax(axis=1)
    found = right.cumsum(axis=1)
    precisions = found / np.arange(1, right.shape[1] + 1)
    average = (precisions * right).sum(axis=1) / right.sum(axis=1)
    return Ranking({k: float((first < k).mean()) for k in ks}, float(average.mean()))


def missed_at(
    mates: NDArray[np.floating], is_nearest: NDArray[np.bool_], strangers: NDArray[np.floating], rate: float
) -> float:
    """Return the part of known people who are missed where a part `rate` of the strangers is taken for somebody.

    FNIR at a given FPIR: a known person is found where its own identity is the nearest and reaches the threshold.

    Args:
        mates: Shape (Q,), similarity of each known person to its own identity.
        is_nearest: Shape (Q,), whether that was the nearest one.
        strangers: Shape (S,), similarity of each stranger to whoever is nearest.
        rate: In (0, 1).

    Source:
        Grother, Ngan, Hanaoka, "Face Recognition Vendor Test Part 2: Identification", NISTIR 8271, section 3.
    """
    threshold = np.quantile(strangers, 1 - rate)
    return float(1 - (is_nearest & (mates > threshold)).mean())
