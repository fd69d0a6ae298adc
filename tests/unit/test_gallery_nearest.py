"""What is nearest of all segments: by codes and comparing, or by comparing alone."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from reid.gallery import nearest
from reid.gallery.codes import Codes
from reid.gallery.embedding_rows import StoredVectors
from reid.gallery.nearest import find_nearest
from reid.gallery.segment import TRACK_MS, Extent, Segment
from reid.images import Embeddings

DIMENSION = 64
CODED = 512


def _people(count: int, seed: int, dimension: int = DIMENSION) -> Embeddings:
    """Return crops of ever new people, ten of each, around a common mean."""
    rng = np.random.default_rng(seed)
    people = np.repeat(rng.standard_normal((-(-count // 10), dimension)), 10, axis=0)[:count]
    found = (1.0 + people + 0.7 * rng.standard_normal((count, dimension))).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def _stored(vectors: Embeddings, first: int, at_ms: int = 0) -> StoredVectors:
    numbers = np.arange(first, first + len(vectors))
    times = np.full(len(vectors), at_ms)
    return StoredVectors(numbers, times, times, vectors.astype(np.float16))


def _segment(place: int, vectors: Embeddings, size: int) -> Segment:
    segment = Segment.empty(place, vectors.shape[1], 0)
    segment.add(_stored(vectors, place * size), place * size + len(vectors) - 1)
    return segment


def _true(vectors: Embeddings, numbers: NDArray[np.int64], asked: Embeddings, count: int) -> list[set[int]]:
    scores = asked @ vectors.astype(np.float16).astype(np.float32).T
    return [set(numbers[np.argsort(-row)[:count]].tolist()) for row in scores]


def _recall(segments: Sequence[Segment], asked: Embeddings, true: Sequence[set[int]]) -> float:
    hits = sum(
        len(set(find_nearest(segments, one[np.newaxis], 10)[0].tolist()) & best)
        for one, best in zip(asked, true, strict=True)
    )
    return hits / (10 * len(asked))


@pytest.fixture(autouse=True)
def coded_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes from 512 embeddings on, and a tenth of the comparing: as with very many."""
    monkeypatch.setattr("reid.gallery.segment.CODED_FROM", CODED)
    monkeypatch.setattr(nearest, "COMPARED", 200)


@pytest.mark.parametrize("dimension", [64, 50], ids=["of four divides", "does not"])
def test_the_ten_nearest_of_three_segments_are_found(dimension: int) -> None:
    """Given two segments with codes and one that is compared wholly, nearly all of the true ten are found."""
    size = 65_536
    vectors = _people(4_200, 1, dimension)
    parts = [vectors[:2_000], vectors[2_000:3_900], vectors[3_900:]]
    segments = [_segment(place, part, size) for place, part in enumerate(parts)]
    numbers = np.concatenate([np.arange(len(part)) + place * size for place, part in enumerate(parts)])
    moved = vectors[::60] + 0.05 * np.random.default_rng(2).standard_normal((70, dimension)).astype(np.float32)
    asked = np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)
    assert _recall(segments, asked, _true(vectors, numbers, asked, 10)) >= 0.99

    found, similarities = find_nearest(segments, asked, 10, threads=2)
    assert len(found) == len(set(found.tolist()))
    assert similarities.tolist() == sorted(similarities.tolist(), reverse=True)
    by_number = dict(zip(numbers.tolist(), vectors, strict=True))
    for number, similarity in zip(found.tolist(), similarities.tolist(), strict=True):
        assert similarity == pytest.approx(float((asked @ by_number[number]).max()), abs=0.002)


def test_what_is_gone_is_never_found_and_makes_room_for_the_next() -> None:
    """Given the ten nearest erased, the ten after them are found, with codes and without."""
    for count in (CODED - 1, 3_000):
        vectors = _people(count, 3)
        segment = _segment(0, vectors, 0)
        numbers = np.arange(count)
        asked = vectors[7:8]
        (first,) = _true(vectors, numbers, asked, 10)
        kept = np.setdiff1d(numbers, list(first))
        segment.keep_only(kept)
        segment.add(_stored(_people(20, 4), count), count + 19)  # grown since
        (then,) = _true(vectors[kept], kept, asked, 8)
        found = set(find_nearest([segment], asked, 10)[0].tolist())
        assert not found & first
        assert len(found & (then | set(range(count, count + 20)))) >= 8
        assert len(segment) == count + 10
        segment.keep_only(np.array([count]))
        assert find_nearest([segment], asked, 10)[0].tolist() == [count]


def test_searches_while_a_segment_grows_find_what_was_there_before() -> None:
    """Given one thread that adds and two that search, each search finds the crop it asks for, that was there."""
    vectors = _people(6_000, 5)
    segment = _segment(0, vectors[:400], 0)
    missed: list[int] = []
    is_done = threading.Event()

    def search(seed: int) -> None:
        rng = np.random.default_rng(seed)
        while not is_done.is_set():
            number = int(rng.integers(0, len(segment)))
            if number not in find_nearest([segment], vectors[number : number + 1], 3)[0]:
                missed.append(number)

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for start in range(400, 6_000, 40):
        segment.add(_stored(vectors[start : start + 40], start), start + 39)
    is_done.set()
    for thread in threads:
        thread.join(10)
    assert not missed
    assert len(segment) == 6_000


def test_nothing_is_found_where_nothing_is() -> None:
    """Given no segment, an empty one, or no question, the answer is empty."""
    empty = Segment.empty(0, DIMENSION, 0)
    full = _segment(0, _people(600, 6), 0)
    nothing = np.empty((0, DIMENSION), np.float32)
    for segments, asked in (([], full_query()), ([empty], full_query()), ([full], nothing), ([full, empty], nothing)):
        numbers, similarities = find_nearest(segments, asked, 5)
        assert (numbers.tolist(), similarities.tolist()) == ([], [])


def full_query() -> Embeddings:
    """Return something to ask for."""
    return _people(1, 7)


def test_codes_come_back_from_bytes_and_others_are_refused() -> None:
    """Given codes as bytes, they answer as before; cut, changed or of another dimension they are refused."""
    vectors = _people(900, 8, 50)
    codes = Codes.trained(vectors[:CODED])
    codes.add(vectors)
    data = codes.to_bytes()
    again = Codes.from_bytes(data, 50)
    for one, other in zip(codes.search(vectors[:5], 20), again.search(vectors[:5], 20), strict=True):
        np.testing.assert_array_equal(one, other)
    for wrong, dimension in ((data[:-100], 50), (data[:150], 50), (b"", 50), (bytes(len(data)), 50), (data, 40)):
        with pytest.raises(ValueError, match=r"codes|buffer"):
            Codes.from_bytes(wrong, dimension)


def test_a_segment_knows_when_its_tracks_were_seen() -> None:
    """Given crops of two hours, what lies an hour and more before or after them is not looked for in it."""
    hour = 3_600_000
    segment = Segment.empty(0, DIMENSION, 0)
    assert segment.extent == Extent()
    segment.add(_stored(_people(5, 9), 0, 10 * hour), 4)
    segment.add(_stored(_people(5, 10), 5, 12 * hour), 9)
    extent = segment.extent
    assert extent == Extent(10, 10 * hour, 12 * hour)
    assert extent.may_be_in(None, None)
    assert extent.may_be_in(12 * hour + TRACK_MS, None)
    assert not extent.may_be_in(12 * hour + TRACK_MS + 1, None)
    assert extent.may_be_in(None, 10 * hour + 1)
    assert not extent.may_be_in(None, 10 * hour)
