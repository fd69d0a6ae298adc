"""Runs one ReID worker; ``--check`` asks whether a ReID worker of this host is alive."""

import argparse
import os
import socket
import sys

# One OpenMP pool that spins beside the embedder's own threads slows both down many times over.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Products here are small: handing half of one to another core took 20 ms for 0.06 ms of work while others had the core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from contract.errors import FarmError, NotYetError
from runtime import exit_codes
from runtime.clock import SystemClock
from runtime.logs import configure_logs
from runtime.redis_client import RedisAwayError, connect
from runtime.settings import ReidSettings
from runtime.shutdown import Shutdown


def main() -> int:
    """Run a ReID worker until it is asked to stop; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m reid", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="exit with 0 if a ReID worker of this host holds its lease"
    )
    check = parser.parse_args().check
    try:
        settings = ReidSettings.load()
        return _check(settings) if check else _run(settings)
    except FarmError as error:
        print(f"reid: {error}", file=sys.stderr)
        return exit_codes.NOT_YET if isinstance(error, NotYetError) else exit_codes.UNUSABLE


def _run(settings: ReidSettings) -> int:
    shutdown = Shutdown()
    shutdown.listen()  # before the imports below, which take a second: asked to leave meanwhile, it ends in order
    import cv2

    from database.engine import migrate, open_engine
    from reid.gallery.gallery_service import open_gallery
    from reid.recognisers import reid
    from reid.recognisers.opening import open_recognisers
    from reid.service import ReidService

    configure_logs(settings, process="reid")
    shutdown.end_when_a_thread_dies()
    # Several of these processes share a host, and pictures are small: threads of OpenCV would only cost.
    cv2.setNumThreads(1)
    recognisers = open_recognisers(settings)
    engine = open_engine(settings.database)
    migrate(engine)
    gallery = open_gallery(settings, engine) if reid.NAME in recognisers else None
    if gallery is not None:
        gallery.start()
    collectors = [gallery.collector()] if gallery is not None else []
    try:
        return ReidService(settings, engine, recognisers, shutdown, SystemClock(), collectors).run()
    finally:
        if gallery is not None:
            gallery.close()
        engine.dispose()


def _check(settings: ReidSettings) -> int:
    from runtime.reid_reader import ReidReader

    reader = ReidReader(connect(settings, name="camfarm-check", timeout_seconds=2))
    host = socket.gethostname()
    try:
        here = [worker for worker in reader.workers() if worker.status and worker.status.host == host]
    except RedisAwayError:
        # It waits for Redis; starting it again would not help.
        return exit_codes.DONE
    return exit_codes.DONE if any(worker.alive for worker in here) else 1


if __name__ == "__main__":
    sys.exit(main())
