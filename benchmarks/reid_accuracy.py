"""How well does an embedder tell people apart, and what do the matcher's thresholds keep of what they promise?

Run: python -m benchmarks.reid_accuracy [--file WEIGHTS --name NAME] [--calibrate] [--json FILE]
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.machine import described
from benchmarks.recognition.measures import missed_at, ranking
from benchmarks.recognition.people import (
    DEFAULT_FILE,
    PEOPLE_DIR,
    PROJECT_DIR,
    People,
    embed_people,
    embedder_model,
)
from benchmarks.recognition.ways import WAYS
from reid.embedding.openvino_embedder import OpenVinoEmbedder
from reid.images import Embeddings
from reid.matching.appearance import Candidate, TrackEmbeddings
from reid.matching.calibration import Similarities, calibrate, margin
from reid.matching.camera_bias import CameraMeans, without_bias
from reid.matching.decision import decide
from reid.matching.similarity import set_similarity
from reid.matching.thresholds import FILE, Thresholds

CAMERAS: Final = ("01", "02")
#: Crops of one track, as workers choose them.
CROPS: Final = 4
#: Times that a pair of tracks is measured with other crops.
DRAWS: Final = 2
#: Ways in which people are divided for that; two of them meet in every other one.
SPLITS: Final = 12
#: Ways in which the people are divided into those learnt from and those tested.
HALVES: Final = 10


@dataclass(frozen=True, slots=True)
class Halves:
    """People whom the cameras have learnt from, and people who are new to them."""

    learnt: list[str]
    tested: list[str]


def halves(people: People, seed: int) -> Halves:
    """Divide the people; each seed does it otherwise."""
    order = np.random.default_rng(seed).permutation(people.names).tolist()
    return Halves(order[: len(order) // 2], order[len(order) // 2 :])


def unbiased(people: People, learnt: Sequence[str]) -> Embeddings:
    """Return all embeddings less what the cameras have learnt from `learnt`."""
    return without_bias(people.vectors, people.cameras.tolist(), people.means(learnt), people.mean(learnt))


def crops_of(people: People, person: str, camera: str, crops: int, chance: np.random.Generator) -> NDArray[np.intp]:
    """Return the places of some crops of one track."""
    return chance.permutation(people.of(person, camera))[:crops]


def track_similarities(
    vectors: Embeddings, people: People, tested: Sequence[str], seed: int, pair: tuple[str, str] = CAMERAS
) -> NDArray[np.float64]:
    """Return how alike the tracks of a camera are to those of another, shape (T, T), person by person."""
    chance = np.random.default_rng(seed)
    ours = [vectors[crops_of(people, person, pair[0], CROPS, chance)] for person in tested]
    theirs = [vectors[crops_of(people, person, pair[1], CROPS, chance)] for person in tested]
    return np.array([[set_similarity(a, b) for b in theirs] for a in ours])


def ranks(people: People) -> dict[str, dict[str, float]]:
    """Return rank-k and mAP of single crops and of tracks, as they are and without the cameras' bias."""
    ours, theirs = (people.cameras == camera for camera in CAMERAS)
    ids = people.ids
    found: dict[str, list[list[float]]] = {}

    def note(what: str, similarities: NDArray[np.floating[Any]], query: Sequence[str], gallery: Sequence[str]) -> None:
        score = ranking(similarities, query, gallery)
        found.setdefault(what, []).append([*score.rank.values(), score.mean_average_precision])

    note("crops", people.vectors[ours] @ people.vectors[theirs].T, ids[ours].tolist(), ids[theirs].tolist())
    for seed in range(HALVES):
        half = halves(people, seed)
        clean = unbiased(people, half.learnt)
        asked, kept = (mask & np.isin(ids, half.tested) for mask in (ours, theirs))
        for what, vectors in (("as they are", people.vectors), ("without bias", clean)):
            of_crops = vectors[asked] @ vectors[kept].T
            note(f"crops of 31 people, {what}", of_crops, ids[asked].tolist(), ids[kept].tolist())
            of_tracks = track_similarities(vectors, people, half.tested, seed)
            note(f"tracks of {CROPS} crops of 31 people, {what}", of_tracks, half.tested, half.tested)
    names = ("rank-1", "rank-5", "rank-10", "mAP")
    return {what: dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True)) for what, rows in found.items()}


def open_set(people: People) -> dict[str, dict[str, float]]:
    """Return the part of known people who are missed, at rates of strangers taken for somebody."""
    found: dict[str, list[list[float]]] = {}
    for seed in range(HALVES):
        half = halves(people, seed)
        for what, vectors in (("as they are", people.vectors), ("without bias", unbiased(people, half.learnt))):
            alike = track_similarities(vectors, people, half.tested, seed)
            mates = np.diag(alike).copy()
            others = alike.copy()
            np.fill_diagonal(others, -1)
            nearest = others.max(axis=1)
            found.setdefault(what, []).append(
                [missed_at(mates, mates > nearest, nearest, rate) for rate in (0.01, 0.1)]
            )
    names = ("FNIR at FPIR 1 %", "FNIR at FPIR 10 %")
    return {what: dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True)) for what, rows in found.items()}


def ways(people: People) -> dict[str, dict[str, float]]:
    """Return how well each way of comparing sets does, without bias, as they are and with a crop of another in each."""
    names = [f"{what}, {how}" for how in ("good crops", "one of another person") for what in ("rank-1", "FNIR at 10 %")]
    found: dict[str, list[list[float]]] = {}
    for seed in range(HALVES):
        half = halves(people, seed)
        clean = unbiased(people, half.learnt)
        sets = [_sets(clean, people, half.tested, seed, is_spoilt=is_spoilt) for is_spoilt in (False, True)]
        for what, way in WAYS.items():
            row = []
            for ours, theirs in sets:
                alike = np.array([[way(a, b) for b in theirs] for a in ours])
                mates = np.diag(alike).copy()
                np.fill_diagonal(alike, -1)
                nearest = alike.max(axis=1)
                row += [float((mates > nearest).mean()), missed_at(mates, mates > nearest, nearest, 0.1)]
            found.setdefault(what, []).append(row)
    return {what: dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True)) for what, rows in found.items()}


def _sets(
    vectors: Embeddings, people: People, tested: Sequence[str], seed: int, *, is_spoilt: bool
) -> tuple[list[Embeddings], list[Embeddings]]:
    """Return the crops of each person in each camera; spoilt: the first crop of each is one of somebody else."""
    chance = np.random.default_rng(seed)
    sides = []
    for camera in CAMERAS:
        places = [crops_of(people, person, camera, CROPS, chance) for person in tested]
        for index in range(len(tested) if is_spoilt else 0):
            other = (index + int(chance.integers(1, len(tested)))) % len(tested)
            places[index][0] = people.of(tested[other], camera)[-1]
        sides.append([vectors[each] for each in places])
    return sides[0], sides[1]


def strangers(people: People) -> dict[str, dict[str, float]]:
    """Return how alike strangers of two cameras are, at most, in 99 of 100 cases."""
    found: dict[str, list[float]] = {}
    for seed in range(HALVES):
        half = halves(people, seed)
        for what, vectors in (("as they are", people.vectors), ("without bias", unbiased(people, half.learnt))):
            alike = track_similarities(vectors, people, half.tested, seed)
            off = alike[~np.eye(len(alike), dtype=bool)]
            found.setdefault(what, []).append(float(np.quantile(off, 0.99)))
    return {what: {"strangers, 99 %": float(np.mean(values))} for what, values in found.items()}


def measured_pairs(people: People, persons: Sequence[str]) -> dict[str, tuple[Similarities, Similarities]]:
    """Return similarities of genuine and of impostor pairs, shape (P, draws), in one camera and across cameras.

    Every pair is measured with what the cameras learnt of other people than these two.
    """
    seen: dict[tuple[str, str, tuple[str, str]], list[float]] = defaultdict(list)
    for seed in range(SPLITS):
        order = np.random.default_rng(seed).permutation(persons).tolist()
        parts = order[: len(order) // 2], order[len(order) // 2 :]
        for tested, learnt in (parts, parts[::-1]):
            clean = unbiased(people, learnt)
            for pair in (CAMERAS, *((camera, camera) for camera in CAMERAS)):
                alike = _distinct_similarities(clean, people, tested, seed, pair)
                for (row, column), similarity in np.ndenumerate(alike):
                    seen[tested[row], tested[column], pair].append(similarity)

    def rows(*, same_camera: bool, same_person: bool) -> Similarities:
        return np.array(
            [
                values[:DRAWS]
                for (one, other, pair), values in seen.items()
                if (one == other) == same_person and (pair[0] == pair[1]) == same_camera and len(values) >= DRAWS
            ]
        )

    return {
        kind: (rows(same_camera=same, same_person=True), rows(same_camera=same, same_person=False))
        for kind, same in (("same_camera", True), ("other_camera", False))
    }


def _distinct_similarities(
    vectors: Embeddings, people: People, tested: Sequence[str], seed: int, pair: tuple[str, str]
) -> NDArray[np.float64]:
    """As `track_similarities`, but two tracks of one person in one camera share no crop."""
    if pair[0] != pair[1]:
        return track_similarities(vectors, people, tested, seed, pair)
    chance = np.random.default_rng(seed)
    orders = [chance.permutation(people.of(person, pair[0])) for person in tested]
    ours = [vectors[order[:CROPS]] for order in orders]
    theirs = [vectors[order[CROPS : 2 * CROPS]] for order in orders]
    return np.array([[set_similarity(a, b) for b in theirs] for a in ours])


def thresholds_from(people: People, persons: Sequence[str], name: str) -> Thresholds:
    """Return thresholds measured on some people."""
    pairs = measured_pairs(people, persons)
    counted = ", ".join(f"{kind} {len(genuine)} + {len(impostor)}" for kind, (genuine, impostor) in pairs.items())
    return Thresholds(
        embedder=name,
        measured=f"{datetime.now(UTC):%Y-%m-%d}: {len(persons)} people of PKU-Reid in two cameras, {CROPS} crops a "
        f"track; pairs of one person + of two: {counted}",
        mean=tuple(round(value, 4) for value in people.mean(persons).tolist()),
        # These people walk by each camera only once: how unlike they may be when they come again is not seen in it.
        same_camera=calibrate(pairs["other_camera"][0], pairs["same_camera"][1]),
        other_camera=calibrate(*pairs["other_camera"]),
        certain=round(float(np.median(pairs["same_camera"][0])), 4),
        margin=margin(*pairs["other_camera"]),
    )


def verdicts(people: People) -> dict[str, dict[str, float]]:
    """Return what is decided on people whom neither thresholds nor cameras were learnt from.

    Half of the tested ones are in the gallery, with a track of camera 1; all of them come by camera 2. A decision on
    somebody in the gallery can be right, wrong or none; on a stranger it can be new, wrong or none.
    """
    counts = {"known people": Counter[str](), "strangers": Counter[str]()}
    for seed in range(HALVES):
        half = halves(people, seed)
        thresholds = thresholds_from(people, half.learnt, "half of the people")
        _decide_all(people, half, thresholds, people.means(half.learnt), seed, counts)
    return {
        who: {verdict: count / sum(those.values()) for verdict, count in sorted(those.items())}
        for who, those in counts.items()
    }


def _decide_all(
    people: People, half: Halves, thresholds: Thresholds, means: CameraMeans, seed: int, counts: dict[str, Counter[str]]
) -> None:
    chance = np.random.default_rng(seed)
    quality = np.ones(CROPS, np.float32)
    kept = half.tested[: len(half.tested) // 2]
    gallery = [
        Candidate(
            person,
            "v",
            people.vectors[crops_of(people, person, CAMERAS[0], CROPS, chance)],
            [CAMERAS[0]] * CROPS,
            quality,
        )
        for person in kept
    ]
    for person in half.tested:
        crops = people.vectors[crops_of(people, person, CAMERAS[1], CROPS, chance)]
        decision = decide(TrackEmbeddings("v", CAMERAS[1], crops, quality), gallery, thresholds, means=means)
        outcome = decision.verdict if decision.identity is None else "right" if decision.identity == person else "wrong"
        counts["known people" if person in kept else "strangers"][outcome] += 1


def write_thresholds(version: str, thresholds: Thresholds) -> None:
    """Put the thresholds of one embedder into the file of the package."""
    file = PROJECT_DIR / "reid" / "matching" / FILE
    known = json.loads(file.read_text())
    known[version] = thresholds.model_dump(mode="json", exclude={"false_identification_rate", "doubt_rate"})
    # One line for each embedder: its mean has hundreds of numbers.
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(known.items()))
    file.write_text("{\n" + lines + "\n}\n")


def table(rows: dict[str, dict[str, float]]) -> str:
    """Return rows as a table."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {what} | " + " | ".join(f"{row[column]:.3f}" if column in row else "" for column in columns) + " |"
        for what, row in rows.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--name", default="osnet-x0-25-msmt17")
    parser.add_argument("--people", type=Path, default=PEOPLE_DIR)
    parser.add_argument("--calibrate", action="store_true", help="write the thresholds into the package")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    embedder = OpenVinoEmbedder(embedder_model(arguments.file, arguments.name))
    people = embed_people(embedder, arguments.people)
    results = {
        "ranks": ranks(people),
        "open set": open_set(people),
        "strangers": strangers(people),
        "ways": ways(people),
        "verdicts": verdicts(people),
    }
    for rows in results.values():
        print(table(rows), end="\n\n")
    if arguments.calibrate:
        write_thresholds(embedder.version, thresholds_from(people, people.names, arguments.name))
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"machine": described(), "embedder": arguments.name, **results}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
