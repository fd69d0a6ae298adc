"""The camera registry in SQL: the truth about which cameras there are."""

from camera_ctrler.registry.registry import (
    CameraExistsError,
    CameraNotFoundError,
    CameraOwnedElsewhereError,
    RegisteredCamera,
    Registry,
)

__all__ = [
    "CameraExistsError",
    "CameraNotFoundError",
    "CameraOwnedElsewhereError",
    "RegisteredCamera",
    "Registry",
]
