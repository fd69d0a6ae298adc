"""`./farm cameras ...`: works on the registry itself, so it also works while no farm runs."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.audited import audited
from cli.options import JsonOption
from contract.errors import FarmError
from contract.ids import new_camera_id

#: More problems than these are only counted.
_SHOWN_PROBLEMS = 50

cameras = typer.Typer(help="Add, test, list, change, remove and import cameras.", no_args_is_help=True)


class InvalidCameraError(FarmError, ValueError):
    """A camera that cannot be registered as it is described."""


@cameras.callback()
def prepare() -> None:
    """Let what the registry logs go to stderr: stdout is the command's answer."""
    from runtime.logs import configure_logs
    from runtime.settings import CommonSettings

    configure_logs(CommonSettings.load())


@cameras.command()
def add(  # noqa: PLR0913, PLR0917 - a command has a parameter for each of its options
    url: Annotated[str, typer.Argument(help="rtsp://, rtsps://, http://, https:// or file:///")],
    camera_id: Annotated[str | None, typer.Option("--id", help="Its id; made up when left out.")] = None,
    name: Annotated[str, typer.Option(help="A name for people.")] = "",
    username: Annotated[str | None, typer.Option(help="Its user; the password is then asked for.")] = None,
    analyse_fps: Annotated[float | None, typer.Option("--fps", help="Analysed frames per second.")] = None,
    classes: Annotated[list[str] | None, typer.Option("--class", help="Report only this class; repeatable.")] = None,
    confidence: Annotated[float | None, typer.Option(help="Drop detections below this, 0.01 to 1.")] = None,
    save_frames: Annotated[str | None, typer.Option(help="all, detections or none.")] = None,
    require_labels: Annotated[
        list[str] | None,
        typer.Option("--require-label", help="Only workers with this label, such as gpu or site=north; repeatable."),
    ] = None,
    prefer_labels: Annotated[
        list[str] | None, typer.Option("--prefer-label", help="Rather workers with this label; repeatable.")
    ] = None,
    record: Annotated[str | None, typer.Option(help="off, continuous, motion or events.")] = None,
    main_url: Annotated[str | None, typer.Option(help="Its larger stream, to be recorded.")] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Register it switched off.")] = False,
) -> None:
    """Register one camera; a running farm watches it within seconds."""
    from pydantic import ValidationError

    from cli.camera_files import problems_of
    from cli.connection import open_registry
    from contract.camera_specs import CameraCreate
    from runtime.settings import DatabaseSettings

    fields: dict[str, Any] = {
        "id": camera_id,
        "url": url,
        "name": name,
        "username": username,
        "analyse_fps": analyse_fps,
        "classes": classes or None,
        "confidence": confidence,
        "save_frames": save_frames,
        "require_labels": require_labels or None,
        "prefer_labels": prefer_labels or None,
        "record": record,
        "main_url": main_url,
        "enabled": not disabled,
    }
    if username is not None:
        fields["password"] = typer.prompt("Password", hide_input=sys.stdin.isatty(), err=True)
    try:
        spec = CameraCreate(**{key: value for key, value in fields.items() if value is not None})
    except ValidationError as error:
        raise InvalidCameraError("; ".join(problems_of(error)).replace("column ", "")) from error
    with open_registry(DatabaseSettings.load()) as registry:
        spec = spec if spec.id else spec.model_copy(update={"id": new_camera_id()})
        asked = spec.model_dump(mode="json", exclude_unset=True)
        with audited(registry.engine, "create_camera", spec.id or "", **asked):
            print(registry.add(spec).id)


@cameras.command()
def change(
    camera_ids: Annotated[list[str] | None, typer.Argument(metavar="ID...")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="For example record=continuous; repeatable."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Change every camera.")] = False,
) -> None:
    """Change cameras, all of them or none; a running farm follows within seconds."""
    from pydantic import ValidationError

    from cli.camera_files import patch_of, problems_of
    from cli.connection import open_registry
    from runtime.settings import DatabaseSettings

    if bool(camera_ids) is every:
        raise InvalidCameraError("name the cameras to change, or say --all")
    try:
        patch = patch_of(assignments or [])
    except ValidationError as error:
        raise InvalidCameraError("; ".join(problems_of(error)).replace("column ", "")) from error
    with open_registry(DatabaseSettings.load()) as registry:
        ids = [camera.id for camera in registry.all()] if every else list(camera_ids or ())
        asked = patch.model_dump(mode="json", exclude_unset=True)
        with audited(registry.engine, "update_camera", " ".join(ids), **asked):
            registry.update_many(ids, patch)
    print(f"changed {len(ids)} cameras")


@cameras.command("test")
def try_camera(
    camera: Annotated[str, typer.Argument(metavar="URL|ID", help="A stream, or the id of a registered camera.")],
    username: Annotated[str | None, typer.Option(help="Its user; the password is then asked for.")] = None,
    main: Annotated[bool, typer.Option("--main", help="Try the stream that is recorded.")] = False,
    require_labels: Annotated[
        list[str] | None, typer.Option("--require-label", help="Let a worker with this label try it; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let a worker of the running farm try a camera; ends with 1 where it cannot be watched."""
    from pydantic import ValidationError

    from camera_ctrler.camera_trials import CameraTrials
    from cli.camera_files import problems_of
    from cli.camera_trial_view import print_trial
    from cli.connection import joined, open_redis, open_registry
    from contract.camera_specs import CameraPatch
    from contract.camera_trials import TrialStream
    from runtime.farm_reader import FarmReader
    from runtime.settings import DatabaseSettings

    fields: dict[str, Any] = {"username": username, "require_labels": require_labels or None}
    if username is not None:
        fields["password"] = typer.prompt("Password", hide_input=sys.stdin.isatty(), err=True)
    settings = joined(DatabaseSettings.load())
    with open_registry(settings) as registry, open_redis(settings, "camfarm-cli") as client:
        camera_id = camera if registry.exists(camera) else None
        if camera_id is None:
            fields["url"] = camera
        try:
            patch = CameraPatch(**{name: given for name, given in fields.items() if given is not None})
        except ValidationError as error:
            raise InvalidCameraError("; ".join(problems_of(error)).replace("column ", "")) from error
        drafted = registry.drafted(camera_id, patch)
        stream = TrialStream.RECORDED if main else TrialStream.ANALYSED
        reply = CameraTrials(client, FarmReader(client)).run(drafted.assignment(epoch=1), drafted.placement, stream)
    print_trial(reply, as_json=as_json)
    if reply.reason is not None:
        raise typer.Exit(1)


@cameras.command("list")
def list_cameras(as_json: JsonOption = False) -> None:
    """Show every registered camera; passwords are masked."""
    from rich.table import Table
    from rich.text import Text

    from cli.connection import open_registry
    from cli.screen import screen
    from runtime.settings import DatabaseSettings

    with open_registry(DatabaseSettings.load()) as registry:
        views = [camera.view() for camera in registry.all()]
    if as_json:
        print(json.dumps([view.model_dump(mode="json") for view in views], indent=2))
        return
    table = Table("id", "name", "url", "fps", "classes", "labels", "record", "enabled", "from", box=None)
    for view in views:
        classes = ", ".join(view.classes) or "all"
        labels = ", ".join([*view.require_labels, *(f"{label}?" for label in view.prefer_labels)])
        fps, enabled = f"{view.analyse_fps:g}", str(view.enabled).lower()
        cells = (view.id, view.name, view.url, fps, classes, labels, view.record.value, enabled, view.origin)
        table.add_row(*map(Text, cells))  # what people wrote is not markup
    screen().print(table)


@cameras.command()
def remove(camera_ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """Forget cameras; their saved frames stay until they are too old."""
    from camera_ctrler.registry import ORIGIN_FARM, CameraNotFoundError
    from cli.connection import open_registry
    from runtime.settings import ControllerSettings

    settings = ControllerSettings.load()
    # While no external table is followed, what came from one is everybody's.
    by_origin = ORIGIN_FARM if settings.camera_source_url.get_secret_value() else None
    with open_registry(settings) as registry:
        for camera_id in camera_ids:
            if not registry.exists(camera_id):  # all of them must exist before the first one goes
                raise CameraNotFoundError(camera_id)
        for camera_id in camera_ids:
            with audited(registry.engine, "delete_camera", camera_id):
                registry.remove(camera_id, by_origin=by_origin)
            print(f"removed {camera_id}")


@cameras.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(metavar="FILE", help=".csv with a header, or .json with a list.")],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the rows that are right.")] = False,
) -> None:
    """Register all cameras of a file, or none of them where one is wrong."""
    from cli.camera_files import CameraFileError, check_rows, read_rows
    from cli.connection import open_registry
    from runtime.settings import DatabaseSettings

    rows = read_rows(path)
    with open_registry(DatabaseSettings.load()) as registry:
        checked = check_rows(rows, (camera.id for camera in registry.all()))
        if checked.problems:
            _tell(checked.problems)
            if not skip_bad:
                raise CameraFileError(
                    f"nothing was imported: {len(checked.problems)} problems in {path.name}; correct them, "
                    "or import the rest with --skip-bad"
                )
        new = [each if each.id else each.model_copy(update={"id": new_camera_id()}) for each in checked.good.values()]
        with audited(registry.engine, "import_cameras", " ".join(each.id or "" for each in new), file=path.name):
            registry.add_many(new)
    skipped = f", {len(rows) - len(checked.good)} skipped" if len(checked.good) < len(rows) else ""
    print(f"imported {len(checked.good)} cameras{skipped}")


def _tell(problems: list[str]) -> None:
    for problem in problems[:_SHOWN_PROBLEMS]:
        print(problem, file=sys.stderr)
    if len(problems) > _SHOWN_PROBLEMS:
        print(f"... and {len(problems) - _SHOWN_PROBLEMS} more", file=sys.stderr)
