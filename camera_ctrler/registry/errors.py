"""What can be wrong with a camera that is asked for."""

from contract.errors import FarmError


class CameraNotFoundError(FarmError, LookupError):
    """No camera has that id."""

    def __init__(self, camera_id: str) -> None:
        super().__init__(f"camera {camera_id!r} does not exist; `./farm cameras list` shows those that do")


class CameraExistsError(FarmError):
    """A camera with that id is registered already."""

    def __init__(self, camera_id: str) -> None:
        super().__init__(f"camera {camera_id!r} exists already; choose another id, or change that camera")


class CameraOwnedElsewhereError(FarmError):
    """The camera follows the external table and cannot be changed here."""

    def __init__(self, camera_id: str) -> None:
        super().__init__(
            f"camera {camera_id!r} follows the external camera table; change or delete it there, "
            "or unset FARM_CAMERA_SOURCE_URL so that nothing follows the table any more"
        )


class CameraUnreadableError(FarmError):
    """Somebody edited the camera's row in the database into something that cannot be used."""

    def __init__(self, camera_id: str, columns: list[str]) -> None:
        super().__init__(
            f"camera {camera_id!r} cannot be read: its row of the table cameras makes no sense in "
            f"{', '.join(columns)}; change it there or here, or remove the camera"
        )
        self.columns = columns
