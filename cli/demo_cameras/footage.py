"""The demo cameras' clips: fetched, cut and transcoded once, then only checked."""

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cli.demo_cameras.server import url
from cli.demo_cameras.transcode import VERSION, Cut, FootageError, transcode
from model_store import FetchError, fetch_footage
from model_store.manifest import load_manifest

#: Told what is being done, for people.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Scene:
    """A demo camera as it is made."""

    id: str
    name: str
    #: Name of the footage in the manifest.
    footage: str
    cut: Cut


@dataclass(frozen=True)
class DemoCamera:
    """A demo camera whose clip is ready."""

    id: str
    name: str
    clip: Path

    def url(self, host: str, port: int) -> str:
        """Return where the demo cameras' server serves it."""
        return url(self.clip, host, port)


#: The plaza is one picture cut in two, so people really walk from one camera to the other.
SCENES: Final = (
    Scene("plaza-left", "Plaza, left half", "vtest", Cut((0.0, 0.0, 0.5, 1.0))),
    Scene("plaza-right", "Plaza, right half", "vtest", Cut((0.5, 0.0, 1.0, 1.0))),
    Scene("motorway", "Motorway", "motorway", Cut()),
    Scene("street", "Street", "street", Cut()),
)
#: Used when some of the scenes cannot be had, so that there are at least `ENOUGH` cameras all the same.
SPARE_SCENES: Final = (
    Scene("gym-1", "Gym, camera 1", "gym-1", Cut(there_and_back=True)),
    Scene("gym-2", "Gym, camera 2", "gym-2", Cut(there_and_back=True)),
    Scene("motorway-far", "Motorway, far lanes", "motorway", Cut((0.0, 0.1, 0.6, 0.7))),
    Scene("street-shops", "Street, shops", "street", Cut((0.5, 0.3, 1.0, 1.0))),
)
ENOUGH: Final = len(SCENES)


def prepare(media_dir: Path, say: Say) -> list[DemoCamera]:
    """Make the clips of the demo cameras; those that are there already are used as they are.

    Args:
        media_dir: Where footage and clips are kept; made where it is missing.
        say: Called with what is being done, from more than one thread.

    Returns:
        At least `ENOUGH` cameras where that many can be had, in a fixed order.

    Raises:
        FootageError: Not one camera could be made; says why for each.
    """
    media_dir.mkdir(parents=True, exist_ok=True)
    made, failures = _make_all(SCENES, media_dir, say)
    spares = iter(SPARE_SCENES)
    while len(made) < ENOUGH and (spare := next(spares, None)) is not None:
        more, reasons = _make_all((spare,), media_dir, say)
        made += more
        failures += reasons
    if not made:
        raise FootageError(f"no demo camera could be made: {'; '.join(failures)}")
    for failure in failures:
        say(failure)
    return made


def _make_all(scenes: tuple[Scene, ...], media_dir: Path, say: Say) -> tuple[list[DemoCamera], list[str]]:
    # One thread per core at most: the encoder is what takes the time.
    by_footage = [[scene for scene in scenes if scene.footage == name] for name in {scene.footage for scene in scenes}]
    failures: list[str] = []
    with ThreadPoolExecutor(min(len(by_footage), os.cpu_count() or 1)) as pool:
        for failure in pool.map(lambda group: _make_group(group, media_dir, say), by_footage):
            failures += failure
    made = [scene for scene in scenes if _is_made(_clip(scene, media_dir), scene)]
    return [DemoCamera(scene.id, scene.name, _clip(scene, media_dir)) for scene in made], failures


def _make_group(scenes: list[Scene], media_dir: Path, say: Say) -> list[str]:
    """Make what is missing of the scenes of one piece of footage; return what went wrong."""
    missing = [scene for scene in scenes if not _is_made(_clip(scene, media_dir), scene)]
    if not missing:
        return []
    try:
        source = _fetch(missing[0].footage, media_dir, say)
        for scene in missing:
            _make(source, _clip(scene, media_dir), scene, say)
    except (FetchError, FootageError) as error:
        return [f"without {' and '.join(scene.id for scene in missing)}: {error}"]
    return []


def _clip(scene: Scene, media_dir: Path) -> Path:
    return media_dir / f"{scene.id}.mp4"


def _fetch(footage: str, media_dir: Path, say: Say) -> Path:
    def show(done_bytes: int, total_bytes: int) -> None:
        say(f"{footage}: {done_bytes / 1e6:.1f} of {total_bytes / 1e6:.1f} MB")

    return fetch_footage(footage, media_dir / "footage", show)


def _make(source: Path, clip: Path, scene: Scene, say: Say) -> None:
    say(f"{scene.id}: transcoding")
    # The server looks for .mp4; a clip gets that name only when it is whole.
    unfinished = clip.with_suffix(".unfinished")
    transcode(source, unfinished, scene.cut)
    unfinished.replace(clip)
    stamp = {"made_from": _recipe(scene), "size_bytes": clip.stat().st_size}
    _stamp_file(clip).write_text(json.dumps(stamp))
    say(f"{scene.id}: ready")


def _is_made(clip: Path, scene: Scene) -> bool:
    try:
        stamp = json.loads(_stamp_file(clip).read_text())
        return bool(stamp == {"made_from": _recipe(scene), "size_bytes": clip.stat().st_size})
    except (OSError, ValueError):
        return False


def _stamp_file(clip: Path) -> Path:
    return clip.with_suffix(".json")


def _recipe(scene: Scene) -> str:
    """Return a hash of all that decides what the clip looks like."""
    parts = {"footage": load_manifest().footage[scene.footage].sha256, "cut": asdict(scene.cut), "version": VERSION}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
