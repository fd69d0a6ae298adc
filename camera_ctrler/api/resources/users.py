"""Users: add, list, change, remove."""

from urllib.parse import quote

from camera_ctrler.api.account_schemas import UserCreate, UserInfo, UserList, UserPatch
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.services import services
from contract.accounts import Role

resource = Resource("users", "accounts")


@resource.documented("GET", "/users", role=Role.ADMIN, whole_farm=True, summary="List users", answers={200: UserList})
def list_users() -> UserList:
    """Answer with all users."""
    return UserList(items=[UserInfo.of(user) for user in services().accounts.users.all()])


@resource.documented(
    "POST",
    "/users",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Add a user",
    description="He is asked for a password of his own when he logs in.",
    body=UserCreate,
    answers={201: UserInfo},
    errors=(409,),
    examples={
        "A guard who sees two cameras": {
            "name": "guard",
            "password": "a-long-one-please",
            "role": "viewer",
            "cameras": ["gate-1", "gate-2"],
        }
    },
    headers={"Location": "Where the new user is"},
)
def create_user(body: UserCreate) -> tuple[UserInfo, int, dict[str, str]]:
    """Add one user."""
    cameras = None if body.cameras is None else frozenset(body.cameras)
    user = services().accounts.users.add(body.name, body.password.get_secret_value(), body.role, cameras)
    return UserInfo.of(user), 201, {"Location": f"/api/v1/users/{quote(user.name)}"}


@resource.documented(
    "GET",
    "/users/<user>",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Show a user",
    answers={200: UserInfo},
    errors=(404,),
)
def get_user(user: str) -> UserInfo:
    """Answer with one user."""
    return UserInfo.of(services().accounts.users.get(user))


@resource.documented(
    "PATCH",
    "/users/<user>",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Change a user",
    description="It takes effect at once, also for what he is watching. With another password, or disabled, he is "
    "logged out everywhere. The last admin who can log in stays one.",
    body=UserPatch,
    answers={200: UserInfo},
    errors=(404, 409),
    examples={
        "More rights": {"role": "operator"},
        "Some cameras alone": {"cameras": ["lobby"]},
        "Out": {"disabled": True},
    },
)
def update_user(user: str, body: UserPatch) -> UserInfo:
    """Change one user."""
    return UserInfo.of(services().accounts.change_user(user, body.changes()))


@resource.documented(
    "DELETE",
    "/users/<user>",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Remove a user",
    description="He is logged out everywhere at once.",
    answers={204: None},
    errors=(404, 409),
)
def delete_user(user: str) -> None:
    """Remove one user."""
    services().accounts.remove_user(user)
