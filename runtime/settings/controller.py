"""Settings of the API and the manager."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from contract.retention import KeepRules, parse_age
from runtime.settings.common import DatabaseSettings

#: Milliseconds for which the audit is kept at least: a day longer than the database insists on, for clocks differ.
_LEAST_AUDIT_MS: Final = 31 * 86_400_000


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


def is_loopback(host: str) -> bool:
    """Tell whether only programs of this machine reach an address that a server listens on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for part in (part.strip() for part in text.split(",")):
        if part:
            try:
                found.append(ip_network(part, strict=False))
            except ValueError:
                raise ValueError(f"{part!r} is no IP address and no network such as 10.0.0.0/8") from None
    return tuple(found)
