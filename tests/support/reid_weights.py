"""The ReID model as a farm finds it, for tests that recognise people; without it they go on and say so."""

import shutil
from typing import Final

import model_store
from tests.support.needs import SHARED_DATA
from tests.support.weights import CACHE_DIR

NAME: Final = "osnet-x0-25-msmt17"
FILE: Final = "osnet_x0_25_msmt17.onnx"


def missing_reid_weights() -> str:
    """Put the ReID model where farms of tests look for it; return why that is not possible, or an empty text."""
    held = SHARED_DATA / "weights" / FILE
    if held.is_file() and not (CACHE_DIR / FILE).is_file():
        CACHE_DIR.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(held, CACHE_DIR / FILE)
    try:
        model_store.fetch(NAME, CACHE_DIR)
    except model_store.FetchError as error:
        return str(error)
    return ""
