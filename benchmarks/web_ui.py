"""What does the web UI cost: bytes to load it, time until it can be used, CPU of browser and controller for a wall?

A real farm: Valkey, controller, a worker, cameras over RTSP from real footage, analysed at the wall's rate; and a real
Chromium, headless and without a GPU. The detector looks at few pixels, so that on two cores there is room for the
browser: what is measured is what the browser and the controller use, not the worker.

Run: python -m benchmarks.web_ui [--tiles 9] [--fps 5] [--seconds 20] [--rounds 5] [--video FILE ...] [--out FILE.json]
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Browser, Page
from rich.console import Console
from rich.table import Table

from benchmarks.load.machine import Usage, described, usage_of
from cli import web_ui
from cli.demo_cameras.transcode import Cut, transcode
from runtime.settings import PROJECT_DIR
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.web_pages import browser
from tests.support.weights import yolo11n

#: What was promised.
MAX_GZIP_BYTES: Final = 300_000
MAX_INTERACTIVE_MS: Final = 1_500.0
MAX_BROWSER_CORES: Final = 1.0
MAX_CONTROLLER_CORES_A_TILE: Final = 0.05
#: Milliseconds without a long task after which a page counts as usable.
QUIET_MS: Final = 500
_DATA: Final = PROJECT_DIR.parent / "shared" / "data" / "videos"
_SIZE: Final = {"width": 1440, "height": 900}
#: Seconds that a wall may take until every tile has its pictures.
_PATIENCE_SECONDS: Final = 60.0
#: Notes when the first tile is there, tasks of the main thread that took longer than 50 ms, and drawn pictures.
_NOTES_JS: Final = """
window.noted = { tileAt: null, lastLongEnd: 0, pictures: 0 };
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.noted.lastLongEnd = task.startTime + task.duration;
}).observe({ type: "longtask", buffered: true });
new MutationObserver((_, observer) => {
  if (document.querySelector("main li a") === null) return;
  window.noted.tileAt = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });
const make = window.createImageBitmap.bind(window);
window.createImageBitmap = (...given) => { window.noted.pictures += 1; return make(...given); };
"""


@dataclass
class Figures:
    """What was measured."""

    machine: dict[str, Any]
    tiles: int
    fps: float
    #: Of everything that a first visit of the wall loads, before any picture.
    gzip_bytes: int = 0
    files: int = 0
    interactive_ms: list[float] = field(default_factory=list)
    first_paint_ms: list[float] = field(default_factory=list)
    #: Pictures a second that a tile really shows, mean of all tiles.
    shown_fps: float = 0.0
    browser_cores: float = 0.0
    controller_cores: float = 0.0
    controller_cores_idle: float = 0.0
    worker_cores: float = 0.0

    @property
    def controller_cores_a_tile(self) -> float:
        """What a tile adds to the controller."""
        return (self.controller_cores - self.controller_cores_idle) / self.tiles

    @property
    def problems(self) -> list[str]:
        """What is not as it was promised."""
        promised = {
            f"first load {self.gzip_bytes:,} bytes": self.gzip_bytes <= MAX_GZIP_BYTES,
            f"interactive after {statistics.median(self.interactive_ms):.0f} ms": (
                statistics.median(self.interactive_ms) < MAX_INTERACTIVE_MS
            ),
            f"browser {self.browser_cores:.2f} cores": self.browser_cores < MAX_BROWSER_CORES,
            f"controller {self.controller_cores_a_tile:.3f} cores a tile": (
                self.controller_cores_a_tile < MAX_CONTROLLER_CORES_A_TILE
            ),
            f"{self.shown_fps:.2f} pictures a second of each tile": self.shown_fps >= 0.9 * self.fps,
        }
        return [text for text, kept in promised.items() if not kept]


@contextmanager
def running_farm(options: argparse.Namespace, folder: Path) -> Iterator[Farm]:
    """Run a farm with as many cameras as there are tiles, until all are online."""
    yolo11n()
    media = folder / "media"
    media.mkdir()
    clips = []
    for number, video in enumerate(options.video):
        clip = media / f"video{number}.mp4"
        transcode(video, clip, Cut())
        clips.append(clip.stem)
    valkey = ValkeyServer("--appendonly", "no").start()
    farm = Farm(
        folder,
        valkey.url,
        api_port=free_port(),
        FARM_DETECT_SIZE="160",
        FARM_DETECT_THREADS="1",
        FARM_FRAMES_MAX_AGE_HOURS="1",
    )
    try:
        with RtspServer(media) as cameras, farm:
            farm.start_controller()
            farm.start_worker("worker-1")
            ids = [f"camera-{number + 1}" for number in range(options.tiles)]
            for number, camera_id in enumerate(ids):
                url = cameras.url(f"{clips[number % len(clips)]}.mp4")
                farm.add_camera(
                    camera_id, url, name=f"Camera {number + 1}", analyse_fps=options.fps, save_frames="none"
                )
            farm.wait_for(lambda: all(is_analysed(farm, each) for each in ids), "all cameras are analysed", 90)
            yield farm
    finally:
        valkey.kill()


def is_analysed(farm: Farm, camera_id: str) -> bool:
    """Tell whether a camera's frames are analysed."""
    status = farm.camera_status(camera_id)
    return bool(status["state"] == "online" and status["frames_analysed"] > 0)


def load_once(chromium: Browser, farm: Farm, figures: Figures) -> None:
    """Open the wall as somebody who was never there, and note what it took."""
    page, asked = new_page(chromium, farm), []
    page.on("response", lambda answer: asked.append(urlsplit(answer.url).path) if answer.ok else None)
    page.goto("/live", wait_until="commit")
    wait_for(page, "window.noted.tileAt !== null")
    wait_for(page, f"performance.now() - Math.max(window.noted.tileAt, window.noted.lastLongEnd) > {QUIET_MS}")
    figures.interactive_ms.append(page.evaluate("Math.max(window.noted.tileAt, window.noted.lastLongEnd)"))
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    figures.first_paint_ms.append(paint)
    files = {path for path in asked if path.startswith(("/ui/", "/static/"))} | {"/ui/index.html"}
    figures.files = len(files)
    figures.gzip_bytes = sum(gzip_size(path) for path in files)
    page.context.close()


def wait_for(page: Page, fact: str) -> None:
    """Wait until an expression of JavaScript holds; Playwright's own way needs `eval`, which the page forbids."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not page.evaluate(fact):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_PATIENCE_SECONDS:.0f} s in vain for {fact}")
        page.wait_for_timeout(50)


def gzip_size(path: str) -> int:
    """Return the bytes of a file of the UI as it is sent to who takes gzip."""
    file = web_ui.BUILT.parent / path.removeprefix("/").removeprefix("static/")
    smaller = file.with_name(f"{file.name}.gz")
    return (smaller if smaller.is_file() else file).stat().st_size


def new_page(chromium: Browser, farm: Farm) -> Page:
    """Return a page of a browser that has nothing kept, and asks for as many tiles as there are cameras."""
    context = chromium.new_context(base_url=farm.base_url, viewport=_SIZE, locale="en-GB")  # type: ignore[arg-type]
    context.add_init_script(_NOTES_JS)
    return context.new_page()


def watch_wall(chromium: Browser, farm: Farm, options: argparse.Namespace, figures: Figures) -> None:
    """Watch the wall for a while, and note what browser, controller and worker use meanwhile."""
    controller = [farm.processes["controller"].pid]
    worker = [farm.processes["worker-1"].pid]
    figures.controller_cores_idle = used(controller, options.seconds / 2)
    page = new_page(chromium, farm)
    page.goto("/live")
    page.evaluate(
        "(layout) => localStorage.setItem('camfarm.wall', JSON.stringify({ layout, order: [], boxes: true }))",
        next(layout for layout in (1, 4, 9, 16) if layout >= options.tiles),
    )
    page.goto("/live")
    wait_for(page, f"document.querySelectorAll('main li').length === {options.tiles}")
    wait_for(page, f"window.noted.pictures > {options.tiles * 10}")
    chromium_pids = browser_pids()
    before = [usage_of(pids, memory=False) for pids in (chromium_pids, controller, worker)]
    pictures, began = page.evaluate("window.noted.pictures"), time.monotonic()
    time.sleep(options.seconds)
    seconds = time.monotonic() - began
    after = [usage_of(pids, memory=False) for pids in (chromium_pids, controller, worker)]
    shown = page.evaluate("window.noted.pictures") - pictures
    figures.shown_fps = shown / seconds / options.tiles
    figures.browser_cores, figures.controller_cores, figures.worker_cores = (
        now.cores_since(then, seconds) for now, then in zip(after, before, strict=True)
    )
    page.context.close()


def used(pids: Sequence[int], seconds: float) -> float:
    """Return the cores that processes use while nothing is asked of them."""
    before: Usage = usage_of(pids, memory=False)
    time.sleep(seconds)
    return usage_of(pids, memory=False).cores_since(before, seconds)


def browser_pids() -> list[int]:
    """Return the processes of the browser that this process has started."""
    own = psutil.Process().children(recursive=True)
    return [each.pid for each in own if "chrom" in each.name().lower()]


def table_of(figures: Figures) -> Table:
    """Return the figures beside what was promised."""
    table = Table(f"{figures.tiles} tiles at {figures.fps:g} a second", "measured", "promised")
    table.add_row("first load, gzip", f"{figures.gzip_bytes:,} bytes, {figures.files} files", f"{MAX_GZIP_BYTES:,}")
    interactive = figures.interactive_ms
    table.add_row(
        "interactive",
        f"{statistics.median(interactive):.0f} ms ({min(interactive):.0f} to {max(interactive):.0f})",
        f"{MAX_INTERACTIVE_MS:.0f} ms",
    )
    table.add_row("first contentful paint", f"{statistics.median(figures.first_paint_ms):.0f} ms", "")
    table.add_row("pictures a second of a tile", f"{figures.shown_fps:.2f}", f"{figures.fps:g}")
    table.add_row("browser", f"{figures.browser_cores:.2f} cores", f"{MAX_BROWSER_CORES:g}")
    table.add_row(
        "controller, a tile",
        f"{100 * figures.controller_cores_a_tile:.2f} % of a core",
        f"{100 * MAX_CONTROLLER_CORES_A_TILE:g} %",
    )
    table.add_row(
        "controller in all (idle)", f"{figures.controller_cores:.2f} ({figures.controller_cores_idle:.2f})", ""
    )
    table.add_row("worker", f"{figures.worker_cores:.2f} cores", "")
    return table


def main() -> int:
    """Print the table and write the figures as JSON; 1 where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=9)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=20.0, help="that the wall is watched")
    parser.add_argument("--rounds", type=int, default=5, help="how often it is loaded")
    parser.add_argument("--video", type=Path, action="append", help="footage of the cameras; may be repeated")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    options.video = options.video or sorted(_DATA.rglob("*.mp4"))
    if not options.video:
        parser.error(f"no footage in {_DATA}; name some with --video")
    if not web_ui.is_current():
        parser.error("the web UI is not built from these sources; run ./farm web build")
    console = Console()
    figures = Figures(described(), options.tiles, options.fps)
    with (
        tempfile.TemporaryDirectory(prefix="web-", ignore_cleanup_errors=True) as folder,
        running_farm(options, Path(folder)) as farm,
        browser() as chromium,
    ):
        load_once(chromium, farm, Figures({}, 0, 0))  # the machine's own caches
        for _ in range(options.rounds):
            load_once(chromium, farm, figures)
        watch_wall(chromium, farm, options, figures)
    console.print(table_of(figures))
    for problem in figures.problems:
        console.print(f"NOT AS PROMISED: {problem}", highlight=False)
    if options.out:
        extra = {"controller_cores_a_tile": figures.controller_cores_a_tile, "problems": figures.problems}
        options.out.write_text(json.dumps(asdict(figures) | extra, indent=1))
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(main())
