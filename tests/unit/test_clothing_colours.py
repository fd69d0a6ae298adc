"""The colours of clothes, on persons painted in code: with light, shade, grain and what stands behind."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contract.crops import Crop
from contract.events import EventKind
from contract.recognition import RecognitionRequest
from reid.recognisers.colour_names import COLOURS, NAMES, name_shares, oklab
from reid.recognisers.colours import ClothingColours, dominant, mean_shares
from reid.recognisers.opening import UnknownRecogniserError, open_recognisers
from reid.recognisers.recogniser import LoadedRequest
from runtime.settings import ReidSettings
from tests.support.event_stores import track_event

#: sRGB.
SHIRTS = {
    "red": (190, 35, 40),
    "blue": (35, 70, 170),
    "green": (40, 130, 60),
    "yellow": (235, 205, 60),
    "white": (235, 235, 230),
    "black": (25, 25, 28),
    "grey": (128, 130, 132),
    "pink": (235, 140, 180),
    "orange": (230, 120, 35),
    "brown": (105, 68, 42),
}


def person(upper: str, lower: str, *, light: float = 1.0, size: tuple[int, int] = (64, 160)) -> NDArray[np.uint8]:
    """Paint a person before a green wall: head, shirt, trousers, shoes, with grain, under more or less light."""
    width, height = size
    image: NDArray[Any] = np.full((height, width, 3), (90, 150, 90), np.float64)

    def paint(colour: tuple[int, int, int], left: float, top: float, right: float, bottom: float) -> None:
        image[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = colour[::-1]

    paint((205, 160, 135), 0.38, 0.02, 0.62, 0.15)
    paint(SHIRTS[upper], 0.18, 0.15, 0.82, 0.50)
    paint(SHIRTS[lower], 0.24, 0.50, 0.76, 0.93)
    paint((15, 15, 15), 0.24, 0.93, 0.76, 1.0)
    image += np.random.default_rng(3).normal(0, 12, image.shape)
    blurred = cv2.GaussianBlur(np.clip(image * light, 0, 255).astype(np.uint8), (3, 3), 0)
    return np.ascontiguousarray(blurred, dtype=np.uint8)


def request(images: list[NDArray[np.uint8]], qualities: list[float] | None = None) -> LoadedRequest:
    """Return a request with those crops."""
    crops = [
        Crop(
            path=f"lobby/crops/{n}.jpg",
            captured_at_ms=1,
            xyxy=(0.0, 0.0, 1.0, 1.0),
            width=image.shape[1],
            height=image.shape[0],
            confidence=0.9,
            quality=(qualities or [0.8] * len(images))[n],
        )
        for n, image in enumerate(images)
    ]
    asked = RecognitionRequest(
        event_id="lobby:1:1",
        recogniser="colours",
        kind=EventKind.TRACK_ENDED,
        at_ms=1,
        camera_id="lobby",
        track="lobby:1:1",
        started_at_ms=1,
        class_name="person",
        crops=crops,
    )
    return LoadedRequest(asked, images)


def told(*requests: LoadedRequest) -> list[dict[str, Any]]:
    """Return what the recogniser says."""
    return [dict(found.result) for found in ClothingColours().recognise(requests)]


@pytest.mark.parametrize("upper", SHIRTS)
@pytest.mark.parametrize("lower", ["black", "blue", "white"])
def test_shirt_and_trousers_are_named_apart(upper: str, lower: str) -> None:
    """Given a person in a shirt and trousers of other colours, each has its name, and no wall is told of."""
    (found,) = told(request([person(upper, lower)]))
    assert (found["upper"][0]["name"], found["lower"][0]["name"]) == (upper, lower)
    assert found["upper"][0]["share"] > 0.6


@pytest.mark.parametrize("light", [0.7, 1.15])
@pytest.mark.parametrize("upper", ["red", "blue", "green", "yellow"])
def test_a_shirt_keeps_its_name_in_the_shade_and_in_the_sun(upper: str, light: float) -> None:
    """Given less or more light, strong colours stay what they are."""
    (found,) = told(request([person(upper, "black", light=light)]))
    assert found["upper"][0]["name"] == upper


def test_better_crops_count_for_more_and_any_size_will_do() -> None:
    """Given two good crops and a bad one of somebody else, and crops of one pixel, the good ones decide."""
    images = [person("red", "black"), person("red", "black", size=(20, 50)), person("blue", "white")]
    (mixed, tiny) = told(request(images, [0.9, 0.8, 0.1]), request([np.full((1, 1, 3), (40, 35, 190), np.uint8)]))
    assert [mixed[part][0]["name"] for part in ("upper", "lower")] == ["red", "black"]
    assert [tiny[part] for part in ("upper", "lower")] == [[{"name": "red", "share": 1.0}]] * 2


def test_only_ends_of_persons_tracks_are_wanted() -> None:
    """Given events of persons and cars, starts and ends, only the end of a person's track is looked at."""
    wants = ClothingColours().wants
    assert wants(track_event(1, kind=EventKind.TRACK_ENDED))
    assert not wants(track_event(1))
    assert not wants(track_event(1, kind=EventKind.TRACK_ENDED, class_name="car"))


def test_every_reference_colour_has_its_own_name_and_shares_are_one_together() -> None:
    """Given the reference colours as pixels, each is called what it is listed under."""
    for name, shades in COLOURS.items():
        for red, green, blue in shades:
            shares = name_shares(np.array([[[blue, green, red]]], np.uint8))
            assert shares[name] == 1.0
            assert sum(shares.values()) == 1.0


def test_oklab_is_that_of_its_author() -> None:
    """Given white, black and the primaries, the values are those that its author publishes."""
    image = np.array([[[255, 255, 255], [0, 0, 0], [0, 0, 255], [0, 255, 0], [255, 0, 0]]], np.uint8)
    expected = np.array([[1, 0, 0], [0, 0, 0], [0.628, 0.225, 0.126], [0.866, -0.234, 0.179], [0.452, -0.032, -0.312]])
    assert np.allclose(oklab(image)[0], expected, atol=0.002)


def test_means_are_weighted_and_something_is_always_told() -> None:
    """Given shares of two pictures, their mean goes by weight; where no colour is large, the largest is told."""
    zero = dict.fromkeys(NAMES, 0.0)
    mean = mean_shares([zero | {"red": 1.0}, zero | {"blue": 1.0}], [3.0, 1.0])
    assert (mean["red"], mean["blue"]) == (0.75, 0.25)
    assert [each["name"] for each in dominant(mean)] == ["red", "blue"]
    even = dict.fromkeys(NAMES, 1 / len(NAMES))
    assert len(dominant(even)) == 1


def test_recognisers_are_opened_by_name_and_an_unknown_one_is_refused_with_those_there_are() -> None:
    """Given FARM_RECOGNISERS, each is opened once, in that order; a misspelt one is named with the choice."""
    opened = open_recognisers(ReidSettings(recognisers=" colours, colours"))
    assert [(name, each.name) for name, each in opened.items()] == [("colours", "colours")]
    with pytest.raises(UnknownRecogniserError, match=r"'colors'.*there are colours, reid"):
        open_recognisers(ReidSettings(recognisers="colors"))
