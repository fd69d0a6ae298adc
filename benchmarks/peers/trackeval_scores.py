"""Scores of TrackEval 1.3.0 for what `tracking_accuracy --keep FOLDER` has kept: means over each rate's phases.

Run by `tracking_accuracy --trackeval PYTHON` in an environment that has it: `pip install trackeval==1.3.0`.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import trackeval  # type: ignore[import-not-found]  # in an environment of its own


def main(folder: Path) -> None:
    """Print a line for each sampling and tracker."""
    kinds = sorted(each.name for each in (folder / "trackers").iterdir())
    sequences = sorted(each.name for each in (folder / "truth").iterdir())
    files = {
        name: [folder / "truth" / name / "truth.txt"]
        + [folder / "trackers" / kind / "data" / f"{name}.txt" for kind in kinds]
        for name in sequences
    }
    lengths = {
        name: max(int(line.split(",")[0]) for file in found for line in file.read_text().splitlines())
        for name, found in files.items()
    }
    quiet = {"PRINT_CONFIG": False, "PRINT_RESULTS": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False}
    dataset = trackeval.datasets.MotChallenge2DBox(
        {
            "GT_FOLDER": str(folder / "truth"),
            "TRACKERS_FOLDER": str(folder / "trackers"),
            "TRACKERS_TO_EVAL": kinds,
            "BENCHMARK": "MOT15",
            "SKIP_SPLIT_FOL": True,
            "GT_LOC_FORMAT": "{gt_folder}/{seq}/truth.txt",
            "SEQ_INFO": lengths,
            "PRINT_CONFIG": False,
        }
    )
    evaluator = trackeval.Evaluator({**quiet, "PLOT_CURVES": False, "TIME_PROGRESS": False, "BREAK_ON_ERROR": True})
    metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(quiet), trackeval.metrics.Identity(quiet)]
    results, _ = evaluator.evaluate([dataset], metrics)
    print("\n| TrackEval: HOTA / IDF1 / MOTA | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|", sep="\n")
    samplings = defaultdict(list)
    for name in sequences:
        samplings[name.rpartition(" ")[0]].append(name)
    for sampling, names in samplings.items():
        cells = []
        for kind in kinds:
            found = [results["MotChallenge2DBox"][kind][name]["pedestrian"] for name in names]
            hota = np.mean([np.mean(each["HOTA"]["HOTA"]) for each in found])
            idf1, mota = (np.mean([each[a][b] for each in found]) for a, b in (("Identity", "IDF1"), ("CLEAR", "MOTA")))
            cells.append(f"{hota:.3f} / {idf1:.3f} / {mota:.3f}")
        print(f"| {sampling} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
