"""Both ends of the key in which the leading manager says how the volumes of footage are."""

from typing import Final, cast

import redis

from contract import keys
from contract.footage_report import FootageReport
from runtime.messages import read_message

REPORT_LIFETIME_SECONDS: Final = 60


def publish_report(client: redis.Redis, report: FootageReport) -> None:
    """Say how things stand. Raises what redis-py raises when Redis is away."""
    client.set(keys.footage_report(), report.model_dump_json(), ex=REPORT_LIFETIME_SECONDS)


def read_report(client: redis.Redis) -> FootageReport | None:
    """Return what was said last; None: nobody said anything lately. Raises what redis-py raises when Redis is away."""
    return read_message(FootageReport, cast("bytes | None", client.get(keys.footage_report())))
