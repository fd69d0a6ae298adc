"""A pipeline whose camera shows painted people, and a detector that finds them by their colours, at set times."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np
import redis

from contract import keys
from contract.assignments import Assignment
from contract.cameras import CameraState, CameraStatus, DetectOn, SaveMode
from contract.events import Event
from runtime.clock import SystemClock
from runtime.crop_store import CropStore
from runtime.frame_store import FrameStore
from runtime.recording_feed import RecordingFeed
from runtime.spool import Spool
from runtime.worker_link import WorkerLink
from tests.support.hand_fed import CLASS_NAMES
from tests.support.rtsp_server import wait_until
from workers.capture.state import CaptureState
from workers.crops.camera_crops import CameraCrops
from workers.crops.memory import CropMemory
from workers.crops.saver import CropSaver
from workers.detection_thread import DetectionSettings
from workers.frames import Detections, Frame
from workers.media import MediaTap
from workers.motion.attention import Attention
from workers.pictures import BgrImage, BgrPicture
from workers.pipeline import Pipeline, Stages
from workers.recording.recorder import Recorder, RecorderSettings
from workers.saving.saver import FrameSaver
from workers.stage_meter import StageMeter
from workers.tracking.byte_track import ByteTrackCameraTracker
from workers.watched_cameras import Capture

CLOCK: Final = SystemClock()
WIDTH, HEIGHT = 640, 480
#: Name -> BGR of what a person wears.
COLOURS: Final = {"red": (30, 30, 220), "blue": (220, 40, 30), "green": (40, 200, 40)}


@dataclass(frozen=True, slots=True)
class Painted:
    """Somebody in the picture: what is worn, and the middle of the feet and the height in pixels."""

    colour: str
    x: int
    y: int
    height: int = 180

    @property
    def xyxy(self) -> tuple[int, int, int, int]:
        """The box, inside the frame."""
        half = self.height // 6
        return max(0, self.x - half), max(0, self.y - self.height), min(WIDTH, self.x + half), min(HEIGHT, self.y)


def paint(people: Sequence[Painted], seed: int = 0) -> BgrImage:
    """Return a picture; who comes later in the list stands in front."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for person in people:
        left, top, right, bottom = person.xyxy
        noise = np.random.default_rng(seed).integers(-25, 25, (bottom - top, right - left, 1))
        image[top:bottom, left:right] = np.clip(np.array(COLOURS[person.colour]) + noise, 0, 255)
    return image


def colour_of(image: BgrImage) -> str:
    """Return the colour that most of a picture has."""
    mean = image.reshape(-1, 3).mean(axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(np.array(COLOURS[name]) - mean).sum()))


class ColourDetector:
    """Finds a person wherever there is one of the colours."""

    device, runtime, input_size, max_batch, boxes_dropped = "cpu", "test", (WIDTH, HEIGHT), 8, 0
    input_sizes, inputs_at_once, rounds_at_once = ((WIDTH, HEIGHT),), 1, 1

    @property
    def class_names(self) -> Mapping[int, str]:
        """Name of every class."""
        return CLASS_NAMES

    def detect(self, images: Sequence[BgrImage], *, confidence: float) -> list[Detections]:  # noqa: ARG002
        """Find people."""
        return [_found(image) for image in images]

    def detect_inputs(self, inputs: Sequence[BgrImage], *, confidence: float) -> list[Detections]:
        """Find people."""
        return self.detect(inputs, confidence=confidence)

    def close(self) -> None:
        """Give nothing back."""


def _found(image: BgrImage) -> Detections:
    boxes = []
    for colour in COLOURS.values():
        near = cv2.inRange(image, np.array(colour) - 40, np.array(colour) + 40)
        left, top, width, height = cv2.boundingRect(near)
        if width and height:
            boxes.append((left, top, left + width, top + height))
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.full(count, 0.9, np.float32), np.zeros(count, np.int64)
    )


class PaintedCapture:
    """A capture whose frames a test paints, and says the time of."""

    def __init__(self, assignment: Assignment, on_frame: Callable[[Frame], None]) -> None:
        self._assignment = assignment
        self._on_frame = on_frame
        self._stopped = False

    def feed(self, at: float, people: Sequence[Painted]) -> None:
        """Let a frame arrive, `at` monotonic seconds."""
        now_ms = CLOCK.now_ms() + round((at - CLOCK.monotonic()) * 1000)
        picture = BgrPicture(paint(people, seed=round(at * 10) % 7))
        self._on_frame(Frame(self._assignment.camera_id, self._assignment.epoch, now_ms, at, picture))

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""
        self._stopped = True

    def join(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the protocol's name
        """Tell whether it has ended."""
        return self._stopped

    def update(self, *, analyse_fps: float, epoch: int) -> None:  # noqa: ARG002 - the protocol's name
        """Change the epoch that frames carry."""
        self._assignment = self._assignment.model_copy(update={"epoch": epoch})


@dataclass(slots=True)
class Heard:
    """What somebody hears who follows the events and looks for their crops at once."""

    events: list[Event] = field(default_factory=list)
    #: Paths that events named before their files were there.
    missing: list[str] = field(default_factory=list)

    def crops(self, track: str | None) -> list[str]:
        """Return the paths of the crops that were named of a track, in the order in which that was."""
        return [crop.path for event in self.events if event.track == track for crop in event.crops]

    @property
    def tracks(self) -> list[str]:
        """Tracks that were told of, in order."""
        return list(dict.fromkeys(event.track for event in self.events if event.track is not None))

    def kinds(self, track: str) -> list[tuple[str, int]]:
        """Return the kinds of a track's events, and how many crops each names."""
        return [(event.kind.value, len(event.crops)) for event in self.events if event.track == track]


class PaintedScene:
    """A running pipeline with one camera, `gate`."""

    def __init__(self, client: redis.Redis, folder: Path, store: CropStore) -> None:
        self.folder = folder
        self.store = store
        self.heard = Heard()
        self._client = client
        self._end = threading.Event()
        self._link = WorkerLink(client, "w", frame_index_size=100)
        self._capture: PaintedCapture | None = None
        stages = Stages(
            open_capture=self._open,
            detector=ColourDetector(),
            new_tracker=lambda: ByteTrackCameraTracker(CLASS_NAMES),
            new_attention=lambda _: Attention(),
            new_crops=lambda: CameraCrops({"person"}, CropMemory()),
            saver=FrameSaver(FrameStore(folder), jpeg_quality=80, preview_size=160),
            crop_saver=CropSaver(store),
            recorder=Recorder(RecorderSettings(folder, 1_000_000), RecordingFeed(client), worker_id="w", clock=CLOCK),
            link=self._link,
            spool=Spool.own(folder.parent / "spool", "w", 1_000_000, CLOCK),
            meter=StageMeter(CLOCK),
        )
        self.pipeline = Pipeline(DetectionSettings(0.0), stages, worker_id="w", clock=CLOCK, on_superseded=lambda: None)
        self.pipeline.start()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def watch(self, **settings: object) -> None:
        """Give the pipeline its camera."""
        assignment = Assignment(camera_id="gate", url="rtsp://h/x", epoch=1)
        assignment.settings = assignment.settings.model_copy(
            update={"detect_on": DetectOn.EVERY_FRAME, "save_frames": SaveMode.NONE} | settings
        )
        self.pipeline.apply({"gate": assignment})

    def feed(self, at: float, *people: Painted) -> None:
        """Let one frame arrive, and wait until it is published."""
        assert self._capture is not None
        before = self.pipeline.totals().analysed
        self._capture.feed(at, people)
        wait_until(lambda: self.pipeline.totals().analysed > before, "it is published")

    @property
    def status(self) -> CameraStatus:
        """What is said of the camera."""
        [(_, status)] = self.pipeline.statuses()
        return status

    def _open(
        self,
        assignment: Assignment,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[CaptureState], None],
        _tap: MediaTap,
        /,
    ) -> Capture:
        on_state(CaptureState(state=CameraState.ONLINE))
        self._capture = PaintedCapture(assignment, on_frame)
        return self._capture

    def _listen(self) -> None:
        last = b"0"
        while not self._end.is_set():
            found = self._client.xread({keys.events(): last}, block=50)
            for _, entries in cast("list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]", found):
                for entry_id, fields in entries:
                    last = entry_id
                    self._hear(Event.model_validate_json(fields[b"event"]))

    def _hear(self, event: Event) -> None:
        for crop in event.crops:
            if not (self.folder / crop.path).is_file():
                self.heard.missing.append(crop.path)
        self.heard.events.append(event)

    def close(self) -> None:
        """Finish, and hear what was told to the end."""
        self.pipeline.close(10)
        count = self._client.xlen(keys.events())
        wait_until(lambda: len(self.heard.events) >= count, "all is heard")
        self._end.set()
        self._listener.join(5)


@contextmanager
def painted_scene(client: redis.Redis, folder: Path, store: CropStore | None = None) -> Iterator[PaintedScene]:
    """Run a pipeline; frames and crops lie in `folder`."""
    scene = PaintedScene(client, folder, store or CropStore(folder))
    try:
        yield scene
    finally:
        scene.close()
