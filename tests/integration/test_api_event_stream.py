"""New events as they come: to many over one connection, from where each was, over outages."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.api import event_hub, event_stream
from camera_ctrler.api.services import services_of
from contract import keys
from contract.events import Event
from runtime.stream_reader import StreamPage
from tests.support.event_stores import StoredEvents, event, settle, track_event
from tests.support.farm_state import FarmState
from tests.support.processes import wait_until

PATIENCE_SECONDS = 30.0


@dataclass
class Listener:
    """One client that listens, on a thread of its own."""

    app: Flask
    query: str = ""
    last_event_id: str | None = None
    text: str = ""
    ended: bool = False
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Begin to listen, and wait until the answer has begun."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until(lambda: bool(self.text), "the stream begins", PATIENCE_SECONDS)

    def _run(self) -> None:
        headers = {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}
        answer = self.app.test_client().get(f"/api/v1/events/stream{self.query}", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "text/event-stream"
        for part in answer.iter_encoded():
            self.text += part.decode()
        self.ended = True

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was heard."""
        return [json.loads(line.removeprefix("data: ")) for line in self.text.splitlines() if line.startswith("data:")]

    @property
    def ids(self) -> list[str]:
        """Ids of the events that were heard."""
        return [one["event_id"] for one in self.events]

    @property
    def last_id(self) -> str:
        """What an `EventSource` would send when it comes back."""
        return [line.removeprefix("id: ") for line in self.text.splitlines() if line.startswith("id:")][-1]

    def heard(self, *event_ids: str) -> None:
        """Wait for events."""
        wait_until(lambda: self.ids[-len(event_ids) :] == list(event_ids), f"{event_ids} are heard", PATIENCE_SECONDS)


@pytest.fixture
def stored(app: Flask, farm_state: FarmState) -> Iterator[StoredEvents]:
    """The events behind the API; at the end all listeners are told that the server stops."""
    farm_state.camera("lobby")
    services = services_of(app)
    yield StoredEvents(services.registry.engine, farm_state.client)
    services.stop()


def test_listeners_hear_what_happens_from_now_on_once(app: Flask, stored: StoredEvents) -> None:
    """Given three listeners, one of them with filters, each hears the new events that it asked for, in order."""
    stored.publish(event(1))
    everything, again = Listener(app), Listener(app)
    tracks = Listener(app, "?kind=track_started&camera=lobby&camera=gate")
    stored.publish(event(2), track_event(3), event(4))
    for listener in (everything, again):
        listener.heard("lobby:1:2", "lobby:1:3", "lobby:1:4")
        assert len(listener.ids) == 3
    tracks.heard("lobby:1:3")
    assert services_of(app).event_hub.listeners() == 3
    services_of(app).stop()
    wait_until(lambda: all(each.ended for each in (everything, again, tracks)), "they end", PATIENCE_SECONDS)
    assert tracks.ids == ["lobby:1:3"]
    assert services_of(app).event_hub.listeners() == 0


def test_an_event_on_the_stream_is_what_the_list_has(app: Flask, api: FlaskClient, stored: StoredEvents) -> None:
    """Given an event, what a listener is sent is the same as the list has."""
    listener = Listener(app)
    stored.publish(track_event(1))
    listener.heard("lobby:1:1")
    answer = api.get("/api/v1/events").json
    assert answer is not None
    assert listener.events == answer["items"]
    assert listener.last_id == answer["items"][0]["entry_id"]


def test_who_comes_back_misses_nothing(app: Flask, stored: StoredEvents) -> None:
    """Given a client that was away, it hears what it missed, from stream and database, and then what is new."""
    stored.publish(event(1))
    first = Listener(app, "?after=0-0")
    first.heard("lobby:1:1")
    stored.publish(*(event(number) for number in range(2, 8)))
    settle(stored.writer())
    stored.client.xtrim(keys.events(), maxlen=2, approximate=False)
    second = Listener(app, "?after=0-0", last_event_id=first.events[0]["entry_id"])
    second.heard(*(f"lobby:1:{number}" for number in range(2, 8)))
    stored.publish(event(8))
    second.heard("lobby:1:7", "lobby:1:8")
    assert len(second.ids) == 7


def test_what_made_room_before_it_was_read_here_is_heard_all_the_same(
    app: Flask, stored: StoredEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a controller that is slow to read, when events leave the stream meanwhile, then its listeners hear them."""
    streams, may_read = services_of(app).reader.streams, threading.Event()
    read = streams.wait_for_events

    def wait_for_events(after: str, limit: int, wait_ms: int) -> StreamPage[Event]:
        may_read.wait(PATIENCE_SECONDS)
        return read(after, limit, wait_ms)

    monkeypatch.setattr(streams, "wait_for_events", wait_for_events)
    stored.publish(event(1))
    listener = Listener(app)
    stored.publish(*(event(number) for number in range(2, 8)))
    settle(stored.writer())
    stored.client.xtrim(keys.events(), maxlen=2, approximate=False)
    may_read.set()
    listener.heard(*(f"lobby:1:{number}" for number in range(2, 8)))


def test_who_is_further_behind_than_is_remembered_reads_on_by_itself(
    app: Flask, stored: StoredEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given more events at once than are remembered, a listener hears them all."""
    monkeypatch.setattr(event_hub, "REMEMBERED", 3)
    listener = Listener(app)
    stored.publish(*(event(number) for number in range(1, 41)))
    listener.heard(*(f"lobby:1:{number}" for number in range(1, 41)))
    assert len(listener.ids) == 40


def test_entries_that_cannot_be_read_are_passed_over(app: Flask, stored: StoredEvents) -> None:
    """Given nonsense in the stream, now and while nobody listened, events behind it are heard."""
    stored.client.xadd(keys.events(), {"event": "{"})
    stored.publish(event(1))
    listener = Listener(app, "?after=0-0")
    listener.heard("lobby:1:1")
    stored.client.xadd(keys.events(), {"event": "{"})
    wait_until(lambda: services_of(app).event_hub.listeners() == 1, "it listens", PATIENCE_SECONDS)
    stored.publish(event(2))
    listener.heard("lobby:1:1", "lobby:1:2")


def test_something_is_sent_although_nothing_happens_and_says_where_one_is(
    app: Flask, stored: StoredEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given events that a filter keeps out, heartbeats come, and carry the id to come back with."""
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.2)
    listener = Listener(app, "?kind=camera_offline")
    stored.publish(event(1))
    ends = services_of(app).reader.streams.event_ends()
    assert ends is not None
    wait_until(lambda: listener.last_id == ends[1], "a heartbeat with the newest id", PATIENCE_SECONDS)
    assert ": heartbeat" in listener.text
    assert listener.ids == []


def test_listeners_are_bounded_and_give_their_place_back(app: Flask, api: FlaskClient, stored: StoredEvents) -> None:
    """Given all streams taken, the next listener is refused by name; when one leaves there is room."""
    assert stored.ids() == []
    streams = services_of(app).streams
    with streams.one():
        first = api.get("/api/v1/events/stream")
        assert first.status_code == 200
        first.close()
    taken = []
    while True:
        answer = api.get("/api/v1/events/stream")
        if answer.status_code != 200:
            break
        taken.append(answer)
    assert answer.json is not None
    assert (answer.status_code, answer.json["type"]) == (503, "urn:camfarm:problem:too-many-streams")
    taken.pop().close()
    with streams.one():
        pass
    for each in taken:
        each.close()


@pytest.mark.parametrize(
    ("query", "last_event_id", "field"),
    [
        ("?after=x", "", "after"),
        ("", "yesterday", "Last-Event-ID"),
        ("?kind=party", "", "kind"),
        ("?limit=3", "", "limit"),
    ],
)
def test_what_cannot_be_listened_to_is_refused_by_name(
    api: FlaskClient, query: str, last_event_id: str, field: str
) -> None:
    """Given a wrong parameter or header, then the answer is 400 and names it."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    answer = api.get(f"/api/v1/events/stream{query}", headers=headers)
    assert answer.status_code == 400
    assert answer.json is not None
    assert [error["field"] for error in answer.json["errors"]] == [field]
