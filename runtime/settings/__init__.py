"""Typed settings of every process, read from `FARM_*` variables and an optional `.env` file.

One model per process; a shared `.env` may hold the names of all of them, and a name that none of them knows is
refused, because a misspelt setting that is silently ignored is found out at the worst time.
"""

from typing import Final

from runtime.settings.common import (
    ENV_PREFIX,
    LAUNCHER_NAMES,
    PROJECT_DIR,
    CommonSettings,
    DatabaseSettings,
    SettingsError,
    known_names,
)
from runtime.settings.controller import ControllerSettings, is_loopback
from runtime.settings.reid import ReidSettings
from runtime.settings.stack import StackSettings
from runtime.settings.worker import WorkerSettings

__all__ = [
    "ALL_SETTINGS",
    "ENV_PREFIX",
    "LAUNCHER_NAMES",
    "PROJECT_DIR",
    "CommonSettings",
    "ControllerSettings",
    "DatabaseSettings",
    "ReidSettings",
    "SettingsError",
    "StackSettings",
    "WorkerSettings",
    "is_loopback",
    "known_names",
]

ALL_SETTINGS: Final[tuple[type[CommonSettings], ...]] = (
    CommonSettings,
    DatabaseSettings,
    ControllerSettings,
    WorkerSettings,
    ReidSettings,
    StackSettings,
)
