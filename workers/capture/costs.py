"""Tells the worker's meter what the threads of captures spend, on receiving and on decoding."""

import time

from contract.workers import Stage
from workers.capture.state import StreamFacts
from workers.stage_meter import StageMeter, ThreadRest


class CaptureCosts:
    """What one capture's thread spends. Made and used on that thread alone."""

    def __init__(self, meter: StageMeter) -> None:
        self._meter = meter
        self._rest = ThreadRest(meter, Stage.RECEIVE)
        self._told = StreamFacts()
        self._packets = 0

    def received(self) -> None:
        """Count a packet."""
        self._packets += 1

    def handed_over(self, began: float) -> None:
        """Leave out what the thread did for others since `began` (`time.thread_time`)."""
        self._rest.took(time.thread_time() - began)

    def tell(self, facts: StreamFacts) -> None:
        """Tell what was spent since the last time; `facts` are those of the stream that is open."""
        decoded, before = facts, self._told
        if decoded.decode_seconds < before.decode_seconds:  # another stream
            before = StreamFacts()
        cpu = decoded.decode_seconds - before.decode_seconds
        self._meter.add(Stage.DECODE, cpu=cpu, count=decoded.frames_decoded - before.frames_decoded)
        self._rest.took(cpu)
        self._rest.tell(self._packets)
        self._told, self._packets = facts, 0
