"""`./farm identities ...`: who was seen where, put right, searched for, watched for, erased."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.audited import audited
from cli.options import JsonOption
from contract.errors import FarmError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from camera_ctrler.identities.reading import SightingView
    from contract.gallery import GalleryReply
    from runtime.settings import ControllerSettings

identities = typer.Typer(help="Who was seen where: list, search, put right, watch for, erase.", no_args_is_help=True)

IdentityArgument = Annotated[str, typer.Argument(metavar="ID", help="As ./farm identities list shows it.")]


class DatabaseAwayError(FarmError):
    """The database cannot be used."""


class NotAskedError(FarmError):
    """Something that cannot be undone was not confirmed."""


class PictureUnreadableError(FarmError):
    """The file of a picture cannot be read."""


@identities.callback()
def prepare() -> None:
    """Let what is logged go to stderr: stdout is the command's answer."""
    from runtime.logs import configure_logs
    from runtime.settings import CommonSettings

    configure_logs(CommonSettings.load())


@identities.command("list")
def list_identities(
    text: Annotated[
        str, typer.Option("--text", help="Only those with this in their name, or at the start of their id.")
    ] = "",
    camera_ids: Annotated[
        list[str] | None, typer.Option("--camera", metavar="ID", help="Only those seen by this one; repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Identities at most; the newest ones.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show who was seen, the one that became known last first."""
    from camera_ctrler.identities.reading import IdentityFilter, IdentityReading

    with _engine() as (engine, _):
        wanted = IdentityFilter(text=text, cameras=frozenset(camera_ids or []))
        found = IdentityReading(engine).page(wanted, limit=limit)
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    if not found:
        print("nobody was seen yet; ReID workers must run: see ./farm status")
        return
    _print_table(
        ("identity", "name", "sightings", "first seen (UTC)", "last seen (UTC)", "cameras", "watched"),
        [
            (
                each.identity,
                each.name or "",
                str(each.sightings),
                _time_text(each.first_ms),
                _time_text(each.last_ms),
                ", ".join(each.cameras),
                "yes" if each.watched else "",
            )
            for each in found
        ],
        right=frozenset({"sightings"}),
    )


@identities.command()
def show(
    identity: IdentityArgument,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Sightings at most.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Show where an identity was, in the order in which it was there."""
    from camera_ctrler.identities.reading import IdentityReading, SightingFilter

    with _engine() as (engine, _):
        reading = IdentityReading(engine)
        view = reading.find(identity)
        way = reading.journey(SightingFilter(identity=identity), limit=limit)
    if as_json:
        print(json.dumps(asdict(view) | {"journey": [asdict(each) for each in way]}, indent=2))
        return
    merged = f", merged into {view.merged_into}" if view.merged_into else ""
    print(f"{view.identity}  {view.name or '(no name)'}{merged}: {view.sightings} sightings")
    if way:
        _print_table(
            ("first seen (UTC)", "seconds", "camera", "track", "decided by", "similarity"), map(_sighting, way)
        )


def _sighting(each: "SightingView") -> tuple[str, ...]:
    return (
        _time_text(each.first_ms),
        f"{(each.last_ms - each.first_ms) / 1000:.0f}",
        each.camera_id,
        each.track,
        each.decided_by,
        "" if each.similarity is None else f"{each.similarity:.2f}",
    )


@identities.command()
def search(
    identity: Annotated[str | None, typer.Option("--identity", metavar="ID", help="Search with an identity.")] = None,
    track: Annotated[str | None, typer.Option("--track", metavar="TRACK", help="Search with a track.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Search with the person in a JPEG, PNG or WebP.")
    ] = None,
    camera_ids: Annotated[
        list[str] | None, typer.Option("--camera", metavar="ID", help="Only in this one; repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Tracks at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show which tracks look like an identity, a track, or the person in a picture. A ReID worker must run."""
    from camera_ctrler.identities.asking import Searches, Wanted
    from camera_ctrler.identities.reading import IdentityReading
    from cli.connection import joined, open_redis
    from contract.gallery import SearchKind

    if sum(each is not None for each in (identity, track, picture)) != 1:
        raise typer.BadParameter("give one of --identity, --track and --picture")
    wanted = Wanted(limit=limit, cameras=tuple(camera_ids or []))
    with _engine() as (engine, settings), open_redis(joined(settings), "camfarm-cli") as client:
        searches, reading = Searches(client), IdentityReading(engine)
        if picture is not None:
            reply = searches.like_picture(_read(picture), wanted)
        elif track is not None:
            reading.sighting(track)
            reply = searches.like(SearchKind.TRACK, track, wanted)
        else:
            assert identity is not None
            reading.find(identity)
            reply = searches.like(SearchKind.IDENTITY, identity, wanted)
    _tell_found(reply, as_json=as_json)


def _tell_found(reply: "GalleryReply", *, as_json: bool) -> None:
    if as_json:
        print(reply.model_dump_json(indent=2))
        return
    if reply.persons > 1:
        print(f"{reply.persons} people are in the picture; the largest was searched for")
    if not reply.found:
        print("nothing was found")
        return
    _print_table(
        ("similarity", "camera", "first seen (UTC)", "track", "identity", "name", "crop"),
        [
            (
                f"{each.similarity:.2f}",
                each.camera_id,
                _time_text(each.first_ms),
                each.track,
                each.identity or "",
                each.name or "",
                each.crop_path,
            )
            for each in reply.found
        ],
    )
    if not reply.complete:
        print("a part of the gallery is not searched yet; ask again in a while")


@identities.command()
def rename(
    identity: IdentityArgument,
    name: Annotated[str, typer.Argument(help="What to call it; empty takes the name away.")],
) -> None:
    """Give an identity a name."""
    from camera_ctrler.identities.changes import IdentityChanges

    with _engine() as (engine, _), audited(engine, "rename_identity", identity, name=name):
        number = IdentityChanges(engine).rename(identity, name.strip()[:200] or None)
    print(f"{identity} is called {name.strip()!r} now (change {number})")


@identities.command()
def merge(
    kept: IdentityArgument,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The one that is found to be the same.")],
) -> None:
    """Make one identity of two: the sightings of OTHER become those of ID."""
    from camera_ctrler.identities.changes import IdentityChanges

    with _engine() as (engine, _), audited(engine, "merge_identities", kept, other=other):
        number = IdentityChanges(engine).merge(kept, other)
    print(f"{other} is {kept} now (change {number}); take it back with: ./farm identities undo {number}")


@identities.command()
def split(
    identity: IdentityArgument,
    tracks: Annotated[list[str], typer.Argument(metavar="TRACK...", help="Sightings of somebody else.")],
) -> None:
    """Take sightings out of an identity; they become those of a new one."""
    from camera_ctrler.identities.changes import IdentityChanges

    with _engine() as (engine, _), audited(engine, "split_identity", identity, tracks=tracks):
        number, new = IdentityChanges(engine).split(identity, tracks)
    print(f"{len(set(tracks))} sightings are of {new} now; take it back with: ./farm identities undo {number}")


@identities.command()
def changes(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Changes at most; the newest ones.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show what people changed."""
    from camera_ctrler.identities.reading import IdentityReading

    with _engine() as (engine, _):
        found = IdentityReading(engine).changes(limit=limit)
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    rows = [
        (
            str(each.number),
            _time_text(each.at_ms),
            each.kind,
            each.identity,
            each.other or "",
            str(each.tracks),
            _time_text(each.undone_at_ms),
        )
        for each in found
    ]
    _print_table(("change", "when (UTC)", "kind", "identity", "other", "sightings", "undone (UTC)"), rows)


@identities.command()
def undo(number: Annotated[int, typer.Argument(help="As ./farm identities changes shows it.")]) -> None:
    """Take a change back."""
    from camera_ctrler.identities.changes import IdentityChanges

    with _engine() as (engine, _), audited(engine, "undo_change", str(number)):
        IdentityChanges(engine).undo(number)
    print(f"change {number} was undone")


@identities.command()
def erase(
    identity: IdentityArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; it cannot be undone.")] = False,
) -> None:
    """Erase an identity: embeddings, crops, sightings, name. Saved frames and footage have a retention of their own."""
    from camera_ctrler.identities.erasure import Erasure

    if not yes:
        raise NotAskedError(f"erasing {identity} cannot be undone; say --yes to do it")
    with _engine() as (engine, settings), audited(engine, "erase_identity", identity):
        erased = Erasure(engine, settings.frames_dir).erase(identity)
    print(f"erased: {erased.sightings} sightings, {erased.embeddings} embeddings, {erased.crops} crops")


@identities.command()
def watch(
    identity: IdentityArgument,
    note: Annotated[str, typer.Option("--note", help="For who reads the event.")] = "",
) -> None:
    """Tell with an event whenever an identity is seen: see the events of the kind identity_seen."""
    from camera_ctrler.identities.watching import IdentityWishes

    with _engine() as (engine, _), audited(engine, "watch_identity", identity, note=note):
        entry = IdentityWishes(engine).watch(identity, note[:200])
    print(f"{identity} is watched for (entry {entry})")


@identities.command()
def unwatch(entry: Annotated[str, typer.Argument(help="As ./farm identities watched shows it.")]) -> None:
    """Take an entry off the watch list."""
    from camera_ctrler.identities.watching import IdentityWishes

    with _engine() as (engine, _), audited(engine, "unwatch", entry):
        IdentityWishes(engine).unwatch(entry)
    print(f"{entry} is off the watch list")


@identities.command()
def watched(as_json: JsonOption = False) -> None:
    """Show the watch list."""
    from camera_ctrler.identities.reading import IdentityReading

    with _engine() as (engine, _):
        found = IdentityReading(engine).watched()
    if as_json:
        print(json.dumps([dict(row._mapping) for row in found], indent=2))
        return
    rows = [(row.watch, row.identity, row.name or "", row.note, _time_text(row.created_at_ms)) for row in found]
    _print_table(("entry", "identity", "name", "note", "since (UTC)"), rows)


@identities.command()
def reembed(
    start: Annotated[bool, typer.Option("--start", help="Ask for it; without, only show how far it is.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make embeddings of the former model anew with the newest one, in the background; show how far that is."""
    from camera_ctrler.identities.reading import IdentityReading
    from camera_ctrler.identities.watching import IdentityWishes

    with _engine() as (engine, _):
        if start:
            with audited(engine, "reembed"):
                IdentityWishes(engine).reembed()
        found = IdentityReading(engine).galleries()
    if as_json:
        print(json.dumps([dict(row._mapping) | {"embeddings": count} for row, count in found], indent=2))
        return
    rows = [
        (
            row.model,
            row.version,
            str(count),
            row.reembed_from or "",
            str(row.reembedded),
            str(row.reembed_lost),
        )
        for row, count in found
    ]
    _print_table(("model", "version", "embeddings", "being made of", "made anew", "crops gone"), rows)


# --- shared ----------------------------------------------------------------------------------------------------------


@contextmanager
def _engine() -> Iterator[tuple["Engine", "ControllerSettings"]]:
    """Open the database, brought to the current schema; its failures become a sentence."""
    from sqlalchemy.exc import SQLAlchemyError

    from cli.connection import open_registry
    from runtime.settings import ControllerSettings

    settings = ControllerSettings.load()
    with open_registry(settings) as registry:
        try:
            yield registry.engine, settings
        except SQLAlchemyError as error:
            first = str(error).splitlines()[0]
            raise DatabaseAwayError(f"the database cannot be used ({first}); check FARM_DATABASE_URL") from error


def _read(picture: Path) -> bytes:
    from contract.gallery import MAX_PICTURE_BYTES

    try:
        with picture.open("rb") as file:
            return file.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise PictureUnreadableError(f"{picture} cannot be read: {error.strerror or error}") from error


def _time_text(at_ms: int | None) -> str:
    return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _print_table(headings: Sequence[str], rows: Any, *, right: frozenset[str] = frozenset()) -> None:
    from cli.screen import screen
    from cli.table_text import Column, table_of

    columns = [Column(heading, right=heading in right, shrinks=heading in {"crop", "note"}) for heading in headings]
    screen().print(table_of(columns, list(rows)))
