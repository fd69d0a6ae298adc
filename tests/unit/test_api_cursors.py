"""Cursors come back only as they were given out."""

from contextlib import suppress

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.api.cursors import Cursors
from camera_ctrler.api.problems import ProblemError
from runtime.secret_box import SecretBox

CURSORS = Cursors(SecretBox(Fernet.generate_key().decode()))


@given(st.text(), st.text())
def test_a_cursor_brings_back_where_the_list_goes_on(scope: str, after: str) -> None:
    """Given any entry of any list whose name is one line, then its cursor leads back to it."""
    scope = "".join(character for character in scope if character not in "\n" and character.isprintable())
    after = "".join(character for character in after if character.isprintable())
    assert CURSORS.read(scope, CURSORS.make(scope, after)) == after


def test_no_cursor_means_the_first_page() -> None:
    """Given no cursor, then nothing is skipped."""
    assert CURSORS.read("cameras", None) is None


@given(st.text(max_size=200))
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    """Given any text that was not given out, then it is a bad request that names the field."""
    with pytest.raises(ProblemError) as refused:
        CURSORS.read("cameras", cursor)
    assert (refused.value.status, refused.value.errors[0].field) == (400, "cursor")


@given(st.integers(0, 99), st.characters(codec="ascii"))
def test_a_cursor_with_one_character_changed_leads_nowhere_else(place: int, character: str) -> None:
    """Given a cursor that was altered, then it is refused, or was only written differently (``+`` for ``-``)."""
    cursor = CURSORS.make("cameras", "lobby")
    with suppress(ProblemError):
        assert CURSORS.read("cameras", cursor[:place] + character + cursor[place + 1 :]) == "lobby"


def test_a_cursor_of_another_list_or_another_farm_is_refused() -> None:
    """Given a cursor that was made for something else, then it is refused."""
    with pytest.raises(ProblemError):
        CURSORS.read("status", CURSORS.make("cameras", "lobby"))
    with pytest.raises(ProblemError):
        Cursors(SecretBox(Fernet.generate_key().decode())).read("cameras", CURSORS.make("cameras", "lobby"))
