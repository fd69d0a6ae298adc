"""What the API takes and gives about users, sessions and tokens."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from camera_ctrler.accounts.principal import EVERYBODY, Principal
from camera_ctrler.accounts.rules import MAX_NAME, MAX_PASSWORD, MIN_PASSWORD
from camera_ctrler.accounts.sessions import OpenSession
from camera_ctrler.accounts.tokens import Token
from camera_ctrler.accounts.user import User
from camera_ctrler.api.schemas import EpochMs, Query
from contract.accounts import Role
from contract.ids import CameraId

#: Of somebody who logs in; rules for new names are in `accounts.rules`.
GivenName = Annotated[str, Field(min_length=1, max_length=200)]
NewName = Annotated[str, Field(min_length=1, max_length=MAX_NAME, examples=["anna"])]
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=1_000)]
NewPassword = Annotated[SecretStr, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]
Cameras = Annotated[
    list[CameraId],
    Field(max_length=10_000, description="Ids of the cameras that may be seen; null: all, also later ones"),
]


class Body(BaseModel):
    """A request; other fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Login(Body):
    """Who logs in."""

    user: GivenName
    password: GivenPassword


class Me(BaseModel):
    """Who sends the request."""

    name: str
    role: Role
    cameras: list[str] | None = Field(description="Ids of the cameras that he may see; null: all")
    auth: bool = Field(description="False: nobody need log in here (`FARM_AUTH=off`)")
    password_given: bool = Field(description="He still has the password that somebody else made for him")
    session: str | None = Field(description="Id of the session; null: a program's token, or nobody need log in")

    @classmethod
    def of(cls, who: Principal, *, password_given: bool) -> Self:
        """Say who somebody is."""
        return cls(
            name=who.name,
            role=who.role,
            cameras=None if who.cameras is None else sorted(who.cameras),
            auth=who != EVERYBODY,
            password_given=password_given,
            session=who.session,
        )


class PasswordChange(Body):
    """A new password of one's own."""

    current: GivenPassword
    new: NewPassword


class SessionQuery(Query):
    """Whose sessions."""

    user: str | None = Field(None, max_length=200, description="Another user's, for admins; your own if left out")


class SessionInfo(BaseModel):
    """One login that stands."""

    id: str
    user: str
    current: bool = Field(description="It is the one that asks")
    created_at_ms: int
    last_used_at_ms: int = Field(description="To the minute")
    expires_at_ms: int = Field(description="When it is over unless it is used before")
    address: str = Field(description="Where it began")
    user_agent: str = Field(description="What the browser said that it is")

    @classmethod
    def of(cls, session: OpenSession, *, current: bool) -> Self:
        """Show a session."""
        return cls(
            id=session.id,
            user=session.user,
            current=current,
            created_at_ms=session.created_at_ms,
            last_used_at_ms=session.last_used_at_ms,
            expires_at_ms=session.expires_at_ms,
            address=session.address,
            user_agent=session.user_agent,
        )


class SessionList(BaseModel):
    """Sessions of one user, the newest first."""

    items: list[SessionInfo]


class UserCreate(Body):
    """A new user."""

    name: NewName
    password: NewPassword
    role: Role = Role.VIEWER
    cameras: Cameras | None = None


class UserPatch(Body):
    """What changes; fields that are left out stay as they are."""

    role: Role = Role.VIEWER
    cameras: Cameras | None = None
    disabled: bool = Field(False, description="He cannot log in, and his sessions end")
    password: NewPassword = Field(
        default_factory=lambda: SecretStr(""),  # no default in the document: an empty one is refused
        description="A new one; his sessions end, and he is asked for his own",
    )

    @model_validator(mode="before")
    @classmethod
    def _something(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data:
            raise ValueError("nothing is to be changed")
        return data

    def changes(self) -> dict[str, Any]:
        """Return what was given, as `Users.change` takes it."""
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "role" in given:
            given["role"] = self.role.value
        if "cameras" in given:
            given["cameras"] = None if self.cameras is None else frozenset(self.cameras)
        if "password" in given:
            given["password"] = self.password.get_secret_value()
        return given


class UserInfo(BaseModel):
    """A user."""

    name: str
    role: Role
    cameras: list[str] | None = Field(description="Ids of the cameras that he may see; null: all")
    disabled: bool
    created_at_ms: int
    last_login_at_ms: int | None

    @classmethod
    def of(cls, user: User) -> Self:
        """Show a user."""
        return cls(
            name=user.name,
            role=user.role,
            cameras=None if user.cameras is None else sorted(user.cameras),
            disabled=user.disabled,
            created_at_ms=user.created_at_ms,
            last_login_at_ms=user.last_login_at_ms,
        )


class UserList(BaseModel):
    """All users, by name."""

    items: list[UserInfo]


class TokenCreate(Body):
    """A new token for a program."""

    name: NewName
    role: Role = Role.VIEWER
    cameras: Cameras | None = None
    expires_at_ms: EpochMs | None = Field(None, description="When it runs out, Unix ms UTC; null: never")


class TokenInfo(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    role: Role
    cameras: list[str] | None = Field(description="Ids of the cameras that it may see; null: all")
    created_at_ms: int
    created_by: str
    expires_at_ms: int | None = Field(description="When it runs out; null: never")
    last_used_at_ms: int | None = Field(description="To the minute; null: not yet")

    @classmethod
    def fields_of(cls, token: Token) -> dict[str, Any]:
        """Return the fields of a token."""
        cameras = None if token.cameras is None else sorted(token.cameras)
        names = ("id", "name", "role", "created_at_ms", "created_by", "expires_at_ms", "last_used_at_ms")
        return {name: getattr(token, name) for name in names} | {"cameras": cameras}


class TokenList(BaseModel):
    """All tokens, by name."""

    items: list[TokenInfo]


class NewToken(TokenInfo):
    """A token that was made just now."""

    secret: str = Field(description="What the program sends as `Authorization: Bearer`; it is not shown again")
