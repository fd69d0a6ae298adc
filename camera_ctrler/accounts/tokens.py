"""Tokens of programs in SQL: shown once, stored hashed, looked up by their hash."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import sessionmaker

from camera_ctrler.accounts.errors import NameRefusedError, TokenExistsError, TokenNotFoundError
from camera_ctrler.accounts.principal import Principal
from camera_ctrler.accounts.rules import checked_name, name_key
from camera_ctrler.accounts.tables import TokenRow
from contract.accounts import Role
from runtime.clock import Clock

#: What every secret begins with, so that scanners of leaked secrets, and people, see what it is.
SECRET_PREFIX: Final = "camfarm_"  # noqa: S105 - what all begin with
#: What a principal's name begins with when it is a token's; no user's name can have the colon.
PRINCIPAL_PREFIX: Final = "token:"


@dataclass(frozen=True, slots=True)
class Token:
    """One token, without its secret."""

    id: str
    name: str
    role: Role
    cameras: frozenset[str] | None
    created_at_ms: int
    created_by: str
    expires_at_ms: int | None
    last_used_at_ms: int | None

    @classmethod
    def of(cls, row: TokenRow) -> "Token":
        """Read a row."""
        return cls(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            cameras=None if row.cameras is None else frozenset(row.cameras),
            created_at_ms=row.created_at_ms,
            created_by=row.created_by,
            expires_at_ms=row.expires_at_ms,
            last_used_at_ms=row.last_used_at_ms,
        )

    def principal(self) -> Principal:
        """Return it as one that sends requests."""
        return Principal(f"{PRINCIPAL_PREFIX}{self.name}", self.role, self.cameras)


class Tokens:
    """The table of tokens. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._clock = clock

    def all(self) -> list[Token]:
        """Return every token, also those that have run out, by name."""
        with self._sessions() as session:
            return [Token.of(row) for row in session.scalars(select(TokenRow).order_by(TokenRow.name_key))]

    def add(
        self,
        name: str,
        role: Role,
        cameras: frozenset[str] | None = None,
        *,
        created_by: str,
        expires_at_ms: int | None = None,
    ) -> tuple[Token, str]:
        """Make a token; return it and its secret, which nobody can show again.

        Args:
            name: Unique, as of users.
            role: What the program may do.
            cameras: Which it may see; None: all.
            created_by: Who makes it.
            expires_at_ms: When it runs out, Unix ms UTC; None: never.

        Raises:
            TokenExistsError: The name is taken.
            NameRefusedError: It cannot be used.
        """
        try:
            name = checked_name(name)
        except ValueError as error:
            raise NameRefusedError(str(error)) from None
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        row = TokenRow(
            id=f"token-{secrets.token_hex(8)}",
            name_key=name_key(name),
            name=name,
            secret_hash=hash_of(secret),
            role=role.value,
            cameras=None if cameras is None else sorted(cameras),
            created_at_ms=self._clock.now_ms(),
            created_by=created_by[:64],
            expires_at_ms=expires_at_ms,
            last_used_at_ms=None,
        )
        with self._sessions() as session:
            session.add(row)
            try:
                session.commit()
            except IntegrityError as error:
                raise TokenExistsError(name) from error
        return Token.of(row), secret

    def who(self, secret_hash: str) -> Token | None:
        """Return the token with that secret, if it has not run out."""
        with self._sessions() as session:
            row = session.scalar(select(TokenRow).where(TokenRow.secret_hash == secret_hash))
        return self._standing(row)

    def named(self, name: str) -> Token | None:
        """Return the token of that name, if it has not run out."""
        with self._sessions() as session:
            row = session.scalar(select(TokenRow).where(TokenRow.name_key == name_key(name)))
        return self._standing(row)

    def _standing(self, row: TokenRow | None) -> Token | None:
        if row is None or (row.expires_at_ms is not None and row.expires_at_ms <= self._clock.now_ms()):
            return None
        return Token.of(row)

    def remove(self, token: str) -> Token:
        """Revoke a token, by its id or its name; return what it was.

        Raises:
            TokenNotFoundError: There is none.
        """
        is_it = (TokenRow.id == token) | (TokenRow.name_key == name_key(token))
        with self._sessions() as session:
            row = session.scalar(delete(TokenRow).where(is_it).returning(TokenRow))
            if row is None:
                raise TokenNotFoundError(token)
            gone = Token.of(row)
            session.commit()
        return gone


def hash_of(secret: str) -> str:
    """Return the SHA-256 of a secret: what is stored, and what it is looked up by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
