"""Settings of a ReID worker."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from contract.retention import parse_age
from runtime.settings.common import DatabaseSettings


class ReidSettings(DatabaseSettings):
    """A ReID worker: the dispatcher and the recognisers."""

    process: ClassVar[str] = "reid"

    #: Name of a model in FARM_MODELS_DIR that makes embeddings; see `./farm models list`.
    reid_model: str = "osnet-x0-25-msmt17"
    #: ``auto``: CUDA where a GPU and its libraries are present, else CPU. Or ``cpu``, ``cuda``, ``cuda:1``.
    reid_device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    #: Threads of the embedder; 0: all cores this process may use.
    reid_threads: Annotated[int, Field(ge=0, le=256)] = 0
    #: Part of the strangers who may be taken for somebody known; more of it finds more people again, and wrong ones.
    reid_false_identification_rate: Annotated[float, Field(ge=0.0001, le=0.2)] = 0.02
    #: Threads of one search of the gallery with several crops; one crop is searched with one.
    reid_search_threads: Annotated[int, Field(ge=1, le=64)] = 1
    #: Name of a detector in FARM_MODELS_DIR that finds people in uploaded pictures.
    reid_detector: str = "yolo11n"
    #: Somebody who was not seen for longer is not looked for, unless people have named that identity or watch for it:
    #: hours (12h), days (3d) or forever. People change their clothes.
    reid_window: str = "24h"
    #: Recognisers that look at crops, separated by commas; all ReID workers of a farm must have the same.
    recognisers: str = "reid,colours"
    #: Recognitions in one batch at most.
    reid_batch: Annotated[int, Field(ge=1, le=256)] = 32
    #: Recognitions on each of the three queues at most; what has no room waits in the database, and is looked at with
    #: fewer crops.
    reid_queue_bound: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    #: How often a recognition that failed is tried again, after a second, then after twice as long each time.
    reid_retries: Annotated[int, Field(ge=0, le=20)] = 5
    #: Seconds that a recogniser may take for one batch, or for one recognition tried by itself.
    reid_timeout_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    #: Address of a ReID worker's Prometheus metrics; port 0: any free one; empty host: none.
    reid_metrics_host: str = ""
    reid_metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0

    @field_validator("reid_window")
    @classmethod
    def _check_window(cls, value: str) -> str:
        parse_age(value)
        return value

    @property
    def reid_window_ms(self) -> int:
        """`reid_window` in milliseconds."""
        return parse_age(self.reid_window)

    @property
    def recogniser_names(self) -> list[str]:
        """`recognisers` as a list, each once, in the order given."""
        return list(dict.fromkeys(name for part in self.recognisers.split(",") if (name := part.strip())))
