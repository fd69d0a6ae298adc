"""Runs one video worker; ``--check`` asks whether a worker of this host is alive."""

import argparse
import logging
import os
import socket
import sys
from typing import NoReturn

# One OpenMP pool that spins beside the detector's own threads slows both down many times over.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from contract.errors import FarmError, NotYetError
from runtime import exit_codes
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.logs import configure_logs
from runtime.open_files import allow_many_open_files
from runtime.redis_client import RedisAwayError, connect
from runtime.settings import WorkerSettings
from runtime.shutdown import Shutdown


def main() -> int:
    """Run a worker until it is asked to stop; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 0 if a worker of this host holds its lease")
    check = parser.parse_args().check
    try:
        settings = WorkerSettings.load()
        return _check(settings) if check else _run(settings)
    except FarmError as error:
        print(f"worker: {error}", file=sys.stderr)
        return exit_codes.NOT_YET if isinstance(error, NotYetError) else exit_codes.UNUSABLE


def _run(settings: WorkerSettings) -> int:
    shutdown = Shutdown()
    shutdown.listen()  # before the imports below, which take a second: asked to leave meanwhile, it ends in order
    import cv2

    from model_store import resolve
    from workers.capture.opening import capture_opener
    from workers.detection.opening import open_detector
    from workers.service import WorkerService
    from workers.stage_meter import StageMeter

    configure_logs(settings, process="worker")
    shutdown.end_when_a_thread_dies()
    allow_many_open_files()
    # Every stage has threads of its own, and those of OpenCV would only stand in their way.
    cv2.setNumThreads(1)
    clock = SystemClock()
    meter = StageMeter(clock)
    model = resolve(settings.model, settings.models_path, trust_pickled=settings.trust_pickled_weights)
    detector = open_detector(model, settings)
    try:
        service = WorkerService(
            settings,
            detector=detector,
            model=settings.model,
            open_capture=capture_opener(settings, clock, meter),
            meter=meter,
            shutdown=shutdown,
            clock=clock,
        )
        code = service.run()
    except FarmError:
        detector.close()
        raise
    if code != exit_codes.DONE:
        _leave_at_once(code)
    return code


def _leave_at_once(code: int) -> NoReturn:
    """End the process under threads that may be deep in native code: an orderly end would pull it from under them."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _check(settings: WorkerSettings) -> int:
    reader = FarmReader(connect(settings, name="camfarm-check", timeout_seconds=2))
    host = socket.gethostname()
    try:
        here = [worker for worker in reader.workers() if worker.status and worker.status.host == host]
    except RedisAwayError:
        # A worker goes on without Redis; starting it again would only lose what it holds.
        return exit_codes.DONE
    return exit_codes.DONE if any(worker.alive for worker in here) else 1


if __name__ == "__main__":
    sys.exit(main())
