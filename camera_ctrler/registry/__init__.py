"""The camera registry in SQL: the truth about which cameras there are."""

from camera_ctrler.registry.registry import (
    CameraExistsError,
    CameraNotFoundError,
    CameraOwnedElsewhereError,
    CameraUnreadableError,
    Listing,
    RegisteredCamera,
    Registry,
)

__all__ = [
    "CameraExistsError",
    "CameraNotFoundError",
    "CameraOwnedElsewhereError",
    "CameraUnreadableError",
    "Listing",
    "RegisteredCamera",
    "Registry",
]
