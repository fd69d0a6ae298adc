"""Connects to Redis or Valkey: plain, TLS, unix socket, or through Sentinel."""

from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from contract.errors import FarmError, NotYetError
from runtime.settings import CommonSettings

#: Seconds for one answer; longer than any blocking read the farm does.
SOCKET_TIMEOUT_SECONDS: Final = 5.0
CONNECT_TIMEOUT_SECONDS: Final = 3.0
OLDEST_SUPPORTED: Final = (7, 0)
#: What every caller must be ready for while the server is away.
RedisAwayError: Final = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, redis.ReadOnlyError)


class RedisSettingsError(FarmError):
    """The server cannot be used; the text says why and what to do."""


def connect(
    settings: CommonSettings, *, name: str, timeout_seconds: float = SOCKET_TIMEOUT_SECONDS, second_try: bool = True
) -> redis.Redis:
    """Return a client with its own connection pool; nothing is sent yet.

    Args:
        settings: Where the server is.
        name: Shown by `CLIENT LIST`, so that an operator sees who is connected.
        timeout_seconds: For one answer.
        second_try: Try once more when the connection fails. Not for who must know at once that it did.

    Raises:
        RedisSettingsError: FARM_REDIS_URL is missing or cannot be read.
    """
    if not settings.redis_url:
        raise RedisSettingsError(
            "FARM_REDIS_URL is not set and no farm runs from this folder; start one with ./farm up, or set it"
        )
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": min(CONNECT_TIMEOUT_SECONDS, timeout_seconds),
        # One immediate second try hides an idle connection that the server has closed; more would hide an outage.
        "retry": Retry(NoBackoff(), 1 if second_try else 0),
        "client_name": name,
    }
    try:
        parts = urlsplit(settings.redis_url)
        _ = parts.port
    except ValueError:
        # Python's own text quotes the part it cannot read, which may be the password: it is not passed on.
        raise RedisSettingsError(
            "FARM_REDIS_URL cannot be read; write redis://host:6379/0 and give the password in FARM_REDIS_PASSWORD"
        ) from None
    password = settings.redis_password.get_secret_value()
    if password and parts.password is None:
        options["password"] = password
    if parts.scheme == "rediss" and settings.redis_ca_file:
        options["ssl_ca_certs"] = str(settings.redis_ca_file)
    if settings.redis_sentinels:
        return _through_sentinel(settings, options)
    try:
        return redis.Redis.from_url(settings.redis_url, **options)
    except ValueError as error:
        raise RedisSettingsError(f"FARM_REDIS_URL cannot be used: {error}") from error


def _through_sentinel(settings: CommonSettings, options: dict[str, Any]) -> redis.Redis:
    addresses = []
    for entry in settings.redis_sentinels.split(","):
        host, colon, port = entry.strip().rpartition(":")
        if not colon or not port.isdigit():
            raise RedisSettingsError(f"FARM_REDIS_SENTINELS has {entry!r}; write host:port,host:port")
        addresses.append((host.strip("[]"), int(port)))
    parts = urlsplit(settings.redis_url)
    database = parts.path.strip("/")
    options |= {"ssl": parts.scheme == "rediss", "db": int(database) if database.isdigit() else 0}
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    sentinel_options: dict[str, Any] = {"socket_timeout": CONNECT_TIMEOUT_SECONDS, "ssl": options["ssl"]}
    if options.get("ssl_ca_certs"):
        sentinel_options["ssl_ca_certs"] = options["ssl_ca_certs"]
    password = settings.redis_sentinel_password.get_secret_value()
    if password:
        sentinel_options["password"] = password
    sentinel = Sentinel(addresses, sentinel_kwargs=sentinel_options)
    return cast("redis.Redis", sentinel.master_for(settings.redis_sentinel_master, **options))


class RedisUnreachableError(RedisSettingsError, NotYetError):
    """The server does not answer now; it may later."""


def check_server(client: redis.Redis) -> str:
    """Return the server's name and version, for example ``valkey 9.1.2``.

    Raises:
        RedisUnreachableError: It cannot be reached.
        RedisSettingsError: It is too old, or refuses the password.
    """
    try:
        info = client.info("server")
    except redis.AuthenticationError as error:
        raise RedisSettingsError(f"Redis refused the password ({error}); set FARM_REDIS_PASSWORD") from error
    except redis.RedisError as error:
        raise RedisUnreachableError(f"Redis cannot be reached ({error}); check FARM_REDIS_URL") from error
    name = "valkey" if "valkey_version" in info else "redis"
    # Valkey states the Redis version it is compatible with as `redis_version`.
    version = str(info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_SUPPORTED:
        raise RedisSettingsError(f"{name} {version} is too old; CamFarm needs Redis 7.0 or Valkey 7.2 or newer")
    return f"{name} {info.get('valkey_version', version)}"
