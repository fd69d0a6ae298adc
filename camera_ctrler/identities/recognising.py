"""Whether people are recognised and searched for now; else why not, and what helps. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runtime.reid_reader import ReidWorkerView

#: The recogniser that embeds people; all else is done without a model of its own.
EMBEDDING: Final = "reid"


class RecognisingState(StrEnum):
    """How far recognising people is possible."""

    RUNS = "runs"
    #: What does it waits for something, and goes on by itself.
    WAITS = "waits"
    #: ReID workers run without the model that tells people apart.
    NO_MODEL = "no_model"
    NO_WORKER = "no_worker"


@dataclass(frozen=True, slots=True)
class Recognising:
    """The state, in words."""

    state: RecognisingState
    #: One sentence; empty: it runs.
    text: str = ""
    remedy: str = ""


def recognising(workers: Iterable[ReidWorkerView]) -> Recognising:
    """Return whether people are recognised, from what ReID workers say of themselves."""
    alive = [worker.status for worker in workers if worker.alive]
    if not alive:
        return Recognising(
            RecognisingState.NO_WORKER,
            "No ReID worker runs, so nobody new is recognised and nothing can be searched for.",
            "Start one with: ./farm reid",
        )
    said = [status for status in alive if status is not None]
    able = [status for status in said if EMBEDDING in status.recognisers]
    if said and not able:
        return Recognising(
            RecognisingState.NO_MODEL,
            "ReID workers run without the model that tells people apart.",
            "Fetch it with: ./farm models fetch osnet-x0-25-msmt17 (or put the file into FARM_MODELS_DIR by hand), and "
            "start the farm again",
        )
    problems = sorted({status.problem for status in able if status.problem})
    if able and all(status.problem for status in able):
        return Recognising(RecognisingState.WAITS, f"ReID workers wait: {problems[0]}.", "They go on by themselves.")
    return Recognising(RecognisingState.RUNS)
