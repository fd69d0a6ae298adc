"""What people and programs may do: roles, each of which may all that the ones before it may."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do."""

    #: Looks at the cameras that he may see: live, footage, events, people.
    VIEWER = "viewer"
    #: Works with what is seen: exports, names and merges identities, watch list, replays dead letters, drains workers.
    OPERATOR = "operator"
    #: Changes the farm: cameras, users, tokens, settings; sees the audit.
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Tell whether who has this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)
