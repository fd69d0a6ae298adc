"""What is wrong with the farm, in plain sentences."""

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.access import principal
from camera_ctrler.api.diagnosis.diagnosis import diagnose, diagnose_some, health, seen
from camera_ctrler.api.diagnosis.history import Counts
from camera_ctrler.api.diagnosis.outages import database_away, redis_away
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.farm_view import farm_totals
from camera_ctrler.api.health_schemas import FarmHealth
from camera_ctrler.api.services import services
from contract.accounts import Role

resource = Resource("farm_health", "status")

log = structlog.get_logger(__name__)


@resource.documented(
    "GET",
    "/farm/health",
    role=Role.VIEWER,
    summary="What is wrong and what to do",
    description="One sentence, and all findings, worst first; also while Redis or the database is away. Who may see "
    "some cameras only is told of these.",
    answers={200: FarmHealth},
)
def farm_health() -> FarmHealth:
    """Answer with what is wrong with the farm."""
    parts, who = services(), principal()
    try:
        look = parts.farm.look()
    except redis.RedisError as error:
        log.warning("redis_away", error=str(error))
        return health(parts.clock.now_ms(), [redis_away()], [])
    except SQLAlchemyError as error:
        log.warning("database_away", error=str(error).splitlines()[0])
        return health(parts.clock.now_ms(), [database_away()], [])
    if not who.sees_all:
        return health(look.now_ms, diagnose_some(look, who.sees), seen(look, who.sees))
    totals = farm_totals(look)
    past = parts.counts.compare(Counts.of(totals))
    findings = diagnose(look, totals, past, parts.settings.frames_min_free_bytes)
    return health(look.now_ms, findings, look.statuses.values())
