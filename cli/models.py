"""Sees that a model's weights are there before workers are started that need them."""

import time
from collections.abc import Callable
from typing import Final

from cli.steps import Steps
from contract.errors import FarmError
from runtime.settings import ReidSettings, WorkerSettings

#: The one of FARM_RECOGNISERS that needs the weights of FARM_REID_MODEL.
EMBEDDING_RECOGNISER: Final = "reid"
#: Takes bytes done and in all.
ByteProgress = Callable[[int, int], None]


def make_model_present(settings: WorkerSettings, steps: Steps) -> None:
    """Fetch the weights of FARM_MODEL where they are missing, and see that workers may load them."""
    import model_store

    with steps.step(f"model {settings.model}") as step:
        model_store.fetch(settings.model, settings.models_path, byte_progress(step.progress))
        model_store.resolve(settings.model, settings.models_path, trust_pickled=settings.trust_pickled_weights)


def usable_recognisers(settings: ReidSettings, steps: Steps) -> str:
    """Return FARM_RECOGNISERS, without what needs weights that cannot be had: the farm watches and records without.

    The weights of FARM_REID_MODEL are fetched where they are missing.
    """
    import model_store

    names = settings.recogniser_names
    if EMBEDDING_RECOGNISER not in names:
        return ",".join(names)
    try:
        with steps.step(f"model {settings.reid_model}") as step:
            model_store.fetch(settings.reid_model, settings.models_path, byte_progress(step.progress))
            model_store.resolve(settings.reid_model, settings.models_path, trust_pickled=False)
    except FarmError as error:
        steps.warn(f"nobody is recognised across cameras: {error}")
        names.remove(EMBEDDING_RECOGNISER)
    return ",".join(names)


def byte_progress(show: Callable[[str], None]) -> ByteProgress:
    """Return what turns bytes into texts for `show`, with the rate since the first call."""
    began = time.monotonic()

    def progress(done: int, total: int) -> None:
        rate = done / max(time.monotonic() - began, 0.001)
        show(f"{done / 1e6:.1f} of {total / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s")

    return progress
