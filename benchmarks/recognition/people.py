"""People seen by two cameras, and what an embedder makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.embedding.description import EmbedderModel
from reid.embedding.openvino_embedder import OpenVinoEmbedder
from reid.images import BgrImage, Embeddings
from reid.matching.camera_bias import CameraMean, CameraMeans

PROJECT_DIR: Final = Path(__file__).resolve().parents[2]
#: Beside the checkout; never part of it.
DATA_DIR: Final = PROJECT_DIR.parent / "shared" / "data"
PEOPLE_DIR: Final = DATA_DIR / "reid" / "pku-reid" / "data" / "train"
DEFAULT_FILE: Final = DATA_DIR / "weights" / "osnet_x0_25_msmt17.onnx"


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Crops of people as embeddings."""

    #: Shape (N, dimension), rows of length 1.
    vectors: Embeddings
    #: Shape (N,) each: who it is, and which camera saw it.
    ids: NDArray[np.str_]
    cameras: NDArray[np.str_]

    @property
    def names(self) -> list[str]:
        """Who there is, sorted."""
        return sorted(set(self.ids.tolist()))

    def of(self, person: str, camera: str) -> NDArray[np.intp]:
        """Return the places of a person's crops in one camera."""
        return np.flatnonzero((self.ids == person) & (self.cameras == camera))

    def means(self, persons: Sequence[str]) -> CameraMeans:
        """Return what the cameras have seen of these people, each as one track."""
        return {
            camera: CameraMean(
                len(persons),
                np.mean([self.vectors[self.of(person, camera)].mean(axis=0) for person in persons], axis=0),
            )
            for camera in sorted(set(self.cameras.tolist()))
        }

    def mean(self, persons: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean of all crops of these people."""
        return np.asarray(self.vectors[np.isin(self.ids, persons)].mean(axis=0), np.float32)


def read_pictures(folder: Path) -> tuple[list[BgrImage], list[str], list[str]]:
    """Return crops, who is on them and the camera; the files are ``PERSON/CAMERA_ANGLE.png``."""
    files = sorted(folder.glob("*/*_*.png"))
    images = [np.asarray(cv2.imread(str(file)), np.uint8) for file in files]
    return images, [file.parent.name for file in files], [file.stem.split("_")[0] for file in files]


def embed_people(embedder: OpenVinoEmbedder, folder: Path = PEOPLE_DIR) -> People:
    """Return the embeddings of all people in a folder."""
    images, ids, cameras = read_pictures(folder)
    return People(embedder.embed(images), np.array(ids), np.array(cameras))


def embedder_model(file: Path, name: str) -> EmbedderModel:
    """Describe a file that is in no store."""
    from model_store.hashing import sha256_of

    return EmbedderModel(name, file, sha256_of(file))
