"""The process behind `tests.support.rtsp_server`: the demo cameras' server, made to misbehave like real cameras."""

import argparse
import hashlib
import hmac
import re
import secrets
import sys
from base64 import b64encode
from pathlib import Path

import aio_sockets
from aio_rtsp_toolkit.server_session import RtspServerSession
from aio_rtsp_toolkit.server_session_types import RtspRequest

from cli.demo_cameras.__main__ import run
from cli.demo_cameras.live_server import LiveServer, LiveSession

_REALM = "camera"
_DIGEST_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


class Guard:
    """Checks the credentials of requests, as RFC 7617 (Basic) or RFC 2617 (Digest) says."""

    def __init__(self, scheme: str, username: str, password: str) -> None:
        self._scheme = scheme
        self._username = username
        self._password = password
        self._nonce = secrets.token_hex(16)

    def challenge(self) -> str:
        """Return the value of ``WWW-Authenticate``."""
        if self._scheme == "basic":
            return f'Basic realm="{_REALM}"'
        return f'Digest realm="{_REALM}", nonce="{self._nonce}", algorithm=MD5'

    def allows(self, request: RtspRequest) -> bool:
        """Tell whether `request` brings the right credentials."""
        given = request.headers.get("authorization", "")
        if self._scheme == "basic":
            token = b64encode(f"{self._username}:{self._password}".encode()).decode()
            return hmac.compare_digest(given, f"Basic {token}")
        fields = {name: quoted or bare for name, quoted, bare in _DIGEST_FIELD.findall(given)}
        secret = _md5(self._username, _REALM, self._password)
        expected = _md5(secret, self._nonce, _md5(request.method, fields.get("uri", "")))
        return fields.get("nonce") == self._nonce and hmac.compare_digest(fields.get("response", ""), expected)


class FaultySession(LiveSession):
    """A session that may ask for credentials, or answer every DESCRIBE with an error."""

    server: "FaultyServer"

    async def _read_request(self) -> RtspRequest | None:
        while True:
            request = await super()._read_request()
            if request is None:
                return None
            guard = self.server.guard
            if guard is not None and request.method != "OPTIONS" and not guard.allows(request):
                headers = {"WWW-Authenticate": guard.challenge()}
                await self._send_response(request.headers, 401, "Unauthorized", headers)
            elif self.server.fail_with and request.method == "DESCRIBE":
                await self._send_response(request.headers, self.server.fail_with, "Failed on purpose")
            else:
                return request


class FaultyServer(LiveServer):
    """The demo cameras' server with faults."""

    guard: Guard | None = None
    #: RTSP status code that answers every DESCRIBE; 0: none, it works.
    fail_with: int = 0

    def make_session(self, sock: aio_sockets.TCPSocket) -> RtspServerSession:
        """Return the session of a client that has just connected."""
        return FaultySession(self, sock)


def main(arguments: list[str]) -> int:
    """Read the command line and serve; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--auth", choices=["basic", "digest"])
    parser.add_argument("--username", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--fail-with", type=int, default=0)
    options = parser.parse_args(arguments)
    server = FaultyServer(options.dir, "127.0.0.1", options.port)
    server.fail_with = options.fail_with
    if options.auth:
        server.guard = Guard(options.auth, options.username, options.password)
    return run(server)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
