"""Names of colours, and which of them pixels have, in a space in which equal distances look alike. Pure."""

from functools import cache
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from reid.images import BgrImage

#: Name -> sRGB colours, 0 to 255, that people call so: clothes as cameras show them, in the light and in the shade.
COLOURS: Final[dict[str, tuple[tuple[int, int, int], ...]]] = {
    "black": ((12, 12, 12), (38, 38, 40)),
    "grey": ((80, 80, 82), (125, 125, 125), (170, 170, 170)),
    "white": ((215, 215, 215), (250, 250, 250)),
    "red": ((215, 40, 40), (150, 20, 25), (95, 15, 20)),
    "orange": ((240, 130, 30), (200, 95, 20)),
    "yellow": ((245, 220, 50), (205, 180, 40), (165, 145, 45)),
    "green": ((45, 150, 65), (20, 85, 40), (130, 195, 100), (95, 110, 50)),
    "turquoise": ((50, 185, 185), (20, 115, 120)),
    "blue": ((45, 85, 200), (25, 35, 105), (115, 160, 220), (20, 25, 60), (42, 50, 80), (72, 90, 125)),
    "purple": ((125, 55, 155), (70, 30, 95), (170, 120, 200)),
    "pink": ((240, 150, 185), (220, 60, 135)),
    "brown": ((115, 72, 42), (72, 46, 30)),
    "beige": ((212, 188, 152), (180, 155, 120)),
}
NAMES: Final = tuple(COLOURS)


def oklab(image: BgrImage) -> NDArray[np.float32]:
    """Return the colours of pixels in Oklab, in which distances are about as large as differences look.

    Args:
        image: Shape (..., 3), blue, green, red, 0 to 255.

    Returns:
        Shape (..., 3): lightness in [0, 1], green to red, blue to yellow.

    Source:
        Björn Ottosson, "A perceptual color space for image processing", 2020.
    """
    rgb = image[..., ::-1].astype(np.float32) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ _TO_CONES)
    return cast("NDArray[np.float32]", (cones @ _TO_LAB).astype(np.float32))


def name_shares(image: BgrImage) -> dict[str, float]:
    """Return which share of the pixels has each colour; the shares are 1 together.

    Args:
        image: Shape (height, width, 3), 1 pixel at least.
    """
    references, owners = _references()
    pixels = oklab(image).reshape(-1, 3)
    distances = ((pixels[:, None, :] - references[None]) ** 2).sum(axis=2)
    counts = np.bincount(owners[distances.argmin(axis=1)], minlength=len(NAMES))
    return {name: float(count) / len(pixels) for name, count in zip(NAMES, counts, strict=True)}


#: Linear sRGB to what the three kinds of cones see, and the cube roots of that to Oklab; both for rows.
_TO_CONES: Final = np.array(
    [
        [0.4122214708, 0.2119034982, 0.0883024619],
        [0.5363325363, 0.6806995451, 0.2817188376],
        [0.0514459929, 0.1073969566, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB: Final = np.array(
    [
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ],
    np.float32,
)


@cache
def _references() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return all reference colours in Oklab, and the place in `NAMES` of each one's name."""
    values = [colour for shades in COLOURS.values() for colour in shades]
    owners = [place for place, shades in enumerate(COLOURS.values()) for _ in shades]
    return oklab(np.array(values, np.uint8)[:, ::-1]), np.array(owners, np.intp)
