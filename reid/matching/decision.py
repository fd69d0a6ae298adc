"""Is it somebody known, somebody new, or is it better to say nothing? Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contract.ids import CameraId
from reid.images import Embeddings
from reid.matching.appearance import Candidate, TrackEmbeddings
from reid.matching.camera_bias import CameraMeans, without_bias
from reid.matching.similarity import set_similarity
from reid.matching.thresholds import Thresholds

#: ``known``: the identity is `Decision.identity`. ``new``: nobody is alike, an identity begins.
#: ``unknown``: somebody is alike, and not enough; the track stays without an identity.
Verdict = Literal["known", "new", "unknown"]
Reason = Literal["alike", "nobody-alike", "not-alike-enough", "two-alike", "nothing-seen"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on one track, and by how much."""

    verdict: Verdict
    reason: Reason
    #: The identity, where it is known.
    identity: str | None = None
    #: Who is nearest, also where that is not enough; for people to look at.
    nearest: str | None = None
    #: How alike it is, in [-1, 1]; None where there was nobody to compare with.
    similarity: float | None = None
    #: The same of the next one.
    runner_up: float | None = None
    #: What `similarity` had to reach.
    threshold: float | None = None


def decide(
    query: TrackEmbeddings,
    candidates: Sequence[Candidate],
    thresholds: Thresholds,
    *,
    means: CameraMeans,
    compared: int | None = None,
) -> Decision:
    """Decide which identity a track is. Prefers ``unknown`` to a wrong one.

    Args:
        query: The track.
        candidates: Identities that are nearest to it, in any order, each once.
        thresholds: Those of the embedder.
        means: What the cameras have seen so far; a camera that is not among them has the embedder's mean.
        compared: Identities that the candidates were chosen from; None: there are no others.

    Raises:
        ValueError: A candidate's embeddings are another model's.
    """
    _check_versions(query, candidates)
    if not len(query.vectors):
        return Decision("unknown", "nothing-seen")
    scored = _scored(query, candidates, thresholds, means)
    if not scored:
        return Decision("new", "nobody-alike")
    best, nearest = scored[0]
    runner_up = scored[1][0] if len(scored) > 1 else None
    threshold = thresholds.somebody(max(compared or 0, len(scored)))
    verdict, reason = _judge(best, runner_up, threshold, thresholds)
    return Decision(
        verdict=verdict,
        reason=reason,
        identity=nearest if verdict == "known" else None,
        nearest=nearest,
        similarity=best,
        runner_up=runner_up,
        threshold=threshold,
    )


def _scored(
    query: TrackEmbeddings, candidates: Sequence[Candidate], thresholds: Thresholds, means: CameraMeans
) -> list[tuple[float, str]]:
    """Return how alike each possible candidate is, the nearest first."""
    possible = [each for each in candidates if each.is_possible and len(each.vectors)]
    seen = _unbiased(query.vectors, [query.camera] * len(query.vectors), thresholds, means)
    return sorted(
        (
            (set_similarity(seen, _unbiased(each.vectors, each.cameras, thresholds, means)), each.identity)
            for each in possible
        ),
        reverse=True,
    )


def _unbiased(
    vectors: Embeddings, cameras: Sequence[CameraId], thresholds: Thresholds, means: CameraMeans
) -> Embeddings:
    return without_bias(vectors, cameras, means, thresholds.mean_vector)


def _judge(best: float, runner_up: float | None, threshold: float, thresholds: Thresholds) -> tuple[Verdict, Reason]:
    if best < thresholds.nobody:
        return "new", "nobody-alike"
    if best < threshold:
        return "unknown", "not-alike-enough"
    if runner_up is not None and best - runner_up < thresholds.margin:
        return "unknown", "two-alike"
    return "known", "alike"


def _check_versions(query: TrackEmbeddings, candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        if candidate.version != query.version:
            raise ValueError(
                f"identity {candidate.identity} has embeddings of {candidate.version}, the track of {query.version}; "
                "embeddings of different models are never compared"
            )
