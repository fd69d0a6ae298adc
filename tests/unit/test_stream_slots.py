"""Who may have how many of the API's long answers."""

from contextlib import ExitStack

import pytest
from flask import Flask

from camera_ctrler.accounts.principal import EVERYBODY, Principal
from camera_ctrler.api.access import set_principal
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.stream_slots import StreamSlots
from contract.accounts import Role

ANNA, BERT = (Principal(name, Role.VIEWER, None, f"session-{name}") for name in ("anna", "bert"))


def _take(slots: StreamSlots, who: Principal, held: ExitStack) -> bool:
    """Take one for somebody; False: he is refused."""
    with Flask("test").test_request_context():
        set_principal(who)
        try:
            held.enter_context(slots.one())
        except ProblemError as error:
            return error.kind != "too-many-streams"
    return True


def test_nobody_alone_has_all_streams() -> None:
    """Given eight streams, when one user opens page after page, then two are left to others, who may have them."""
    slots = StreamSlots(8)
    with ExitStack() as held:
        assert [_take(slots, ANNA, held) for _ in range(7)] == [True] * 6 + [False]
        assert [_take(slots, BERT, held) for _ in range(3)] == [True, True, False]
    with ExitStack() as held:
        assert _take(slots, ANNA, held), "what was given back is there again"


@pytest.mark.parametrize(("who", "limit"), [(EVERYBODY, 8), (ANNA, 1), (ANNA, 3)])
def test_where_nobody_logs_in_or_there_are_few_all_may_be_had(who: Principal, limit: int) -> None:
    """Given a farm without accounts, or with three streams at most, then one may have all of them."""
    slots = StreamSlots(limit)
    with ExitStack() as held:
        assert [_take(slots, who, held) for _ in range(limit + 1)] == [True] * limit + [False]
