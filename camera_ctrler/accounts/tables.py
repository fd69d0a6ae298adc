"""Tables of accounts; migration 0010 brings a database to this shape. Only the controller reads them."""

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base


class UserRow(Base):
    """Somebody who logs in."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: `rules.name_key` of the name.
    name_key: Mapped[str] = mapped_column(String(256), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    #: As argon2-cffi writes it, parameters included.
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16))
    #: Ids of the cameras that he may see; None: all.
    cameras: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    disabled: Mapped[bool] = mapped_column(Boolean)
    #: Whether somebody else made his password.
    password_given: Mapped[bool] = mapped_column(Boolean)
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    last_login_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class SessionRow(Base):
    """One login, until it is over."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), ForeignKey("users.id"))
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    #: Written at most once a minute.
    last_used_at_ms: Mapped[int] = mapped_column(BigInteger)
    #: When it is over, however much it is used.
    expires_at_ms: Mapped[int] = mapped_column(BigInteger)
    #: Where it began.
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(256))
    #: Number of the refresh token that is good now: each is signed, and names its session and its number.
    refresh_number: Mapped[int] = mapped_column(BigInteger)
    refreshed_at_ms: Mapped[int] = mapped_column(BigInteger)
    revoked_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    #: Why it was: a `Revoked`.
    revoked_for: Mapped[str | None] = mapped_column(String(32))


class TokenRow(Base):
    """What a program shows instead of a password."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name_key: Mapped[str] = mapped_column(String(256), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    #: SHA-256 in hexadecimal digits: the secret has 256 random bits, which nobody guesses.
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    cameras: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(64))
    expires_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    #: Written at most once a minute.
    last_used_at_ms: Mapped[int | None] = mapped_column(BigInteger)
