"""What can be wrong with a wish about identities."""

from contract.errors import FarmError


class IdentityNotFoundError(FarmError, LookupError):
    """There is no such identity, or no more."""

    def __init__(self, identity: str) -> None:
        super().__init__(f"there is no identity {identity!r}; see which there are with: ./farm identities list")


class SightingNotFoundError(FarmError, LookupError):
    """No such track was seen, or it was not decided on yet."""

    def __init__(self, track: str) -> None:
        super().__init__(f"there is no sighting of track {track!r}; a track has one as soon as its crops are embedded")


class ChangeNotFoundError(FarmError, LookupError):
    """There is no such change."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no change {number}; see which there are with: ./farm identities changes")


class WatchNotFoundError(FarmError, LookupError):
    """There is no such entry of the watch list."""

    def __init__(self, watch: str) -> None:
        super().__init__(f"there is no entry {watch!r} in the watch list; see it with: ./farm identities watched")


class ChangeConflictError(FarmError, ValueError):
    """A change that does not go together with how things are now; the text says how they are."""
