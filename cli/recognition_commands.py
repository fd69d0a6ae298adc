"""`./farm recognitions ...`: what recognisers were asked and said; dead letters, seen and replayed."""

import json
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.audited import audited
from cli.options import JsonOption
from contract.errors import FarmError
from contract.recognition import RecognitionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from camera_ctrler.event_store.recognitions import RecognitionFilter, Recognitions, StoredRecognition

recognitions = typer.Typer(
    help="List what recognisers were asked and said; replay or delete dead letters.", no_args_is_help=True
)

StatesOption = Annotated[list[RecognitionState] | None, typer.Option("--state", help="Only in this state; repeatable.")]
RecogniserOption = Annotated[
    list[str] | None, typer.Option("--recogniser", metavar="NAME", help="Only of this recogniser; repeatable.")
]
CameraOption = Annotated[
    list[str] | None, typer.Option("--camera", metavar="ID", help="Only of this camera; repeatable.")
]
EventOption = Annotated[str | None, typer.Option("--event", metavar="ID", help="Only of this event.")]
AllOption = Annotated[bool, typer.Option("--all", help="All dead letters.")]


class NothingChosenError(FarmError):
    """A command that changes dead letters was not told which."""


class NoSuchRecognitionError(FarmError, LookupError):
    """An event of which no recogniser was asked."""


class DatabaseAwayError(FarmError):
    """The database does not answer."""


@recognitions.callback()
def prepare() -> None:
    """Let what is logged go to stderr: stdout is the command's answer."""
    from runtime.logs import configure_logs
    from runtime.settings import CommonSettings

    configure_logs(CommonSettings.load())


@recognitions.command("list")
def list_recognitions(
    state: StatesOption = None,
    recogniser: RecogniserOption = None,
    camera: CameraOption = None,
    event: EventOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Recognitions at most; of the newest events.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show recognitions, those of the newest events first; --state dead shows what failed, and why."""
    from cli.screen import screen

    wanted = _filter(recogniser, camera, event, state)
    with _opened() as store:
        found, counts = store.page(wanted, limit=limit), store.counts()
    if as_json:
        print(json.dumps([_document(each) for each in found], indent=2))
        return
    if found:
        screen().print(_table(found))
    told = ", ".join(f"{count} {state.value}" for state, count in counts.items())
    print(f"{len(found)} shown; in all {told}")


@recognitions.command()
def show(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Id of the event, as the list shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Show all that recognisers say of one event, with its crops."""
    with _opened() as store:
        found = store.of_events([event]).get(event, [])
    if not found:
        raise NoSuchRecognitionError(f"no recogniser was asked of event {event!r}; see ./farm recognitions list")
    if as_json:
        print(json.dumps([_document(each) for each in found], indent=2))
        return
    for each in found:
        print(f"{each.recogniser}: {each.state.value}, {each.attempts} tries in vain")
        for label, value in (("reason", each.reason), ("result", _result_text(each)), ("version", each.version)):
            if value:
                print(f"  {label}: {value}")
        for crop in each.crops:
            print(f"  crop: {crop.path} ({crop.width} x {crop.height}, quality {crop.quality:.2f})")


@recognitions.command()
def replay(
    recogniser: RecogniserOption = None,
    camera: CameraOption = None,
    event: EventOption = None,
    every: AllOption = False,
) -> None:
    """Let dead letters be tried again, before all else: after a recogniser was mended, or a model fetched."""
    wanted = _chosen(recogniser, camera, event, every=every)
    with _opened("replay_recognitions", wanted) as store:
        print(f"{store.replay(wanted)} recognitions are tried again")


@recognitions.command()
def delete(
    recogniser: RecogniserOption = None,
    camera: CameraOption = None,
    event: EventOption = None,
    every: AllOption = False,
) -> None:
    """Forget dead letters; their events and crops stay."""
    wanted = _chosen(recogniser, camera, event, every=every)
    with _opened("delete_recognitions", wanted) as store:
        print(f"{store.delete(wanted)} recognitions are deleted")


@contextmanager
def _opened(action: str = "", wanted: "RecognitionFilter | None" = None) -> "Iterator[Recognitions]":
    """Open what the farm's database has of recognitions; a failure becomes a sentence.

    Args:
        action: What is noted in the audit; empty: nothing is changed.
        wanted: Of which recognitions.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from camera_ctrler.event_store.recognitions import Recognitions
    from cli.connection import open_registry
    from runtime.settings import DatabaseSettings

    with open_registry(DatabaseSettings.load()) as registry:
        store = Recognitions(registry.engine)
        try:
            if wanted is None:
                yield store
                return
            recognisers, cameras = sorted(wanted.recognisers), sorted(wanted.cameras)
            with audited(registry.engine, action, wanted.event_id or "", recogniser=recognisers, camera=cameras):
                yield store
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DatabaseAwayError(f"the database does not answer: {reason}; see FARM_DATABASE_URL") from error


def _chosen(
    recogniser: list[str] | None, camera: list[str] | None, event: str | None, *, every: bool
) -> "RecognitionFilter":
    """Return which dead letters are meant.

    Raises:
        NothingChosenError: Neither a filter nor --all says so.
    """
    if not (recogniser or camera or event or every):
        raise NothingChosenError("say which dead letters: --event, --recogniser, --camera, or --all")
    return _filter(recogniser, camera, event, None)


def _filter(
    recogniser: list[str] | None, camera: list[str] | None, event: str | None, states: list[RecognitionState] | None
) -> "RecognitionFilter":
    from camera_ctrler.event_store.recognitions import RecognitionFilter

    return RecognitionFilter(
        states=frozenset(states or []),
        recognisers=frozenset(recogniser or []),
        cameras=frozenset(camera or []),
        event_id=event,
    )


def _table(found: "list[StoredRecognition]") -> "Table":
    from cli.table_text import Column, table_of

    columns = [Column("event"), Column("at"), Column("recogniser"), Column("state"), Column("says", shrinks=True)]
    rows = [
        [each.event_id, _time(each.at_ms), each.recogniser, each.state.value, each.reason or _result_text(each)]
        for each in found
    ]
    return table_of(columns, rows)


def _result_text(each: "StoredRecognition") -> str:
    return json.dumps(each.result, ensure_ascii=False) if each.result is not None else ""


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _document(each: "StoredRecognition") -> dict[str, Any]:
    values = asdict(each)
    values["crops"] = [crop.model_dump(mode="json") for crop in each.crops]
    return values
