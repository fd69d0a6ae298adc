"""A user, as everybody but the database knows him."""

from dataclasses import dataclass

from camera_ctrler.accounts.principal import Principal
from camera_ctrler.accounts.tables import UserRow
from contract.accounts import Role


@dataclass(frozen=True, slots=True)
class User:
    """One user, without his password."""

    id: str
    name: str
    role: Role
    #: Cameras that he may see; None: all.
    cameras: frozenset[str] | None
    disabled: bool
    #: Whether he still has the password that somebody else made.
    password_given: bool
    created_at_ms: int
    last_login_at_ms: int | None

    @classmethod
    def of(cls, row: UserRow) -> "User":
        """Read a row."""
        return cls(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            cameras=None if row.cameras is None else frozenset(row.cameras),
            disabled=row.disabled,
            password_given=row.password_given,
            created_at_ms=row.created_at_ms,
            last_login_at_ms=row.last_login_at_ms,
        )

    def principal(self, session: str | None) -> Principal:
        """Return him as one who sends requests in a session."""
        return Principal(self.name, self.role, self.cameras, session)
