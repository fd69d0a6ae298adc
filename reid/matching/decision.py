"""Is it somebody known, somebody new, or is it better to say nothing? Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reid.matching.appearance import Candidate, TrackEmbeddings
from reid.matching.camera_bias import ENOUGH_TRACKS, CameraMeans, without_bias
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
    #: What `similarity` had to reach.
    threshold: float | None = None
    #: By how much the next one was less alike, each measured against its own threshold; None where there was none.
    lead: float | None = None


@dataclass(frozen=True, slots=True)
class _Scored:
    identity: str
    similarity: float
    #: From where on it is this identity, and below where it is like everybody else.
    somebody: float
    nobody: float

    @property
    def excess(self) -> float:
        return self.similarity - self.somebody


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
    possible = [each for each in candidates if each.is_possible and len(each.vectors)]
    if not possible:
        return Decision("new", "nobody-alike")
    scored = _scored(query, possible, thresholds, means, max(compared or 0, len(possible)))
    best = scored[0]
    lead = best.excess - scored[1].excess if len(scored) > 1 else None
    verdict, reason = _judge(best, lead, thresholds.margin)
    return Decision(
        verdict=verdict,
        reason=reason,
        identity=best.identity if verdict == "known" else None,
        nearest=best.identity,
        similarity=best.similarity,
        threshold=best.somebody,
        lead=lead,
    )


def _judge(best: _Scored, lead: float | None, margin: float) -> tuple[Verdict, Reason]:
    if best.similarity < best.nobody:
        return "new", "nobody-alike"
    if best.similarity < best.somebody:
        return "unknown", "not-alike-enough"
    if lead is not None and lead < margin:
        return "unknown", "two-alike"
    return "known", "alike"


def _scored(
    query: TrackEmbeddings, candidates: Sequence[Candidate], thresholds: Thresholds, means: CameraMeans, compared: int
) -> list[_Scored]:
    """Return how alike each candidate is where it is most alike: in this camera, or in others; the best first."""
    mean = thresholds.mean_vector
    known = means.get(query.camera)
    is_young = known is None or known.tracks < ENOUGH_TRACKS
    seen = without_bias(query.vectors, [query.camera] * len(query.vectors), means, mean)
    scored = []
    for each in candidates:
        theirs = without_bias(each.vectors, each.cameras, means, mean)
        here = [camera == query.camera for camera in each.cameras]
        scored.append(
            max(
                (
                    _Scored(
                        each.identity,
                        set_similarity(seen, theirs[[is_here == same_camera for is_here in here]]),
                        thresholds.somebody(compared, same_camera=same_camera, is_young=is_young),
                        thresholds.nobody(compared, same_camera=same_camera),
                    )
                    for same_camera in set(here)
                ),
                key=lambda one: one.excess,
            )
        )
    return sorted(scored, key=lambda one: (-one.excess, one.identity))


def _check_versions(query: TrackEmbeddings, candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        if candidate.version != query.version:
            raise ValueError(
                f"identity {candidate.identity} has embeddings of {candidate.version}, the track of {query.version}; "
                "embeddings of different models are never compared"
            )
