"""The colours of what persons wear, above and below the waist: a recogniser that needs no model."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import cv2
import numpy as np
from sqlalchemy import Connection

from contract.events import Event, EventKind
from reid.images import BgrImage
from reid.recognisers.colour_names import NAMES, name_shares
from reid.recognisers.recogniser import Answered, LoadedRequest, Recognition
from runtime.settings import ReidSettings

#: Where clothes are in a crop of a standing person: left, top, right and bottom as shares of its size. Narrow, for
#: what stands behind shows at the sides; below the head, and above the shoes.
UPPER: Final = (0.28, 0.18, 0.72, 0.46)
LOWER: Final = (0.30, 0.54, 0.70, 0.84)
#: Side in pixels that a part is made as small as: averages take the grain out, and more says nothing more.
_SIDE: Final = 24
#: Colours with a smaller share are not told: reflections, bags, what shows between the legs.
_LEAST_SHARE: Final = 0.15

#: Changes whenever results of the same pictures would.
VERSION: Final = "oklab-1"


class ClothingColours:
    """Tells the colours of persons' clothes."""

    name: Final = "colours"
    version: Final = VERSION

    def wants(self, event: Event) -> bool:
        """Look at persons whose track has ended: then the best crops of all are known."""
        return event.class_name == "person" and event.kind is EventKind.TRACK_ENDED

    def recognise(self, requests: Sequence[LoadedRequest]) -> list[Recognition]:
        """Return ``upper`` and ``lower``: lists of name and share, the largest first."""
        return [Recognition(self._result(loaded)) for loaded in requests]

    def keep(self, connection: Connection, answered: Sequence[Answered]) -> None:
        """Keep nothing but the results."""

    def _result(self, loaded: LoadedRequest) -> dict[str, Any]:
        weights = [0.05 + crop.quality for crop in loaded.request.crops]
        parts = {"upper": UPPER, "lower": LOWER}
        return {
            name: dominant(mean_shares([name_shares(_part(image, part)) for image in loaded.images], weights))
            for name, part in parts.items()
        }


def open_recogniser(_settings: ReidSettings) -> ClothingColours:
    """Return the recogniser."""
    return ClothingColours()


def mean_shares(found: Sequence[dict[str, float]], weights: Sequence[float]) -> dict[str, float]:
    """Return the mean of what several pictures show, each with its weight, more than 0."""
    total = sum(weights)
    return {name: sum(each[name] * w for each, w in zip(found, weights, strict=True)) / total for name in NAMES}


def dominant(shares: dict[str, float]) -> list[dict[str, Any]]:
    """Return the colours that say something, those with the largest shares first."""
    ordered: Iterable[tuple[str, float]] = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [(name, share) for name, share in ordered if share >= _LEAST_SHARE] or [
        max(ordered, key=lambda pair: pair[1])
    ]
    return [{"name": name, "share": round(share, 3)} for name, share in told]


def _part(image: BgrImage, part: tuple[float, float, float, float]) -> BgrImage:
    """Return a part of a crop, made small; 1 pixel at least."""
    height, width = image.shape[:2]
    left, top = int(part[0] * width), int(part[1] * height)
    right, bottom = max(left + 1, round(part[2] * width)), max(top + 1, round(part[3] * height))
    piece = image[top:bottom, left:right]
    size = (min(_SIDE, piece.shape[1]), min(_SIDE, piece.shape[0]))
    small = cv2.resize(piece, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small, dtype=np.uint8)
