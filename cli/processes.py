"""Single parts of a farm, joining one that runs here or elsewhere."""

from camera_ctrler.accounts.first_admin import make_first_admin
from cli import children
from cli.connection import joined, open_accounts
from cli.models import make_model_present, usable_recognisers
from cli.ports import check_port
from cli.steps import Steps
from runtime import exit_codes
from runtime.child_process import Child
from runtime.process_group import ProcessGroup, StoppedWhileStartingError
from runtime.settings import ControllerSettings, ReidSettings, WorkerSettings
from runtime.shutdown import Shutdown


def run_workers(count: int) -> int:
    """Run `count` workers until asked to stop; return an exit code."""
    settings = joined(WorkerSettings.load())
    steps = Steps()
    make_model_present(settings, steps)
    text = f"{count} worker{'s' if count > 1 else ''} on {settings.device}"
    return _run(steps, text, children.workers(settings, count))


def run_reid_workers(count: int) -> int:
    """Run `count` ReID workers until asked to stop; return an exit code."""
    settings = joined(ReidSettings.load())
    steps = Steps()
    recognisers = usable_recognisers(settings, steps)
    text = f"{count} ReID worker{'s' if count > 1 else ''}: {recognisers}"
    return _run(steps, text, children.reid_workers(settings, count, recognisers))


def run_controller() -> int:
    """Run manager and API until asked to stop; return an exit code."""
    settings = joined(ControllerSettings.load())
    check_port(settings.api_host, settings.api_port, "FARM_API_PORT", host_setting="FARM_API_HOST")
    steps = Steps()
    if settings.auth:
        with open_accounts(settings) as accounts:
            made = make_first_admin(accounts.users, settings.admin_password.get_secret_value())
        if made is not None and made.password is not None:
            steps.block([("user", made.name), ("password", f"{made.password}  (shown once)")])
    return _run(steps, f"controller on {children.api_url(settings)}", [children.controller(settings)])


def _run(steps: Steps, text: str, parts: list[Child]) -> int:
    shutdown = Shutdown()
    shutdown.listen()
    # No log files: those in the data folder belong to the stack that may run beside this.
    with ProcessGroup(echo=steps.echo, report=steps.warn, shutdown=shutdown) as group:
        try:
            with steps.step(text):
                group.start(*parts)
        except StoppedWhileStartingError:
            return exit_codes.FORCED
        steps.say("Ctrl-C stops it")
        return group.supervise()
