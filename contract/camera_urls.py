"""Camera URLs: which are allowed, and how their secrets are taken out, masked and put back. Pure."""

import re
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel

from contract.errors import InvalidUrlError

#: Schemes the workers can open; `file` only below the configured folder, which the worker checks.
STREAM_SCHEMES: Final = frozenset({"rtsp", "rtsps", "http", "https", "file"})
#: Long enough for signed URLs, short enough that nobody stores a document in it.
MAX_URL_LENGTH: Final = 2_048
MASK: Final = "***"

_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
_SECRET_PARAMETER = re.compile(r"pass|pwd|token|secret|api_?key|auth|sig", re.IGNORECASE)


class CameraSecrets(BaseModel):
    """What must never be shown or stored in clear: user info and secret query parameters of a camera URL."""

    username: str | None = None
    password: str | None = None
    #: Parameter name -> value, for parameters such as `?pwd=...` that cameras use instead of user info.
    query: dict[str, str] = {}

    def is_empty(self) -> bool:
        """Tell whether there is nothing to encrypt."""
        return self.username is None and self.password is None and not self.query


def check_camera_url(url: str) -> str:
    """Return `url` if a worker may open it.

    Raises:
        InvalidUrlError: Names what is wrong and what would be right.
    """
    if not url or len(url) > MAX_URL_LENGTH:
        raise InvalidUrlError(f"camera URL must have 1 to {MAX_URL_LENGTH} characters, this one has {len(url)}")
    if _CONTROL.search(url):
        raise InvalidUrlError("camera URL contains a space or a control character; percent-encode it (space is %20)")
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or 0 < parts.port <= 65535
    except ValueError as error:
        raise InvalidUrlError(f"camera URL cannot be parsed: {error}") from error
    if parts.scheme not in STREAM_SCHEMES:
        allowed = ", ".join(sorted(f"{scheme}://" for scheme in STREAM_SCHEMES))
        raise InvalidUrlError(f"camera URL scheme {parts.scheme!r} is not supported; use one of {allowed}")
    if not port_is_valid:
        raise InvalidUrlError("camera URL has port 0; use 1 to 65535")
    if parts.scheme == "file":
        _check_file_url(parts.netloc, unquote(parts.path))
    elif not parts.hostname:
        raise InvalidUrlError("camera URL has no host; write for example rtsp://192.0.2.10:554/stream1")
    return url


def _check_file_url(netloc: str, path: str) -> None:
    if netloc:
        raise InvalidUrlError("file URL must have three slashes: file:///folder/video.mp4")
    if ".." in path.split("/") or _CONTROL.sub("", path.replace(" ", "")) != path.replace(" ", ""):
        raise InvalidUrlError("file URL must not contain '..' or control characters")


def split_secrets(url: str) -> tuple[str, CameraSecrets]:
    """Take the secrets out of `url`.

    Returns:
        The URL that may be shown and stored (secret query values replaced by ``***``), and the secrets.
    """
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    username, colon, password = userinfo.partition(":")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    secret = {name: value for name, value in pairs if _SECRET_PARAMETER.search(name)}
    query = parts.query
    if secret:
        query = urlencode([(name, MASK if name in secret else value) for name, value in pairs], safe="*/:")
    secrets = CameraSecrets(
        username=unquote(username) if at else None,
        password=unquote(password) if colon else None,
        query=secret,
    )
    return urlunsplit((parts.scheme, host, parts.path, query, parts.fragment)), secrets


def join_secrets(url: str, secrets: CameraSecrets) -> str:
    """Put `secrets` back into a URL from `split_secrets`; only the worker that opens the stream does this."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if secrets.username is not None:
        userinfo = quote(secrets.username, safe="")
        if secrets.password is not None:
            userinfo += ":" + quote(secrets.password, safe="")
        netloc = f"{userinfo}@{netloc}"
    query = parts.query
    if secrets.query:
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, secrets.query.get(name, value)) for name, value in pairs], safe="/:")
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))


def mask_url(url: str) -> str:
    """Return `url` fit for logs and screens: user info and secret query values are replaced by ``***``."""
    try:
        public, secrets = split_secrets(url)
        parts = urlsplit(public)
    except ValueError:
        return "(unreadable URL)"
    netloc = f"{MASK}@{parts.netloc}" if secrets.username is not None else parts.netloc
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))
