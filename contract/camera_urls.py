"""Camera URLs: which are allowed, and how their secrets are taken out, masked and put back. Pure."""

import re
from typing import Final
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlsplit, urlunsplit

from pydantic import BaseModel, Field

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
    password: str | None = Field(None, repr=False)
    #: Parameter name -> values in the order they stand, percent-encoded as in the URL; for parameters such as
    #: `?pwd=...` that cameras use instead of user info.
    query: dict[str, list[str]] = Field({}, repr=False)

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
    except ValueError:
        # Python's own text quotes the part it cannot read, which may be the password: it is not passed on.
        raise InvalidUrlError("camera URL cannot be parsed; check the host, and the brackets of an IPv6 one") from None
    if parts.scheme not in STREAM_SCHEMES:
        allowed = ", ".join(sorted(f"{scheme}://" for scheme in STREAM_SCHEMES))
        raise InvalidUrlError(f"camera URL scheme {parts.scheme!r} is not supported; use one of {allowed}")
    if not _port_is_valid(parts):
        raise InvalidUrlError(
            "camera URL has no port from 1 to 65535 after the host; a password with / ? # or @ must be percent-encoded"
        )
    if parts.scheme == "file":
        _check_file_url(parts.netloc, unquote(parts.path))
    elif not parts.hostname:
        raise InvalidUrlError("camera URL has no host; write for example rtsp://192.0.2.10:554/stream1")
    return url


def _port_is_valid(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:  # not a number, or too large
        return False


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
    # Taken apart by hand and not by `parse_qsl`, which would write the rest of the query in another way too, and
    # some cameras are particular about it.
    shown: list[str] = []
    secret: dict[str, list[str]] = {}
    for parameter in parts.query.split("&"):
        name, equals, value = parameter.partition("=")
        if equals and _SECRET_PARAMETER.search(unquote_plus(name)):
            secret.setdefault(name, []).append(value)
            shown.append(f"{name}={MASK}")
        else:
            shown.append(parameter)
    secrets = CameraSecrets(
        username=unquote(username) if at else None,
        password=unquote(password) if colon else None,
        query=secret,
    )
    return urlunsplit((parts.scheme, host, parts.path, "&".join(shown), parts.fragment)), secrets


def join_secrets(url: str, secrets: CameraSecrets) -> str:
    """Put `secrets` back into a URL from `split_secrets`; only the worker that opens the stream does this."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if secrets.username is not None:
        userinfo = quote(secrets.username, safe="")
        if secrets.password is not None:
            userinfo += ":" + quote(secrets.password, safe="")
        netloc = f"{userinfo}@{netloc}"
    values = {name: iter(its) for name, its in secrets.query.items()}
    parameters = []
    for shown in parts.query.split("&"):
        parameter = shown
        name, _, value = shown.partition("=")
        if value == MASK:
            parameter = f"{name}={next(values.get(name, iter(())), MASK)}"
        parameters.append(parameter)
    return urlunsplit((parts.scheme, netloc, parts.path, "&".join(parameters), parts.fragment))


def mask_url(url: str) -> str:
    """Return `url` fit for logs and screens: user info and secret query values are replaced by ``***``."""
    try:
        public, secrets = split_secrets(url)
        parts = urlsplit(public)
    except ValueError:
        return "(unreadable URL)"
    if not _port_is_valid(parts):  # then it is perhaps the beginning of a password
        return "(unreadable URL)"
    netloc = f"{MASK}@{parts.netloc}" if secrets.username is not None else parts.netloc
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))
