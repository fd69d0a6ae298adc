"""Takes out of embeddings what is the camera's and not the person's. Pure.

Light, colours and angle of a camera move all its embeddings the same way, so that strangers of one camera are alike
and one person in two cameras is not. With the mean of the camera's tracks taken away the right person is nearest more
often (see benchmarks/README.md). A camera that has seen few tracks is given the mean of the embedder itself, as if it
had seen `PRIOR_TRACKS` tracks of it.

Source:
    Song, Park, Lee: "Exploring the Camera Bias of Person Re-identification", ICLR 2025; the mean alone, without the
    deviation, which made it worse here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.ids import CameraId
from reid.images import Embeddings

#: Tracks that the embedder's own mean counts for, beside those of the camera. With more, strangers in cameras that had
#: seen little and are unlike what the embedder was measured on were as alike as one person.
PRIOR_TRACKS: Final = 1
#: Tracks that a camera must have seen before its mean tells its strangers from each other.
ENOUGH_TRACKS: Final = 8
#: Once so many tracks were seen, the oldest ones fade: a camera's light changes over the day.
REMEMBERED_TRACKS: Final = 500
#: Shorter vectors have no direction worth anything.
_TINY: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class CameraMean:
    """The mean of what one camera has seen, each track once, however long."""

    #: At most `REMEMBERED_TRACKS`.
    tracks: int
    #: Shape (dimension,); shorter than 1.
    mean: NDArray[np.float32]


CameraMeans = Mapping[CameraId, CameraMean]


def with_track(known: CameraMean | None, vectors: Embeddings) -> CameraMean:
    """Return the mean with one more track.

    Args:
        known: The mean so far; None: this is the camera's first track.
        vectors: Shape (N, dimension), N at least 1: the track's embeddings, as the embedder made them.
    """
    track = vectors.mean(axis=0, dtype=np.float32)
    if known is None:
        return CameraMean(1, track)
    tracks = min(known.tracks + 1, REMEMBERED_TRACKS)
    return CameraMean(tracks, known.mean + (track - known.mean) / np.float32(tracks))


def without_bias(
    vectors: Embeddings, cameras: Sequence[CameraId], means: CameraMeans, embedder_mean: NDArray[np.float32]
) -> Embeddings:
    """Return embeddings less the mean of their cameras, of length 1 again.

    Args:
        vectors: Shape (N, dimension), as the embedder made them.
        cameras: The camera of each.
        means: Of the cameras, as far as they are known.
        embedder_mean: Shape (dimension,), `Thresholds.mean`.
    """
    shifts = {camera: _shift(means.get(camera), embedder_mean) for camera in set(cameras)}
    moved = vectors - np.array([shifts[camera] for camera in cameras], np.float32).reshape(vectors.shape)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, _TINY), np.float32)


def _shift(known: CameraMean | None, embedder_mean: NDArray[np.float32]) -> NDArray[np.float32]:
    if known is None:
        return embedder_mean
    weight = known.tracks + PRIOR_TRACKS
    return np.asarray((known.mean * known.tracks + embedder_mean * PRIOR_TRACKS) / weight, np.float32)
