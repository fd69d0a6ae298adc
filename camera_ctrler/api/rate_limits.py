"""How many requests one user, one program or one address may send: far more than anybody needs."""

import logging
import time
from typing import Final

import redis
from flask import Flask, Response, request
from flask_limiter import Limiter, RequestLimit

from camera_ctrler.api.access import known_principal
from camera_ctrler.api.authentication import PUBLIC_PAGES
from camera_ctrler.api.documented import Media, Operation
from camera_ctrler.api.problems import problem_response
from camera_ctrler.api.proxies import network_of
from contract import keys

#: Requests of one user or program, in all his windows together. The UI sends some ten a second where it is busiest.
OF_ONE_PRINCIPAL: Final = "6000 per minute"
#: Requests from one address of which nobody knows whose they are.
OF_NOBODY: Final = "600 per minute"


def install(app: Flask, client: redis.Redis, operations: list[Operation]) -> Limiter:
    """Limit requests to `app`; call it after what finds out who sends them.

    While Redis is away each controller counts by itself.

    Pictures, streams and parts of footage are not counted: a wall of cameras and a player need many, and threads bound
    them. Nor is what orchestrators ask, nor the pages themselves.
    """
    free = PUBLIC_PAGES | {operation.endpoint for operation in operations if _is_free(operation)}
    limiter = Limiter(
        _whose,
        application_limits=[_limit],
        application_limits_exempt_when=lambda: request.endpoint is None or request.endpoint in free,
        storage_uri="redis://",
        storage_options={
            "connection_pool": client.connection_pool,  # type: ignore[dict-item]  # handed on to RedisStorage as it is
            "key_prefix": keys.limits(),
        },
        strategy="fixed-window",
        in_memory_fallback_enabled=True,
        on_breach=_refusal,
    )
    # It would write a line for every request that it refuses.
    logging.getLogger("flask-limiter").setLevel(logging.WARNING)
    limiter.init_app(app)
    return limiter


def _is_free(operation: Operation) -> bool:
    answer = operation.answers.get(200)
    sends_media = operation.method == "GET" and isinstance(answer, Media | tuple)
    return sends_media or operation.resource == "operations"


def _whose() -> str:
    who = known_principal()
    return f"by {who.name}" if who is not None else f"from {network_of(request.remote_addr or '')}"


def _limit() -> str:
    return OF_NOBODY if known_principal() is None else OF_ONE_PRINCIPAL


def _refusal(limit: RequestLimit) -> Response:
    seconds = max(1, limit.reset_at - int(time.time()))
    response = problem_response(
        429,
        "too-many-requests",
        "Too many requests",
        f"More than {limit.limit} were sent; go on in {seconds} seconds. Larger pages of lists, and the stream of "
        "events, need fewer.",
    )
    response.headers["Retry-After"] = str(seconds)
    return response
