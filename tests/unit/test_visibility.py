"""Of which cameras an answer may be, as sets and as SQL."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, literal, select, union_all

from camera_ctrler.accounts.visibility import asked_and_seen, of_cameras
from camera_ctrler.event_store.filters import EventFilter
from tests.support.event_stores import event

CAMERAS = ("dock", "gate", "lobby", "vault")
SETS = st.frozensets(st.sampled_from(CAMERAS))


@given(asked=SETS, visible=st.none() | SETS)
def test_nobody_gets_a_camera_that_he_does_not_see_or_did_not_ask_for(
    asked: frozenset[str], visible: frozenset[str] | None
) -> None:
    """Given any wish and any right, then a camera is in the answer where both let it, in SQL as in Python."""
    expected = {each for each in CAMERAS if (not asked or each in asked) and (visible is None or each in visible)}
    found = asked_and_seen(asked, visible)
    assert (set(CAMERAS) if found is None else found & set(CAMERAS)) == expected
    rows = union_all(*(select(literal(each).label("camera")) for each in CAMERAS)).subquery()
    query = select(rows.c.camera).where(*of_cameras(rows.c.camera, asked, visible))
    with create_engine("sqlite://").connect() as connection:
        assert set(connection.scalars(query)) == expected
    wanted = EventFilter(cameras=asked, visible=visible)
    assert {each for each in CAMERAS if wanted.wants(event(1, camera_id=each))} == expected


def test_who_sees_no_camera_gets_none() -> None:
    """Given nobody's cameras, then the condition lets nothing through: an empty set does not mean all."""
    assert asked_and_seen((), frozenset()) == frozenset()
    (condition,) = of_cameras(literal("lobby"), ("lobby",), frozenset())
    with create_engine("sqlite://").connect() as connection:
        assert connection.execute(select(literal(1)).where(condition)).all() == []
