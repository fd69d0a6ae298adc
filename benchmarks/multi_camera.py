"""Whom do two cameras both see? Precision and recall of identities, on tracks labelled by people.

Run: python -m benchmarks.multi_camera [--scene plaza | demo] [--fps 5] [--json FILE]
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.load.machine import described
from benchmarks.recognition.people import DEFAULT_FILE, embedder_model
from benchmarks.recognition.recorded import SeenTrack, overlap, tracks_of
from benchmarks.recognition.scenes import SCENES, Place, Scene
from contract.detections import Xyxy
from reid.embedding.openvino_embedder import OpenVinoEmbedder
from reid.images import BgrImage, Embeddings
from reid.matching.appearance import Candidate, TrackEmbeddings
from reid.matching.camera_bias import CameraMean, with_track, without_bias
from reid.matching.decision import decide
from reid.matching.similarity import set_similarity
from reid.matching.thresholds import Thresholds, thresholds_of
from reid.matching.topology import Topology, may_have_moved

#: A crop is what was labelled if its box is so much of it, at nearly the same time.
SAME_BOX: Final = 0.5
SAME_MS: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """One track with what the embedder made of its crops, and who it is."""

    track: SeenTrack
    query: TrackEmbeddings
    #: None: more than one person, or a shadow.
    person: str | None


@dataclass(frozen=True, slots=True)
class PairScore:
    """How well pairs of tracks are told to be one person, or two."""

    precision: float
    recall: float
    pairs: int

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def person_of(track: SeenTrack, labels: dict[str, list[Place]]) -> str | None:
    """Return who more than half of a track's crops show."""
    votes = Counter(_shown(cut.captured_at_ms, cut.xyxy, track.camera, labels) for cut in track.cuts)
    person, count = votes.most_common(1)[0]
    return person if 2 * count > len(track.cuts) else None


def _shown(at_ms: int, xyxy: Xyxy, camera: str, labels: dict[str, list[Place]]) -> str | None:
    fitting = [
        (overlap(xyxy, box), person)
        for person, boxes in labels.items()
        for where, when, box in boxes
        if where == camera and abs(when - at_ms) <= SAME_MS
    ]
    best = max(fitting, default=(0.0, ""))
    return best[1] if best[0] >= SAME_BOX else None


def embed_tracks(
    tracks: Sequence[SeenTrack], embedder: OpenVinoEmbedder, labels: dict[str, list[Place]]
) -> list[Embedded]:
    """Return the tracks embedded and labelled."""
    embedded = []
    for track in tracks:
        images = [_decoded(cut.jpeg) for cut in track.cuts]
        qualities = np.array([cut.quality for cut in track.cuts], np.float32)
        query = TrackEmbeddings(embedder.version, track.camera, embedder.embed(images), qualities)
        embedded.append(Embedded(track, query, person_of(track, labels)))
    return embedded


def _decoded(jpeg: bytes) -> BgrImage:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def identify(
    tracks: Sequence[Embedded], thresholds: Thresholds, topology: Topology
) -> tuple[list[str | None], Counter[str]]:
    """Return the identity of each track, decided one after the other as the gallery does, and the verdicts."""
    gallery: dict[str, list[Embedded]] = {}
    means: dict[str, CameraMean] = {}
    given: list[str | None] = []
    verdicts: Counter[str] = Counter()
    for number, each in enumerate(tracks):
        candidates = [
            _candidate(identity, looks, is_possible=_is_possible(looks[-1].track, each.track, topology))
            for identity, looks in gallery.items()
        ]
        decision = decide(each.query, candidates, thresholds, means=means)
        identity = str(number) if decision.verdict == "new" else decision.identity
        if identity is not None:
            gallery.setdefault(identity, []).append(each)
        means[each.query.camera] = with_track(means.get(each.query.camera), each.query.vectors)
        given.append(identity)
        verdicts[decision.verdict] += 1
    return given, verdicts


def _is_possible(before: SeenTrack, now: SeenTrack, topology: Topology) -> bool:
    return may_have_moved(before.camera, now.camera, now.started_ms - before.ended_ms, topology)


def _candidate(identity: str, looks: Sequence[Embedded], *, is_possible: bool) -> Candidate:
    queries = [one.query for one in looks]
    return Candidate(
        identity,
        queries[0].version,
        np.concatenate([one.vectors for one in queries]),
        [one.camera for one in queries for _ in one.vectors],
        np.concatenate([one.qualities for one in queries]),
        is_possible,
    )


def score(tracks: Sequence[Embedded], given: Sequence[str | None], *, across: bool) -> PairScore:
    """Return precision and recall of the pairs of labelled tracks that have one identity.

    Args:
        tracks: All.
        given: Identity of each; None is nobody's.
        across: Pairs of two cameras only, or all.
    """
    told = right = true = 0
    labelled = [(one, identity) for one, identity in zip(tracks, given, strict=True) if one.person is not None]
    for (a, a_identity), (b, b_identity) in combinations(labelled, 2):
        if across and a.track.camera == b.track.camera:
            continue
        is_told = a_identity is not None and a_identity == b_identity
        is_true = a.person == b.person
        told, right, true = told + is_told, right + (is_told and is_true), true + is_true
    return PairScore(right / told if told else 1.0, right / true if true else 1.0, true)


def _across(tracks: Sequence[Embedded], vectors: Sequence[Embeddings]) -> list[tuple[float, bool]]:
    """Return how alike each pair of labelled tracks of two cameras is, and whether it is one person."""
    labelled = [(one, its) for one, its in zip(tracks, vectors, strict=True) if one.person is not None]
    return [
        (set_similarity(a_vectors, b_vectors), a.person == b.person)
        for (a, a_vectors), (b, b_vectors) in combinations(labelled, 2)
        if a.track.camera != b.track.camera
    ]


def stranger_likeness(tracks: Sequence[Embedded], vectors: Sequence[Embeddings]) -> float:
    """Return the similarity that one pair of strangers in a hundred reaches."""
    return float(np.quantile([alike for alike, is_true in _across(tracks, vectors) if not is_true], 0.99))


def in_hindsight(tracks: Sequence[Embedded], vectors: Sequence[Embeddings]) -> PairScore:
    """Return what the best threshold there is would reach on pairs across cameras, chosen by looking at the truth."""
    pairs = _across(tracks, vectors)
    true = sum(is_true for _, is_true in pairs)
    best = PairScore(0.0, 0.0, true)
    right = 0
    for told, (_, is_true) in enumerate(sorted(pairs, reverse=True), 1):
        right += is_true
        candidate = PairScore(right / told, right / true, true)
        best = max(best, candidate, key=lambda one: one.f1)
    return best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--scene", choices=sorted(SCENES), default="plaza")
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    embedder = OpenVinoEmbedder(embedder_model(arguments.file, arguments.file.stem))
    scene = SCENES[arguments.scene]()
    tracks = embed_tracks(tracks_of(scene.cameras, arguments.fps), embedder, scene.labels)
    report(tracks, thresholds_of(embedder.version), scene, arguments.json)


def report(tracks: Sequence[Embedded], thresholds: Thresholds, scene: Scene, file: Path | None) -> None:
    """Print the table, and write it where a file is given."""
    labelled = [one for one in tracks if one.person is not None]
    one_view, other = ({one.person for one in labelled if one.track.camera == each.name} for each in scene.cameras)
    both = one_view & other
    print(f"{len(tracks)} tracks, {len(labelled)} of one person each, {len(both)} people in both cameras\n")
    means: dict[str, CameraMean] = {}
    for one in tracks:
        means[one.query.camera] = with_track(means.get(one.query.camera), one.query.vectors)
    raw = [one.query.vectors for one in tracks]
    clean = [
        without_bias(one.query.vectors, [one.query.camera] * len(one.query.vectors), means, thresholds.mean_vector)
        for one in tracks
    ]
    rows: dict[str, tuple[PairScore, PairScore | None, Counter[str]]] = {}
    for rate in (0.01, 0.02, 0.05, 0.1):
        for said, topology in (("", Topology()), (", ways of 20 s at most", scene.said)):
            chosen = thresholds.model_copy(update={"false_identification_rate": rate})
            given, verdicts = identify(tracks, chosen, topology)
            what = f"strangers taken for somebody at {rate:.0%}{said}"
            rows[what] = (score(tracks, given, across=True), score(tracks, given, across=False), verdicts)
    rows["best threshold in hindsight"] = (in_hindsight(tracks, clean), None, Counter())
    rows["the same, with the cameras' bias"] = (in_hindsight(tracks, raw), None, Counter())
    for what, vectors in (("as they are", raw), ("without the cameras' bias", clean)):
        print(f"Strangers across cameras, {what}: 99 % are less alike than {stranger_likeness(tracks, vectors):.2f}")
    print(
        "\n| | across cameras: precision | recall | F1 | all pairs: precision | recall | F1 | known / new / unknown |"
    )
    print("|---" * 8 + "|")
    for what, (across, every, verdicts) in rows.items():
        cells = [
            f"{one.precision:.2f} | {one.recall:.2f} | {one.f1:.2f}" if one else " | | " for one in (across, every)
        ]
        told = " / ".join(str(verdicts[kind]) for kind in ("known", "new", "unknown")) if verdicts else ""
        print(f"| {what} | {' | '.join(cells)} | {told} |")
    if file:
        results = {
            what: {"across cameras": _plain(across), "all pairs": _plain(every), "verdicts": dict(verdicts)}
            for what, (across, every, verdicts) in rows.items()
        }
        file.write_text(json.dumps({"machine": described(), "people in both": len(both), **results}, indent=1) + "\n")


def _plain(one: PairScore | None) -> dict[str, float] | None:
    if one is None:
        return None
    return {"precision": one.precision, "recall": one.recall, "f1": one.f1, "pairs": one.pairs}


if __name__ == "__main__":
    main()
