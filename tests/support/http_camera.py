"""A real HTTP server on loopback that answers as cameras do: MJPEG, snapshots, containers, playlists, and all errors.

with HttpCamera() as camera:
    camera.answers["/shot.jpg"] = body(jpeg(), "image/jpeg")
    url = camera.url("/shot.jpg")
"""

import hashlib
import itertools
import re
import secrets
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, cast

import av
import cv2
import numpy as np

from tests.support.clips import picture

_BOUNDARY: Final = "frame"
_DIGEST_FIELD: Final = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class Handler(BaseHTTPRequestHandler):
    """One request; `answer` writes the answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer as the camera was told to."""
        camera = cast("_Server", self.server).camera
        camera.requests.append((self.path, dict(self.headers.items())))
        answer = camera.answers.get(self.path.partition("?")[0], status(404))
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True  # the client has hung up

    def start(self, code: int = 200, **headers: str | int) -> None:
        """Send status and headers; an underscore in a name stands for a hyphen."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if "Content_Length" not in headers:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""

    @property
    def ended(self) -> threading.Event:
        """Set when the server ends; every wait listens to it."""
        return cast("_Server", self.server).camera.ended


Answer = Callable[[Handler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    camera: "HttpCamera"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up."""


class HttpCamera:
    """Path -> what is answered there; everything else is 404."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        #: (path, headers) of every request so far.
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.ended = threading.Event()
        self._scheme = "https" if tls else "http"
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.camera = self
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def url(self, path: str, user: str = "") -> str:
        """Return the URL of `path`; `user` is ``name:password``, percent-encoded."""
        return f"{self._scheme}://{user}{'@' if user else ''}127.0.0.1:{self.port}{path}"

    def paths(self) -> list[str]:
        """Return the paths asked for so far."""
        return [path for path, _ in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


# --- pictures --------------------------------------------------------------------------------------------------------


def jpeg(number: int = 0, size: tuple[int, int] = (320, 240)) -> bytes:
    """Return frame `number` of the test clip as JPEG."""
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(picture(number, size)[..., ::-1]))
    assert done
    return data.tobytes()


# --- answers ---------------------------------------------------------------------------------------------------------


class Pace:
    """Keeps the pace of a camera however long sending took: what is late is sent at once."""

    def __init__(self, handler: Handler) -> None:
        self._ended = handler.ended
        self._due = time.monotonic()

    def goes_on(self, seconds: float) -> bool:
        """Wait until `seconds` after the last time that was due; return whether the camera is still to send."""
        self._due += seconds
        return not self._ended.wait(max(0.0, self._due - time.monotonic()))


def status(code: int) -> Answer:
    """Answer with a status and a short text."""

    def answer(handler: Handler) -> None:
        text = b"on purpose"
        handler.start(code, Content_Type="text/plain", Content_Length=len(text))
        handler.wfile.write(text)

    return answer


def body(data: bytes, content_type: str, *, ranges: bool = False) -> Answer:
    """Answer with `data`; `ranges`: parts may be asked for."""

    def answer(handler: Handler) -> None:
        first, last = 0, len(data) - 1
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", "")) if ranges else None
        if wanted:
            first, last = int(wanted[1]), min(last, int(wanted[2] or last))
        part = data[first : last + 1]
        extra: dict[str, str | int] = {"Accept_Ranges": "bytes"} if ranges else {}
        if wanted:
            extra["Content_Range"] = f"bytes {first}-{last}/{len(data)}"
        handler.start(206 if wanted else 200, Content_Type=content_type, Content_Length=len(part), **extra)
        handler.wfile.write(part)

    return answer


def redirect(location: str) -> Answer:
    """Answer that it is elsewhere."""
    return lambda handler: handler.start(302, Location=location, Content_Length=0)


def mjpeg(fps: float, *, lengths: bool = True) -> Answer:
    """Send the test clip as endless multipart JPEG; `lengths`: each part says how long it is."""

    def answer(handler: Handler) -> None:
        handler.start(Content_Type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        pace = Pace(handler)
        for number in itertools.count():
            data = jpeg(number)
            length = f"Content-Length: {len(data)}\r\n" if lengths else ""
            handler.wfile.write(f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + data + b"\r\n")
            if not pace.goes_on(1 / fps):
                return

    return answer


def live(clip: Path, content_type: str, *, container: str = "mpegts", rounds: int = 1_000) -> Answer:
    """Send a clip as a live stream without a length, at its own pace, again and again with rising times."""

    def answer(handler: Handler) -> None:
        handler.start(Content_Type=content_type)
        options = {"flush_packets": "1"}
        if container == "mp4":
            options["movflags"] = "frag_keyframe+empty_moov"
        with av.open(_Pipe(handler), "w", format=container, options=options) as output:
            stream = None
            pace = Pace(handler)
            for packet, delay in _paced(clip, rounds):
                if stream is None:
                    stream = output.add_stream_from_template(packet.stream)
                packet.stream = stream
                output.mux(packet)
                if not pace.goes_on(delay):
                    return

    return answer


class _Pipe:
    """What a muxer writes to: the connection."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def write(self, data: bytes) -> int:
        """Send `data`."""
        self._handler.wfile.write(data)
        return len(data)


def _paced(clip: Path, rounds: int) -> Iterator[tuple["av.Packet[av.VideoStream]", float]]:
    """Yield packets with times that go on rising over the rounds, and the seconds to wait after each."""
    offset = 0
    for _ in range(rounds):
        with av.open(clip) as source:
            video = source.streams.video[0]
            assert video.time_base is not None
            assert video.average_rate is not None
            step = round(1 / (video.average_rate * video.time_base))
            last = 0
            for packet in source.demux(video):
                if packet.size and packet.dts is not None and packet.pts is not None:
                    last = packet.dts
                    packet.dts, packet.pts = packet.dts + offset, packet.pts + offset
                    yield packet, float(1 / video.average_rate)
            offset += last + step


def endless_garbage(content_type: str, *, bytes_per_second: float = 200_000_000.0) -> Answer:
    """Send random bytes for ever, in pieces of 20 kB at most."""

    def answer(handler: Handler) -> None:
        handler.start(Content_Type=content_type)
        piece = np.random.default_rng(3).bytes(20_000 if bytes_per_second > 20_000 else 1)
        while not handler.ended.wait(len(piece) / bytes_per_second):
            handler.wfile.write(piece)

    return answer


def silence(handler: Handler) -> None:
    """Take the request and never answer."""
    handler.ended.wait(60)


def cut_off(answer: Answer, after_bytes: int) -> Answer:
    """Answer, but break the connection after so many bytes of the body."""

    def cut(handler: Handler) -> None:
        handler.wfile = _Limited(handler.wfile, after_bytes)  # type: ignore[assignment]
        answer(handler)

    return cut


class _Limited:
    """Passes on a number of bytes after the headers, then breaks."""

    def __init__(self, wrapped: object, left: int) -> None:
        self._wrapped = cast("_Pipe", wrapped)
        self._left = left
        self._in_body = False

    def write(self, data: bytes) -> int:
        """Pass on what is allowed."""
        if not self._in_body:
            self._in_body = data.endswith(b"\r\n\r\n")
            return self._wrapped.write(data)
        if self._left <= 0:
            raise BrokenPipeError
        self._wrapped.write(data[: self._left])
        self._left -= len(data)
        if self._left <= 0:
            raise BrokenPipeError
        return len(data)

    def flush(self) -> None:
        """Do nothing: the connection is not buffered."""


def guarded(answer: Answer, username: str, password: str, scheme: Literal["basic", "digest"]) -> Answer:
    """Ask for credentials (RFC 7617, RFC 7616) before answering."""
    nonce = secrets.token_hex(16)

    def guard(handler: Handler) -> None:
        given = handler.headers.get("Authorization", "")
        if _allowed(given, handler, username, password, scheme, nonce):
            answer(handler)
            return
        basic, digest = 'Basic realm="camera"', f'Digest realm="camera", nonce="{nonce}", algorithm=MD5, qop="auth"'
        handler.start(401, WWW_Authenticate=basic if scheme == "basic" else digest, Content_Length=0)

    return guard


def _allowed(given: str, handler: Handler, username: str, password: str, scheme: str, nonce: str) -> bool:
    if scheme == "basic":
        return given == "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    fields = {name: quoted or bare for name, quoted, bare in _DIGEST_FIELD.findall(given)}
    secret, what = _md5(username, "camera", password), _md5(handler.command, handler.path)
    expected = _md5(secret, nonce, fields.get("nc", ""), fields.get("cnonce", ""), "auth", what)
    return fields.get("nonce") == nonce and fields.get("response") == expected


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def add_hls(camera: HttpCamera, clip: Path, folder: Path, *, path: str = "/hls") -> str:
    """Cut `clip` into an HLS playlist of segments of about one second; return the playlist's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(clip) as source:
        options = {"hls_time": "1", "hls_list_size": "0"}
        with av.open(str(folder / "index.m3u8"), "w", format="hls", options=options) as output:
            stream = output.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(source.streams.video[0]):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    for file in folder.iterdir():
        kind = "application/vnd.apple.mpegurl" if file.suffix == ".m3u8" else "video/mp2t"
        camera.answers[f"{path}/{file.name}"] = body(file.read_bytes(), kind)
    return f"{path}/index.m3u8"
