"""Where recognisers are registered: a new one is a class by the protocol, and a line here."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Final, cast

import structlog

from contract.errors import FarmError
from reid.recognisers.recogniser import Recogniser
from runtime.settings import ReidSettings

#: Name -> the module that has it; its function `open_recogniser` takes `ReidSettings` and returns a `Recogniser`.
#: Imported only where FARM_RECOGNISERS names it, for some need seconds and memory for their models.
RECOGNISERS: Final[Mapping[str, str]] = {
    "reid": "reid.recognisers.reid",
    "colours": "reid.recognisers.colours",
}

log = structlog.get_logger(__name__)


class UnknownRecogniserError(FarmError):
    """FARM_RECOGNISERS names one that does not exist."""

    def __init__(self, name: str) -> None:
        known = ", ".join(sorted(RECOGNISERS))
        super().__init__(f"FARM_RECOGNISERS has {name!r}, and there is no such recogniser; there are {known}")


def open_recognisers(settings: ReidSettings) -> dict[str, Recogniser]:
    """Return the recognisers that FARM_RECOGNISERS names, by name.

    Raises:
        UnknownRecogniserError: It names one that does not exist.
        FarmError: One cannot be opened, for example because its model is missing.
    """
    for name in settings.recogniser_names:
        if name not in RECOGNISERS:
            raise UnknownRecogniserError(name)
    found: dict[str, Recogniser] = {}
    for name in settings.recogniser_names:
        if find_spec(RECOGNISERS[name]) is None:
            log.warning("recogniser_not_built", recogniser=name)
        else:
            found[name] = _open(name, settings)
    return found


def _open(name: str, settings: ReidSettings) -> Recogniser:
    return cast("Recogniser", import_module(RECOGNISERS[name]).open_recogniser(settings))
