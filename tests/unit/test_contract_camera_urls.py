"""Camera URLs: which may be opened, and that their secrets are hidden and come back unchanged."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.camera_urls import CameraSecrets, check_camera_url, join_secrets, mask_url, split_secrets
from contract.errors import InvalidUrlError

HIDDEN = "s3cr3tpw"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://192.0.2.1/stream",
        "rtsps://cam.example:322/a?b=c",
        "http://user:pass@[2001:db8::1]:8080/mjpg",
        "https://h/index.m3u8",
        "file:///videos/a%20b.mp4",
        "file:///videos/a+b.mp4",
        "rtsp://h/" + "x" * 2000,
    ],
)
def test_urls_that_workers_can_open_are_accepted_unchanged(url: str) -> None:
    """Given a URL of a supported kind, it comes back as it was."""
    assert check_camera_url(url) == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "1 to 2048"),
        ("rtsp://h/" + "x" * 2048, "1 to 2048"),
        ("rtsp://h/a b", "percent-encode"),
        ("rtsp://h/a\nb", "percent-encode"),
        ("rtsp://h/\x00", "percent-encode"),
        ("rtsp://h/\u2028", "percent-encode"),
        ("ftp://h/x", "rtsp://"),
        ("h/x", "rtsp://"),
        ("javascript:alert(1)", "rtsp://"),
        ("rtsp://", "no host"),
        ("rtsp:///x", "no host"),
        ("rtsp://user@/x", "no host"),
        ("rtsp://h:0/x", "port"),
        ("rtsp://h:65536/x", "port"),
        ("rtsp://h:x/x", "port"),
        ("rtsp://[::1/x", "cannot be parsed"),
        ("file://etc/passwd", "three slashes"),
        ("file:///a/../b", "'..'"),
        ("file:///a/%2e%2e/b", "'..'"),
        ("file:///a/%00b", "control"),
    ],
)
def test_urls_that_cannot_be_opened_are_refused_with_the_remedy(url: str, says: str) -> None:
    """Given a URL that no worker could or should open, the error names what is wrong."""
    with pytest.raises(InvalidUrlError, match=says):
        check_camera_url(url)


@pytest.mark.parametrize(
    "url",
    [
        f"rtsp://admin:{HIDDEN}/x@host/stream",
        f"rtsp://admin:{HIDDEN}?x@host/stream",
        f"rtsp://admin:{HIDDEN}#x@host/stream",
        f"rtsp://admin:{HIDDEN}@[host/stream",
        f"rtsp://admin:{HIDDEN}@ho\u2100st/stream",
        f"rtsp://admin:{HIDDEN}@host:port/stream",
    ],
)
def test_an_error_about_a_url_never_shows_its_password(url: str) -> None:
    """Given a URL whose password makes it unreadable, neither the error nor the masked URL shows the password."""
    with pytest.raises(InvalidUrlError) as caught:
        check_camera_url(url)
    assert HIDDEN not in str(caught.value)
    assert HIDDEN not in mask_url(url)


def test_masking_hides_user_and_password_and_secret_parameters_only() -> None:
    """Given a URL with secrets in two places, the masked URL has neither and keeps the rest."""
    masked = mask_url(f"rtsp://admin:{HIDDEN}@cam:554/live?channel=1&token={HIDDEN}&sub=0")
    assert masked == "rtsp://***@cam:554/live?channel=1&token=***&sub=0"


def test_secrets_do_not_show_in_the_repr_of_the_message_that_carries_them() -> None:
    """Given secrets, when they are printed by accident, then they are not seen."""
    _, secrets = split_secrets(f"rtsp://admin:{HIDDEN}@cam/live?token={HIDDEN}")
    assert secrets.password == HIDDEN
    assert HIDDEN not in repr(secrets)
    assert HIDDEN not in str(secrets)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"http://h/v.cgi?loginuse=a&loginpas={HIDDEN}", "http://h/v.cgi?loginuse=a&loginpas=***"),
        (f"http://h/v?usr=a&psw={HIDDEN}&n=1", "http://h/v?usr=a&psw=***&n=1"),
        (f"http://h/v?u=a&p={HIDDEN}", "http://h/v?u=a&p=***"),
        (f"http://h/v?key={HIDDEN}#t", "http://h/v?key=***#t"),
        (f"http://h/v?a=1;pwd={HIDDEN};b=2", "http://h/v?a=1;pwd=***;b=2"),
        (f"http://h/v?pwd={HIDDEN};{HIDDEN}&b=2", "http://h/v?pwd=***&b=2"),
        (f"http://h/v?src=http://cam/x?token={HIDDEN}&b=2", "http://h/v?src=http://cam/x?token=***&b=2"),
        (f"http://h/v?%70wd={HIDDEN}", "http://h/v?%70wd=***"),
        (f"http://h/v#a=1&password={HIDDEN}", "http://h/v#a=1&password=***"),
        (
            f"rtsp://h/user=admin_password={HIDDEN}_channel=1_stream=0.sdp?real_stream",
            "rtsp://h/user=admin_password=***_channel=1_stream=0.sdp?real_stream",
        ),
        (
            f"rtsp://h/user=a_b&password={HIDDEN}_{HIDDEN}&channel=1/live",
            "rtsp://h/user=a_b&password=***&channel=1/live",
        ),
        (f"rtsp://h/x_password={HIDDEN}_ch==/live", "rtsp://h/x_password=***/live"),
        (f"rtsp://h/user=a;pw={HIDDEN};n=1", "rtsp://h/user=a;pw=***;n=1"),
        ("rtsp://h/user=a_password=_channel=1", "rtsp://h/user=a_password=***_channel=1"),
    ],
)
def test_secrets_are_hidden_wherever_cameras_want_them(url: str, shown: str) -> None:
    """Given a secret in a place some camera wants it in, it is not shown, the rest is, and it comes back."""
    public, secrets = split_secrets(url)
    assert (public, mask_url(url)) == (shown, shown)
    assert join_secrets(public, secrets) == url
    # What is shown and sent back is taken apart in the same places.
    again, masks = split_secrets(shown)
    assert again == shown
    assert {name: len(values) for name, values in masks.query.items()} == {
        name: len(values) for name, values in secrets.query.items()
    }


@pytest.mark.parametrize("url", ["http://h/x?", "http://h/x#", "http://h/x?#", "http://h?a#", "file:/a/b", "file:///a"])
def test_empty_parts_of_a_url_stay(url: str) -> None:
    """Given a URL with nothing after a mark, the mark is kept: the camera is asked for what was registered."""
    public, secrets = split_secrets(url)
    assert public == mask_url(url) == join_secrets(public, secrets) == url


#: No part of it occurs in what the other strategies make.
SECRET_VALUES = st.text(st.sampled_from("QWZ"), min_size=4, max_size=6)
PLAIN_PARTS = st.text(st.sampled_from("abk019-._~%20+=:*;,/?#&_"), max_size=8)
SECRET_NAMES = st.sampled_from(["loginpas", "psw", "pwd", "key", "user=a_password", "p", "token", "%70wd"])
SECRET_PARTS = st.tuples(st.sampled_from("/?#&;"), SECRET_NAMES, SECRET_VALUES, st.sampled_from("/&"))


@given(st.lists(st.one_of(PLAIN_PARTS, SECRET_PARTS), max_size=8))
def test_no_secret_is_in_the_public_url_and_all_come_back(pieces: list[str | tuple[str, str, str, str]]) -> None:
    """Given secrets anywhere after the host, none is shown, and joining gives the same URL, byte for byte."""
    url, hidden = "http://cam:80/", []
    for piece in pieces:
        if isinstance(piece, str):
            url += piece
        else:
            before, name, value, after = piece
            url += f"{before}{name}={value}{after}"
            hidden.append(value)
    public, secrets = split_secrets(url)
    assert join_secrets(public, secrets) == url
    assert [value for value in hidden if value in public] == []
    assert split_secrets(public)[0] == public


NAMES = st.sampled_from(["channel", "token", "pwd", "x", "api_key", "sub"])
VALUES = st.text(st.sampled_from("abcXYZ019-._~%20+=/:*"), max_size=8).map(lambda text: text.replace("%", "%25"))
QUERY = st.lists(st.tuples(NAMES, VALUES), max_size=5, unique_by=lambda pair: pair[0])
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=12)


@given(TEXT, TEXT, QUERY)
@example("admin", "p@ss:w/rd?#%", [("a", "1"), ("token", "a+b"), ("flag", "")])
def test_split_and_join_give_the_same_url_back(username: str, password: str, query: list[tuple[str, str]]) -> None:
    """Given any credentials and query, what was taken out comes back where it was, byte for byte."""
    text = "&".join(f"{name}={value}" for name, value in query)
    userinfo = f"{quote(username, safe='')}:{quote(password, safe='')}"
    url = f"rtsp://{userinfo}@cam:554/live" + (f"?{text}" if text else "")
    public, secrets = split_secrets(url)
    assert (secrets.username, secrets.password) == (username, password)
    assert join_secrets(public, secrets) == url


@pytest.mark.parametrize(
    "query", ["flag&token=x", "a=b%20c&token=x%2By", "token=a&token=b", "a=%C3%A9&pwd=x", "&&pwd=1"]
)
def test_a_query_is_not_rewritten_because_it_has_a_secret(query: str) -> None:
    """Given a query in a form that cameras are particular about, only secret values are taken out and put back."""
    url = f"http://cam/video?{query}"
    public, secrets = split_secrets(url)
    assert join_secrets(public, secrets) == url


def test_a_url_without_secrets_has_nothing_to_encrypt() -> None:
    """Given a URL without secrets, it stays as it is and the secrets are empty."""
    assert split_secrets("rtsp://cam/live?channel=1") == ("rtsp://cam/live?channel=1", CameraSecrets())
    assert CameraSecrets().is_empty()
