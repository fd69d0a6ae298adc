"""Cameras whose worker is played: real footage as previews, published at an exact rate through a worker's own link.

What the controller and a browser do with a wall then is all that is measured, and what it gets is the same each time.

Run by others: python -m benchmarks.load.played_cameras REDIS_URL FPS VIDEO... -- CAMERA_ID...
"""

import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import redis

from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult, TrackedDetection
from runtime.settings import WorkerSettings
from runtime.worker_link import WorkerLink
from workers.jpeg import encode_preview

WORKER: Final = "played-1"
#: Frames of each video that are played, over and over.
FRAMES: Final = 60
#: Footage is shown so many times as fast as it is played, so that something is seen to move.
_STRIDE: Final = 5
_STATUS_SECONDS: Final = 1.0


def previews(video: Path, longest_side: int) -> list[bytes]:
    """Return frames of a video as workers make previews."""
    found = []
    with av.open(str(video)) as container:
        for frame in itertools.islice(container.decode(video=0), 0, FRAMES * _STRIDE, _STRIDE):
            found.append(encode_preview(np.ascontiguousarray(frame.to_ndarray(format="bgr24")), longest_side))
    return found


def result_of(camera_id: str, seq: int, jpeg: bytes) -> AnalysisResult:
    """Return a result with two objects that move across the frame."""
    now_ms = time.time_ns() // 1_000_000
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    assert picture is not None
    height, width = (8 * side for side in picture.shape[:2])
    boxes = []
    for track_id, (name, class_id, speed) in enumerate((("person", 0, 0.012), ("car", 2, 0.02)), start=1):
        left = (seq * speed * width + track_id * width / 3) % (width * 0.8)
        top = height * (0.2 + 0.25 * track_id)
        boxes.append(
            TrackedDetection(
                xyxy=(left, top, left + width * 0.15, top + height * 0.25),
                confidence=0.8,
                class_id=class_id,
                class_name=name,
                track_id=track_id,
            )
        )
    return AnalysisResult(
        camera_id=camera_id,
        epoch=1,
        seq=seq,
        worker_id=WORKER,
        captured_at_ms=now_ms,
        published_at_ms=now_ms,
        width=width,
        height=height,
        detections=boxes,
    )


def statuses(camera_ids: Sequence[str], fps: float) -> list[CameraStatus]:
    """Return what the worker says of its cameras: all is well."""
    now_ms = time.time_ns() // 1_000_000
    return [
        CameraStatus(
            camera_id=camera_id,
            worker_id=WORKER,
            epoch=1,
            state=CameraState.ONLINE,
            updated_at_ms=now_ms,
            last_frame_at_ms=now_ms,
            stream_fps=25,
            analysed_fps=fps,
            width=1280,
            height=720,
            codec="h264",
            frames_analysed=1,
        )
        for camera_id in camera_ids
    ]


def ticks(seconds: float) -> Iterator[None]:
    """Yield evenly; one that is late is not made up for."""
    due = time.monotonic()
    while True:
        yield
        due = max(due + seconds, time.monotonic() - seconds)
        time.sleep(max(0.0, due - time.monotonic()))


def play(redis_url: str, fps: float, videos: Sequence[Path], camera_ids: Sequence[str]) -> None:
    """Publish pictures of all cameras, evenly spread over time, until the process is ended."""
    pictures = [previews(video, WorkerSettings.model_fields["preview_size"].default) for video in videos]
    with redis.Redis.from_url(redis_url) as client:
        link = WorkerLink(client, WORKER, frame_index_size=100)
        said_at = 0.0
        for count in ticks_counted(1 / fps / len(camera_ids)):
            if time.monotonic() - said_at >= _STATUS_SECONDS:
                said_at = time.monotonic()
                link.publish_statuses(statuses(camera_ids, fps))
            place, seq = count % len(camera_ids), count // len(camera_ids) + 1
            shown = pictures[place % len(pictures)]
            jpeg = shown[(seq + place * 7) % len(shown)]
            link.publish_result(result_of(camera_ids[place], seq, jpeg), jpeg)


def ticks_counted(seconds: float) -> Iterator[int]:
    """Yield 0, 1, 2, ... evenly."""
    for count, _ in enumerate(ticks(seconds)):
        yield count


def main(arguments: list[str]) -> None:
    """Play what the command line names."""
    place = arguments.index("--")
    play(arguments[0], float(arguments[1]), [Path(each) for each in arguments[2:place]], arguments[place + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
