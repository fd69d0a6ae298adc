"""Names and passwords: which are let in, which names are one and the same; addresses that proxies speak for."""

import threading
import time
from ipaddress import ip_network

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.accounts.errors import LoginBusyError
from camera_ctrler.accounts.first_admin import new_password
from camera_ctrler.accounts.passwords import MEMORY_KIB, PASSES, Passwords
from camera_ctrler.accounts.rules import MAX_NAME, checked_name, checked_password, name_key
from camera_ctrler.api.proxies import client_of, network_of
from tests.support.accounts import quick_passwords

BAD_NAMES = [
    *("", " ", ".", "..", "a/b", "token:x", "a\\b", "a?b", "a#b", "a%2fb", "a,b", "x" * (MAX_NAME + 1)),
    *("a\x00b", "a\nb", "a\u202eb", "a\u200bb", "a\u00a0b", "\ud800", "a\ufeff"),
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_names_that_could_be_taken_for_something_else_are_refused(name: str) -> None:
    """Given a name with a separator, an invisible character or nothing in it, then it is refused."""
    with pytest.raises(ValueError, match="must"):
        checked_name(name)


@pytest.mark.parametrize("name", ["anna", "Ana Souza", "守衛", "Łukasz", "o'neil", "<b>x", "a.b-c_d@example"])
def test_names_of_people_are_let_in(name: str) -> None:
    """Given a name of any script, then it is stored as it was given."""
    assert checked_name(f" {name} ") == name


def test_names_that_people_take_for_the_same_are_the_same() -> None:
    """Given spellings that differ in case, width or how accents are composed, then their keys are equal."""
    assert len({name_key(name) for name in ("Anna", "ANNA", "\uff21nna", "anna ")}) == 1
    assert name_key("Jos\u00e9") == name_key("Jose\u0301")
    assert name_key("STRASSE") == name_key("stra\u00dfe")
    assert name_key("anna") != name_key("anne")


@given(st.text(max_size=80))
def test_a_name_that_is_let_in_keeps_its_key(text: str) -> None:
    """Given any text, when it is a name, then the stored one has the key of the given one, and is let in again."""
    try:
        name = checked_name(text)
    except ValueError:
        return
    assert name_key(name) == name_key(text)
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "password", ["", "short", "123456789", "x" * 257, "aaaaaaaaaaaa", "ababababab", "tab\there it is", "\ud800" * 12]
)
def test_passwords_that_are_short_long_or_of_few_letters_are_refused(password: str) -> None:
    """Given such a password, then it is refused, and the reason does not repeat it."""
    with pytest.raises(ValueError, match="must") as refused:
        checked_password(password)
    assert not password or password not in str(refused.value)


def test_the_own_name_is_no_password() -> None:
    """Given a user's name in another spelling as his password, then it is refused."""
    with pytest.raises(ValueError, match="name"):
        checked_password("Katharina-M", name="katharina-m")
    assert checked_password("Katharina-M", name="anna") == "Katharina-M"


def test_made_up_passwords_are_let_in_and_differ() -> None:
    """Given made-up passwords, then each obeys the rules, and no two are the same."""
    made = {checked_password(new_password()) for _ in range(200)}
    assert len(made) == 200


def test_a_password_is_known_again_however_its_accents_are_typed() -> None:
    """Given a password with an accent, when another keyboard composes it otherwise, then it is right."""
    passwords = quick_passwords()
    stored = passwords.hash("caf\u00e9 caf\u00e9 1")
    assert passwords.is_right(stored, "cafe\u0301 cafe\u0301 1")
    assert not passwords.is_right(stored, "cafe cafe 1")


def test_what_is_stored_is_argon2id_with_the_parameters_of_the_day() -> None:
    """Given the hasher of production, then its hashes are Argon2id, and those of less cost are outdated."""
    stored = Passwords().hash("correct horse battery")
    assert stored.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$")
    assert not Passwords().is_outdated(stored)
    assert Passwords().is_outdated(quick_passwords().hash("correct horse battery"))


def test_a_hash_that_is_none_matches_nothing() -> None:
    """Given a column that somebody edited into nonsense, then no password is right, and nothing is raised."""
    for nonsense in ("", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$x$y"):
        assert not quick_passwords().is_right(nonsense, "x")


def test_a_user_who_is_not_there_costs_as_much_as_one_who_is() -> None:
    """Given hashes that take some 20 ms, then checking no user takes as long as checking a wrong password."""
    passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=8 * 1024, parallelism=1))
    stored = passwords.hash("correct horse battery")
    passwords.is_right(None, "x")  # makes what it compares with

    def seconds(of: str | None) -> float:
        began = time.thread_time()
        for _ in range(5):
            assert not passwords.is_right(of, "wrong")
        return time.thread_time() - began

    assert seconds(None) > seconds(stored) / 3


def test_more_logins_at_once_than_are_let_in_are_turned_away_at_once() -> None:
    """Given one hash at a time and one who may wait, when ten come, then most are told so, and some are served."""
    passwords = Passwords(PasswordHasher(time_cost=8, memory_cost=16 * 1024, parallelism=1), at_once=1, waiting=1)
    stored = passwords.hash("correct horse battery")
    outcomes: list[object] = []
    gate = threading.Barrier(10)

    def log_in() -> None:
        gate.wait()
        try:
            outcomes.append(passwords.is_right(stored, "correct horse battery"))
        except LoginBusyError:
            outcomes.append("busy")

    threads = [threading.Thread(target=log_in) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(True) >= 2
    assert outcomes.count("busy") >= 5
    assert passwords.is_right(stored, "correct horse battery")  # every place was given back


PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # no proxy of ours: what it says does not count
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),  # the first one was made up by the client
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_proxies_that_are_trusted_say_who_sends_a_request(peer: str, forwarded: str, client: str) -> None:
    """Given a peer and what it says of others, then the first address that no proxy of ours vouches for counts."""
    assert client_of(peer, forwarded, PROXIES) == client


def test_a_host_with_many_ipv6_addresses_is_counted_as_one() -> None:
    """Given addresses of one /64, then they count as one; addresses of IPv4 do so alone."""
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""
