"""Ways between cameras: learnt from what was recognised for sure, and never against what a person has said."""

from sqlalchemy import insert

from camera_ctrler.identities.watching import IdentityWishes, SaidTransit
from database.identities import sightings
from reid.gallery.ways import learn_ways, read_topology
from reid.matching.topology import Transit
from tests.support.galleries import EIGHT_MS, Gallery

SECOND_MS = 1_000


def _walk(gallery: Gallery, count: int, seconds: int, *, similarity: float = 0.9, first: int = 0) -> None:
    """Let people go from the lobby to the yard, each in so many seconds and a little more than the one before."""
    rows = []
    for number in range(first, first + count):
        left_ms = EIGHT_MS + number * 600 * SECOND_MS
        for camera, begin_ms in (("lobby", left_ms - 5_000), ("yard", left_ms + (seconds + number % 10) * SECOND_MS)):
            rows.append(
                {
                    "track": f"{camera}:1:{number}",
                    "camera_id": camera,
                    "first_ms": begin_ms,
                    "last_ms": begin_ms + 5_000,
                    "identity": f"id-{number}",
                    "similarity": similarity,
                    "reason": "alike",
                    "decided_by": "machine",
                    "decided_at_ms": begin_ms,
                    "version": "test-1",
                    "crop_path": "x",
                    "quality": 0.5,
                }
            )
    with gallery.engine.begin() as connection:
        connection.execute(insert(sightings), rows)


def test_a_way_is_learnt_from_many_sure_sightings_and_said_ones_stay(gallery: Gallery) -> None:
    """Given forty people who took a minute, three seconds are too few; what is said of the way back stays."""
    wishes = IdentityWishes(gallery.engine, gallery.clock)
    wishes.say_transit(SaidTransit("yard", "lobby", longest_ms=5 * 60_000))
    _walk(gallery, 40, 60)
    assert learn_ways(gallery.engine) == 1
    with gallery.engine.connect() as connection:
        topology = read_topology(connection)
    learnt = topology.learnt["lobby", "yard"]
    assert learnt.allows(45 * SECOND_MS)
    assert learnt.allows(150 * SECOND_MS)
    assert not learnt.allows(3 * SECOND_MS)
    assert topology.said == {("yard", "lobby"): Transit(longest_ms=5 * 60_000)}
    assert wishes.forget_transit("yard", "lobby")
    assert not wishes.forget_transit("yard", "lobby")
    assert learn_ways(gallery.engine) == 1


def test_few_or_doubtful_sightings_teach_nothing(gallery: Gallery) -> None:
    """Given ten people, or forty of whom nobody is sure, no way is known, and everything is possible."""
    _walk(gallery, 10, 60)
    _walk(gallery, 40, 60, similarity=0.3, first=100)
    assert learn_ways(gallery.engine) == 0
    with gallery.engine.connect() as connection:
        assert read_topology(connection).learnt == {}
