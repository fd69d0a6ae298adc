"""Camera URLs: which are allowed, and how their secrets are taken out, masked and put back. Pure."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlsplit

from pydantic import BaseModel, Field

from contract.errors import InvalidUrlError

#: Schemes the workers can open; `file` only below the configured folder, which the worker checks.
STREAM_SCHEMES: Final = frozenset({"rtsp", "rtsps", "http", "https", "file"})
#: Long enough for signed URLs, short enough that nobody stores a document in it.
MAX_URL_LENGTH: Final = 2_048
MASK: Final = "***"

_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
#: Parts of names, and whole names, that cameras give to secrets. Hiding one too many does no harm: it comes back.
_SECRET_NAME = re.compile(
    r"pas|psw|pwd|pword|token|secret|key|auth|sig|cred|session|jwt|(?:^|_)(?:p|pw|pin)$", re.IGNORECASE
)
_NAME = re.compile(r"(?P<name>[^/?#&;=]+)=")
#: `;` also stands in passwords: it ends a value only where another parameter follows.
_VALUE = re.compile(r"[^&]*?(?=&|;[^/?#&;=]+=|$)")
#: Paths such as ``/user=a_password=b_channel=1``: `_` ends a value before a parameter; what base64 ends in is none.
_PATH_VALUE = re.compile(r"[^/&]*?(?=[/&]|[;,_][A-Za-z]+\d*=[^=/&]|$)")
_SCHEME_AND_HOST = re.compile(r"(?:[^:/?#]*:)?(?://[^/?#]*)?")
_PARTS = re.compile(r"([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)


class CameraSecrets(BaseModel):
    """What must never be shown or stored in clear: user info and secret parameters of a camera URL."""

    username: str | None = None
    password: str | None = Field(None, repr=False)
    #: Parameter name -> values in the order they stand, percent-encoded as in the URL; for parameters such as
    #: `?pwd=...` that cameras use instead of user info, in the query, the path or the fragment.
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
        The URL that may be shown and stored (values of secret parameters replaced by ``***``), and the secrets.
    """
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    username, colon, password = userinfo.partition(":")
    secret: dict[str, list[str]] = {}

    def hide(name: str, value: str) -> str:
        secret.setdefault(name, []).append(value)
        return MASK

    public = _with_host(url, host, _replace_secrets(_after_host(url), hide))
    secrets = CameraSecrets(
        username=unquote(username) if at else None,
        password=unquote(password) if colon else None,
        query=secret,
    )
    return public, secrets


def join_secrets(url: str, secrets: CameraSecrets) -> str:
    """Put `secrets` back into a URL from `split_secrets`; only the worker that opens the stream does this."""
    netloc = urlsplit(url).netloc
    if secrets.username is not None:
        userinfo = quote(secrets.username, safe="")
        if secrets.password is not None:
            userinfo += ":" + quote(secrets.password, safe="")
        netloc = f"{userinfo}@{netloc}"
    values = {name: iter(its) for name, its in secrets.query.items()}

    def show(name: str, value: str) -> str:
        return next(values.get(name, iter(())), MASK) if value == MASK else value

    return _with_host(url, netloc, _replace_secrets(_after_host(url), show))


def _replace_secrets(text: str, replacement: Callable[[str, str], str]) -> str:
    """Replace the values of secret parameters in what follows the host; all else stays byte for byte.

    Not done with `parse_qsl`, which would write the rest in another way, and some cameras are particular about it.

    Args:
        text: Path, query and fragment.
        replacement: Makes the new value from name and value, both as they stand in `text`.
    """
    made: list[str] = []
    for part, value in zip(_PARTS.split(text, maxsplit=1)[1:4], (_PATH_VALUE, _VALUE, _VALUE), strict=True):
        kept = at = 0
        while found := _NAME.search(part or "", at):
            at = found.end()
            if _SECRET_NAME.search(unquote_plus(found["name"])) and (secret := value.match(part, at)):
                made += part[kept:at], replacement(found["name"], secret[0])
                kept = at = secret.end()
        made.append((part or "")[kept:])
    return "".join(made)


def _after_host(url: str) -> str:
    return _SCHEME_AND_HOST.sub("", url, count=1)


def _with_host(url: str, netloc: str, after: str) -> str:
    """Return `url` with another user info and host, and something else after them."""
    scheme, colon, rest = url.partition(":")
    # `urlunsplit` would leave out a `?` or `#` with nothing behind it, and put `//` where there was none.
    return f"{scheme.lower()}{colon}{'//' if rest.startswith('//') else ''}{netloc}{after}"


def mask_url(url: str) -> str:
    """Return `url` fit for logs and screens: user info and values of secret parameters are replaced by ``***``."""
    if _CONTROL.search(url):  # `urlsplit` would leave some of them out
        return "(unreadable URL)"
    try:
        public, secrets = split_secrets(url)
        parts = urlsplit(public)
    except ValueError:
        return "(unreadable URL)"
    if not _port_is_valid(parts):  # then it is perhaps the beginning of a password
        return "(unreadable URL)"
    return _with_host(public, f"{MASK}@{parts.netloc}", _after_host(public)) if secrets.username is not None else public
