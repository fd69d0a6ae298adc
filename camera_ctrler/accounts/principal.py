"""Who sends a request, and what he may see and do."""

from dataclasses import dataclass
from typing import Final

from contract.accounts import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or a program, as one request knows it."""

    #: Name of the user, or ``token:`` and the token's name: what the audit says.
    name: str
    role: Role
    #: Cameras that he may see; None: all, also those that are added later.
    cameras: frozenset[str] | None = None
    #: Id of the session; None: a token, or nobody need log in.
    session: str | None = None

    def may(self, role: Role) -> bool:
        """Tell whether he may do what `role` may."""
        return self.role.includes(role)

    def sees(self, camera_id: str) -> bool:
        """Tell whether he may see anything of a camera, its name included."""
        return self.cameras is None or camera_id in self.cameras

    @property
    def sees_all(self) -> bool:
        """Whether he sees every camera, and so what is of the farm as a whole."""
        return self.cameras is None


#: Who sends requests where nobody need log in (``FARM_AUTH=off``).
EVERYBODY: Final = Principal("everybody", Role.ADMIN)
