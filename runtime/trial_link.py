"""How trials of cameras get to workers and answers back: a list for each worker, and one for each answer."""

from typing import Final, cast

import redis

from contract import keys
from contract.camera_trials import WAIT_SECONDS, CameraTrialReply, CameraTrialRequest
from runtime.gallery_link import Asked
from runtime.messages import read_message
from runtime.scripts import Script

#: Trials that may wait for one worker, beside those that it is at.
MAX_WAITING: Final = 4
#: Seconds for which requests and answers are kept.
REQUEST_SECONDS: Final = round(2 * WAIT_SECONDS)
REPLY_SECONDS: Final = 30
#: Seconds for which a worker is believed to try cameras.
ANSWERING_SECONDS: Final = 30
#: Seconds of one wait: shorter than a client of the API waits for one answer of Redis.
_WAIT_SECONDS: Final = 1


class TrialLink:
    """Both sides. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._ask = Script(client, "ask_trial")

    def now_ms(self) -> int:
        """Return Unix milliseconds by the clock of Redis: both sides go by it."""
        seconds, micros = self._client.time()
        return seconds * 1000 + micros // 1000

    # --- who asks ---------------------------------------------------------------------------------------------------

    def ask(self, worker_id: str, request: CameraTrialRequest) -> Asked:
        """Ask one worker."""
        touched = [keys.camera_trials_answered(worker_id), keys.camera_trials(worker_id)]
        return Asked(self._ask(touched, [request.model_dump_json(), MAX_WAITING, REQUEST_SECONDS]))

    def wait_for_reply(self, request: CameraTrialRequest) -> CameraTrialReply | None:
        """Return the answer; None: there was none by `until_ms`, or one that cannot be read."""
        while self.now_ms() < request.until_ms:
            found = cast(
                "tuple[bytes, bytes] | None",
                self._client.blpop([keys.camera_trial_reply(request.request_id)], timeout=_WAIT_SECONDS),
            )
            if found is not None:
                return read_message(CameraTrialReply, found[1])
        return None

    # --- who answers ------------------------------------------------------------------------------------------------

    def take(self, worker_id: str) -> CameraTrialRequest | None:
        """Say that this worker tries cameras, and return a request that somebody still waits for.

        None: there was none for a second.
        """
        self._client.set(keys.camera_trials_answered(worker_id), "1", ex=ANSWERING_SECONDS)
        found = cast(
            "tuple[bytes, bytes] | None", self._client.blpop([keys.camera_trials(worker_id)], timeout=_WAIT_SECONDS)
        )
        request = None if found is None else read_message(CameraTrialRequest, found[1])
        return request if request is not None and self.now_ms() < request.until_ms else None

    def reply(self, reply: CameraTrialReply) -> None:
        """Send an answer."""
        key, pipeline = keys.camera_trial_reply(reply.request_id), self._client.pipeline()
        pipeline.rpush(key, reply.model_dump_json())
        pipeline.expire(key, REPLY_SECONDS)
        pipeline.execute()
