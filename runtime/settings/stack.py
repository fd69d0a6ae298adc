"""Settings of what starts all the others."""

from typing import Annotated, ClassVar

from pydantic import Field

from runtime.settings.controller import ControllerSettings
from runtime.settings.reid import ReidSettings
from runtime.settings.worker import WorkerSettings


class StackSettings(ControllerSettings, WorkerSettings, ReidSettings):
    """`./farm up` and `./farm demo`, which start the others."""

    process: ClassVar[str] = "farm"

    #: Worker processes that `up` and `demo` start.
    workers: Annotated[int, Field(ge=0, le=256)] = 2
    #: ReID workers that they start.
    reid_workers: Annotated[int, Field(ge=0, le=256)] = 1
