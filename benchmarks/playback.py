"""How long does a person wait for recorded footage? Seeks, timelines and exports over HTTP.

The index is the synthetic one of `recording_index`; the footage of every moment that is asked for is real, made once
and linked to where the index has it. The API runs in a process of its own, as in production; one client asks, each
time for another camera and another time, and decodes what it gets up to the picture it wanted.

Run: python -m benchmarks.playback [--cameras 4] [--days 2] [--rounds 40] [--size 1920x1080] [--out FILE.json]
"""

import argparse
import http.client
import io
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import av
import cv2
import numpy as np
from cryptography.fernet import Fernet
from rich.console import Console
from rich.table import Table

from benchmarks.recording_index import BEGIN_MS, DAY_MS, FILE_MS, Options, build
from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from camera_ctrler.playback.fragments import read_layout
from contract.camera_specs import CameraCreate
from contract.recording_paths import HOUR_MS, segment_path
from runtime.settings import ControllerSettings
from tests.support.api_server import ApiServer
from tests.support.footage import Look, write_footage
from tests.support.valkey_server import ValkeyServer, free_port

#: What was promised: label -> greatest p95 in milliseconds.
LIMITS: Final = {
    "seek: playlist, init, part, picture decoded": 150.0,
    "timeline of a day": 50.0,
}
#: Times real time that an export without encoding has at least.
EXPORT_SPEED: Final = 200.0
#: What a player asks for when somebody seeks: a minute from there on.
_SOUGHT_MS: Final = 60_000
#: A camera of 1080p sends two megabits a second or more; so much noise makes as many of the test pictures.
_NOISE: Final = 0.015
_FPS: Final = 25
_GOP: Final = 50


@dataclass
class Figures:
    """What was measured."""

    files_in_index: int = 0
    bytes_a_file: int = 0
    #: Label -> milliseconds: median, p95, longest.
    waited: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    #: Seconds of footage, seconds it took, bytes.
    export: tuple[float, float, int] = (0.0, 0.0, 0)

    @property
    def export_speed(self) -> float:
        """Times real time."""
        return self.export[0] / self.export[1] if self.export[1] else 0.0

    @property
    def problems(self) -> list[str]:
        """Return what is not as promised."""
        found = [
            f"{label} takes {self.waited[label][1]:.1f} ms (p95), promised are {limit:g} ms"
            for label, limit in LIMITS.items()
            if self.waited[label][1] > limit
        ]
        if self.export_speed < EXPORT_SPEED:
            found.append(f"an export has {self.export_speed:.0f} times real time, promised are {EXPORT_SPEED:g}")
        return found


class Client:
    """One player: keeps its connection, and its last init section."""

    def __init__(self, port: int) -> None:
        #: Milliseconds that each seek took until the last byte was there, and after it.
        self.answering: list[float] = []
        self.decoding: list[float] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path: str) -> bytes:
        """Return what is at a path."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}: {data[:300]!r}")
        return data

    def download(self, path: str) -> tuple[int, http.client.HTTPMessage]:
        """Take everything at a path, keep nothing; return its bytes and what is said of it."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        size = 0
        while piece := answer.read(1 << 20):
            size += len(piece)
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}")
        return size, answer.headers

    def seek(self, camera_id: str, at_ms: int) -> None:
        """Ask for a minute from a moment on, and decode up to the picture of that moment."""
        asked = time.perf_counter()
        path = f"/api/v1/cameras/{camera_id}/recordings.m3u8?from_ms={at_ms}&to_ms={at_ms + _SOUGHT_MS}"
        text = self.get(path).decode()
        init = self.get(urljoin(path, re.findall('URI="(.*)"', text)[0]))
        offset = Fraction(re.findall(r"TIME-OFFSET=([0-9.]+)", text)[0])
        part = self.get(urljoin(path, re.findall(r"^recordings/.*m4s$", text, re.M)[0]))
        began = time.perf_counter()
        self.answering.append((began - asked) * 1000)
        # As a browser does: it has the part, and decodes from the keyframe before the moment on.
        data = init + part
        layout = read_layout(lambda place, size: data[place : place + size], len(data))
        first = layout.keyframe_before(layout.at(offset))
        start, size = layout.bytes_of(first, layout.at(offset))
        wanted = layout.first_picture + offset * layout.head.video.timescale
        with av.open(io.BytesIO(init + data[start : start + size]), "r", format="mp4") as container:
            for frame in container.decode(video=0):
                if frame.pts is not None and frame.pts + frame.duration > wanted:
                    self.decoding.append((time.perf_counter() - began) * 1000)
                    return
        raise SystemExit(f"{camera_id} has no picture of {at_ms}")

    def picture(self, camera_id: str, at_ms: int) -> None:
        """Ask for the picture of a moment, and decode it."""
        data = self.get(f"/api/v1/cameras/{camera_id}/recorded.jpg?at_ms={at_ms}")
        if cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is None:
            raise SystemExit(f"{camera_id} has no picture of {at_ms}")


class Bench:
    """Asks one API."""

    def __init__(self, options: Options, footage: Path, root: Path, port: int) -> None:
        self._options = options
        self._footage = footage
        self._root = root
        self._client = Client(port)
        self._random = random.Random(options.seed)  # noqa: S311 - which moment is asked for is no secret

    def run(self) -> Figures:
        """Measure everything."""
        figures = Figures(bytes_a_file=self._footage.stat().st_size)
        rounds = self._options.rounds
        moments = [self._moment() for _ in range(rounds + 1)]
        label, *_ = LIMITS
        figures.waited[label] = self._time(moments, self._client.seek)
        figures.waited["of it until the last byte"] = _three(self._client.answering[1:])
        figures.waited["of it decoding 1 to 50 pictures"] = _three(self._client.decoding[1:])
        moments = [self._moment() for _ in range(rounds + 1)]
        figures.waited["picture of a moment as JPEG, decoded"] = self._time(moments, self._client.picture)
        days = [(camera, at_ms // HOUR_MS * HOUR_MS) for camera, at_ms in moments]
        figures.waited["timeline of a day"] = self._time(days, self._timeline)
        figures.export = self._export()
        return figures

    def _moment(self) -> tuple[str, int]:
        """Return a camera and a moment for which there is real footage, of the minute after it too."""
        camera = self._options.camera(self._random.randrange(self._options.cameras))
        last_ms = (self._options.days - 1) * DAY_MS
        # The first files of an hour are always there; a gap lies in the middle of some.
        at_ms = BEGIN_MS + self._random.randrange(last_ms // HOUR_MS + 1) * HOUR_MS + self._random.randrange(600_000)
        begin_ms = at_ms // FILE_MS * FILE_MS
        for start_ms in range(begin_ms, begin_ms + _SOUGHT_MS + FILE_MS, FILE_MS):
            self._link(camera, start_ms)
        return camera, at_ms

    def _link(self, camera_id: str, start_ms: int) -> None:
        file = self._root / segment_path(camera_id, start_ms, 1)
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            os.link(self._footage, file)

    def _timeline(self, camera_id: str, from_ms: int) -> None:
        path = f"/api/v1/cameras/{camera_id}/timeline?from_ms={from_ms}&to_ms={from_ms + DAY_MS}&buckets=1441"
        told = json.loads(self._client.get(path))
        if len(told["buckets"]) < 22 * 60:
            raise SystemExit(f"the timeline has {len(told['buckets'])} buckets")

    def _export(self) -> tuple[float, float, int]:
        """Export the first hour of the first camera, which has no gap."""
        hour_ms, camera = BEGIN_MS, self._options.camera(0)
        for start_ms in range(hour_ms, hour_ms + HOUR_MS, FILE_MS):
            self._link(camera, start_ms)
        began = time.monotonic()
        path = f"/api/v1/cameras/{camera}/clip.mp4?from_ms={hour_ms}&to_ms={hour_ms + HOUR_MS}"
        size, headers = self._client.download(path)
        taken = time.monotonic() - began
        return (int(headers["X-End-Ms"]) - int(headers["X-Begin-Ms"])) / 1000, taken, size

    @staticmethod
    def _time(given: list[tuple[str, int]], ask: Callable[[str, int], None]) -> tuple[float, float, float]:
        ask(*given[0])  # the first question opens the database
        taken = []
        for each in given[1:]:
            began = time.perf_counter()
            ask(*each)
            taken.append((time.perf_counter() - began) * 1000)
        return _three(taken)


def _three(taken: list[float]) -> tuple[float, float, float]:
    """Return median, p95 and longest."""
    ordered = sorted(taken)
    return statistics.median(ordered), ordered[round(0.95 * (len(ordered) - 1))], ordered[-1]


def measure(options: Options, look: Look, folder: Path, console: Console) -> Figures:
    """Build the index, make the footage, start the API, and ask it."""
    footage = folder / "footage.mp4"
    write_footage(footage, BEGIN_MS, seconds=FILE_MS / 1000, look=look)
    with closing(ValkeyServer().start()) as valkey:
        settings = ControllerSettings.model_validate(
            {
                "redis_url": valkey.url,
                "data_dir": folder / "data",
                "frames_dir": folder / "frames",
                "secret_key": Fernet.generate_key().decode(),
                "api_port": free_port(),
            }
        )
        services = services_of(create_app(settings))
        services.registry.migrate()
        for number in range(options.cameras):
            spec = {"id": options.camera(number), "url": "rtsp://192.0.2.10/stream1"}
            services.registry.add(CameraCreate.model_validate(spec))
        files = build(services.registry.engine, options, console)
        services.close()
        server = ApiServer(settings, folder / "api.log")
        server.start()
        try:
            figures = Bench(options, footage, settings.frames_dir, settings.api_port).run()
        finally:
            server.stop()
    figures.files_in_index = files
    return figures


def main() -> int:
    """Print the table and write the figures as JSON; 1 where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=4, help="cameras in the index")
    parser.add_argument("--days", type=int, default=2, help="days of each in the index")
    parser.add_argument("--rounds", type=int, default=40, help="how often each question is asked")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--size", default="1920x1080", help="of the pictures")
    parser.add_argument("--folder", type=Path, help="where everything is made for the time of the run")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    options = Options(given.cameras, given.days, given.rounds, given.seed)
    if min(options.cameras, options.days - 1, options.rounds) < 1:
        parser.error("--cameras and --rounds must be at least 1, --days at least 2")
    width, height = (int(part) for part in given.size.split("x"))
    console = Console()
    with tempfile.TemporaryDirectory(prefix="playback-", dir=given.folder, ignore_cleanup_errors=True) as folder:
        figures = measure(options, Look(size=(width, height), fps=_FPS, gop=_GOP, noise=_NOISE), Path(folder), console)
    console.print(table_of(figures))
    for problem in figures.problems:
        console.print(f"NOT AS PROMISED: {problem}", highlight=False)
    if given.out:
        document = {"options": asdict(options), "size": given.size, **asdict(figures)}
        given.out.write_text(json.dumps(document, indent=1))
    return 1 if figures.problems else 0


def table_of(figures: Figures) -> Table:
    """Return the figures."""
    table = Table(f"{figures.files_in_index:,} files in the index", "median / p95 / longest", "promised")
    for label, each in figures.waited.items():
        limit = f"p95 {LIMITS[label]:g} ms" if label in LIMITS else ""
        table.add_row(label, f"{each[0]:.1f} / {each[1]:.1f} / {each[2]:.1f} ms", limit)
    seconds, taken, size = figures.export
    table.add_row(
        f"export of {seconds:.0f} s, {size / 1e6:.0f} MB",
        f"{taken:.1f} s, {figures.export_speed:.0f} times real time",
        f"{EXPORT_SPEED:g} times",
    )
    table.add_row("bytes of a file of 10 s", f"{figures.bytes_a_file:,}", "")
    return table


if __name__ == "__main__":
    sys.exit(main())
