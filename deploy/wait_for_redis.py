"""Waits until the farm's Redis answers: what the other containers depend on, wherever that Redis runs."""

import argparse
import sys

import redis

from contract.errors import FarmError
from runtime import exit_codes
from runtime.clock import Clock, SystemClock
from runtime.redis_client import RedisAwayError, check_server, connect
from runtime.settings import CommonSettings
from runtime.shutdown import Shutdown

#: Seconds between two tries.
RETRY_SECONDS = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Wait for Redis; return an exit code: 0 when it can be used, 2 when it cannot, which is said on stderr."""
    parser = argparse.ArgumentParser(prog="python -m deploy.wait_for_redis", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="give up after this time (default: %(default)s)")
    seconds = parser.parse_args(arguments).seconds
    shutdown = Shutdown()
    shutdown.listen()
    try:
        client = connect(CommonSettings.load(), name="camfarm-wait")
        if not wait_until_reachable(client, seconds, shutdown, SystemClock()):
            return exit_codes.FORCED
        print(f"{check_server(client)} answers")
    except FarmError as error:
        print(f"wait_for_redis: {error}", file=sys.stderr)
        return exit_codes.UNUSABLE
    return exit_codes.DONE


def wait_until_reachable(client: redis.Redis, seconds: float, shutdown: Shutdown, clock: Clock) -> bool:
    """Wait at most `seconds` until the server answers or refuses us; False if asked to stop meanwhile.

    What is wrong with a server that does not answer in time, or refuses us, `check_server` says better.
    """
    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline:
        try:
            client.ping()
        except redis.AuthenticationError:
            return True
        except RedisAwayError:
            if shutdown.wait(RETRY_SECONDS):
                return False
        except redis.ResponseError:
            return True
        else:
            return True
    return True


if __name__ == "__main__":
    sys.exit(main())
