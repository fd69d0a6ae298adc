"""Records one camera: takes its packets as they arrive and writes those that are wanted, file after file."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contract.errors import StatusReason
from contract.recordings import (
    OpenSegment,
    RecordingSettings,
    RecordingState,
    RecordingStatus,
    RecordMode,
    Segment,
)
from workers.media import MediaPacket, MediaTemplate
from workers.recording.camera_files import CameraFiles
from workers.recording.footage_file import Held
from workers.recording.held_packets import (
    OVERHEAD_BYTES,
    Arrived,
    Ended,
    Failed,
    HeldPackets,
    Inbox,
    Lost,
    Opened,
)
from workers.recording.stream_session import StreamSession
from workers.recording.told_segments import ToldSegments
from workers.recording.wishes import Look

#: Seconds of pre-roll that are held beyond what is asked for: analysis is late.
LATE_SECONDS: Final = 5.0
#: Seconds without a round of the recorder after which its disk counts as failing.
STUCK_SECONDS: Final = 5.0
#: Most seconds that are held, whatever they are waiting for.
HELD_SECONDS: Final = 90.0


@dataclass(slots=True)
class News:
    """What is to be told of one camera."""

    finished: list[Segment] = field(default_factory=list)
    #: The file that is being written; None: there is none that can be played.
    opened: OpenSegment | None = None


class CameraRecorder:
    """The recording of one camera under one worker.

    It is the capture's tap (`MediaTap`) and takes what analysis finds, from any thread and without waiting; `step`,
    `finish` and `news` are the recorder's thread's alone.
    """

    def __init__(
        self,
        camera_id: str,
        worker_id: str,
        root: Path,
        *,
        epoch: int,
        settings: RecordingSettings,
        buffer_bytes: int,
    ) -> None:
        """Begin to record a camera.

        Args:
            camera_id: Whose footage it is.
            worker_id: Who records.
            root: The frames volume.
            epoch: Written into the names of files.
            settings: What is recorded.
            buffer_bytes: Most bytes of packets that wait in memory.
        """
        self.camera_id: Final = camera_id
        self._worker_id = worker_id
        # Half for what nobody has read yet, half for what is read and not wanted yet.
        self._held_bytes = buffer_bytes // 2
        self._inbox = Inbox(buffer_bytes // 2)
        self._looks: deque[Look] = deque(maxlen=1_000)
        #: Replaced as a whole, for several threads read it.
        self._wanted = (epoch, settings)
        self._status = RecordingStatus()
        #: Monotonic seconds when the recorder looked after it last; None: it has not yet.
        self._stepped_at: float | None = None
        # From here on, the recorder's thread alone.
        #: Packets that the last step took from the capture.
        self.taken = 0
        self._told = ToldSegments(settings)
        self._files = CameraFiles(root, camera_id, self._told)
        self._held: HeldPackets[StreamSession] = HeldPackets()
        self._session: StreamSession | None = None
        #: Whether the next file may begin without a keyframe, for the one before ended without one.
        self._begins_anywhere = False
        self._stream_failure: Failed | None = None

    # --- the tap; any thread -------------------------------------------------------------------------------------

    @property
    def wants_audio(self) -> bool:
        """Whether sound is recorded; asked when a stream is opened."""
        return self._wanted[1].record_audio

    def opened(self, template: MediaTemplate) -> None:
        """Take note that a stream is open."""
        self._inbox.put(Opened(template))

    def packet(self, packet: MediaPacket, *, is_video: bool, at: float, at_ms: int) -> None:
        """Take a packet; see `MediaTap`."""
        is_keyframe = is_video and packet.is_keyframe
        self._inbox.put(Arrived(packet, is_video, is_keyframe, at, at_ms, packet.size + OVERHEAD_BYTES))

    def ended(self) -> None:
        """Take note that the stream has ended."""
        self._inbox.put(Ended())

    def failed(self, reason: StatusReason, detail: str) -> None:
        """Take note of why there is no stream."""
        self._inbox.put(Failed(reason, detail))

    def lost(self, reason: str, packets: int) -> None:
        """Take note of packets of the video that were to be recorded and were lost before they came here."""
        self._inbox.put(Lost(reason, packets))

    # --- analysis and assignments; any thread --------------------------------------------------------------------

    def looked(self, look: Look) -> None:
        """Take note of what was found in a frame."""
        self._looks.append(look)

    def update(self, *, epoch: int, settings: RecordingSettings) -> None:
        """Go on under another epoch, with other settings; a file that is open ends at the next keyframe."""
        self._wanted = (epoch, settings)

    def status(self, now: float) -> RecordingStatus:
        """Return what it is doing at `now` (monotonic seconds)."""
        known, stepped_at = self._status, self._stepped_at
        if stepped_at is None or now - stepped_at < STUCK_SECONDS or known.state is RecordingState.OFF:
            return known
        # The recorder's thread waits for the kernel, and cannot say so itself.
        detail = f"the frames volume has not answered for {now - stepped_at:.0f} s"
        stuck = {"state": RecordingState.FAILING, "reason": StatusReason.DISK_FAILED, "detail": detail}
        return known.model_copy(update=stuck)

    # --- the recorder's thread -----------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open and nothing comes."""
        return self._files.are_finished and (self._session is None or self._session.ended)

    def step(self, now: float) -> None:
        """Write what has gathered.

        Args:
            now: Monotonic seconds.
        """
        self._stepped_at = now
        epoch, settings = self._wanted
        self._told.wishes.settings = settings
        self._told.looked([self._looks.popleft() for _ in range(len(self._looks))])
        self._read_inbox()
        if settings.record is RecordMode.OFF:
            self._files.end(None)
            while len(self._held):
                self._held.drop_gop()
        else:
            self._write(now, epoch, settings)
            self._trim(now)
        self._files.time_passed(now)
        self._status = self._said(settings)

    def finish(self) -> None:
        """Finish the file that is open, for nothing comes any more."""
        self._files.end(None)
        self._files.finish_ending()
        self._status = self._said(self._wanted[1])

    def news(self) -> News:
        """Return what is to be told since the last time."""
        return News(self._told.news(), self._files.open_segment(self._worker_id))

    # --- what has arrived ----------------------------------------------------------------------------------------

    def _read_inbox(self) -> None:
        told, dropped = self._inbox.take()
        self.taken = sum(isinstance(each, Arrived) for each in told)
        self._files.lose("memory", dropped)
        for each in told:
            if isinstance(each, Arrived):
                self._place(each)
            elif isinstance(each, Failed):
                self._stream_failure = each
            elif isinstance(each, Lost):
                self._files.lose(each.reason, each.packets)
            else:
                if self._session is not None:
                    self._hold(self._session.end())
                if isinstance(each, Opened):
                    self._session, self._stream_failure = StreamSession(each.template), None

    def _place(self, arrived: Arrived) -> None:
        session = self._session
        if session is None or session.ended:
            return
        if session.is_recordable:
            self._hold(session.place(arrived))
        else:
            self._files.lose(StatusReason.NOT_RECORDABLE, int(arrived.is_video))

    def _hold(self, packets: list[Held]) -> None:
        for held in packets:
            self._held.append(held)

    # --- writing -------------------------------------------------------------------------------------------------

    def _write(self, now: float, epoch: int, settings: RecordingSettings) -> None:
        while (held := self._held.oldest) is not None:
            if self._files.open is not None and self._ends_before(held, now, epoch, settings):
                self._files.end(held)
            if self._files.open is None:
                if not held.is_keyframe and not (self._begins_anywhere and held.is_video):
                    self._pass_over(held)
                    continue
                if not self._is_wanted(held, now) and self._is_wanted_later(now):
                    self._held.drop_gop()
                    continue
                if not self._is_time(held, now) or not self._files.begin(held, now, epoch, settings):
                    break
                self._begins_anywhere = False
            self._files.add(self._held.pop(), now)
        if self._files.open is not None and self._files.open.session.ended and not len(self._held):
            self._files.end(None)

    def _ends_before(self, held: Held, now: float, epoch: int, settings: RecordingSettings) -> bool:
        """Tell whether the file that is open ends before this packet."""
        file = self._files.open
        assert file is not None
        if held.session is not file.session:
            return True
        file.cuts |= held.cuts
        if not held.is_keyframe:
            self._begins_anywhere = held.is_video and file.is_too_long(held)
            return self._begins_anywhere
        return (
            file.cuts
            or file.is_long_enough(held)
            or (epoch, settings) != (file.epoch, file.settings)
            or not self._is_wanted(held, now)
            or held.session.changes_at(held.packet)
        )

    def _is_wanted(self, held: Held, now: float) -> bool:
        """Tell whether the GOP that begins with this packet, the oldest, is wanted."""
        end = self._held.gop_end()
        return self._told.wishes.wants(held.at, max(held.at, now if end is None else end))

    def _is_wanted_later(self, now: float) -> bool:
        """Tell whether something that is held after the oldest GOP is wanted."""
        end = self._held.gop_end()
        return end is not None and self._told.wishes.wants(end, max(end, now))

    def _is_time(self, held: Held, now: float) -> bool:
        # The line of a stream that has just begun is not known yet, and a file is named after its first picture.
        settled = held.session.clock.is_settled or held.session.ended
        return settled and self._files.may_try(now) and self._is_wanted(held, now)

    def _pass_over(self, held: Held) -> None:
        """Leave a packet out that no file can begin with."""
        self._held.pop()
        wanted = held.is_video and self._told.wishes.wants(held.at, held.at)
        self._files.lose(self._files.failure.reason if self._files.failure else "before_keyframe", int(wanted))

    # --- bounds --------------------------------------------------------------------------------------------------

    def _trim(self, now: float) -> None:
        """Keep what waits within its bounds in bytes and in seconds."""
        reason = self._files.failure.reason if self._files.failure else "memory"
        while self._held.bytes > self._held_bytes:
            self._files.lose(reason, self._held.drop_gop())
        settings = self._told.wishes.settings
        is_pre_roll = self._files.failure is None and settings.record is not RecordMode.CONTINUOUS
        seconds = settings.pre_roll_seconds + LATE_SECONDS if is_pre_roll else HELD_SECONDS
        while self._files.open is None and (end := self._held.gop_end()) is not None and end < now - seconds:
            oldest = self._held.oldest
            wanted = oldest is not None and self._told.wishes.wants(oldest.at, end)
            dropped = self._held.drop_gop()
            self._files.lose(reason, dropped if wanted else 0)

    # --- status --------------------------------------------------------------------------------------------------

    def _said(self, settings: RecordingSettings) -> RecordingStatus:
        state, reason, detail = self._state(settings)
        return RecordingStatus(
            state=state,
            reason=reason,
            detail=detail,
            seconds=round(self._files.seconds, 1),
            size_bytes=self._files.size_bytes,
            packets_lost=dict(self._files.lost),
            sound=self._session.sound_note if self._session and settings.record_audio else "",
        )

    def _without_stream(self) -> tuple[RecordingState, StatusReason | None, str]:
        known = self._stream_failure
        if known is None:
            return RecordingState.WAITING, None, "no stream"
        is_refused = known.reason is StatusReason.MASK_FAILED  # there is one, and it must not be recorded as it is
        return RecordingState.FAILING if is_refused else RecordingState.WAITING, known.reason, known.detail

    def _state(self, settings: RecordingSettings) -> tuple[RecordingState, StatusReason | None, str]:
        session = self._session
        is_open = session is not None and not session.ended
        if settings.record is RecordMode.OFF:
            return RecordingState.OFF, None, ""
        if self._files.failure is not None:
            return RecordingState.FAILING, self._files.failure.reason, str(self._files.failure)
        if session is not None and is_open and not session.is_recordable:
            return RecordingState.FAILING, StatusReason.NOT_RECORDABLE, f"its codec is {session.codec}"
        if self._files.open is not None:
            return RecordingState.RECORDING, None, ""
        if not is_open:
            return self._without_stream()
        waits_for = {RecordMode.MOTION: "motion", RecordMode.EVENTS: "an event"}.get(settings.record, "a keyframe")
        return RecordingState.WAITING, None, f"waiting for {waits_for}"
