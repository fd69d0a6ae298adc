"""Which names and passwords people may have. Pure."""

import unicodedata
from typing import Final

#: Of the normalised text; also the width of its column.
MAX_NAME: Final = 64
#: Shorter ones are guessed. NIST SP 800-63B asks for length, and for no mixture of kinds of characters.
MIN_PASSWORD: Final = 10
#: Longer ones are somebody trying what happens.
MAX_PASSWORD: Final = 256
#: What audits and principals write before a token's name; a path and a query must be able to carry a name.
_NOT_IN_NAMES: Final = frozenset(":/\\?#%,")


def checked_name(name: str) -> str:
    """Return a name as it is stored: composed characters (NFC), no space around it.

    Raises:
        ValueError: The text says what is wrong with it.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > MAX_NAME:
        raise ValueError(f"must have 1 to {MAX_NAME} characters")
    # Cc, Cf, Co, Cn, Cs: control characters, and what shows nothing or turns the direction of the text.
    bad = {letter for letter in name if unicodedata.category(letter).startswith(("C", "Z")) and letter != " "}
    if bad or _NOT_IN_NAMES & set(name):
        raise ValueError("must not have control characters or any of : / \\ ? # % ,")
    if set(name) <= {"."}:
        raise ValueError("must not be of dots alone")
    return name


def name_key(name: str) -> str:
    """Return what is the same for names that people take for the same one, such as ``Anna`` and ``ANNA``."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()[:256]


def checked_password(password: str, *, name: str = "") -> str:
    """Return a new password.

    Args:
        password: As it was typed; it is not changed, but for its composed characters (NFC).
        name: Of the user, who must not use it as his password.

    Raises:
        ValueError: The text says what is wrong with it, and does not repeat it.
    """
    password = unicodedata.normalize("NFC", password)
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ValueError(f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in password):
        raise ValueError("must not have control characters")
    if len(set(password)) < 4:
        raise ValueError("must have four different characters or more")
    if name and name_key(password) == name_key(name):
        raise ValueError("must not be the user's name")
    return password
