"""The key that camera passwords are encrypted with."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from runtime.secret_box import KEY_FILE, SecretBox, SecretKeyError
from runtime.settings import CommonSettings

HIDDEN = "s3cr3tpw"


@given(st.text())
def test_what_was_encrypted_comes_back_and_is_not_readable_meanwhile(text: str) -> None:
    """Given any text, its token decrypts to it and does not contain it."""
    box = SecretBox(Fernet.generate_key().decode())
    token = box.encrypt(text)
    assert box.decrypt(token) == text
    assert len(text) < 4 or text not in token


@pytest.mark.parametrize("damage", ["cut", "x", "", "ä"])
def test_a_wrong_key_or_a_damaged_token_is_an_error_with_a_remedy(damage: str) -> None:
    """Given a token of another key, or one that was damaged, the error says what to do and shows nothing secret."""
    token = SecretBox(Fernet.generate_key().decode()).encrypt(HIDDEN)
    for bad in (token, token[:-5] if damage == "cut" else damage):
        with pytest.raises(SecretKeyError, match="restore the former key") as caught:
            SecretBox(Fernet.generate_key().decode()).decrypt(bad)
        assert token[:20] not in str(caught.value)


@pytest.mark.parametrize("key", [HIDDEN, "x" * 44, "", "ä" * 44, HIDDEN * 6])
def test_a_malformed_key_is_refused_without_showing_it(key: str) -> None:
    """Given a key that is not 32 bytes in base64, the error says how to make one and does not repeat the key."""
    with pytest.raises(SecretKeyError, match="openssl rand") as caught:
        SecretBox(key)
    assert HIDDEN not in str(caught.value)


def _token_of_a_process(data_dir: str, gate: "threading.Barrier", answers: "multiprocessing.Queue[str]") -> None:
    gate.wait(30)
    answers.put(SecretBox.from_settings(CommonSettings(data_dir=Path(data_dir))).encrypt("x"))


def test_processes_that_make_the_key_at_once_share_one(tmp_path: Path) -> None:
    """Given no key, when four processes start at once, then each can read what the others encrypted."""
    context = multiprocessing.get_context("spawn")
    gate, answers = context.Barrier(4), context.Queue()
    children = [context.Process(target=_token_of_a_process, args=(str(tmp_path), gate, answers)) for _ in range(4)]
    for child in children:
        child.start()
    tokens = [answers.get(timeout=60) for _ in children]
    for child in children:
        child.join(30)
    box = SecretBox.from_settings(CommonSettings(data_dir=tmp_path))
    assert [box.decrypt(token) for token in tokens] == ["x"] * 4
    assert [entry.name for entry in tmp_path.iterdir()] == [KEY_FILE]


def test_threads_that_make_the_key_at_once_share_one(tmp_path: Path) -> None:
    """Given no key, when threads of one process (or containers with equal process ids) make it at once, one stands."""
    for attempt in range(20):
        settings = CommonSettings(data_dir=tmp_path / str(attempt))
        gate = threading.Barrier(4)

        def token(_: int, settings: CommonSettings = settings, gate: threading.Barrier = gate) -> str:
            gate.wait(10)
            return SecretBox.from_settings(settings).encrypt("x")

        with ThreadPoolExecutor(4) as threads:
            tokens = list(threads.map(token, range(4)))
        box = SecretBox.from_settings(settings)
        assert [box.decrypt(one) for one in tokens] == ["x"] * 4


def test_the_key_file_is_private_and_is_kept(tmp_path: Path) -> None:
    """Given a key that was made, only its owner may read it, and the next start uses it."""
    token = SecretBox.from_settings(CommonSettings(data_dir=tmp_path)).encrypt("x")
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    assert SecretBox.from_settings(CommonSettings(data_dir=tmp_path)).decrypt(token) == "x"


def test_a_key_that_is_there_is_read_without_writing_beside_it(tmp_path: Path) -> None:
    """Given a key in a folder that changes only when written to, when it is read, then the folder stays as it was."""
    SecretBox.from_settings(CommonSettings(data_dir=tmp_path))
    before = tmp_path.stat().st_mtime_ns
    SecretBox.from_settings(CommonSettings(data_dir=tmp_path))
    assert tmp_path.stat().st_mtime_ns == before
