"""What people put right of identities, and that it can be undone. On both databases."""

import pytest

from camera_ctrler.identities.changes import IdentityChanges
from camera_ctrler.identities.cleaner import IdentityCleaner
from camera_ctrler.identities.erasure import Erasure
from camera_ctrler.identities.errors import (
    ChangeConflictError,
    ChangeNotFoundError,
    IdentityNotFoundError,
    SightingNotFoundError,
)
from camera_ctrler.identities.reading import IdentityFilter, IdentityReading, SightingFilter
from camera_ctrler.identities.watching import IdentityWishes
from tests.support.galleries import EIGHT_MS, HOUR_MS, Gallery, settle

MINUTE_MS = 60_000


class Seen:
    """Two people, each seen by two cameras, and whoever changes that."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        gallery.see_strangers(8, "lobby", 1_000)
        gallery.see_strangers(8, "yard", 2_000)
        for person in (1, 2):
            gallery.see(person, f"lobby:1:{person}")
            gallery.see(person, f"yard:1:{person}", camera="yard", at_ms=EIGHT_MS + MINUTE_MS)
        self.writer = gallery.writer()
        settle(self.writer)
        self.one, self.two = (self.of(f"lobby:1:{person}") for person in (1, 2))
        self.changes = IdentityChanges(gallery.engine, gallery.clock)
        self.reading = IdentityReading(gallery.engine)

    def of(self, track: str) -> str:
        """Return the identity of a track that has one."""
        found = self.gallery.identity_of(track)
        assert found is not None
        return found


@pytest.fixture
def seen(gallery: Gallery) -> Seen:
    """Two people, each seen by two cameras."""
    return Seen(gallery)


def test_a_merge_and_its_undo_give_back_the_former_state(seen: Seen) -> None:
    """Given two identities, one named, when they are merged and that is undone, everything is as it was."""
    seen.changes.rename(seen.two, "Anna")
    before = seen.gallery.state()
    number = seen.changes.merge(seen.one, seen.two)
    assert {seen.of(f"{camera}:1:{person}") for camera in ("lobby", "yard") for person in (1, 2)} == {seen.one}
    assert seen.reading.find(seen.one).name == "Anna"
    assert (seen.reading.find(seen.two).merged_into, seen.reading.find(seen.two).sightings) == (seen.one, 0)
    assert seen.two not in [each.identity for each in seen.reading.page(IdentityFilter(), limit=100)]
    assert [(each.kind, each.name) for each in seen.reading.changes(limit=2)] == [("merge", "Anna"), ("rename", "Anna")]
    assert seen.reading.seen_by(frozenset()).changes(limit=2) == []
    seen.changes.undo(number)
    assert seen.gallery.state() == before
    with pytest.raises(ChangeConflictError, match="undone before"):
        seen.changes.undo(number)


def test_a_split_and_its_undo_give_back_the_former_state(seen: Seen) -> None:
    """Given an identity with two sightings, when one is taken out and that is undone, everything is as it was."""
    before = seen.gallery.state()
    number, new = seen.changes.split(seen.one, ["yard:1:1"])
    assert (seen.of("yard:1:1"), seen.of("lobby:1:1")) == (new, seen.one)
    seen.changes.undo(number)
    assert seen.gallery.state() == before
    assert [each.undone_at_ms for each in seen.reading.changes(limit=9)] == [seen.gallery.clock.now_ms()]


def test_what_a_person_said_is_not_decided_again(seen: Seen) -> None:
    """Given a track said to be somebody, more crops of it that look like somebody else change nothing."""
    seen.changes.assign("yard:1:1", seen.two)
    seen.gallery.see(1, "yard:1:1", camera="yard", at_ms=EIGHT_MS + MINUTE_MS, part=1)
    settle(seen.writer)
    assert seen.of("yard:1:1") == seen.two
    assert seen.reading.sighting("yard:1:1").last_ms == EIGHT_MS + MINUTE_MS + 6_000
    number = seen.changes.assign("lobby:1:1", None)
    assert seen.gallery.identity_of("lobby:1:1") is None
    seen.changes.undo(number)
    assert seen.of("lobby:1:1") == seen.one


def test_who_comes_after_a_merge_is_the_one_that_is_left(seen: Seen) -> None:
    """Given a merge, a new track like the dissolved identity is a sighting of the kept one, and stays so after undo."""
    number = seen.changes.merge(seen.one, seen.two)
    seen.gallery.see(2, "lobby:1:9", at_ms=EIGHT_MS + 5 * MINUTE_MS)
    settle(seen.writer)
    assert seen.of("lobby:1:9") == seen.one
    seen.changes.undo(number)
    assert (seen.of("lobby:1:9"), seen.of("lobby:1:2")) == (seen.one, seen.two)


def test_a_change_that_was_changed_since_is_not_undone(seen: Seen) -> None:
    """Given two changes of one track, the first is refused until the second is undone."""
    first = seen.changes.assign("yard:1:1", seen.two)
    second = seen.changes.assign("yard:1:1", None)
    with pytest.raises(ChangeConflictError, match="yard:1:1 is a sighting of nobody now"):
        seen.changes.undo(first)
    seen.changes.undo(second)
    seen.changes.undo(first)
    assert seen.of("yard:1:1") == seen.one


def test_wishes_that_make_no_sense_are_refused_and_change_nothing(seen: Seen) -> None:
    """Given identities, tracks and changes that are not there, or that do not go together, each says so."""
    before = seen.gallery.state()
    changes = seen.changes
    with pytest.raises(IdentityNotFoundError, match="id-nobody"):
        changes.rename("id-nobody", "x")
    with pytest.raises(IdentityNotFoundError):
        changes.merge(seen.one, "id-nobody")
    with pytest.raises(ChangeConflictError, match="itself"):
        changes.merge(seen.one, seen.one)
    with pytest.raises(ChangeConflictError, match="all sightings"):
        changes.split(seen.one, ["lobby:1:1", "yard:1:1"])
    with pytest.raises(ChangeConflictError, match="is a sighting of"):
        changes.split(seen.one, ["lobby:1:2"])
    with pytest.raises(SightingNotFoundError):
        changes.split(seen.one, ["lobby:1:99"])
    with pytest.raises(SightingNotFoundError):
        changes.assign("lobby:1:99", seen.one)
    with pytest.raises(ChangeNotFoundError):
        changes.undo(99)
    assert seen.gallery.state() == before


def test_erasure_takes_all_that_names_an_identity(seen: Seen) -> None:
    """Given an identity into which another was merged, watched for and seen, then no table has anything of both."""
    seen.changes.merge(seen.one, seen.two)
    IdentityWishes(seen.gallery.engine, seen.gallery.clock).watch(seen.one, "door")
    seen.gallery.see(1, "lobby:1:5", at_ms=EIGHT_MS + 5 * MINUTE_MS)
    settle(seen.writer)
    assert seen.gallery.count("watch_hits") == 1
    erased = Erasure(seen.gallery.engine, seen.gallery.folder / "frames", seen.gallery.clock).erase(seen.one)
    assert (erased.sightings, erased.embeddings) == (5, 15)
    for table in ("watch_list", "watch_hits", "identity_changes", "identity_change_tracks"):
        assert seen.gallery.count(table) == 0
    with pytest.raises(IdentityNotFoundError):
        seen.reading.find(seen.one)
    with pytest.raises(IdentityNotFoundError):
        seen.reading.find(seen.two)
    tracks = {each.track for each in seen.reading.sightings(SightingFilter(), limit=100)}
    assert len(tracks) == 16
    assert not {track for track in tracks if ":1:" in track}


def test_what_was_on_its_way_when_an_identity_was_erased_is_not_kept(seen: Seen) -> None:
    """Given a track that goes on after its identity was erased, its crops are not embedded again, nor is it seen."""
    Erasure(seen.gallery.engine, seen.gallery.folder / "frames", seen.gallery.clock).erase(seen.one)
    count = seen.gallery.count("embeddings")
    seen.gallery.see(1, "lobby:1:1", part=1)
    settle(seen.writer)
    assert seen.gallery.count("embeddings") == count
    assert "lobby:1:1" not in [each.track for each in seen.reading.sightings(SightingFilter(), limit=100)]


def test_journeys_are_in_order_in_pages_and_by_filters(seen: Seen) -> None:
    """Given an identity that came back, its journey is its sightings from the first on, whatever the size of a page."""
    for number in range(3):
        seen.gallery.see(1, f"lobby:1:1{number}", at_ms=EIGHT_MS + (number + 5) * MINUTE_MS)
    settle(seen.writer)
    wanted = SightingFilter(identity=seen.one)
    whole = [each.track for each in seen.reading.journey(wanted, limit=100)]
    assert whole == ["lobby:1:1", "yard:1:1", "lobby:1:10", "lobby:1:11", "lobby:1:12"]
    found: list[str] = []
    after = None
    while page := seen.reading.journey(wanted, limit=2, after=after):
        found += [each.track for each in page]
        after = page[-1].first_ms, page[-1].track
    assert found == whole
    by_yard = SightingFilter(identity=seen.one, cameras=frozenset({"yard"}))
    assert [each.track for each in seen.reading.journey(by_yard, limit=9)] == ["yard:1:1"]
    later = SightingFilter(identity=seen.one, from_ms=EIGHT_MS + 6 * MINUTE_MS)
    assert [each.track for each in seen.reading.journey(later, limit=9)] == ["lobby:1:11", "lobby:1:12"]
    view = seen.reading.find(seen.one)
    assert (view.sightings, view.cameras, view.first_ms) == (5, ["lobby", "yard"], EIGHT_MS)


def test_names_and_what_is_watched_outlive_retention(seen: Seen) -> None:
    """Given everything too old, identities without a name go with their sightings, the others stay."""
    seen.changes.rename(seen.one, "Anna")
    IdentityWishes(seen.gallery.engine, seen.gallery.clock).watch(seen.two)
    seen.gallery.clock.advance(3 * 24 * 3_600)
    cleaner = IdentityCleaner(seen.gallery.engine, 24 * HOUR_MS, seen.gallery.clock)
    while cleaner.step():
        pass
    for table in ("embeddings", "sightings", "identity_changes"):
        assert seen.gallery.count(table) == 0
    left = {each.identity for each in seen.reading.page(IdentityFilter(), limit=100)}
    assert left == {seen.one, seen.two}
    assert seen.reading.find(seen.one).first_ms is None
