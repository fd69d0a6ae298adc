"""Cameras whose footage lies on the volume and stands in the index, behind a real API."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask

from camera_ctrler.api.services import Services, services_of
from camera_ctrler.recordings.index import SegmentIndex
from contract.camera_specs import CameraCreate
from contract.recording_paths import segment_path
from contract.recordings import OpenSegment, Segment
from runtime.recording_feed import RecordingFeed
from tests.support.footage import LOOK, Look, write_segment, write_segments

#: A quarter of an hour into an hour of the past, so that ten minutes of footage lie in one folder.
START = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000 + 900_000
#: Small pictures, a keyframe a second: quick to make.
SMALL = Look(size=(320, 180), fps=25, gop=25)


@dataclass
class RecordedCamera:
    """One camera and what is recorded of it."""

    services: Services
    camera_id: str = "lobby"
    segments: list[Segment] = field(default_factory=list)

    def register(self, **fields: object) -> "RecordedCamera":
        """Put the camera into the registry."""
        spec = {"id": self.camera_id, "url": "rtsp://192.0.2.10/stream1", "name": "Lobby", **fields}
        self.services.registry.add(CameraCreate.model_validate(spec))
        return self

    @property
    def root(self) -> Path:
        """The frames volume."""
        return self.services.store.root

    @property
    def index(self) -> SegmentIndex:
        """The index, as the manager writes it."""
        return SegmentIndex(self.services.registry.engine)

    def record(
        self, start_ms: int, count: int = 1, *, seconds: float = 10.0, epoch: int = 1, look: Look = SMALL
    ) -> list[Segment]:
        """Record so many files, one after another, and put them into the index."""
        made = write_segments(self.root, self.camera_id, start_ms, count, seconds=seconds, epoch=epoch, look=look)
        self.add(made)
        return made

    def add(self, made: Iterable[Segment]) -> None:
        """Put files that were written into the index."""
        made = list(made)
        self.index.add(made)
        self.segments += made

    def file(self, segment: Segment) -> Path:
        """Return a file of footage."""
        return self.root / segment_path(segment.camera_id, segment.start_ms, segment.epoch)

    def open(self, start_ms: int, *, seconds: float, epoch: int = 1, look: Look = LOOK) -> Segment:
        """Write a file as far as a worker has got with it, and tell of it as the one that is being written."""
        made = write_segment(self.root, self.camera_id, start_ms, seconds=seconds, epoch=epoch, look=look)
        self.tell([], made)
        return made

    def tell(self, finished: list[Segment], growing: Segment | None) -> None:
        """Say in Redis which files are finished and which one is being written."""
        feed = RecordingFeed(self.services.client)
        if growing is None:
            feed.publish(finished, [])
            feed.closed([self.camera_id])
            return
        fields = growing.model_dump(exclude={"kept_for", "motion", "seen"})
        feed.publish(finished, [OpenSegment(worker_id="worker-1", **fields)])


@pytest.fixture
def lobby(app: Flask) -> RecordedCamera:
    """A registered camera without footage."""
    return RecordedCamera(services_of(app)).register()
