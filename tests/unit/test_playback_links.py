"""Signed links: what they open, for how long, and what they do not."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.playback.links import LINK_PREFIX, LinkError, LinkExpiredError, Links
from runtime.secret_box import SecretBox
from tests.support.clocks import SetClock

KEY = Fernet.generate_key().decode()
CLIP = "/cameras/lobby/clip.mp4?from_ms=1000&to_ms=2000"
PLAYLIST = "/cameras/lobby/recordings.m3u8?from_ms=1000000&to_ms=2000000"


def token_of(path: str) -> str:
    """Return the token in the path of a link."""
    return path.removeprefix(f"{LINK_PREFIX}/").partition("/")[0]


@pytest.fixture
def clock() -> SetClock:
    """A clock that the test sets."""
    return SetClock()


@pytest.fixture
def links(clock: SetClock) -> Links:
    """Links of one farm."""
    return Links(SecretBox(KEY), clock)


def test_a_link_opens_what_it_was_signed_for_until_it_ends(links: Links, clock: SetClock) -> None:
    """Given a link for a minute, then it works at 59 s on any controller of the farm, and not at 60 s."""
    path, ends_ms = links.sign(CLIP, 60, "guard")
    assert path.startswith(f"{LINK_PREFIX}/")
    assert path.endswith(CLIP)
    other = Links(SecretBox(KEY), clock)
    clock.advance(59.0)
    assert other.check(token_of(path), "/cameras/lobby/clip.mp4", "from_ms=1000&to_ms=2000").expires_at_ms == ends_ms
    clock.advance(1.0)
    with pytest.raises(LinkExpiredError, match="ask whoever"):
        links.check(token_of(path), "/cameras/lobby/clip.mp4", "from_ms=1000&to_ms=2000")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/cameras/lobby/clip.mp4", "from_ms=1000&to_ms=3000"),
        ("/cameras/lobby/clip.mp4", "from_ms=1000"),
        ("/cameras/lobby/clip.mp4", "from_ms=1000&to_ms=2000&exact=true"),
        ("/cameras/lobby/clip.mp4", "from_ms=1000&to_ms=2000&to_ms=9000"),
        ("/cameras/dock/clip.mp4", "from_ms=1000&to_ms=2000"),
        ("/cameras/lobby/recorded.jpg", "from_ms=1000&to_ms=2000"),
        ("/cameras", ""),
    ],
)
def test_a_link_opens_nothing_else(links: Links, path: str, query: str) -> None:
    """Given the link of a clip, when another range, camera or operation is asked for with it, then it is refused."""
    token = token_of(links.sign(CLIP, 60, "guard")[0])
    with pytest.raises(LinkError, match="something else"):
        links.check(token, path, query)


@given(place=st.integers(0, 400), other=st.characters(codec="ascii"))
def test_an_altered_token_is_refused(place: int, other: str) -> None:
    """Given any character of a token changed, then it is not the farm's any more."""
    links = Links(SecretBox(KEY), SetClock())
    token = token_of(links.sign(CLIP, 60, "guard")[0])
    place %= len(token) - 1  # of the last character not every bit counts
    altered = token[:place] + other + token[place + 1 :]
    if altered != token:
        with pytest.raises(LinkError):
            links.check(altered, "/cameras/lobby/clip.mp4", "from_ms=1000&to_ms=2000")


def test_a_link_of_another_farm_is_refused(links: Links, clock: SetClock) -> None:
    """Given a link signed with another secret key, then it is refused as altered."""
    foreign = Links(SecretBox(Fernet.generate_key().decode()), clock)
    with pytest.raises(LinkError, match="not signed by this farm"):
        links.check(token_of(foreign.sign(CLIP, 60, "guard")[0]), "/cameras/lobby/clip.mp4", "from_ms=1000&to_ms=2000")


@pytest.mark.parametrize(
    ("path", "query", "allowed"),
    [
        ("recordings.m3u8", "from_ms=1000000&to_ms=2000000", True),
        ("recordings.m3u8", "from_ms=1500000&to_ms=2000000", True),
        ("recordings.m3u8", "from_ms=900000&to_ms=2000000", False),
        ("recordings.m3u8", "from_ms=1000000&to_ms=2000001", False),
        ("recordings.m3u8", "from_ms=1000000", False),
        ("recordings.m3u8", "from_ms=x&to_ms=2000000", False),
        ("recordings/1500000-3/init.mp4", "", True),
        ("recordings/1500000-3/0-9999.m4s", "sound=false", True),
        ("recordings/995000-3/0-9999.m4s", "", True),
        ("recordings/100000-3/0-9999.m4s", "", False),
        ("recordings/2000000-3/0-9999.m4s", "", False),
        ("recordings/1500000-3/0-9999.m4s", "from_ms=1", False),
        ("recordings/1500000-3/deeper/0-9999.m4s", "", False),
        ("recordings/../../dock/clip.mp4", "", False),
        ("clip.mp4", "from_ms=1000000&to_ms=2000000", False),
    ],
)
def test_the_link_of_a_playlist_opens_its_parts(links: Links, path: str, query: str, allowed: bool) -> None:
    """Given the link of a playlist, then parts of its range open with it, and nothing before, after or beside."""
    token = token_of(links.sign(PLAYLIST, 60, "guard")[0])
    if allowed:
        links.check(token, f"/cameras/lobby/{path}", query)
    else:
        with pytest.raises(LinkError):
            links.check(token, f"/cameras/lobby/{path}", query)


def test_a_live_link_opens_what_is_recorded_from_then_on(links: Links, clock: SetClock) -> None:
    """Given a link to the live playlist, then what it leads to opens, and older footage does not."""
    token = token_of(links.sign("/cameras/lobby/recordings.m3u8", 3_600, "guard")[0])
    now_ms = clock.now_ms()
    links.check(token, "/cameras/lobby/recordings.m3u8", "")
    links.check(token, "/cameras/lobby/recordings.m3u8", f"from_ms={now_ms - 20_000}")
    links.check(token, f"/cameras/lobby/recordings/{now_ms + 600_000}-4/2-3.m4s", "")
    with pytest.raises(LinkError):
        links.check(token, "/cameras/lobby/recordings.m3u8", f"from_ms={now_ms - 3_600_000}")
    with pytest.raises(LinkError):
        links.check(token, "/cameras/lobby/recordings.m3u8", f"from_ms={now_ms - 20_000}&to_ms={now_ms}")
