"""How soon is a camera analysed again when it answers again, and what do others notice of dead ones? Real streams.

Run: python -m benchmarks.camera_recovery [--outages 24] [--quick] [--out FILE.json]
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.support.clips import Clips
from tests.support.fault_farm import PRODUCT_TIMES, FaultFarm, fault_farm, now_ms
from tests.support.rtsp_server import RtspServer

#: Analysed frames per second of every camera.
ANALYSE_FPS: Final = 2.0
#: How long the camera's host is away, one after the other: a restart of a service, of a camera, a pulled plug.
AWAY_SECONDS: Final = (0.2, 1.0, 3.0, 8.0)
CALM_SECONDS: Final = 20.0
#: Defaults of the product, where the tests' farm has shorter limits.
SETTINGS: Final = {
    "FARM_DETECT_SIZE": "320",
    "FARM_DETECT_THREADS": "1",
    **PRODUCT_TIMES,
}
STEADY: Final = ("steady1", "steady2", "steady3", "steady4")


def lost_by_others(farm: FaultFarm, since_ms: int) -> dict[str, int]:
    """Return due frames that the steady cameras missed since then, and their longest distance of two frames."""
    gaps = []
    for name in STEADY:
        times = [result.captured_at_ms for result in farm.watcher.results(name)]
        gaps += [later - first for first, later in pairwise(times) if later >= since_ms]
    lost = sum(max(0, round(gap / 1_000 * ANALYSE_FPS) - 1) for gap in gaps)
    return {"frames": len(gaps), "frames_lost": lost, "longest_gap_ms": max(gaps, default=0)}


def recover(farm: FaultFarm, host: RtspServer, outages: int, console: Console) -> list[dict[str, float]]:
    """Stop and start a camera's host; return for each time how long it was away and until it was analysed again."""
    found = []
    for number in range(outages):
        away = AWAY_SECONDS[number % len(AWAY_SECONDS)]
        host.stop()
        farm.wait_status("shaky", state="offline", seconds=60)
        threading.Event().wait(away)
        host.start()
        answered = time.monotonic()
        before = len(farm.watcher.acceptances("shaky"))
        farm.farm.wait_for(lambda seen=before: len(farm.watcher.acceptances("shaky")) > seen, "it is analysed", 60)  # type: ignore[misc]
        took_ms = (farm.watcher.acceptances("shaky")[before].seen_at - answered) * 1_000
        found.append({"away_seconds": away, "recovery_ms": took_ms})
        console.print(f"away for {away} s: {took_ms:,.0f} ms")
    return found


def run(outages: int, calm_seconds: float, console: Console) -> dict[str, Any]:
    """Let cameras fail; return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder) / "shaky"
        media.mkdir()
        Clips(media).make("cam", fps=10, gop=10, seconds=20)
        with (
            RtspServer(media) as shaky,
            RtspServer(media) as never,
            fault_farm(
                Path(folder), workers=("one",), cameras=STEADY, analyse_fps=ANALYSE_FPS, defaults=SETTINGS
            ) as farm,
        ):
            never.stop()
            farm.wait_analysed()
            since_ms = now_ms()
            threading.Event().wait(calm_seconds)
            calm = lost_by_others(farm, since_ms)

            since_ms = now_ms()
            farm.farm.add_camera("dead", never.url("cam"), analyse_fps=ANALYSE_FPS)
            farm.farm.add_camera("shaky", shaky.url("cam"), analyse_fps=ANALYSE_FPS)
            farm.farm.wait_online("shaky")
            farm.wait_status("dead", state="offline")
            threading.Event().wait(calm_seconds / 2)
            dead_at_start = lost_by_others(farm, since_ms)

            since_ms = now_ms()
            recoveries = recover(farm, shaky, outages, console)
            dropped = lost_by_others(farm, since_ms)
    took = [each["recovery_ms"] for each in recoveries]
    return {
        "outages": len(took),
        "recovery_ms": {
            "p50": float(np.percentile(took, 50)),
            "p95": float(np.percentile(took, 95)),
            "max": max(took),
        },
        "others_undisturbed": calm,
        "others_beside_a_camera_dead_at_start": dead_at_start,
        "others_beside_a_camera_that_drops": dropped,
        "each": recoveries,
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures."""
    recovery = figures["recovery_ms"]
    console.print(
        f"from answering to the first analysed frame, {figures['outages']} outages: "
        f"p50 {recovery['p50']:,.0f} ms, p95 {recovery['p95']:,.0f} ms, longest {recovery['max']:,.0f} ms"
    )
    table = Table("the other cameras", "frames", "frames lost", "longest gap ms")
    for name, row in figures.items():
        if name.startswith("others_"):
            values = [f"{value:,}" for value in row.values()]
            table.add_row(name.removeprefix("others_").replace("_", " "), *values)
    console.print(table)


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=24)
    parser.add_argument("--quick", action="store_true", help="4 outages, for development")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    console = Console()
    outages, calm_seconds = (4, CALM_SECONDS / 4) if options.quick else (options.outages, CALM_SECONDS)
    figures = run(outages, calm_seconds, console)
    show(figures, console)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
