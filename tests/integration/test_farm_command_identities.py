"""`./farm identities ...` on a real database, and with a gallery that runs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import make_url

from runtime.settings import ReidSettings
from tests.support.commands import Call
from tests.support.galleries import EIGHT_MS, Gallery, settle
from tests.support.gallery_services import jpeg, portrait, running, see_portrait
from tests.support.processes import wait_until
from tests.support.segment_index import migrated
from tests.support.valkey_server import ValkeyServer


@pytest.fixture
def seen(tmp_path: Path, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gallery]:
    """The farm's own database with a person seen by two cameras, and another one by one."""
    monkeypatch.setenv("FARM_FRAMES_DIR", str(tmp_path / "frames"))
    (tmp_path / "data").mkdir()
    with migrated(f"sqlite:///{tmp_path}/data/camfarm.sqlite3") as engine:
        gallery = Gallery(engine, redis_client, tmp_path)
        see_portrait(gallery, 1, "lobby:1:1", camera="lobby", at_ms=EIGHT_MS)
        see_portrait(gallery, 2, "lobby:1:2", camera="lobby", at_ms=EIGHT_MS)
        see_portrait(gallery, 1, "yard:1:1", camera="yard", at_ms=EIGHT_MS + 60_000)
        writer = gallery.writer()
        settle(writer)
        yield gallery


@pytest.mark.usefixtures("seen")
def test_identities_are_shown_named_merged_split_and_given_back(call: Call) -> None:
    """Given two identities, each command does what it says, and each change is taken back."""
    listed = json.loads(call("identities", "list", "--json").stdout)
    assert sorted(each["sightings"] for each in listed) == [1, 2]
    one = next(each["identity"] for each in listed if each["sightings"] == 2)
    two = next(each["identity"] for each in listed if each["sightings"] == 1)
    assert call("identities", "rename", one, "Anna").returncode == 0
    table = call("identities", "list", "--text", "anna").stdout
    assert one in table
    assert two not in table
    way = call("identities", "show", one).stdout
    assert way.index("lobby") < way.index("yard")
    assert call("identities", "merge", one, two).returncode == 0
    assert json.loads(call("identities", "show", one, "--json").stdout)["sightings"] == 3
    split = call("identities", "split", one, "yard:1:1")
    assert "1 sightings are of id-" in split.stdout
    changes = json.loads(call("identities", "changes", "--json").stdout)
    assert [each["kind"] for each in changes] == ["split", "merge", "rename"]
    for each in changes:
        assert call("identities", "undo", str(each["number"])).returncode == 0
    assert json.loads(call("identities", "list", "--json").stdout) == listed


def test_watching_and_erasing(seen: Gallery, call: Call) -> None:
    """Given an identity, it is watched for, taken off the list, and erased only when that is meant."""
    one = seen.identity_of("yard:1:1")
    assert one is not None
    assert call("identities", "watch", one, "--note", "door").returncode == 0
    (entry,) = json.loads(call("identities", "watched", "--json").stdout)
    assert (entry["identity"], entry["note"]) == (one, "door")
    assert call("identities", "unwatch", entry["watch"]).returncode == 0
    refused = call("identities", "erase", one)
    assert (refused.returncode, "say --yes" in refused.stderr) == (1, True)
    assert call("identities", "erase", one, "--yes").stdout == "erased: 2 sightings, 6 embeddings, 6 crops\n"
    gone = call("identities", "show", one)
    assert (gone.returncode, "there is no identity" in gone.stderr) == (1, True)


def test_searches_say_what_is_alike_or_what_is_missing(
    seen: Gallery, call: Call, valkey_server: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given no ReID worker the remedy is said; given one, a track and a picture find the same person."""
    monkeypatch.setenv("FARM_REDIS_URL", valkey_server.url)
    away = call("identities", "search", "--track", "lobby:1:1")
    assert (away.returncode, "no ReID worker runs" in away.stderr) == (1, True)
    unknown = call("identities", "search", "--identity", "id-nobody")
    assert (unknown.returncode, "there is no identity" in unknown.stderr) == (1, True)
    settings = ReidSettings(redis_url=valkey_server.url, data_dir=tmp_path / "data", frames_dir=tmp_path / "frames")
    assert make_url(settings.database).database == str(tmp_path / "data" / "camfarm.sqlite3")
    with running(settings, seen.engine):
        wait_until(lambda: call("identities", "search", "--track", "lobby:1:1").returncode == 0, "an answer", 10)
        found = json.loads(call("identities", "search", "--track", "lobby:1:1", "--json").stdout)
        assert found["found"][0]["track"] == "yard:1:1"
        file = tmp_path / "somebody.jpg"
        file.write_bytes(jpeg(portrait(1)))
        missing = call("identities", "search", "--picture", str(file.with_name("nothing.jpg")))
        assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)
        # The detector is not there, for this data folder has no models: that is said, and what helps.
        without = call("identities", "search", "--picture", str(file))
        assert (without.returncode, "./farm models fetch yolo11n" in without.stderr) == (1, True)
