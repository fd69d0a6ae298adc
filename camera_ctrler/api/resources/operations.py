"""For orchestrators and monitoring: alive, ready, metrics."""

import redis
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST

from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.metrics import farm_metrics
from camera_ctrler.api.problems import FieldError, ProblemError
from camera_ctrler.api.schemas import Health, Readiness
from camera_ctrler.api.services import Services, services
from contract.accounts import Role
from database.engine import DatabaseError
from runtime.redis_client import RedisSettingsError, check_server
from runtime.version import VERSION

resource = Resource("operations", "operations", prefix="")


@resource.documented(
    "GET",
    "/healthz",
    role=None,
    summary="Does the process live",
    description="Asks nothing else: restart the process when this fails.",
    answers={200: Health},
)
def healthz() -> Health:
    """Say that this process lives."""
    return Health(status="ok", version=VERSION)


@resource.documented(
    "GET",
    "/readyz",
    role=None,
    summary="Can the API serve",
    description="Checks the database's schema and Redis; a 503 names what is not ready.",
    answers={200: Readiness},
)
def readyz() -> Readiness:
    """Say whether everything needed answers."""
    problems: list[FieldError] = []
    server = _redis_name(services(), problems)
    try:
        services().registry.check()
    except DatabaseError as error:
        problems.append(FieldError(field="database", message=str(error)))
    if problems:
        detail = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
        raise ProblemError(503, "not-ready", "Not ready", detail, problems)
    return Readiness(status="ready", redis=server)


def _redis_name(parts: Services, problems: list[FieldError]) -> str:
    try:
        return check_server(parts.client)
    except (RedisSettingsError, redis.RedisError) as error:
        problems.append(FieldError(field="redis", message=str(error)))
        return ""


@resource.documented(
    "GET",
    "/metrics",
    role=Role.VIEWER,
    whole_farm=True,
    summary="Metrics for Prometheus",
    answers={200: Media("text/plain", "Prometheus text format")},
)
def metrics() -> Response:
    """Answer with the farm's metrics."""
    return Response(farm_metrics(services()), content_type=CONTENT_TYPE_LATEST)
