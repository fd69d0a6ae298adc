"""What a job on the queue is about."""

import hashlib
from dataclasses import dataclass

from contract.recognition import RecognitionQueue


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """One recognition that is on a queue; what is asked stands in SQL, under the same key."""

    event_id: str
    recogniser: str
    queue: RecognitionQueue = RecognitionQueue.DEFAULT

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return self.event_id, self.recogniser

    @property
    def job_id(self) -> str:
        """The same for the same recognition: it cannot be on the queues twice. RQ takes no dots and colons in ids."""
        return f"{self.recogniser}-{hashlib.sha256(self.event_id.encode()).hexdigest()[:40]}"
