"""The one door through which everything but RTSP is read from the network: who may be asked, and how it may answer.

libav's own HTTP is not used: its redirects and playlists could lead it to local files, its waits cannot be ended from
another thread, and it does not tell a wrong certificate from a broken connection.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import certifi
import requests
import urllib3
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from contract.errors import StatusReason
from runtime.version import VERSION
from workers.capture.addresses import resolved
from workers.capture.failures import CaptureError, Stage, classify, failed
from workers.capture.http_connections import HttpConnections
from workers.capture.state import CaptureSettings
from workers.capture.watch import Watch

MAX_REDIRECTS: Final = 3
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


def may_know_credentials(camera_url: str, url: str) -> bool:
    """Tell whether the camera of `camera_url` may be sent its credentials at `url`, to which it leads.

    It may at the same scheme, host and port, or where the only change is from http to https.
    """
    camera, asked = urlsplit(camera_url), urlsplit(url)
    try:
        camera_port = camera.port or _DEFAULT_PORTS[camera.scheme]
        asked_port = asked.port or _DEFAULT_PORTS[asked.scheme]
    except ValueError:  # no such port; asking there will say so
        return False
    if camera.hostname != asked.hostname:
        return False
    if camera.scheme == "http" and asked.scheme == "https":
        return camera_port == asked_port or (camera_port, asked_port) == (80, 443)
    return (camera.scheme, camera_port) == (asked.scheme, asked_port)


def trusted_certificates() -> str:
    """Return the file with the certificate authorities that secure cameras are checked against."""
    return os.environ.get("SSL_CERT_FILE") or certifi.where()


class HttpBody:
    """The body of one answer, read as it arrives."""

    def __init__(self, client: "HttpClient", response: requests.Response, url: str, offset: int = 0) -> None:
        self._client = client
        self._response = response
        #: Where the answer that is open stands, and where the reader wants to go on.
        self._answered = self._position = offset
        self.url: Final = url
        self.content_type: Final[str] = response.headers.get("Content-Type", "")
        length = response.headers.get("Content-Length", "")
        #: Bytes in the whole body; None where it has no end that is known.
        self.length: Final = int(length) + offset if length.isdigit() else None
        self._takes_ranges: Final = response.headers.get("Accept-Ranges", "").strip().lower() == "bytes"

    def read(self, size: int) -> bytes:
        """Return what is there, at least one byte and at most `size`; nothing at the end.

        Raises:
            CaptureError: The connection broke or nothing came in time.
        """
        if self.length is not None and self._position >= self.length:
            return b""
        if self._position != self._answered:
            self._ask_from_position()
        with self._client.translating(Stage.READING):
            data = self._response.raw.read1(size, decode_content=True)
        self._position += len(data)
        self._answered = self._position
        return bytes(data)

    def seekable(self) -> bool:
        """Tell whether `seek` works."""
        return self.length is not None and self._takes_ranges

    def tell(self) -> int:
        """Return how many bytes are before the next one read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on reading elsewhere.

        The server is asked when something is read there: libav goes to the end and back only to learn the length, and
        a request for what lies behind the last byte is an error (416).
        """
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.length or 0}[whence]
        self._position = base + offset
        return self._position

    def _ask_from_position(self) -> None:
        self._response.close()
        self._response = self._client.request(self.url, {"Range": f"bytes={self._position}-"})[0]
        if self._response.status_code != requests.codes.partial_content:
            raise failed(StatusReason.SERVER_ERROR, self.url, "the server does not answer requests for a part")

    def cut(self) -> None:
        """End a blocked `read` of another thread."""
        # These say that there is no connection any more that could block.
        with suppress(OSError, ValueError, RuntimeError):
            self._response.raw.shutdown()

    def close(self) -> None:
        """Hang up."""
        self._response.close()


class HttpClient:
    """Asks one camera; follows few redirects, and gives its credentials to nobody else."""

    def __init__(self, url: str, settings: CaptureSettings, watch: Watch) -> None:
        parts = urlsplit(url)
        self._username = unquote(parts.username) if parts.username is not None else None
        self._password = unquote(parts.password or "")
        self.url: Final = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._secret_url = url
        self._watch = watch
        self._timeouts = (settings.connect_timeout_seconds, settings.stall_timeout_seconds)
        self._auth: AuthBase | None = None
        self._session = requests.Session()
        self._addresses = settings.addresses
        self._connections: Final = HttpConnections(self._session, self._judged)
        # Proxies of the environment are for the internet, and .netrc must not lend passwords to cameras.
        self._session.trust_env = False
        self._session.verify = trusted_certificates() if settings.camera_tls_verify else False
        if not settings.camera_tls_verify:
            # Asked for by a setting; the warning would come with every request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._session.headers.update({"User-Agent": f"CamFarm/{VERSION}", "Accept-Encoding": "identity"})

    def _judged(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, of the camera's or of one that it leads to."""
        return [str(info[4][0]) for info in resolved(host, port, self._addresses, self._secret_url)]

    def get(self, url: str = "", *, first_byte: int = 0, end_byte: int | None = None) -> HttpBody:
        """Ask for `url` (default: the camera's own).

        Args:
            url: Absolute.
            first_byte: Where to begin.
            end_byte: First byte that is not wanted; None: up to the end.

        Raises:
            CaptureError: It could not be had; says why.
        """
        headers = {}
        if first_byte or end_byte is not None:
            headers["Range"] = f"bytes={first_byte}-{end_byte - 1 if end_byte is not None else ''}"
        response, final_url = self.request(url or self.url, headers)
        return HttpBody(self, response, final_url, first_byte)

    def request(self, url: str, headers: dict[str, str]) -> tuple[requests.Response, str]:
        """Return the answer, its body still to be read, and the URL it came from after redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            if urlsplit(url).scheme not in {"http", "https"}:
                raise failed(StatusReason.URL_INVALID, self._secret_url, "it leads to something that is not HTTP")
            response = self._ask(url, headers)
            if response.status_code not in _REDIRECTS:
                return self._accept(response), url
            response.close()
            url = urljoin(url, response.headers.get("Location", ""))
        raise failed(StatusReason.SERVER_ERROR, self._secret_url, f"it redirects more than {MAX_REDIRECTS} times")

    def _ask(self, url: str, headers: dict[str, str]) -> requests.Response:
        trusted = may_know_credentials(self.url, url)
        response = self._send(url, headers, self._auth if trusted else None)
        if response.status_code == requests.codes.unauthorized and trusted and self._username is not None:
            challenge = response.headers.get("WWW-Authenticate", "")
            response.close()
            kind: Callable[[str, str], AuthBase] = HTTPDigestAuth if "digest" in challenge.lower() else HTTPBasicAuth
            self._auth = kind(self._username, self._password)
            response = self._send(url, headers, self._auth)
        return response

    def _send(self, url: str, headers: dict[str, str], auth: AuthBase | None) -> requests.Response:
        self._watch.check()
        # The time-outs of the library are for one read each: headers that come byte by byte would take for ever.
        limit = threading.Timer(self._timeouts[0], self._connections.cut)
        limit.daemon = True
        with self._watch.cutting(self._connections.cut), self._connections.noting():
            limit.start()
            try:
                with self.translating(Stage.OPENING):
                    response = self._session.get(
                        url, headers=headers, auth=auth, stream=True, allow_redirects=False, timeout=self._timeouts
                    )
            finally:
                limit.cancel()
            if self._connections.were_cut:  # what looks like an answer ends where it was cut
                response.close()
                self._watch.check()
                raise failed(StatusReason.TIMEOUT, self._secret_url)
            return response

    def _accept(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status < 400:
            return response
        response.close()
        if status in {401, 403}:
            raise failed(StatusReason.AUTH_FAILED, self._secret_url)
        if status in {404, 410}:
            raise failed(StatusReason.NOT_FOUND, self._secret_url)
        raise failed(StatusReason.SERVER_ERROR, self._secret_url, f"the camera answered with HTTP status {status}")

    @contextmanager
    def translating(self, stage: Stage) -> Iterator[None]:
        """Turn errors of the HTTP libraries into ours; theirs show the URL with its secrets."""
        try:
            yield
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            self._watch.check()  # a connection that we cut ourselves is no failure
            if stage is Stage.OPENING and self._connections.were_cut:
                raise failed(StatusReason.TIMEOUT, self._secret_url) from None
            raise self._translated(error, stage) from None

    def _translated(self, error: Exception, stage: Stage) -> CaptureError:
        # urllib3 counts it among the timeouts whatever kept the connection from being made; its cause says what did.
        causes = [cause for cause in _causes(error) if type(cause) is not urllib3.exceptions.NewConnectionError]
        for kinds, opening, reading in _REASONS:
            if any(isinstance(cause, kinds) for cause in causes):
                return failed(opening if stage is Stage.OPENING else reading, self._secret_url)
        told = next((cause for cause in causes if isinstance(cause, OSError) and cause.errno is not None), None)
        if told is not None:
            return classify(told, stage, self._secret_url.replace("https:", "http:", 1))
        return failed(
            StatusReason.SERVER_ERROR if stage is Stage.OPENING else StatusReason.STREAM_ENDED, self._secret_url
        )

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


#: Error of the HTTP libraries -> reason while opening, reason while reading; the first that fits counts.
_REASONS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], StatusReason, StatusReason], ...]] = (
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        StatusReason.TLS_FAILED,
        StatusReason.TLS_FAILED,
    ),
    (urllib3.exceptions.NameResolutionError, StatusReason.NAME_NOT_FOUND, StatusReason.NAME_NOT_FOUND),
    (
        (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
        StatusReason.TIMEOUT,
        StatusReason.STREAM_STALLED,
    ),
    (
        (requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError),
        StatusReason.URL_INVALID,
        StatusReason.URL_INVALID,
    ),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all errors it was made from; the libraries keep them in several places."""
    todo: list[Any] = [error]
    seen: set[int] = set()
    while todo:
        current = todo.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            todo += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
