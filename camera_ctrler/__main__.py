"""Runs the controller: manager and API, each in a process of its own; ``--only`` runs one of them, or an event writer.

``--check`` asks whether a manager of this host runs, leading or not.
"""

import argparse
import socket
import sys

from camera_ctrler.registry import Registry
from contract.errors import FarmError
from contract.ids import new_worker_id
from runtime import exit_codes
from runtime.farm_reader import FarmReader
from runtime.logs import configure_logs
from runtime.open_files import allow_many_open_files
from runtime.process_group import Child, ProcessGroup
from runtime.redis_client import RedisAwayError, connect
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings

PARTS = ("manager", "api")
#: Runs inside each manager, too; by itself where events are many.
EVENT_WRITER = "event-writer"
#: Seconds within which `--check` must find a manager's word: it speaks three times in a lease's life.
CHECK_SECONDS = 30.0


def main() -> int:
    """Run the controller until it is asked to stop; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m camera_ctrler", description=__doc__)
    parser.add_argument("--only", choices=(*PARTS, EVENT_WRITER), help="run only this part, in this process")
    parser.add_argument("--check", action="store_true", help="exit with 0 if a manager of this host was heard lately")
    arguments = parser.parse_args()
    only = arguments.only
    try:
        settings = ControllerSettings.load()
        if arguments.check:
            return _check(settings)
        configure_logs(settings, process=only or "controller")
        if only == "manager":
            from camera_ctrler.manager_service import run_manager

            return run_manager(settings)
        if only == "api":
            from camera_ctrler.api.server import serve

            allow_many_open_files()
            return serve(settings)
        if only == EVENT_WRITER:
            from camera_ctrler.event_store.writer import run_event_writer

            return run_event_writer(settings)
        return _run_both(settings)
    except FarmError as error:
        print(f"controller: {error}", file=sys.stderr)
        return exit_codes.UNUSABLE


def _run_both(settings: ControllerSettings) -> int:
    # Once, before both parts need the schema.
    registry = Registry(settings.database, SecretBox.from_settings(settings))
    registry.migrate()
    registry.close()
    children = [Child(part, [sys.executable, "-m", "camera_ctrler", "--only", part]) for part in PARTS]
    return ProcessGroup(children).run()


def _check(settings: ControllerSettings) -> int:
    reader = FarmReader(connect(settings, name="camfarm-check", timeout_seconds=2))
    try:
        heard = reader.controllers(within_seconds=CHECK_SECONDS)
    except RedisAwayError:
        # It waits for Redis; starting it again would not help.
        return exit_codes.DONE
    here = new_worker_id(socket.gethostname()).rpartition("-")[0]
    return exit_codes.DONE if any(name.rpartition("-")[0] == here for name in heard) else 1


if __name__ == "__main__":
    sys.exit(main())
