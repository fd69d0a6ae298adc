"""Decides whether who sends a request may have it answered: by role, by the farm as a whole, by the camera it names."""

from camera_ctrler.accounts.principal import Principal
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.registry import CameraNotFoundError
from contract.accounts import Role


def authorise(who: Principal, role: Role, *, whole_farm: bool, camera_id: str | None) -> None:
    """Let a request pass, or refuse it.

    The role comes first, for it is told to everybody; then the camera, before anything else of the request is looked
    at: one that may not be seen and one that is not there must answer alike.

    Args:
        who: Who sends it.
        role: What it needs.
        whole_farm: It tells or changes what cannot be cut by camera.
        camera_id: The camera that the path names, as it was sent; None: it names none.

    Raises:
        ProblemError: 403; says what is needed.
        CameraNotFoundError: He may not see the camera.
    """
    if not who.may(role):
        raise ProblemError(
            403,
            "role-needed",
            "This needs another role",
            f"This needs the role {role.value}, and {who.name} has the role {who.role.value}; "
            "an admin can give it: ./farm users",
        )
    if whole_farm and not who.sees_all:
        raise ProblemError(
            403,
            "all-cameras-needed",
            "This needs to see all cameras",
            f"This is of the farm as a whole, and {who.name} sees only some cameras; an admin can change that",
        )
    if camera_id is not None and not who.sees(camera_id):
        raise CameraNotFoundError(camera_id)
