"""The camera registry in SQL: the truth about which cameras there are."""

from camera_ctrler.registry.registry import (
    ORIGIN_FARM,
    CameraExistsError,
    CameraNotFoundError,
    CameraOwnedElsewhereError,
    CameraUnreadableError,
    Listing,
    RegisteredCamera,
    Registry,
)

__all__ = [
    "ORIGIN_FARM",
    "CameraExistsError",
    "CameraNotFoundError",
    "CameraOwnedElsewhereError",
    "CameraUnreadableError",
    "Listing",
    "RegisteredCamera",
    "Registry",
]
