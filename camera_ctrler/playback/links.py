"""Signs links to footage that work for a while and for nothing else, for people without an account."""

import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from itsdangerous import BadSignature, URLSafeSerializer

from contract.errors import FarmError
from runtime.clock import Clock
from runtime.secret_box import SecretBox

#: Where the API serves what may be linked to, and where it serves signed links.
API_PREFIX: Final = "/api/v1"
LINK_PREFIX: Final = f"{API_PREFIX}/links"
PLAYLIST: Final = "recordings.m3u8"
_FOLDER: Final = "recordings"
#: Milliseconds before a live link was signed that it may show, so that a player finds something to begin with.
_LIVE_BEFORE_MS: Final = 60_000
#: Milliseconds of footage that a file which begins before a range can have of it.
_LONGEST_FILE_MS: Final = 600_000


class LinkError(FarmError):
    """A link that was not signed here, was altered, or is used for something else."""


class LinkExpiredError(LinkError):
    """A link whose time is over."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a signed link gives access to."""

    #: Below `API_PREFIX`, with a slash in front.
    path: str
    query: dict[str, str]
    signed_at_ms: int
    #: Unix ms UTC.
    expires_at_ms: int
    #: Name of who made it: the link shows what he may see, and only as long as he may.
    maker: str

    def allows(self, path: str, query: dict[str, str]) -> bool:
        """Tell whether a request is what was signed; of a playlist also its parts, and where it leads to."""
        if path == self.path and query == self.query:
            return True
        folder, slash, name = self.path.rpartition("/")
        if name != PLAYLIST or not path.startswith(folder + slash):
            return False
        rest = path.removeprefix(folder + slash).split("/")
        if rest == [PLAYLIST]:
            return query.keys() <= {"from_ms", "to_ms"} and self._within(query)
        if len(rest) == 3 and rest[0] == _FOLDER and query.keys() <= {"sound"}:
            start_ms = rest[1].partition("-")[0]
            return start_ms.isdecimal() and self._shows(int(start_ms))
        return False

    @property
    def _from_ms(self) -> int:
        return int(self.query.get("from_ms", self.signed_at_ms - _LIVE_BEFORE_MS))

    def _within(self, query: dict[str, str]) -> bool:
        """Tell whether a playlist of the same camera shows nothing else."""
        if not all(text.isdecimal() for text in query.values()):
            return False
        if query.get("to_ms") != self.query.get("to_ms"):
            return False
        return int(query.get("from_ms", self._from_ms)) >= self._from_ms

    def _shows(self, start_ms: int) -> bool:
        """Tell whether a file that begins then can have something of the range."""
        to_ms = self.query.get("to_ms")
        return self._from_ms - _LONGEST_FILE_MS < start_ms and (to_ms is None or start_ms < int(to_ms))


class Links:
    """Signs and reads links with a key that every controller of the farm has."""

    def __init__(self, box: SecretBox, clock: Clock) -> None:
        self._serializer = URLSafeSerializer(
            box.derived_key("signed links"),
            salt="footage",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
        self._clock = clock

    def sign(self, address: str, seconds: int, maker: str) -> tuple[str, int]:
        """Return the path of a link that works for so many seconds, and when it ends (Unix ms UTC).

        Args:
            address: Path below `API_PREFIX`, with its query.
            seconds: From now on.
            maker: Name of who makes it.
        """
        parts = urlsplit(address)
        now_ms = self._clock.now_ms()
        ends_ms = now_ms + seconds * 1000
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        token = self._serializer.dumps([parts.path, query, now_ms, ends_ms, maker])
        text = token if isinstance(token, str) else token.decode()
        asked = f"?{urlencode(query)}" if query else ""
        return f"{LINK_PREFIX}/{text}{parts.path}{asked}", ends_ms

    def check(self, token: str, path: str, query: str) -> Link:
        """Return what a token gives access to.

        Args:
            token: Of the link.
            path: What is asked for, below `API_PREFIX`, with a slash in front.
            query: As the request has it.

        Raises:
            LinkExpiredError: Its time is over.
            LinkError: It was altered, or is for something else.
        """
        try:
            signed_path, signed_query, signed_at_ms, expires_at_ms, maker = self._serializer.loads(token)
        except (BadSignature, ValueError) as error:
            raise LinkError("this link was not signed by this farm or was altered; ask for a new one") from error
        link = Link(signed_path, signed_query, signed_at_ms, expires_at_ms, maker)
        if self._clock.now_ms() >= link.expires_at_ms:
            raise LinkExpiredError("the time of this link is over; ask whoever gave it to you for a new one")
        asked = parse_qs(query, keep_blank_values=True)
        once = {name: values[0] for name, values in asked.items() if len(values) == 1}
        if len(once) != len(asked) or not link.allows(path, once):
            raise LinkError("this link was signed for something else; use it as it was given, or ask for a new one")
        return link
