"""The least that a recorded camera costs in which nothing moves: receive, write packets, decode and compare keyframes.

Run by other benchmarks: python -m benchmarks.floors.idle_camera --url ... --model unused --folder DIR --out FILE

Written by hand as a limit to compare with: a thread per camera, fragments of a second in files of ten, and for each
keyframe the plainest motion test there is, luma resized to 100 pixels of height and compared with the frame before.
"""

import itertools
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final, cast

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks.peers.frame_log import FrameLog, parser
from workers.media import VideoPacket

SEGMENT_SECONDS: Final = 10.0
#: As the recorder writes them.
FRAGMENTS: Final = {
    "movflags": "empty_moov+default_base_moof+frag_keyframe+skip_trailer",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
GATE_HEIGHT: Final = 100
#: Steps of luma that count as a change.
CHANGED: Final = 20

Plane = NDArray[np.uint8]


class Gate:
    """Tells which share of a small luma plane has changed since the frame before."""

    def __init__(self) -> None:
        self._before: Plane | None = None
        #: Seconds spent here, and frames.
        self.seconds, self.frames = 0.0, 0

    def changed(self, frame: av.VideoFrame) -> float:
        """Return the share."""
        began = time.thread_time()
        plane = frame.planes[0]
        luma = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        width = frame.width * GATE_HEIGHT // frame.height
        small = cv2.resize(luma, (width, GATE_HEIGHT), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (3, 3), 0)
        share = 0.0
        if self._before is not None:
            share = float(np.count_nonzero(cv2.absdiff(small, self._before) > CHANGED)) / small.size
        self._before = np.asarray(small, np.uint8)
        self.seconds += time.thread_time() - began
        self.frames += 1
        return share


class Files:
    """One camera's files, each begun at a keyframe."""

    def __init__(self, folder: Path, template: VideoStream) -> None:
        self._folder = folder
        self._template = template
        self._numbers = itertools.count()
        self._container: OutputContainer | None = None
        self._stream: Any = None
        self._began = 0.0
        self._first: int | None = None

    def write(self, packet: VideoPacket, at: float) -> None:
        """Add a packet."""
        if packet.is_keyframe and at - self._began >= SEGMENT_SECONDS:
            self._begin(at)
        if self._container is None or packet.pts is None or packet.dts is None:
            return
        if self._first is None:
            self._first = packet.dts
        made = av.Packet(cast("bytes", packet))
        made.stream, made.time_base, made.is_keyframe = self._stream, packet.time_base, packet.is_keyframe
        made.dts, made.pts = packet.dts - self._first, packet.pts - self._first
        self._container.mux_one(made)

    def _begin(self, at: float) -> None:
        if self._container is not None:
            self._container.close()
        path = self._folder / f"{next(self._numbers)}.mp4"
        self._container = av.open(str(path), "w", format="mp4", options=dict(FRAGMENTS))
        self._stream = self._container.add_stream_from_template(self._template)
        self._began, self._first = at, None


def watch(camera: int, url: str, folder: Path, gate: Gate, log: FrameLog) -> None:
    """Receive a camera for ever."""
    folder.mkdir(parents=True)
    with av.open(url, options={"rtsp_transport": "tcp", "fpsprobesize": "0"}) as container:
        video = container.streams.video[0]
        video.thread_type = "NONE"
        files = Files(folder, video)
        for packet in container.demux(video):
            if not packet.size:
                continue
            at = time.time()
            if packet.is_keyframe:
                for frame in packet.decode():
                    gate.changed(frame)
                    log.note(camera, at)
            files.write(packet, at)


def main() -> int:
    """Watch all cameras."""
    arguments = parser(__doc__)
    arguments.add_argument("--folder", type=Path, required=True)
    options = arguments.parse_args()
    log, gates = FrameLog(options), [Gate() for _ in options.url]
    for camera, (url, gate) in enumerate(zip(options.url, gates, strict=True)):
        folder = options.folder / str(camera)
        threading.Thread(target=watch, args=(camera, url, folder, gate, log), daemon=True).start()
    log.finish(lambda: {"gate_ms": 1000 * sum(gate.seconds for gate in gates) / sum(gate.frames for gate in gates)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
