"""Galleries that run as they do in a ReID process, and an embedder that needs no weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
from sqlalchemy import Engine

from reid.gallery.gallery_service import GalleryService
from reid.images import BgrImage, Embeddings
from reid.recognisers.recogniser import Answered, LoadedRequest
from reid.recognisers.reid import ReidRecogniser
from runtime.settings import ReidSettings
from tests.support.galleries import DIMENSION, VERSION, Gallery, request, thresholds

_SIDE = 8


class PatchEmbedder:
    """Embeds a picture as its own eight by eight grey values, less their mean: what looks alike is alike."""

    def __init__(self, version: str = VERSION) -> None:
        self.name = "patches"
        self.version = version
        self.dimension = DIMENSION

    def embed(self, images: Sequence[BgrImage]) -> Embeddings:
        """Return one embedding of each picture."""
        found = np.empty((len(images), DIMENSION), np.float32)
        for place, image in enumerate(images):
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
            small -= small.mean()
            found[place] = small / max(float(np.linalg.norm(small)), 1e-6)
        return found


def portrait(person: int, seed: int = 0) -> BgrImage:
    """Return a crop of somebody: patches of their own, and a little noise."""
    patches = np.random.default_rng(person).integers(0, 256, (_SIDE, _SIDE), np.uint8)
    large = cv2.resize(patches, (64, 160), interpolation=cv2.INTER_NEAREST).astype(np.int16)
    noise = np.random.default_rng((person, seed)).normal(0, 12, large.shape)
    grey = np.clip(large + noise, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[:, :, np.newaxis], 3, axis=2))


def jpeg(image: BgrImage) -> bytes:
    """Return a picture as JPEG."""
    done, data = cv2.imencode(".jpg", image)
    assert done
    return data.tobytes()


def see_portrait(gallery: Gallery, person: int, track: str, *, camera: str, at_ms: int, version: str = VERSION) -> None:
    """Let a camera see somebody, and the recogniser embed it, as a ReID worker does."""
    asked = request(person, track, camera=camera, at_ms=at_ms)
    images = [portrait(person, seed) for seed in range(len(asked.crops))]
    for crop, image in zip(asked.crops, images, strict=True):
        gallery.crops.save(crop.path, jpeg(image))
    recogniser = ReidRecogniser(PatchEmbedder(version))
    (recognition,) = recogniser.recognise([LoadedRequest(asked, images)])
    with gallery.engine.begin() as connection:
        recogniser.keep(connection, [Answered(asked, recognition)])
        recogniser.keep(connection, [Answered(asked, recognition)])  # done twice is done once


@contextmanager
def running(settings: ReidSettings, engine: Engine, version: str = VERSION) -> Iterator[GalleryService]:
    """Let a gallery run."""
    service = GalleryService(settings, engine, PatchEmbedder(version), lambda: PatchEmbedder(version), thresholds())
    service.start()
    try:
        yield service
    finally:
        service.close()
