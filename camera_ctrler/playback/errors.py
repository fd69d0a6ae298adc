"""What can go wrong for one who plays footage, beside what storage itself raises."""

from contract.errors import FarmError


class NothingToPlayError(FarmError):
    """Nothing of the range can be decoded."""


class ClipInterruptedError(FarmError):
    """The server stops."""
