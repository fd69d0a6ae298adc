"""Ids that may become paths and keys, and keys that cannot be confused."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contract import keys
from contract.ids import CameraId, is_valid_id, new_camera_id, new_worker_id

BAD_IDS = ["", ".", "..", "../x", "a/b", "a\\b", "-x", ".x", "a b", "a\n", "a:b", "ä", "x" * 65, "a\x00", "\u0661"]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_id_that_could_lead_elsewhere_is_refused_everywhere(bad: str) -> None:
    """Given an id with a path, a control character or a separator, function and message type refuse it alike."""
    assert not is_valid_id(bad)
    with pytest.raises(ValidationError):
        TypeAdapter(CameraId).validate_python(bad)


@given(st.text(max_size=70))
def test_function_and_message_type_agree_on_every_id(text: str) -> None:
    """Given any text, `is_valid_id` and the type of message fields say the same."""
    try:
        TypeAdapter(CameraId).validate_python(text)
    except ValidationError:
        assert not is_valid_id(text)
    else:
        assert is_valid_id(text)


@given(st.text(max_size=300))
def test_ids_that_the_farm_makes_are_valid_and_new(host: str) -> None:
    """Given any host name, made ids are valid, and two of them differ."""
    assert is_valid_id(new_worker_id(host))
    assert new_worker_id(host) != new_worker_id(host)
    assert is_valid_id(new_camera_id())


def test_ids_of_a_large_farm_do_not_meet() -> None:
    """Given ids made for ten thousand cameras, a chance of less than one in a hundred million that two are the same."""
    bits = 4 * len(new_camera_id().removeprefix("cam-"))
    assert 10_000**2 / 2 / 2**bits < 1e-8
    assert len({new_camera_id() for _ in range(20_000)}) == 20_000


def test_no_two_keys_are_the_same_and_each_has_a_contract() -> None:
    """Given every key function and ids that resemble key parts, all keys differ and each docstring says who and how."""
    functions = [value for _, value in inspect.getmembers(keys, inspect.isfunction)]
    made = []
    for function in functions:
        assert all(word in str(function.__doc__) for word in ("Type:", "Writer:", "Reader:", "Lifetime:"))
        if inspect.signature(function).parameters:
            made += [function(name) for name in ("lease", "status", "a", "a.b", "a-b", "report")]
        else:
            made.append(function())
    assert len(made) == len(set(made))
    assert all(key.startswith(f"{keys.PREFIX}:") for key in made)
