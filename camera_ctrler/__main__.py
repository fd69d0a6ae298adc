"""Runs the controller: manager and API, each in a process of its own; ``--only`` runs one of them."""

import argparse
import sys

from camera_ctrler.registry import Registry
from contract.errors import FarmError
from runtime import exit_codes
from runtime.logs import configure_logs
from runtime.process_group import Child, ProcessGroup
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings

PARTS = ("manager", "api")


def main() -> int:
    """Run the controller until it is asked to stop; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m camera_ctrler", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="run only this part, in this process")
    only = parser.parse_args().only
    try:
        settings = ControllerSettings.load()
        configure_logs(settings, process=only or "controller")
        if only == "manager":
            from camera_ctrler.manager_service import run_manager

            return run_manager(settings)
        if only == "api":
            from camera_ctrler.api.server import serve

            return serve(settings)
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


if __name__ == "__main__":
    sys.exit(main())
