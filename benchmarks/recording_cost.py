"""What does recording cost, and what does it lose? Live RTSP cameras, beside ``ffmpeg -c copy`` segmenting of them.

Run: python -m benchmarks.recording_cost [--minutes 10] [--ffmpeg-minutes 10] [--worker] [--kills 10]
     [--cameras 8x1920x1080 --cameras 50x640x360] [--ffmpeg PATH] [--quick] [--out FILE.json]

Three ways to write the same streams, one after the other: an ffmpeg process per camera; the recording half of a
worker (`PacketCapture` and `Recorder`) in a process of its own; with ``--worker`` a whole farm, which analyses each
camera once a second besides. CPU is that of the writing processes alone, never of the server.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import av
import psutil
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Route
from rich.console import Console
from rich.table import Table

from contract.assignments import Assignment
from contract.recording_paths import parse_segment_path
from contract.recordings import RecordingSettings, RecordMode
from runtime.clock import SystemClock
from runtime.recording_feed import RecordingFeed
from runtime.redis_client import connect
from runtime.settings import WorkerSettings
from tests.support.farm import Farm
from tests.support.footage import Look, write_footage
from tests.support.player_page import CHROMIUM, open_player
from tests.support.rtsp_server import RtspServer
from tests.support.valkey_server import ValkeyServer, free_port
from workers.capture.packet_capture import PacketCapture
from workers.capture.state import CaptureSettings
from workers.recording.recorder import Recorder, RecorderSettings

FPS: Final = 25
#: A keyframe every two seconds, as most cameras are set.
GOP: Final = 50
#: Share of the picture that is noise: it makes the streams as large as those of real cameras, 7 Mbit/s of 1080p.
NOISE: Final = 0.02
#: Seconds in which streams are opened, before anything is measured.
WARM_UP_SECONDS: Final = 8.0
DEFAULT_CAMERAS: Final = ("8x1920x1080", "50x640x360")
#: Where the page seems to come from that plays files; nothing is sent there.
PLAYER_URL: Final = "http://player.test"


@dataclass(frozen=True, slots=True)
class Load:
    """Some cameras of one kind."""

    count: int
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """As it is written on the command line."""
        return f"{self.count}x{self.size[0]}x{self.size[1]}"


@dataclass(frozen=True, slots=True)
class Figures:
    """One way to record one load."""

    way: str
    load: str
    seconds: float
    #: CPU-seconds a second of one camera.
    cores_per_camera: float
    #: Pictures that are on the disk / pictures that were sent between the first and the last of each camera.
    recorded_share: float
    #: Longest distance of two pictures of a camera in seconds.
    longest_gap_seconds: float
    bytes_per_second: float


def parse_load(text: str) -> Load:
    """Read ``8x1920x1080``."""
    count, width, height = (int(part) for part in text.split("x"))
    return Load(count, (width, height))


# --- what is on the disk ---------------------------------------------------------------------------------------------


def judged(way: str, load: Load, cameras: list[list[Path]], cpu_seconds: float, seconds: float) -> Figures:
    """Read every file; return what they hold."""
    pictures, sent, gaps, size = 0, 0.0, [0.0], 0
    for files in cameras:
        times = picture_times(files)
        size += sum(path.stat().st_size for path in files)
        pictures += len(times)
        sent += (times[-1] - times[0]) * FPS + 1
        gaps += [after - before for before, after in pairwise(times)]
    return Figures(
        way=way,
        load=load.name,
        seconds=round(seconds, 1),
        cores_per_camera=cpu_seconds / seconds / load.count,
        recorded_share=pictures / sent,
        longest_gap_seconds=round(max(gaps), 3),
        bytes_per_second=size / seconds / load.count,
    )


def picture_times(files: list[Path]) -> list[float]:
    """Return when the pictures of a camera's files are shown, in seconds, in order.

    What ffmpeg cuts does not say when it begins: each of its files is taken to follow the one before, so that what is
    missing between them goes unseen.
    """
    times: list[float] = []
    for path in files:
        starts = start_seconds(path, times[-1] + 1 / FPS if times else 0.0)
        with av.open(str(path)) as file:
            stream = file.streams.video[0]
            base = stream.time_base or Fraction(1, 90_000)
            times += [starts + float(one.pts * base) for one in file.demux(stream) if one.size and one.pts is not None]
    return sorted(times)


def start_seconds(path: Path, following: float) -> float:
    """Return when a file begins: as its name says, or else `following`."""
    if path.parent.name.isdigit():
        return parse_segment_path("/".join(path.parts[-5:]))[1] / 1000
    return following


# --- ffmpeg ----------------------------------------------------------------------------------------------------------


def with_ffmpeg(binary: str, load: Load, urls: list[str], folder: Path, seconds: float) -> Figures:
    """Let one ffmpeg process per camera cut its stream into fragmented MP4."""
    processes = []
    for number, url in enumerate(urls):
        (folder / f"camera{number}").mkdir()
        command = [binary, "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-an", "-c", "copy"]
        command += ["-f", "segment", "-segment_time", "10", "-segment_format", "mp4", "-segment_format_options"]
        command += ["movflags=empty_moov+default_base_moof+frag_keyframe:frag_duration=1000000:flush_packets=1"]
        processes.append(subprocess.Popen([*command, str(folder / f"camera{number}" / "part%04d.mp4")]))
    threading.Event().wait(WARM_UP_SECONDS)
    cpu, began = sum(map(cpu_of, processes)), time.monotonic()
    threading.Event().wait(seconds)
    cpu, took = sum(map(cpu_of, processes)) - cpu, time.monotonic() - began
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        process.wait(20)
    files = [sorted((folder / f"camera{number}").glob("*.mp4")) for number in range(load.count)]
    return judged("ffmpeg", load, files, cpu, took)


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU-seconds of a process so far."""
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


# --- the recording half of a worker ----------------------------------------------------------------------------------


def record_alone(redis_url: str, urls: list[str], folder: Path, orders: Connection) -> None:
    """Record these streams in this process; tell its CPU-seconds whenever asked, end when told so."""
    clock = SystemClock()
    client = connect(WorkerSettings(redis_url=redis_url), name="benchmark")
    recorder = Recorder(RecorderSettings(folder, 16_000_000), RecordingFeed(client), worker_id="w", clock=clock)
    settings, captures = RecordingSettings(record=RecordMode.CONTINUOUS), []
    for number, url in enumerate(urls):
        assignment = Assignment(camera_id=f"cam{number}", url="rtsp://h/x", epoch=1, recording=settings)
        tap = recorder.begin(assignment)
        captures.append((PacketCapture(tap.camera_id, url, tap, settings=CaptureSettings(), clock=clock), tap))
    recorder.start()
    for capture, _ in captures:
        capture.start()
    while orders.recv() == "cpu":
        usage = resource.getrusage(resource.RUSAGE_SELF)
        orders.send(usage.ru_utime + usage.ru_stime)
    for capture, tap in captures:
        capture.stop()
        recorder.leave(tap)
    recorder.close(30)
    orders.send(0.0)


def with_recorder(valkey: ValkeyServer, load: Load, urls: list[str], folder: Path, seconds: float) -> Figures:
    """Let one process record all cameras, as a worker does that analyses nothing."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=record_alone, args=(valkey.url, urls, folder, theirs))
    process.start()

    def cpu_seconds() -> float:
        ours.send("cpu")
        return float(ours.recv())

    cpu_seconds()  # it is there
    threading.Event().wait(WARM_UP_SECONDS)
    cpu, began = cpu_seconds(), time.monotonic()
    threading.Event().wait(seconds)
    cpu, took = cpu_seconds() - cpu, time.monotonic() - began
    ours.send("end")
    ours.recv()
    process.join(30)
    return judged("recorder", load, recorded_files(folder, load), cpu, took)


def recorded_files(folder: Path, load: Load) -> list[list[Path]]:
    """Return each camera's files in time order."""
    return [sorted((folder / f"cam{number}" / "recordings").rglob("*.mp4")) for number in range(load.count)]


def unplayable(binary: str, files: list[list[Path]]) -> int:
    """Return in how many files ffprobe finds anything wrong, or no picture."""
    picking = ["-select_streams", "v", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    wrong = 0
    for path in (path for its in files for path in its):
        told = subprocess.run([binary, "-v", "error", *picking, str(path)], capture_output=True, text=True, check=False)
        wrong += told.returncode != 0 or bool(told.stderr) or told.stdout.strip() in {"", "0", "N/A"}
    return wrong


def lost_when_killed(valkey: ValkeyServer, urls: list[str], folder: Path, ffprobe: str) -> tuple[list[float], int, int]:
    """Kill a process that records these cameras.

    Returns:
        The seconds of footage that each lost before that, how many files there are, and how many do not play.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=record_alone, args=(valkey.url, urls, folder, theirs))
    process.start()
    ours.send("cpu")
    ours.recv()  # it is there
    threading.Event().wait(WARM_UP_SECONDS + random.uniform(0, 2))  # noqa: S311 - nothing secret
    killed_at = time.time()
    process.kill()
    process.join()
    files = recorded_files(folder, Load(len(urls), (0, 0)))
    lost = [killed_at - picture_times(its)[-1] for its in files]
    return lost, sum(map(len, files)), unplayable(ffprobe, files) if ffprobe else 0


def _serve(path: Path, route: Route) -> None:
    route.fulfill(path=path, content_type="video/mp4")


def unshown(folder: Path) -> int:
    """Return how many of the files below a folder Chromium does not play from their beginning to their end."""
    wrong = 0
    with open_player(PLAYER_URL) as player:
        for number, path in enumerate(sorted(folder.rglob("kill*/**/*.mp4"))):
            url = f"{PLAYER_URL}/{number}.mp4"
            player.page.route(url, partial(_serve, path))
            player.page.goto(f"{PLAYER_URL}/player.html")
            player.play(url, hls_js=False, rate=8.0)
            with suppress(PlaywrightError):  # a time-out: it has not ended
                player.wait_for_end(20)
            wrong += bool(player.errors) or not player.page.evaluate("video.ended")
    return wrong


# --- a whole farm ----------------------------------------------------------------------------------------------------


def with_worker(valkey: ValkeyServer, load: Load, urls: list[str], folder: Path, seconds: float) -> Figures:
    """Let a farm of one worker analyse the cameras once a second and record them."""
    settings = {"FARM_DETECT_SIZE": "160", "FARM_DETECT_THREADS": "1"}
    with Farm(folder, valkey.url, api_port=free_port(), **settings) as farm:
        farm.start_controller()
        farm.start_worker("one")
        for number, url in enumerate(urls):
            farm.add_camera(f"cam{number}", url, record="continuous", save_frames="none")
        farm.wait_online(*(f"cam{number}" for number in range(load.count)), seconds=120)
        worker = farm.processes["one"]
        threading.Event().wait(WARM_UP_SECONDS)
        cpu, began = cpu_of(worker), time.monotonic()
        threading.Event().wait(seconds)
        cpu, took = cpu_of(worker) - cpu, time.monotonic() - began
        farm.stop("one")
        return judged("worker", load, recorded_files(farm.frames_dir, load), cpu, took)


# --- all -------------------------------------------------------------------------------------------------------------


def kill(times: int, console: Console) -> dict[str, float]:
    """Kill a recorder of four cameras again and again; return what that costs."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        for gop in (GOP, 8 * FPS):
            write_footage(folder / f"{gop}.mp4", 0, seconds=8, look=Look(size=(640, 360), fps=FPS, gop=gop))
        server = stack.enter_context(RtspServer(folder))
        valkey = ValkeyServer()
        stack.callback(valkey.close)
        valkey.start()
        urls = [server.url(str(gop)) for gop in (GOP, GOP, 8 * FPS, 8 * FPS)]
        ffprobe = shutil.which("ffprobe") or ""
        kills = [lost_when_killed(valkey, urls, folder / f"kill{number}", ffprobe) for number in range(times)]
        dark = unshown(folder) if CHROMIUM else None
    lost = sorted(seconds for each, _, _ in kills for seconds in each)
    files, wrong = sum(count for _, count, _ in kills), sum(count for _, _, count in kills)
    played = f"{files} files, ffprobe finds {wrong} wrong" if ffprobe else f"{files} files, no ffprobe to ask"
    played += "" if dark is None else f", Chromium does not play {dark}"
    console.print(
        f"{len(lost)} recordings killed: lost {lost[len(lost) // 2]:.2f} s (median), {lost[-1]:.2f} s at most; {played}"
    )
    found = {"recordings": len(lost), "median_seconds": lost[len(lost) // 2], "longest_seconds": lost[-1]}
    found |= {"files": files} | ({"unplayable": wrong} if ffprobe else {})
    return found if dark is None else found | {"not_played_by_chromium": dark}


def run(
    loads: list[Load], seconds: float, ffmpeg: str, ffmpeg_seconds: float, *, worker: bool, console: Console
) -> list[Figures]:
    """Record every load in every way."""
    found: list[Figures] = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        media = folder / "media"
        media.mkdir()
        for load in loads:
            write_footage(
                media / f"{load.name}.mp4", 0, seconds=8, look=Look(size=load.size, fps=FPS, gop=GOP, noise=NOISE)
            )
        server = stack.enter_context(RtspServer(media))
        valkey = ValkeyServer()
        stack.callback(valkey.close)
        valkey.start()
        for load in loads:
            urls = [server.url(load.name)] * load.count
            ways: dict[str, Any] = {"recorder": lambda *args: with_recorder(valkey, *args)}
            if ffmpeg:
                ways["ffmpeg"] = lambda *args: with_ffmpeg(ffmpeg, *args)
            if worker:
                ways["worker"] = lambda *args: with_worker(valkey, *args)
            for way, record in ways.items():
                own = folder / f"{way}-{load.name}"
                own.mkdir()
                found.append(record(load, urls, own, ffmpeg_seconds if way == "ffmpeg" else seconds))
                console.print(
                    f"{way}, {load.name}: {found[-1].cores_per_camera * 1000:.2f} ms of CPU a second and camera"
                )
                shutil.rmtree(own)
    return found


def show(figures: list[Figures], console: Console) -> None:
    """Print the figures, and each way's cost as a multiple of ffmpeg's."""
    table = Table(
        "cameras", "way", "Mbit/s", "seconds", "CPU ms/s a camera", "of ffmpeg's", "recorded / sent", "longest gap s"
    )
    of_ffmpeg = {each.load: each.cores_per_camera for each in figures if each.way == "ffmpeg"}
    for each in figures:
        ratio = f"{each.cores_per_camera / of_ffmpeg[each.load]:.2f}" if each.load in of_ffmpeg else "no ffmpeg"
        table.add_row(
            each.load,
            each.way,
            f"{each.bytes_per_second * 8 / 1_000_000:.2f}",
            f"{each.seconds:.0f}",
            f"{each.cores_per_camera * 1000:.2f}",
            ratio,
            f"{each.recorded_share:.5f}",
            f"{each.longest_gap_seconds:.3f}",
        )
    console.print(table)


def main() -> int:
    """Run the benchmark; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--cameras", action="append", type=parse_load, help="COUNTxWIDTHxHEIGHT; may be repeated")
    parser.add_argument("--ffmpeg-minutes", type=float, help="for ffmpeg, whose cost is all that is asked of it")
    parser.add_argument("--worker", action="store_true", help="a whole farm besides, which analyses too")
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg") or "", help="its binary, where it is not on PATH")
    parser.add_argument("--quick", action="store_true", help="half a minute of three small cameras, for development")
    parser.add_argument("--kills", type=int, default=0, help="kill a recorder of four cameras so often besides")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    console = Console()
    if not options.ffmpeg:
        console.print("ffmpeg is not installed (apt-get install ffmpeg, or name one with --ffmpeg): not compared")
    loads = [Load(3, (640, 360))] if options.quick else options.cameras or [parse_load(one) for one in DEFAULT_CAMERAS]
    seconds = 30.0 if options.quick else options.minutes * 60
    ffmpeg_seconds = seconds if options.ffmpeg_minutes is None else options.ffmpeg_minutes * 60
    figures = run(loads, seconds, options.ffmpeg, ffmpeg_seconds, worker=options.worker, console=console)
    show(figures, console)
    killed = kill(options.kills, console) if options.kills else None
    if options.out:
        machine = {"cpus": os.cpu_count(), "ffmpeg": options.ffmpeg != ""}
        options.out.write_text(
            json.dumps({"machine": machine, "ways": [asdict(each) for each in figures], "killed": killed}, indent=1)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
