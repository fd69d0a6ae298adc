"""The gallery writer: whose sighting a track is, in which order, and who may say so. On both databases."""

import threading

import pytest
from sqlalchemy import select, update

from camera_ctrler.identities.watching import IdentityWishes, SaidTransit
from database.identities import embeddings, galleries, gallery_state, sightings
from reid.gallery.embedding_rows import insert_embeddings
from reid.gallery.sighting_store import NotWriterError
from tests.support.galleries import EIGHT_MS, HOUR_MS, VERSION, Gallery, looks, request, settle

MINUTE_MS = 60_000


@pytest.fixture
def lobby_and_yard(gallery: Gallery) -> Gallery:
    """Two cameras that have seen eight strangers each."""
    gallery.see_strangers(8, "lobby", 1_000)
    gallery.see_strangers(8, "yard", 2_000)
    return gallery


def test_somebody_who_goes_from_camera_to_camera_is_one_identity(lobby_and_yard: Gallery) -> None:
    """Given two people seen by two cameras each, then they are two identities, and strangers are others."""
    gallery = lobby_and_yard
    gallery.see(1, "lobby:1:1")
    gallery.see(2, "lobby:1:2")
    gallery.see(1, "yard:1:1", camera="yard", at_ms=EIGHT_MS + MINUTE_MS)
    gallery.see(2, "yard:1:2", camera="yard", at_ms=EIGHT_MS + MINUTE_MS)
    settle(gallery.writer())
    assert gallery.identity_of("lobby:1:1") == gallery.identity_of("yard:1:1") is not None
    assert gallery.identity_of("lobby:1:2") == gallery.identity_of("yard:1:2") is not None
    assert gallery.count("identities") == 18
    assert gallery.count("sightings") == 20


def test_who_is_like_two_is_nobody_that_is_known(lobby_and_yard: Gallery) -> None:
    """Given crops that are half one person and half another, then the track is nobody's, and no identity begins."""
    gallery = lobby_and_yard
    gallery.see(1, "lobby:1:1")
    gallery.see(2, "lobby:1:2")
    settle(gallery.writer())
    both = looks(1, 3) + looks(2, 3)
    both /= (both**2).sum(axis=1, keepdims=True) ** 0.5
    with gallery.engine.begin() as connection:
        asked = request(3, "yard:1:3", camera="yard", at_ms=EIGHT_MS + MINUTE_MS)
        insert_embeddings(connection, [(asked, both)], VERSION)
    before = gallery.count("identities")
    settle(gallery.writer())
    assert gallery.identity_of("yard:1:3") is None
    assert gallery.count("identities") == before


def test_two_tracks_of_one_camera_at_one_time_are_two_people(lobby_and_yard: Gallery) -> None:
    """Given twins in one picture, then they are two identities, however alike."""
    gallery = lobby_and_yard
    gallery.see(1, "lobby:1:1")
    gallery.see(1, "lobby:1:2", at_ms=EIGHT_MS + 500)
    settle(gallery.writer())
    assert gallery.identity_of("lobby:1:1") != gallery.identity_of("lobby:1:2")


def test_a_track_goes_on_as_who_it_was(lobby_and_yard: Gallery) -> None:
    """Given a track with more crops later, its sighting grows, and no other identity begins."""
    gallery = lobby_and_yard
    gallery.see(1, "lobby:1:1")
    writer = gallery.writer()
    settle(writer)
    identity, count = gallery.identity_of("lobby:1:1"), gallery.count("identities")
    gallery.see(1, "lobby:1:1", part=1)
    settle(writer)
    assert (gallery.identity_of("lobby:1:1"), gallery.count("identities")) == (identity, count)
    with gallery.engine.connect() as connection:
        row = connection.execute(select(sightings).where(sightings.c.track == "lobby:1:1")).one()
    assert (row.first_ms, row.last_ms) == (EIGHT_MS, EIGHT_MS + 6_000)


def test_somebody_new_who_turns_out_to_be_known_is_no_identity_of_their_own(lobby_and_yard: Gallery) -> None:
    """Given a track whose first crops show next to nothing and whose next ones show who it is, one identity is left."""
    gallery = lobby_and_yard
    gallery.see(1, "lobby:1:1")
    gallery.see(50, "yard:1:1", camera="yard", at_ms=EIGHT_MS + MINUTE_MS)
    writer = gallery.writer()
    settle(writer)
    count = gallery.count("identities")
    assert gallery.identity_of("yard:1:1") != gallery.identity_of("lobby:1:1")
    for part in range(1, 5):
        asked = request(1, "yard:1:1", camera="yard", at_ms=EIGHT_MS + MINUTE_MS, part=part)
        with gallery.engine.begin() as connection:
            better = asked.model_copy(
                update={"crops": [crop.model_copy(update={"quality": 1.0}) for crop in asked.crops]}
            )
            insert_embeddings(connection, [(better, looks(1, 3, seed=part))], VERSION)
    settle(writer)
    assert gallery.identity_of("yard:1:1") == gallery.identity_of("lobby:1:1")
    assert gallery.count("identities") == count - 1


def test_who_was_not_seen_for_a_day_is_somebody_new_unless_watched(lobby_and_yard: Gallery) -> None:
    """Given a window of a day, clothes of the day before tell nobody; a watched identity is looked for all the same."""
    gallery = lobby_and_yard
    gallery.see(1, "lobby:1:1")
    gallery.see(2, "lobby:1:2")
    settle(gallery.writer())
    watched = gallery.identity_of("lobby:1:2")
    assert watched is not None
    IdentityWishes(gallery.engine, gallery.clock).watch(watched)
    later_ms = EIGHT_MS + 25 * HOUR_MS
    gallery.see(1, "yard:1:1", camera="yard", at_ms=later_ms)
    gallery.see(2, "yard:1:2", camera="yard", at_ms=later_ms)
    settle(gallery.writer())
    assert gallery.identity_of("yard:1:1") not in {None, gallery.identity_of("lobby:1:1")}
    assert gallery.identity_of("yard:1:2") == watched


def test_nobody_is_quicker_than_what_a_person_says_of_the_way(lobby_and_yard: Gallery) -> None:
    """Given a way of at least two minutes, who is there after one is somebody else, and after three the same."""
    gallery = lobby_and_yard
    wishes = IdentityWishes(gallery.engine, gallery.clock)
    wishes.say_transit(SaidTransit("lobby", "yard", shortest_ms=2 * MINUTE_MS))
    gallery.see(1, "lobby:1:1")
    gallery.see(2, "lobby:1:2")
    gallery.see(1, "yard:1:1", camera="yard", at_ms=EIGHT_MS + MINUTE_MS)
    gallery.see(2, "yard:1:2", camera="yard", at_ms=EIGHT_MS + 3 * MINUTE_MS)
    settle(gallery.writer())
    assert gallery.identity_of("yard:1:1") != gallery.identity_of("lobby:1:1")
    assert gallery.identity_of("yard:1:2") == gallery.identity_of("lobby:1:2")


def test_a_writer_that_was_killed_is_followed_by_one_that_goes_on(lobby_and_yard: Gallery) -> None:
    """Given a writer that dies between a decision and its note, the next one decides the same, and nobody is twice."""
    gallery = lobby_and_yard
    gallery.see(1, "lobby:1:1")
    gallery.see(1, "yard:1:1", camera="yard", at_ms=EIGHT_MS + MINUTE_MS)
    settle(gallery.writer())
    before = gallery.state()
    with gallery.engine.begin() as connection:
        connection.execute(update(galleries).values(decided_to=0))
    settle(gallery.writer(name="writer-2"))
    identities_only = [(row[0], row[5]) for row in gallery.state() if len(row) > 5]
    assert identities_only == [(row[0], row[5]) for row in before if len(row) > 5]
    assert gallery.count("identities") == 17


def test_of_two_writers_the_one_that_took_over_writes(lobby_and_yard: Gallery) -> None:
    """Given a writer that slept through its lease, what it would write is refused, and it is told so."""
    gallery = lobby_and_yard
    first, second = gallery.writer(name="first"), gallery.writer(name="second")
    settle(first)
    settle(second)
    gallery.see(1, "lobby:1:1")
    with pytest.raises(NotWriterError):
        first.step()
    assert "lobby:1:1" not in [row[0] for row in gallery.state()]
    settle(second)
    assert gallery.identity_of("lobby:1:1") is not None


def test_numbers_have_no_gap_and_are_seen_in_order(gallery: Gallery) -> None:
    """Given four processes that store at once and some that fail, a reader never sees a number before a smaller one."""
    seen: list[list[int]] = []
    stop = threading.Event()

    def follow() -> None:
        while not stop.is_set():
            with gallery.engine.connect() as connection:
                seen.append(sorted(connection.scalars(select(embeddings.c.number))))

    def store(worker: int) -> None:
        for number in range(8):
            with gallery.engine.connect() as connection, connection.begin() as transaction:
                asked = request(worker, f"lobby:{worker}:{number}")
                insert_embeddings(connection, [(asked, looks(worker))], VERSION)
                if number % 3 == 2:
                    transaction.rollback()

    reader = threading.Thread(target=follow)
    workers = [threading.Thread(target=store, args=(worker,)) for worker in range(4)]
    reader.start()
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    stop.set()
    reader.join()
    with gallery.engine.connect() as connection:
        last = connection.scalar(select(gallery_state.c.last_number))
    assert last == 4 * 6 * 3 == gallery.last_number()
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)
