"""The camera registry in SQL: the truth about which cameras there are."""

from camera_ctrler.registry.errors import (
    CameraExistsError,
    CameraNotFoundError,
    CameraOwnedElsewhereError,
    CameraUnreadableError,
)
from camera_ctrler.registry.registered_camera import RegisteredCamera
from camera_ctrler.registry.registry import ORIGIN_EXTERNAL, ORIGIN_FARM, Listing, Registry

__all__ = [
    "ORIGIN_EXTERNAL",
    "ORIGIN_FARM",
    "CameraExistsError",
    "CameraNotFoundError",
    "CameraOwnedElsewhereError",
    "CameraUnreadableError",
    "Listing",
    "RegisteredCamera",
    "Registry",
]
