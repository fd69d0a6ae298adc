"""Events of the last moments, kept for the case that the server which accepted them loses them."""

from collections import OrderedDict
from typing import Final

import redis
import structlog

from contract.events import Event
from runtime.clock import Clock
from runtime.worker_link import WorkerLink, Written
from workers.backlog import is_unusable

#: Seconds for which an accepted event is kept. A server that writes to disk once a second loses up to two of them in
#: a crash; a failover loses what the replica had not heard, and takes Sentinel some ten seconds to carry out.
KEEP_SECONDS: Final = 30.0
#: Events that are kept at most, a few hundred bytes each.
KEEP_COUNT: Final = 1024
#: Seconds between two looks whether the server is still the same one, while there is something to lose.
LOOK_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class KeptEvents:
    """Publishes events, and publishes them again where the server has lost them. For one thread.

    An accepted event is safe when the server has written it to disk, or its replica has it, and no answer tells when
    that is. So each is kept for a while, and sent again in order to a server that is another one than before. What it
    has already it recognises.
    """

    def __init__(self, link: WorkerLink, clock: Clock) -> None:
        """Begin with none.

        Args:
            link: Where events go.
            clock: Times how long they are kept.
        """
        self._link = link
        self._clock = clock
        #: (camera id, epoch, number) -> (monotonic seconds when it was accepted, the event), in that order.
        self._kept: OrderedDict[tuple[str, int, int], tuple[float, Event]] = OrderedDict()
        #: (camera id, epoch) -> number of the newest one that is kept.
        self._newest: dict[tuple[str, int], int] = {}
        #: Run id of the server that accepted them; empty: none was asked yet.
        self._server = ""
        self._look_at = float("-inf")

    def __len__(self) -> int:
        return len(self._kept)

    def publish(self, event: Event) -> Written:
        """Publish one event, behind those that the server has lost. Raises what redis-py raises."""
        if not self._server:
            self._server = self._link.server_id()
        written = self._link.publish_event(event, after=self._newest.get((event.camera_id, event.epoch), 0))
        if written is Written.BEHIND:
            self._send_again("events_missing")
            written = self._link.publish_event(event)
        if written in (Written.ACCEPTED, Written.REPEATED):
            self.keep(event)
        return written

    def keep(self, event: Event) -> None:
        """Keep an event that was accepted now."""
        self._kept[event.camera_id, event.epoch, event.number] = (self._clock.monotonic(), event)
        self._newest[event.camera_id, event.epoch] = event.number
        self._forget_old()

    @property
    def seconds_to_look(self) -> float:
        """Seconds until `look` is due; infinite while nothing is kept."""
        return max(0.0, self._look_at - self._clock.monotonic()) if self._kept else float("inf")

    def look(self, *, now: bool = False) -> None:
        """Find out whether the server is another one, if it is time to; what is kept is sent again then.

        Args:
            now: It is time, for there was an outage.

        Raises:
            redis.RedisError: As redis-py says; what is kept is sent again the next time.
        """
        if not self._kept or (not now and self.seconds_to_look > 0):
            return
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        server = self._link.server_id()
        if server != self._server:
            self._send_again("server_changed")
            self._server = server
        self._forget_old()

    def _send_again(self, why: str) -> None:
        """Send all in order, one by one: an error for one must not let those behind it pass."""
        missing = 0
        for _, event in self._kept.values():
            try:
                missing += self._link.publish_event(event) is Written.ACCEPTED
            except redis.ResponseError as error:
                if not is_unusable(error):
                    raise
        log.warning("events_sent_again", why=why, events=len(self._kept), missing=missing)

    def _forget_old(self) -> None:
        before = self._clock.monotonic() - KEEP_SECONDS
        while self._kept:
            name, (accepted_at, _) = next(iter(self._kept.items()))
            if accepted_at >= before and len(self._kept) <= KEEP_COUNT:
                break
            del self._kept[name]
            camera_id, epoch, number = name
            if self._newest.get((camera_id, epoch)) == number:
                del self._newest[camera_id, epoch]
