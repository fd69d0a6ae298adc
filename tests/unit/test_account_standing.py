"""What is remembered of sessions and tokens between two questions to the database."""

from camera_ctrler.accounts.principal import Principal
from camera_ctrler.accounts.standing import BELIEVED_SECONDS, Standing
from contract.accounts import Role
from tests.support.clocks import SetClock

ANNA = Principal("anna", Role.OPERATOR, None, "session-1")


def test_what_was_asked_before_a_change_is_not_believed_after_it() -> None:
    """Given a question that is under way, when its session is ended meanwhile, then the answer is good for it alone."""
    rows = {"session-1": ANNA}

    def look(key: str) -> Principal | None:
        found = rows.pop(key, None)
        standing.forget()  # another thread ends the session after the database has answered this one
        return found

    standing = Standing(look, SetClock(0))
    assert standing.who("session-1") == ANNA
    assert standing.who("session-1") is None


def test_an_answer_is_believed_for_a_moment() -> None:
    """Given somebody who was asked about, then the database is asked again only after a second."""
    clock, asked = SetClock(0), []

    def look(key: str) -> Principal | None:
        asked.append(key)
        return ANNA

    standing = Standing(look, clock)
    for _ in range(3):
        assert standing.who("session-1") == ANNA
    clock.advance(BELIEVED_SECONDS)
    assert standing.who("session-1") == ANNA
    assert len(asked) == 2
