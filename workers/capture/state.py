"""What a capture says of its camera, and what it needs to know to watch one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from contract.camera_addresses import CameraAddresses
from contract.cameras import CameraState
from contract.errors import StatusReason
from runtime.settings import WorkerSettings


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How cameras are reached; the fields and units of `WorkerSettings`."""

    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    connect_timeout_seconds: float = 8.0
    stall_timeout_seconds: float = 8.0
    reconnect_max_seconds: float = 15.0
    local_video_dir: Path | None = None
    camera_tls_verify: bool = True
    decode_device: str = "cpu"
    #: Which addresses cameras may have.
    addresses: CameraAddresses = field(default_factory=CameraAddresses)

    @classmethod
    def of(cls, settings: WorkerSettings) -> Self:
        """Take them from a worker's settings."""
        return cls(
            rtsp_transport=settings.rtsp_transport,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            stall_timeout_seconds=settings.stall_timeout_seconds,
            reconnect_max_seconds=settings.reconnect_max_seconds,
            local_video_dir=settings.local_video_dir,
            camera_tls_verify=settings.camera_tls_verify,
            decode_device=settings.decode_device,
            addresses=settings.camera_addresses,
        )


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of an open stream."""

    codec: str = ""
    #: Size in pixels of the last decoded frame; 0 while none was.
    width: int = 0
    height: int = 0
    #: Frames per second received, over the last seconds; decoded or not.
    stream_fps: float = 0.0
    #: ``keyframes``, ``all``, or ``snapshots`` where pictures are asked for one by one.
    decode_mode: str = ""
    #: Packets and pictures that could not be decoded since the stream was opened.
    decode_errors: int = 0
    #: Frames decoded, and CPU-seconds spent on it, since the stream was opened.
    frames_decoded: int = 0
    decode_seconds: float = 0.0
    #: Frames that were due and were not decoded since the stream was opened, for reading was behind.
    frames_left_out: int = 0
    #: Whether nothing could be decoded for a while of a stream that is recorded all the same.
    is_undecodable: bool = False


@dataclass(frozen=True, slots=True)
class CaptureState:
    """What a camera's stream is doing.

    Clock: `last_frame_at_ms` is Unix time in milliseconds UTC, by the worker's clock.
    """

    state: CameraState
    #: Why it is not online; None while it is, or before the first attempt has failed.
    reason: StatusReason | None = None
    #: One sentence for people, secrets masked.
    detail: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    stream_fps: float = 0.0
    decode_mode: str = ""
    last_frame_at_ms: int | None = None
    #: Times the stream came back after having been online.
    reconnects: int = 0
    decode_errors: int = 0
    #: Frames that were due and were not decoded since the capture began, for reading was behind.
    frames_left_out: int = 0
    #: CPU time of the capture's thread since it began: receiving, and decoding what is looked at.
    cpu_seconds: float = 0.0
