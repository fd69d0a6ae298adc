"""A ReID worker with a recogniser that does what a test says: ``python -m tests.support.reid_process``.

Its settings come from the environment, as those of ``python -m reid``; what the recogniser does from the file that
``CAMFARM_TOLD`` names: JSON with ``seconds`` of each request, and ``does``: event id -> ``raise``, ``hang``, ``die``.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, text

from contract.events import Event, EventKind
from reid.__main__ import main
from reid.recognisers import opening
from reid.recognisers.recogniser import Answered, LoadedRequest, Recognition
from runtime.settings import ReidSettings

NAME = "told"
#: Has a row for each time that a recognition was kept; a test makes it.
KEPT = "kept_recognitions"


class PlainRecogniser:
    """Takes its time, and then says how many crops there were."""

    name = NAME
    version = "1"

    def wants(self, event: Event) -> bool:
        """Want ends of tracks."""
        return event.kind is EventKind.TRACK_ENDED

    def recognise(self, requests: Sequence[LoadedRequest]) -> list[Recognition]:
        """Do what the file says."""
        told: dict[str, Any] = json.loads(Path(os.environ["CAMFARM_TOLD"]).read_text())
        for loaded in requests:
            time.sleep(told.get("seconds", 0.0))
            does = told.get("does", {}).get(loaded.request.event_id)
            if does == "raise":
                raise RuntimeError("told to")
            if does == "hang":
                time.sleep(3_600)
            if does == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        return [Recognition({"crops": len(loaded.images)}) for loaded in requests]

    def keep(self, connection: Connection, answered: Sequence[Answered]) -> None:
        """Leave a row for each."""
        rows = [{"id": each.request.event_id} for each in answered]
        connection.execute(text(f"INSERT INTO {KEPT} (event_id) VALUES (:id)"), rows)  # noqa: S608


def open_recogniser(_settings: ReidSettings) -> PlainRecogniser:
    """Return the recogniser."""
    return PlainRecogniser()


if __name__ == "__main__":
    cast("dict[str, str]", opening.RECOGNISERS)[NAME] = "tests.support.reid_process"
    sys.exit(main())
