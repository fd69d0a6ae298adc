"""Weights and demo footage by manifest: fetched, verified, listed, added, and resolved to files that may be loaded.

Knows files and hashes; knows no Redis, no camera and no detector.
"""

from model_store.errors import (
    CorruptModelError,
    FetchError,
    ModelMissingError,
    ModelNameError,
    ModelStoreError,
    UnknownModelError,
    UnreadableModelError,
    UntrustedWeightsError,
)
from model_store.fetching import fetch_footage
from model_store.model_file import ModelFile, ModelState
from model_store.own_models import add
from model_store.sources import Progress
from model_store.store import fetch, list_models, resolve, verify

__all__ = [
    "CorruptModelError",
    "FetchError",
    "ModelFile",
    "ModelMissingError",
    "ModelNameError",
    "ModelState",
    "ModelStoreError",
    "Progress",
    "UnknownModelError",
    "UnreadableModelError",
    "UntrustedWeightsError",
    "add",
    "fetch",
    "fetch_footage",
    "list_models",
    "resolve",
    "verify",
]
