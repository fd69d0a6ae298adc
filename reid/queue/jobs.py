"""The queues themselves: RQ's lists, jobs and registries, and two scripts that give jobs to whole batches at once."""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

import redis
import structlog
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from contract import keys
from contract.errors import FarmError
from contract.recognition import RecognitionQueue
from reid.queue.ticket import Ticket
from runtime.scripts import Script

#: Seconds for which RQ shows a job that is a dead letter; the database keeps it with its event.
FAILED_SECONDS: Final = 7 * 86_400
#: Share of a batch that is for the last queue, however much waits before it.
_SHARE: Final = 4
#: What RQ says of jobs that nobody does any more.
_OVER: Final = frozenset({JobStatus.FAILED, JobStatus.FINISHED, JobStatus.STOPPED, JobStatus.CANCELED})
_OVER_TEXTS: Final = frozenset(status.value.encode() for status in _OVER)

log = structlog.get_logger(__name__)


class LeaseGoneError(FarmError):
    """The ReID worker does not hold its lease: nothing is given to it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that a ReID worker has in its hands."""

    ticket: Ticket
    worker_id: str


def recognise(event_id: str, recogniser: str) -> NoReturn:
    """Stand for a recognition on RQ's queues; ReID workers never call it, for they take them in batches."""
    raise FarmError(f"recognition {recogniser} of {event_id} is done by python -m reid, not by other workers of RQ")


class RecognitionQueues:
    """Puts recognitions on the queues and gives them to ReID workers. One thread uses it.

    Every method raises what redis-py raises when Redis is away.
    """

    def __init__(self, client: redis.Redis, timeout_seconds: int) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self.queues: Final = {
            name: Queue(name.value, connection=client, serializer=JSONSerializer) for name in RecognitionQueue
        }
        self._take = Script(client, "take_jobs")
        self._finish = Script(client, "finish_jobs")

    def put(self, ticket: Ticket) -> bool:
        """Put a recognition on its queue; False: it is there, or being done."""
        queue = self.queues[ticket.queue]
        for _ in range(2):
            job = queue.create_job(
                recognise,
                kwargs={"event_id": ticket.event_id, "recogniser": ticket.recogniser},
                timeout=self._timeout_seconds,
                result_ttl=0,
                failure_ttl=FAILED_SECONDS,
                description=f"{ticket.recogniser} of {ticket.event_id}",
                job_id=ticket.job_id,
            )
            try:
                queue.enqueue_job(job, unique=True)
            except DuplicateJobError:
                known = self._job(ticket.job_id)
                if known is None or known.get_status(refresh=False) not in _OVER:
                    return False
                known.delete()  # a dead letter that is replayed, or what another worker of RQ has spoilt
            else:
                return True
        return False

    def take(self, worker_id: str, token: str, most: int) -> list[Ticket]:
        """Take jobs, those of the first queue first; they are its own until they are finished or its lease is gone.

        Raises:
            LeaseGoneError: It does not hold its lease.
        """
        touched = [keys.reid_worker_lease(worker_id)]
        for queue in self.queues.values():
            touched += [queue.key, queue.started_job_registry.key]
        reserved = max(1, most // _SHARE) if most > 1 else 0
        answer = self._take.answer(touched, [token, worker_id, Job.redis_job_namespace_prefix, most, reserved])
        if not answer[0]:
            raise LeaseGoneError(f"the lease of {worker_id} is gone")
        taken: list[Ticket] = []
        for name, ids in zip(self.queues, answer[1:], strict=True):
            taken += [ticket for ticket in self._tickets(name, [job_id.decode() for job_id in ids]) if ticket]
        return taken

    def finish(self, worker_id: str, tickets: Iterable[Ticket], *, back: bool = False) -> None:
        """Forget jobs that a worker has done, or put them back where they are taken next."""
        for name, some in _by_queue(tickets).items():
            queue = self.queues[name]
            what = "return" if back else "forget"
            arguments = [worker_id, Job.redis_job_namespace_prefix, what, *(ticket.job_id for ticket in some)]
            self._finish([queue.key, queue.started_job_registry.key], arguments)

    def bury(self, worker_id: str, ticket: Ticket, reason: str) -> None:
        """Put a job that a worker has among RQ's failed ones."""
        queue = self.queues[ticket.queue]
        job = self._job(ticket.job_id)
        with self._client.pipeline() as pipe:
            pipe.zrem(queue.started_job_registry.key, _entry(ticket.job_id, worker_id))
            if job is not None:
                job.set_status(JobStatus.FAILED, pipeline=pipe)
                queue.failed_job_registry.add(job, ttl=FAILED_SECONDS, exc_string=reason, pipeline=pipe)
            pipe.execute()

    def held(self) -> list[Held]:
        """Return all jobs that ReID workers have in their hands, the dead ones' too."""
        found: list[Held] = []
        for name, queue in self.queues.items():
            pairs = queue.started_job_registry.get_job_and_execution_ids(cleanup=False)
            tickets = self._tickets(name, [job_id for job_id, _ in pairs])
            for (job_id, worker_id), ticket in zip(pairs, tickets, strict=True):
                if ticket is None:  # deleted while it was being done
                    self._client.zrem(queue.started_job_registry.key, _entry(job_id, worker_id))
                else:
                    found.append(Held(ticket, worker_id))
        return found

    def absent(self, tickets: Sequence[Ticket]) -> list[Ticket]:
        """Return those that are neither on a queue nor being done: Redis has lost them, or somebody else ended them."""
        pipe = self._client.pipeline(transaction=False)
        for ticket in tickets:
            pipe.hget(Job.key_for(ticket.job_id), "status")
        return [
            ticket
            for ticket, status in zip(tickets, pipe.execute(), strict=True)
            if status is None or status in _OVER_TEXTS
        ]

    def lengths(self) -> dict[RecognitionQueue, int]:
        """Return how many jobs wait on each queue, without those being done."""
        return {name: queue.count for name, queue in self.queues.items()}

    def _job(self, job_id: str) -> Job | None:
        return Job.fetch_many([job_id], self._client, serializer=JSONSerializer)[0]

    def _tickets(self, queue: RecognitionQueue, job_ids: list[str]) -> list[Ticket | None]:
        """Return what jobs are about; None: it is not there, or somebody else's."""
        # Of a job only what it is about: RQ would read all of its times besides, which takes six times as long.
        pipe = self._client.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.hget(Job.key_for(job_id), "data")
        told = pipe.execute() if job_ids else []
        return [
            None if data is None else _ticket(job_id, data, queue) for job_id, data in zip(job_ids, told, strict=True)
        ]


def _ticket(job_id: str, data: bytes, queue: RecognitionQueue) -> Ticket | None:
    try:
        with suppress(zlib.error):  # as RQ reads it: versions before 1.0 did not compress
            data = zlib.decompress(data)
        _, _, _, values = JSONSerializer.loads(data)
        ticket = Ticket(str(values["event_id"]), str(values["recogniser"]), queue)
    except (KeyError, TypeError, ValueError) as error:
        log.error("job_not_ours", job=job_id, queue=queue, error=str(error))
        return None
    return ticket if ticket.job_id == job_id else None


def _entry(job_id: str, worker_id: str) -> str:
    """Return how RQ spells that a job is being done, with the ReID worker where it has the execution's id."""
    return f"{job_id}:{worker_id}"


def _by_queue(tickets: Iterable[Ticket]) -> dict[RecognitionQueue, list[Ticket]]:
    found: dict[RecognitionQueue, list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        found[ticket.queue].append(ticket)
    return found
