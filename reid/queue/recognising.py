"""Lets recognisers look at a batch, so that whatever one request does to them, the others have their results."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

import structlog

from contract.crops import Crop
from reid.crop_files import CropFiles, UnreadableCropError
from reid.errors import UnusableCropsError
from reid.images import BgrImage
from reid.queue.answering import Answer, Asked, Failure
from reid.queue.time_limit import TookTooLongError
from reid.recognisers.recogniser import LoadedRequest, Recogniser, Recognition
from runtime.clock import Clock

#: Limits a block to some seconds, and raises `TookTooLongError` in it.
TimeLimit = Callable[[], AbstractContextManager[object]]

log = structlog.get_logger(__name__)


class Recognising:
    """Reads crops and asks recognisers. One thread uses it."""

    def __init__(self, recognisers: Mapping[str, Recogniser], files: CropFiles, limit: TimeLimit, clock: Clock) -> None:
        self._recognisers: Final = recognisers
        self._files = files
        self._limit = limit
        self._clock = clock
        #: Monotonic seconds since which a recogniser has been at work; None: none is.
        self._since: float | None = None
        #: Crops that were looked at.
        self.crops = 0

    def recognise(self, batch: Sequence[Asked]) -> tuple[list[Answer], list[Failure]]:
        """Return what there is to say of each request, and why there is nothing.

        Raises:
            VolumeAwayError: The frames volume is not there now.
        """
        answers: list[Answer] = []
        failures: list[Failure] = []
        loaded: dict[str, list[tuple[Asked, LoadedRequest]]] = {}
        #: Several recognisers look at the same crops.
        known: dict[str, BgrImage] = {}
        for asked in batch:
            found = self._load(asked, known)
            if isinstance(found, Failure):
                failures.append(found)
            else:
                loaded.setdefault(asked.ticket.recogniser, []).append((asked, found))
        for name, requests in loaded.items():
            for some in _together(requests):
                self._ask(self._recognisers[name], some, answers, failures)
        return answers, failures

    def hangs_longer_than(self, seconds: float) -> bool:
        """Tell whether a recogniser has not come back for so long; may be asked by any thread."""
        since = self._since
        return since is not None and self._clock.monotonic() - since > seconds

    def _load(self, asked: Asked, known: dict[str, BgrImage]) -> LoadedRequest | Failure:
        if asked.request is None:
            return Failure(asked, "its request cannot be read", is_passing=False)
        if asked.ticket.recogniser not in self._recognisers:
            names = ", ".join(sorted(self._recognisers))
            return Failure(asked, f"this ReID worker has only {names}; see FARM_RECOGNISERS", is_passing=True)
        if not asked.request.crops:
            return Failure(asked, "it has no crops", is_passing=False)
        try:
            images = [self._image(asked.request.event_id, crop, known) for crop in asked.request.crops]
        except UnusableCropsError as error:
            return Failure(asked, str(error), is_passing=False)
        except UnreadableCropError as error:
            return Failure(asked, str(error), is_passing=True)
        return LoadedRequest(asked.request, images)

    def _image(self, event_id: str, crop: Crop, known: dict[str, BgrImage]) -> BgrImage:
        if crop.path not in known:
            known[crop.path] = self._files.load(event_id, crop)
        return known[crop.path]

    def _ask(
        self,
        recogniser: Recogniser,
        requests: Sequence[tuple[Asked, LoadedRequest]],
        answers: list[Answer],
        failures: list[Failure],
    ) -> None:
        """Ask for all of them at once; where that fails, for parts, until those are found that are the reason."""
        try:
            found = self._call(recogniser, [loaded for _, loaded in requests])
            self.crops += sum(len(loaded.images) for _, loaded in requests)
        except TookTooLongError:
            # One by one at once: each part with the one that never ends would take as long again.
            self._ask_parts(
                recogniser, requests, 1, answers, failures, "it took too long; see FARM_REID_TIMEOUT_SECONDS"
            )
        except UnusableCropsError as error:
            self._ask_parts(recogniser, requests, len(requests) // 2, answers, failures, str(error), is_passing=False)
        except Exception as error:  # recognisers are plugged in by others, and theirs must not end ours
            if len(requests) == 1:
                log.exception("recogniser_failed", recogniser=recogniser.name, event_id=requests[0][0].ticket.event_id)
            reason = f"{recogniser.name} failed: {type(error).__name__}: {error}"
            self._ask_parts(recogniser, requests, len(requests) // 2, answers, failures, reason)
        else:
            if len(found) == len(requests):
                answers += _answers(recogniser, requests, found)
            else:
                reason = f"{recogniser.name} gave {len(found)} results for {len(requests)} requests"
                self._ask_parts(recogniser, requests, len(requests) // 2, answers, failures, reason)

    def _call(self, recogniser: Recogniser, requests: Sequence[LoadedRequest]) -> Sequence[Recognition]:
        self._since = self._clock.monotonic()
        try:
            with self._limit():
                return recogniser.recognise(requests)
        finally:
            self._since = None

    def _ask_parts(
        self,
        recogniser: Recogniser,
        requests: Sequence[tuple[Asked, LoadedRequest]],
        size: int,
        answers: list[Answer],
        failures: list[Failure],
        reason: str,
        *,
        is_passing: bool = True,
    ) -> None:
        if len(requests) == 1:
            failures.append(Failure(requests[0][0], reason, is_passing=is_passing))
            return
        for start in range(0, len(requests), size):
            self._ask(recogniser, requests[start : start + size], answers, failures)


def _together(requests: Sequence[tuple[Asked, LoadedRequest]]) -> list[list[tuple[Asked, LoadedRequest]]]:
    """Return which are asked for together: what failed before goes alone, after the others.

    What ended a ReID worker once may do it again.
    """
    fresh = [each for each in requests if not each[0].attempts]
    return [*([fresh] if fresh else []), *([each] for each in requests if each[0].attempts)]


def _answers(
    recogniser: Recogniser, requests: Sequence[tuple[Asked, LoadedRequest]], found: Sequence[Recognition]
) -> list[Answer]:
    return [
        Answer(asked, recognition, recogniser.version) for (asked, _), recognition in zip(requests, found, strict=True)
    ]
