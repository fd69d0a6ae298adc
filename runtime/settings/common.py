"""Settings that every process has, how they are read, and what is said of those that cannot be used."""

import difflib
import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.camera_addresses import CameraAddresses
from contract.errors import FarmError

#: The checkout (or the image's working directory): parent of this package's package.
PROJECT_DIR: Final = Path(__file__).resolve().parents[2]
ENV_PREFIX: Final = "FARM_"
#: Names that the launcher reads before any model exists.
LAUNCHER_NAMES: Final = frozenset({"FARM_PYTHON", "FARM_VENV", "FARM_ENV_FILE"})


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


@cache
def known_names() -> frozenset[str]:
    """Return every variable that some process of the farm reads."""
    models: list[type[CommonSettings]] = [CommonSettings]
    for model in models:
        models += model.__subclasses__()
    fields = {f"{ENV_PREFIX}{name.upper()}" for model in models for name in model.model_fields}
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
