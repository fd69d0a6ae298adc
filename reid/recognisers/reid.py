"""The recogniser that tells people apart: it embeds crops, and the gallery writer decides who they are."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sqlalchemy import Connection

from contract.events import Event, EventKind
from contract.recognition import RecognitionRequest
from reid.embedding.embedder import Embedder
from reid.embedding.errors import NoEmbeddingError
from reid.errors import UnusableCropsError
from reid.gallery.embedding_rows import insert_embeddings
from reid.recognisers.recogniser import LoadedRequest, Recognition
from runtime.settings import ReidSettings

NAME: Final = "reid"
_WANTED: Final = frozenset({EventKind.TRACK_UPDATED, EventKind.TRACK_ENDED})
#: What embedders are trained for that do not say so.
_PERSONS: Final = frozenset({"person"})


def open_recogniser(settings: ReidSettings) -> "ReidRecogniser":
    """Open the recogniser with the embedder that the settings ask for.

    Raises:
        FarmError: The embedder cannot be opened.
    """
    from reid.embedding.opening import open_embedder

    return ReidRecogniser(open_embedder(settings))


class ReidRecogniser:
    """Embeds crops of tracks; by the `Recogniser` protocol."""

    name: Final = NAME

    def __init__(self, embedder: Embedder, classes: frozenset[str] = _PERSONS) -> None:
        """Wrap an embedder.

        Args:
            embedder: What makes embeddings.
            classes: Names of what it tells apart.
        """
        self._embedder = embedder
        self._classes = classes

    @property
    def version(self) -> str:
        """That of the embedder."""
        return self._embedder.version

    def wants(self, event: Event) -> bool:
        """Tell whether an event shows a track of something that the embedder knows."""
        return event.kind in _WANTED and event.class_name in self._classes and bool(event.crops)

    def recognise(self, requests: Sequence[LoadedRequest]) -> Sequence[Recognition]:
        """Return the embeddings of each request's crops; all crops of all requests go through the embedder together.

        Raises:
            UnusableCropsError: The embedder makes no numbers of one of them.
        """
        images = [image for each in requests for image in each.images]
        owners = [each.request.event_id for each in requests for _ in each.images]
        try:
            vectors = self._embedder.embed(images) if images else np.empty((0, self._embedder.dimension), np.float32)
        except NoEmbeddingError as error:
            raise UnusableCropsError(owners[error.index], str(error)) from error
        found, start = [], 0
        for each in requests:
            part = vectors[start : start + len(each.images)]
            start += len(each.images)
            if not np.isfinite(part).all():
                raise UnusableCropsError(
                    each.request.event_id, "the embedder makes something of them that is no number"
                )
            result = {"model": self._embedder.name, "embeddings": len(part)}
            found.append(Recognition(result, part))
        return found

    def keep(self, connection: Connection, request: RecognitionRequest, recognition: Recognition) -> None:
        """Store the embeddings; those that are stored are not stored again."""
        if recognition.embeddings is not None and len(recognition.embeddings):
            insert_embeddings(connection, request, recognition.embeddings, self.version)
