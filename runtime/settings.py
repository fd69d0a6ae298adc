"""Typed settings of every process, read from `FARM_*` variables and an optional `.env` file.

One model per process; a shared `.env` may hold the names of all of them, and a name that none of them knows is
refused, because a misspelt setting that is silently ignored is found out at the worst time.
"""

import difflib
import os
import re
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.camera_addresses import CameraAddresses
from contract.cameras import LABEL_PATTERN
from contract.errors import FarmError
from contract.retention import KeepRules, parse_age

#: The checkout (or the image's working directory): parent of this package.
PROJECT_DIR: Final = Path(__file__).resolve().parent.parent
ENV_PREFIX: Final = "FARM_"
#: Names that the launcher reads before any model exists.
LAUNCHER_NAMES: Final = frozenset({"FARM_PYTHON", "FARM_VENV", "FARM_ENV_FILE"})


_LABEL: Final = re.compile(LABEL_PATTERN)


def _labels(text: str) -> list[str]:
    return sorted({part.strip() for part in text.split(",")} - {""})


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for part in (part.strip() for part in text.split(",")):
        if part:
            try:
                found.append(ip_network(part, strict=False))
            except ValueError:
                raise ValueError(f"{part!r} is no IP address and no network such as 10.0.0.0/8") from None
    return tuple(found)


def is_loopback(host: str) -> bool:
    """Tell whether only programs of this machine reach an address that a server listens on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


#: Milliseconds for which the audit is kept at least: a day longer than the database insists on, for clocks differ.
_LEAST_AUDIT_MS: Final = 31 * 86_400_000


class SettingsError(FarmError):
    """A setting is unknown or has a value that cannot be used; the text names each one."""


class CommonSettings(BaseSettings):
    """What every process needs."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True)

    #: Redis or Valkey: ``redis://``, ``rediss://`` (TLS) or ``unix://``; empty: `farm` starts an embedded Valkey.
    redis_url: Annotated[str, Field(repr=False)] = ""
    #: Password of the server, where the URL has none.
    redis_password: SecretStr = SecretStr("")
    #: Sentinels as ``host:port,host:port``; then FARM_REDIS_URL gives only the scheme, user and database.
    redis_sentinels: str = ""
    redis_sentinel_master: str = "mymaster"
    redis_sentinel_password: SecretStr = SecretStr("")
    #: File with the certificate authority for ``rediss://``; empty: the system's.
    redis_ca_file: Path | None = None
    #: State of the embedded parts: database, Valkey's files, secret key, logs.
    data_dir: Path = PROJECT_DIR / ".farm"
    #: The shared volume: saved frames and footage.
    frames_dir: Path = PROJECT_DIR / "frames"
    models_dir: Path | None = None
    #: Key that camera passwords are encrypted with (44 characters, urlsafe base64).
    #: Empty: made once and kept in FARM_DATA_DIR.
    secret_key: SecretStr = SecretStr("")
    #: Seconds a lease lives without being renewed; it is renewed three times in that time.
    lease_seconds: Annotated[float, Field(ge=0.5, le=60)] = 3.0
    #: Networks in which cameras may be although their addresses are refused otherwise, separated by commas: link-local
    #: ones, clouds' metadata services, multicast. Workers and controllers go by it.
    camera_addresses_allowed: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    #: ``console`` for people, ``json`` for log collectors, ``auto``: console on a terminal.
    log_format: Literal["auto", "console", "json"] = "auto"

    process: ClassVar[str] = "common"

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return value

    @field_validator("camera_addresses_allowed")
    @classmethod
    def _check_addresses(cls, value: str) -> str:
        CameraAddresses(value)
        return value

    @property
    def camera_addresses(self) -> CameraAddresses:
        """Which addresses cameras may have."""
        return CameraAddresses(self.camera_addresses_allowed)

    @property
    def models_path(self) -> Path:
        """Folder of model weights."""
        return self.models_dir or self.data_dir / "models"

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the settings of this process.

        Args:
            overrides: Values that win over environment and file, by field name.

        Raises:
            SettingsError: Names every unknown or unusable setting, without showing secret values.
        """
        env_file = Path(os.environ.get("FARM_ENV_FILE", PROJECT_DIR / ".env"))
        refuse_unknown_names(env_file)
        try:
            return cls(_env_file=env_file, **overrides)
        except ValidationError as error:
            problems = "; ".join(
                f"{ENV_PREFIX}{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
                for item in error.errors()
            )
            raise SettingsError(f"unusable settings: {problems}. See .env.example") from error


class DatabaseSettings(CommonSettings):
    """Processes that read or write the camera registry."""

    #: SQLAlchemy URL, ``sqlite:///...`` or ``postgresql+psycopg://...``; empty: SQLite in FARM_DATA_DIR.
    database_url: SecretStr = SecretStr("")

    @property
    def database(self) -> str:
        """The URL of the registry's database, with the default filled in."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'camfarm.sqlite3'}"


class ControllerSettings(DatabaseSettings):
    """The API and the manager."""

    process: ClassVar[str] = "controller"

    #: Address the API listens on.
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=1, le=65535)] = 15439
    #: Names under which browsers and other clients reach the API, separated by commas; IP addresses, `localhost` and
    #: FARM_API_HOST always do. Others are refused, for a web page can give its own name the farm's address.
    api_host_names: str = ""
    #: ``off``: nobody need log in, and whoever reaches the API may do everything. Only while FARM_API_HOST is loopback.
    auth: bool = True
    #: Password of the user ``admin``, who is made at the first start; empty: one is made up and shown once.
    admin_password: SecretStr = SecretStr("")
    #: Certificate (PEM, with its chain) and key that the API serves TLS with; read again when they are renewed. Empty:
    #: plain HTTP.
    tls_cert: Path | None = None
    #: Empty: the key is in FARM_TLS_CERT.
    tls_key: Path | None = None
    #: Addresses and networks of proxies, separated by commas, whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxies: str = ""
    #: Threads of the API; each open live view or playback takes one.
    api_threads: Annotated[int, Field(ge=4, le=512)] = 64
    #: Largest request body in bytes.
    api_max_body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    #: An existing table of cameras to follow, as a SQLAlchemy URL; empty: none.
    camera_source_url: SecretStr = SecretStr("")
    camera_source_table: str = "cameras"
    camera_source_id_column: str = "id"
    camera_source_url_column: str = "camera_url"
    #: Empty: no names are read.
    camera_source_name_column: str = ""
    camera_source_poll_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 2.0
    #: Seconds the old worker may go on with a moved camera while the new one connects.
    handover_seconds: Annotated[float, Field(ge=0, le=120)] = 10.0
    #: Cameras that may be on their way from one live worker to another at a time, for the sake of balance.
    max_moves_at_once: Annotated[int, Field(ge=1, le=1_000)] = 16
    #: Cameras of one camera host (an NVR has many) that are newly connected to in any one second.
    connects_per_host: Annotated[int, Field(ge=1, le=1_000)] = 16
    #: Saved frames older than this are deleted; 0 keeps them for ever.
    frames_max_age_hours: Annotated[float, Field(ge=0)] = 24.0
    #: The oldest frames and footage are deleted while the volume has fewer free bytes than this, footage of events
    #: never; 0: nothing is deleted for want of room.
    frames_min_free_bytes: Annotated[int, Field(ge=0)] = 2_000_000_000
    #: How long footage is kept: hours (12h), days (3d) or forever, by the reason why it is kept, and by what was seen
    #: in footage of events (person=60d); the longest that applies wins.
    recordings_keep: str = "continuous=3d,motion=7d,event=30d"
    #: The oldest footage is deleted while all of it takes more bytes than this, footage of events never; 0: no limit.
    recordings_max_bytes: Annotated[int, Field(ge=0)] = 0
    #: The same for each camera's own footage.
    recordings_camera_max_bytes: Annotated[int, Field(ge=0)] = 0
    #: Where older footage moves: ``file:///folder`` or ``s3://bucket/prefix``; empty: nowhere.
    archive_url: str = ""
    #: URL of S3-compatible storage; empty: Amazon's.
    archive_s3_endpoint: str = ""
    #: Access key and secret of the storage; empty: what the machine has (``AWS_*`` variables, instance role).
    archive_s3_key: SecretStr = SecretStr("")
    archive_s3_secret: SecretStr = SecretStr("")
    #: Age at which footage moves there, as 12h or 2d.
    archive_after: str = "12h"
    #: Bytes a second that moving may take; 0: as many as there are.
    archive_bytes_per_second: Annotated[int, Field(ge=0)] = 0
    #: The oldest footage of the archive is deleted while it takes more bytes than this, footage of events never;
    #: 0: no limit.
    archive_max_bytes: Annotated[int, Field(ge=0)] = 0

    #: How long events and tracks are kept in the database: hours (12h), days (30d) or forever. What they point at has a
    #: retention of its own.
    events_keep: str = "30d"
    #: How long embeddings, sightings and identities without a name are kept in the database: as FARM_EVENTS_KEEP.
    identities_keep: str = "30d"
    #: How long crops of tracked objects are kept: as events, which name them. For want of room the oldest go before
    #: that, with footage of motion.
    crops_keep: str = "30d"
    #: How long the audit is kept, as days (365d) or forever; 31d or more: of the last 30 days the database lets nobody
    #: delete anything.
    audit_keep: str = "365d"

    @field_validator("auth")
    @classmethod
    def _check_auth(cls, value: bool, info: ValidationInfo) -> bool:
        host = str(info.data.get("api_host", ""))
        if not value and not is_loopback(host):
            raise ValueError(
                f"off is only for FARM_API_HOST=127.0.0.1, and it is {host or 'not usable'}: everybody who reaches it "
                "could see and change everything. Leave FARM_AUTH out, or listen on loopback"
            )
        return value

    @field_validator("audit_keep")
    @classmethod
    def _check_audit_age(cls, value: str) -> str:
        if parse_age(value) < _LEAST_AUDIT_MS:
            raise ValueError(f"{value!r} is too short for an audit; write 31d or more, or forever")
        return value

    @field_validator("tls_key")
    @classmethod
    def _check_tls_key(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("tls_cert") is None:
            raise ValueError("is nothing without FARM_TLS_CERT")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: str) -> str:
        _networks(value)
        return value

    @field_validator("recordings_keep")
    @classmethod
    def _check_keep(cls, value: str) -> str:
        KeepRules.parse(value)
        return value

    @field_validator("archive_after", "events_keep", "crops_keep", "identities_keep")
    @classmethod
    def _check_age(cls, value: str) -> str:
        parse_age(value)
        return value

    @field_validator("archive_url")
    @classmethod
    def _check_archive_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"file:///.+|s3://[^/@?#]+(/[^?#]*)?", value):
            raise ValueError("must be file:///folder or s3://bucket/prefix; keys have settings of their own")
        return value

    @field_validator("archive_s3_endpoint")
    @classmethod
    def _check_archive_endpoint(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^/@]+/?", value):
            raise ValueError("must be a URL such as https://storage.example:9000")
        return value

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`trusted_proxies`, read."""
        return _networks(self.trusted_proxies)

    @property
    def keep_rules(self) -> KeepRules:
        """`recordings_keep`, read."""
        return KeepRules.parse(self.recordings_keep)

    @property
    def events_keep_ms(self) -> int:
        """`events_keep` in milliseconds."""
        return parse_age(self.events_keep)

    @property
    def identities_keep_ms(self) -> int:
        """`identities_keep` in milliseconds."""
        return parse_age(self.identities_keep)

    @property
    def audit_keep_ms(self) -> int:
        """`audit_keep` in milliseconds."""
        return parse_age(self.audit_keep)

    @property
    def crops_keep_ms(self) -> int:
        """`crops_keep` in milliseconds."""
        return parse_age(self.crops_keep)

    @property
    def archive_after_ms(self) -> int:
        """`archive_after` in milliseconds."""
        return parse_age(self.archive_after)


class WorkerSettings(CommonSettings):
    """A video worker."""

    process: ClassVar[str] = "worker"

    #: Empty: made from the host name; must be unique in the farm.
    worker_id: str = ""
    #: CPU-seconds a second that this worker's cameras may cost; 0: all cores the process may use, shared evenly with
    #: the other workers of the same host. A target: cameras are never turned away for it, see `farm_required_workers`.
    worker_cores: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 0.0
    #: Cameras this worker takes at most, whatever they cost.
    worker_max_cameras: Annotated[int, Field(ge=1, le=10_000)] = 256
    #: What cameras can require or prefer, separated by commas: ``gpu,site=north``.
    worker_labels: str = ""
    #: ``auto``: CUDA where a GPU and its libraries are present, else CPU. Or ``cpu``, ``cuda``, ``cuda:1``.
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    #: Where frames are decoded: ``cpu``, or ``cuda``, ``cuda:1`` for an NVIDIA device's decoder (not run by us yet).
    decode_device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")] = "cpu"
    #: Name of a model in FARM_MODELS_DIR; see `./farm models list`.
    model: str = "yolo11n"
    #: ``auto``: OpenVINO on CPU. ONNX Runtime and Ultralytics (needs the torch extra) are the others.
    detector: Literal["auto", "openvino", "onnxruntime", "ultralytics"] = "auto"
    #: Side in pixels of the detector's largest input, a square; a multiple of 32. Models of open size run smaller ones.
    detect_size: Annotated[int, Field(ge=64, le=1920, multiple_of=32)] = 640
    #: Threads of the detector; 0: all cores this process may use.
    detect_threads: Annotated[int, Field(ge=0, le=256)] = 0
    #: Arithmetic of OpenVINO. ``auto``: bf16 where the CPU has AMX, else f32, which equals the model exactly.
    #: bf16 costs about 0.002 mAP and was 1.7 times as quick on a CPU with AVX-512 BF16.
    detect_precision: Literal["auto", "f32", "bf16"] = "auto"
    max_batch: Annotated[int, Field(ge=1, le=64)] = 8
    #: Milliseconds to wait for more frames before an incomplete batch is run.
    batch_wait_ms: Annotated[float, Field(ge=0, le=200)] = 5.0
    #: Load pickled weights (.pt) that the manifest does not list. They can run code: only from people you trust.
    trust_pickled_weights: bool = False
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    #: Seconds a camera may take to answer when its stream is opened.
    connect_timeout_seconds: Annotated[float, Field(ge=1, le=120)] = 8.0
    #: Seconds without a packet after which a stream counts as stalled.
    stall_timeout_seconds: Annotated[float, Field(ge=1, le=120)] = 8.0
    #: Longest pause between tries to open a camera again.
    reconnect_max_seconds: Annotated[float, Field(ge=0.5, le=600)] = 15.0
    #: Check the certificates of ``https://`` and ``rtsps://`` cameras. Switch it off for cameras that sign their own.
    camera_tls_verify: bool = True
    #: The only folder whose files may be used as cameras (``file:///...``); empty: none.
    local_video_dir: Path | None = None
    #: ``appearance``: objects are followed by their places and colours. ``bytetrack``: by their places alone, which
    #: costs a fraction of a millisecond less for each.
    tracker: Literal["appearance", "bytetrack"] = "appearance"
    #: Classes of objects of which crops are kept for recognisers, separated by commas; empty: none.
    crops: str = "person,bicycle,car,motorcycle,bus,truck,van"
    jpeg_quality: Annotated[int, Field(ge=30, le=100)] = 80
    #: Longest side in pixels of the preview kept in Redis.
    preview_size: Annotated[int, Field(ge=160, le=1920)] = 640
    #: Saved frames per camera that Redis lists; older ones are found on the volume.
    frame_index_size: Annotated[int, Field(ge=10, le=1_000_000)] = 3_600
    #: Results per camera that Redis keeps.
    result_stream_size: Annotated[int, Field(ge=10, le=1_000_000)] = 600
    #: Events of all cameras that Redis keeps.
    event_stream_size: Annotated[int, Field(ge=1_000, le=10_000_000)] = 100_000
    #: Folder for results and events that wait until Redis is back; empty: FARM_DATA_DIR/spool.
    spool_dir: Path | None = None
    #: Most bytes that one worker keeps there; the oldest results, then the oldest events, make room and are counted.
    spool_max_bytes: Annotated[int, Field(ge=65_536)] = 256_000_000
    #: Most bytes of a camera's packets that wait in memory: half of them as pre-roll and while the volume fails, half
    #: while it is slow. Eight seconds of a stream of 8 Mbit/s have 8,000,000.
    record_buffer_bytes: Annotated[int, Field(ge=1_000_000, le=1_000_000_000)] = 16_000_000
    #: Seconds a worker may take to finish and leave.
    drain_seconds: Annotated[float, Field(ge=0, le=300)] = 15.0
    #: Address of the worker's Prometheus metrics; port 0: any free one; empty host: none.
    metrics_host: str = ""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0

    @field_validator("worker_labels")
    @classmethod
    def _check_labels(cls, value: str) -> str:
        for label in _labels(value):
            if _LABEL.fullmatch(label) is None:
                raise ValueError(f"{label!r} is not a label; use names such as gpu or site=north")
        return value

    @property
    def labels(self) -> list[str]:
        """`worker_labels` as a list, each once."""
        return _labels(self.worker_labels)

    @property
    def crop_classes(self) -> frozenset[str]:
        """`crops` as names in small letters."""
        return frozenset(name.strip().lower() for name in self.crops.split(",")) - {""}

    @property
    def spool_path(self) -> Path:
        """Folder of the spool."""
        return self.spool_dir or self.data_dir / "spool"

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.local_video_dir is not None and not self.local_video_dir.is_absolute():
            raise ValueError("FARM_LOCAL_VIDEO_DIR must be an absolute path")
        return self


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


class StackSettings(ControllerSettings, WorkerSettings, ReidSettings):
    """`./farm up` and `./farm demo`, which start the others."""

    process: ClassVar[str] = "farm"

    #: Worker processes that `up` and `demo` start.
    workers: Annotated[int, Field(ge=0, le=256)] = 2
    #: ReID workers that they start.
    reid_workers: Annotated[int, Field(ge=0, le=256)] = 1


ALL_SETTINGS: Final[tuple[type[CommonSettings], ...]] = (
    CommonSettings,
    DatabaseSettings,
    ControllerSettings,
    WorkerSettings,
    ReidSettings,
    StackSettings,
)


@cache
def known_names() -> frozenset[str]:
    """Return every variable that some process of the farm reads."""
    fields = {f"{ENV_PREFIX}{name.upper()}" for model in ALL_SETTINGS for name in model.model_fields}
    return frozenset(fields | LAUNCHER_NAMES)


def refuse_unknown_names(env_file: Path) -> None:
    """Raise `SettingsError` if the environment or `env_file` has a `FARM_*` name that nothing reads."""
    present = set(os.environ) | {name for name in dotenv_values(env_file) if name}
    unknown = sorted(name for name in present if name.startswith(ENV_PREFIX) and name not in known_names())
    if not unknown:
        return
    hints = []
    for name in unknown:
        close = difflib.get_close_matches(name, known_names(), n=1)
        hints.append(f"{name} (did you mean {close[0]}?)" if close else name)
    raise SettingsError(f"unknown settings: {', '.join(hints)}. Every setting is described in .env.example")
