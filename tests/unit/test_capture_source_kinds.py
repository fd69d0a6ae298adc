"""Which kind of stream a URL or an answer is."""

import pytest

from workers.capture.source_kinds import SourceKind, kind_of_answer, kind_of_url


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rtsp://192.0.2.1/x", SourceKind.RTSP),
        ("rtsps://192.0.2.1/x", SourceKind.RTSP),
        ("http://192.0.2.1/x.m3u8", SourceKind.HTTP),
        ("https://192.0.2.1/x", SourceKind.HTTP),
        ("file:///x.mp4", SourceKind.FILE),
        ("concat:/etc/passwd", None),
        ("ftp://192.0.2.1/x", None),
        ("/etc/passwd", None),
    ],
)
def test_the_scheme_tells_how_a_stream_is_opened(url: str, kind: SourceKind | None) -> None:
    """Given a URL, When its kind is asked for, Then only schemes that are allowed have one."""
    assert kind_of_url(url) is kind


@pytest.mark.parametrize(
    ("content_type", "path", "kind"),
    [
        ("image/jpeg", "/shot", SourceKind.SNAPSHOT),
        ("Image/JPEG; x=y", "/shot", SourceKind.SNAPSHOT),
        ("image/png", "/logo.png", None),
        ("multipart/x-mixed-replace; boundary=--x", "/video", SourceKind.MJPEG),
        ("application/vnd.apple.mpegurl", "/live", SourceKind.HLS),
        ("application/x-mpegURL", "/live", SourceKind.HLS),
        ("application/octet-stream", "/live.m3u8", SourceKind.HLS),
        ("text/plain", "/live.m3u8", SourceKind.HLS),
        ("video/mp2t", "/live", SourceKind.CONTAINER),
        ("application/octet-stream", "/live", SourceKind.CONTAINER),
        ("", "/live", SourceKind.CONTAINER),
        ("text/html; charset=utf-8", "/", None),
        ("application/json", "/api", None),
    ],
)
def test_the_answer_tells_what_comes(content_type: str, path: str, kind: SourceKind | None) -> None:
    """Given the header of an answer, When its kind is asked for, Then web pages and data have none."""
    assert kind_of_answer(content_type, f"http://192.0.2.1{path}?a=b.m3u8") is kind
