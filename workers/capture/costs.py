"""Tells the worker's meter what the threads of captures spend, on receiving and on decoding."""

from contextlib import AbstractContextManager

from contract.workers import Stage
from workers.capture.state import StreamFacts
from workers.stage_meter import StageMeter, ThreadCosts


class CaptureCosts:
    """What one capture's thread spends. Used on that thread alone."""

    def __init__(self, meter: StageMeter) -> None:
        self._meter = meter
        self._receiving = ThreadCosts(meter, Stage.RECEIVE)
        self._told = StreamFacts()

    def received(self, at: float) -> None:
        """Count a packet that arrived at a moment in monotonic seconds."""
        self._receiving.item(at)

    def handing_over(self) -> AbstractContextManager[None]:
        """Leave out what the thread does inside of this for others, which they measure."""
        return self._receiving.apart(None)

    def decoded(self, facts: StreamFacts) -> None:
        """Tell what was decoded since the last time; `facts` are those of the stream that is open."""
        before = self._told
        if facts.decode_seconds < before.decode_seconds:  # another stream
            before = StreamFacts()
        cpu = facts.decode_seconds - before.decode_seconds
        if cpu > 0:
            self._meter.add(Stage.DECODE, cpu=cpu, count=facts.frames_decoded - before.frames_decoded)
            self._receiving.leave_out(cpu)
        self._told = facts
