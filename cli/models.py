"""Sees that a model's weights are there before workers are started that need them."""

import time
from collections.abc import Callable

from cli.steps import Steps
from runtime.settings import WorkerSettings

#: Takes bytes done and in all.
ByteProgress = Callable[[int, int], None]


def make_model_present(settings: WorkerSettings, steps: Steps) -> None:
    """Fetch the weights of FARM_MODEL where they are missing, and see that workers may load them."""
    import model_store

    with steps.step(f"model {settings.model}") as step:
        model_store.fetch(settings.model, settings.models_path, byte_progress(step.progress))
        model_store.resolve(settings.model, settings.models_path, trust_pickled=settings.trust_pickled_weights)


def byte_progress(show: Callable[[str], None]) -> ByteProgress:
    """Return what turns bytes into texts for `show`, with the rate since the first call."""
    began = time.monotonic()

    def progress(done: int, total: int) -> None:
        rate = done / max(time.monotonic() - began, 0.001)
        show(f"{done / 1e6:.1f} of {total / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s")

    return progress
