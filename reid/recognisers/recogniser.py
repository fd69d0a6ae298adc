"""What a recogniser is: all that the queue needs of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from contract.events import Event
from contract.recognition import RecognitionRequest
from reid.images import BgrImage, Embeddings


@dataclass(frozen=True, slots=True)
class LoadedRequest:
    """One request with its crops in memory."""

    request: RecognitionRequest
    #: As many as `request.crops`, in that order.
    images: Sequence[BgrImage]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a recogniser says of one request."""

    #: What people are shown; becomes JSON.
    result: Mapping[str, Any]
    #: One of each crop; None: this recogniser makes none.
    embeddings: Embeddings | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request and what was said of it."""

    request: RecognitionRequest
    recognition: Recognition


class Recogniser(Protocol):
    """One recogniser. It is opened once in each process, and used by one thread at a time."""

    @property
    def name(self) -> str:
        """Its name in requests, rows, metrics and the API: lower-case letters, digits, dashes."""

    @property
    def version(self) -> str:
        """What tells its results from those of another model or another way to work. At most 64 letters."""

    def wants(self, event: Event) -> bool:
        """Tell whether an event that has crops is one to look at; pure, and quick."""

    def recognise(self, requests: Sequence[LoadedRequest]) -> Sequence[Recognition]:
        """Return what there is to say of each request, in their order.

        Raises:
            UnusableCropsError: One request is the reason; it is tried again by itself.
        """

    def keep(self, connection: Connection, answered: Sequence[Answered]) -> None:
        """Write what else there is to keep, in the transaction that keeps the results; does nothing twice.

        Raises:
            ValueError: Or another error of the kind: one of them is the reason. They come again one by one.
        """
