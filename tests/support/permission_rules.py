"""What each route shall answer to whom, and a request that reaches its handler: one line for each route of the API.

It says again what the operations themselves declare, so that a role that is changed by mistake is noticed.
"""

from dataclasses import dataclass
from typing import Any, Final

from contract.accounts import Role

V, O, A = Role.VIEWER, Role.OPERATOR, Role.ADMIN  # noqa: E741 - a table of 80 lines


@dataclass(frozen=True)
class Rule:
    """One route: who may, and what is sent.

    In braces stand names that a test fills in: `camera`, `identity`, `track`, `event`, `change`, `watch`, `name` and
    `other` of one of the cameras; `at`, `end` and `start` (times with footage); `n` (another number each time), `link`.
    """

    #: None: nobody need log in.
    role: Role | None
    path: str
    #: What who may is answered; several where it depends on who it is.
    ok: tuple[int, ...] = (200,)
    method: str = "GET"
    body: Any = None
    #: Sent as it is, with this type.
    data: tuple[str, bytes] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    #: It is of the farm as a whole: only for who sees all cameras.
    farm: bool = False
    #: Who sees all cameras is shown the hidden one: so it is known that there is something to be left out.
    shows: bool = False
    #: Parts of an answer without end that are read.
    parts: int | None = None
    #: Makes what the request changes, or puts it right again: a method of the farm.
    fresh: str = ""
    after: str = ""

    @property
    def is_aimed(self) -> bool:
        """Whether it names something that belongs to one camera."""
        text = f"{self.path} {self.body}"
        names = ("camera", "identity", "track", "event", "change", "watch", "other")
        return any(f"{{{name}}}" in text for name in names)


def get(role: Role | None, path: str, *ok: int, **more: Any) -> Rule:
    """Return the rule of a GET."""
    return Rule(role, path, ok or (200,), **more)


def send(method: str, role: Role | None, path: str, ok: tuple[int, ...], body: Any = None, **more: Any) -> Rule:
    """Return the rule of something that is changed."""
    return Rule(role, path, ok, method, body, **more)


_CAMERA: Final = "/api/v1/cameras/{camera}"
_SPAN: Final = "from_ms={at}&to_ms={end}"
_IDENTITY: Final = "/api/v1/identities/{identity}"
_JPEG: Final = ("image/jpeg", b"\xff\xd8 no picture at all")

#: Endpoint of Flask -> its rule.
RULES: Final[dict[str, Rule]] = {
    "cameras.list_cameras": get(V, "/api/v1/cameras", shows=True),
    "cameras.create_camera": send(
        "POST", A, "/api/v1/cameras", (201,), {"id": "new-{n}", "url": "rtsp://192.0.2.1/{n}"}, farm=True
    ),
    "cameras.import_cameras": send(
        "POST",
        A,
        "/api/v1/cameras:import",
        (201,),
        {"cameras": [{"id": "more-{n}", "url": "rtsp://192.0.2.1/{n}"}]},
        farm=True,
    ),
    # No worker here tries cameras: who may is told so.
    "cameras.try_camera": send("POST", A, "/api/v1/cameras:test", (200,), {"camera_id": "{camera}"}, farm=True),
    "cameras.get_camera": get(V, _CAMERA),
    "cameras.update_camera": send("PATCH", A, _CAMERA, (200,), {"analyse_fps": 1}),
    "cameras.delete_camera": send("DELETE", A, _CAMERA, (204,), after="register_again"),
    "status.farm_status": get(V, "/api/v1/status", shows=True),
    "status.camera_status": get(V, f"{_CAMERA}/status"),
    "status.camera_result": get(V, f"{_CAMERA}/result"),
    "farm_health.farm_health": get(V, "/api/v1/farm/health"),
    "workers.list_workers": get(V, "/api/v1/workers", shows=True),
    "workers.drain_worker": send("POST", O, "/api/v1/workers/worker-1/drain", (202,), farm=True),
    "workers.list_moves": get(V, "/api/v1/moves", shows=True),
    "events.list_events": get(V, "/api/v1/events", shows=True),
    "events.event_stream": get(V, "/api/v1/events/stream?after=0-0", shows=True, parts=2),
    "events.export_events": get(O, "/api/v1/events/export?format=csv", shows=True),
    "events.list_dead_letters": get(O, "/api/v1/events/dead-letters", shows=True, farm=True),
    "event_details.show_event": get(V, "/api/v1/events/{event}"),
    "events.camera_results": get(V, f"{_CAMERA}/results"),
    "tracks.list_tracks": get(V, "/api/v1/tracks", shows=True),
    "tracks.track_crop": get(V, "/api/v1/tracks/{track}/crop.jpg"),
    "recognitions.list_recognitions": get(V, "/api/v1/recognitions", shows=True),
    "recognitions.recognition_summary": get(V, "/api/v1/recognitions/summary"),
    "recognitions.replay_recognitions": send("POST", O, "/api/v1/recognitions/replay", (200,), {}),
    "recognitions.delete_recognitions": send("DELETE", O, "/api/v1/recognitions?track=nobody", (200,)),
    "recognitions.event_recognitions": get(V, "/api/v1/events/{event}/recognitions"),
    "recognitions.event_crop": get(V, "/api/v1/events/{event}/crops/0.jpg"),
    "identities.list_identities": get(V, "/api/v1/identities", shows=True),
    "identities.show_identity": get(V, _IDENTITY),
    "identities.journey": get(V, f"{_IDENTITY}/journey"),
    "identities.rename_identity": send("PATCH", O, _IDENTITY, (200,), {"name": "{name}"}),
    "identities.merge_identities": send(
        "POST", O, f"{_IDENTITY}/merge", (200,), {"other": "{other}"}, fresh="newcomer"
    ),
    "identities.split_identity": send(
        "POST", O, "/api/v1/identities/{other}/split", (201,), {"tracks": ["{track}"]}, fresh="newcomer"
    ),
    "identities.erase_identity": send("DELETE", A, "/api/v1/identities/{other}", (200,), farm=True, fresh="newcomer"),
    "identities.list_changes": get(O, "/api/v1/identity-changes", shows=True),
    "identities.undo_change": send("POST", O, "/api/v1/identity-changes/{change}/undo", (204,), fresh="newcomer"),
    "sightings.list_sightings": get(V, "/api/v1/sightings", shows=True),
    "sightings.show_sighting": get(V, "/api/v1/sightings/{track}"),
    "sightings.sighting_crop": get(V, "/api/v1/sightings/{track}/crop.jpg"),
    "sightings.assign_sighting": send(
        "PUT", O, "/api/v1/sightings/{track}/identity", (200,), {"identity": "{identity}"}, fresh="newcomer"
    ),
    # No ReID worker runs here: who may search is told that nobody answers.
    "searches.search_state": get(V, "/api/v1/searches/state"),
    "searches.similar_to_track": get(V, "/api/v1/sightings/{track}/similar", 503),
    "searches.similar_to_identity": get(V, f"{_IDENTITY}/similar", 503),
    "searches.similar_to_picture": send("POST", V, "/api/v1/searches/picture", (422,), data=_JPEG),
    "watching.list_watched": get(V, "/api/v1/watch-list", shows=True),
    "watching.watch_identity": send("POST", O, "/api/v1/watch-list", (201,), {"identity": "{identity}"}),
    "watching.unwatch": send("DELETE", O, "/api/v1/watch-list/{watch}", (204,), fresh="newcomer"),
    "watching.list_transits": get(V, "/api/v1/transit-times", shows=True),
    "watching.say_transit": send(
        "PUT",
        A,
        "/api/v1/transit-times",
        (204,),
        {"from_camera": "here", "to_camera": "there", "shortest_ms": 1},
        farm=True,
    ),
    "watching.forget_transit": send(
        "DELETE", A, "/api/v1/transit-times?from_camera=here&to_camera=there", (204, 404), farm=True
    ),
    "watching.list_galleries": get(V, "/api/v1/galleries", farm=True),
    "pictures.snapshot": get(V, f"{_CAMERA}/snapshot.jpg"),
    "pictures.annotated_snapshot": get(V, f"{_CAMERA}/snapshot-annotated.jpg"),
    "pictures.live_view": get(V, f"{_CAMERA}/live.mjpeg", parts=2),
    "walls.live_wall": get(V, "/api/v1/live?camera=lobby&camera={camera}", parts=1),
    "timelines.timelines": get(V, f"/api/v1/timelines?camera=lobby&camera={{camera}}&{_SPAN}"),
    "recordings.timeline": get(V, f"{_CAMERA}/timeline?{_SPAN}"),
    "recordings.recordings_m3u8": get(V, f"{_CAMERA}/recordings.m3u8?{_SPAN}"),
    "recordings.recording_init": get(V, f"{_CAMERA}/recordings/{{start}}-1/init.mp4"),
    "recordings.recording_part": get(V, f"{_CAMERA}/recordings/{{start}}-1/0-0.m4s"),
    "recordings.play_together": get(V, f"/api/v1/playback/together?cameras=lobby,{{camera}}&{_SPAN}"),
    "exports.clip_mp4": get(O, f"{_CAMERA}/clip.mp4?{_SPAN}"),
    "exports.export_clip": get(O, f"{_CAMERA}/export?{_SPAN}"),
    "exports.timelapse_mp4": get(O, f"{_CAMERA}/timelapse.mp4?{_SPAN}&seconds=1"),
    "export_progress.export_clip_progress": get(O, f"{_CAMERA}/export/progress?{_SPAN}"),
    "export_progress.timelapse_progress": get(O, f"{_CAMERA}/timelapse/progress?{_SPAN}&seconds=1"),
    "recorded_pictures.recorded_jpg": get(V, f"{_CAMERA}/recorded.jpg?at_ms={{at}}"),
    "recorded_pictures.thumbnails_jpg": get(V, f"{_CAMERA}/thumbnails.jpg?{_SPAN}&rows=1&columns=2"),
    "evidence.event_clip": get(V, "/api/v1/events/{event}/clip.mp4"),
    "evidence.event_picture": get(V, "/api/v1/events/{event}/picture.jpg"),
    "links.create_link": send(
        "POST",
        O,
        "/api/v1/links",
        (201,),
        {"path": f"{_CAMERA}/recorded.jpg?at_ms={{at}}", "expires_seconds": 60},
    ),
    "links.use_link": get(None, "{link}"),
    "footage.list_frames": get(V, f"{_CAMERA}/frames?{_SPAN}"),
    "footage.saved_frame": get(V, f"{_CAMERA}/frames/{{at}}.jpg"),
    "footage.playback_mjpeg": get(V, f"{_CAMERA}/playback.mjpeg?{_SPAN}&speed=10"),
    "footage.playback_mp4": get(O, f"{_CAMERA}/playback.mp4?{_SPAN}"),
    "auth.log_in": send("POST", None, "/api/v1/auth/login", (401, 429), {"user": "nobody", "password": "wrong"}),
    # Who has logged in gets new cookies; a program has none to show.
    "auth.refresh_session": send("POST", None, "/api/v1/auth/refresh", (200, 401, 403)),
    "auth.log_out": send("POST", None, "/api/v1/auth/logout", (403,), headers=(("X-CSRF-Token", ""),)),
    "auth.get_me": get(V, "/api/v1/auth/me"),
    "auth.change_password": send(
        "POST",
        V,
        "/api/v1/auth/password",
        (400, 403, 429),
        {"current": "not the password", "new": "another long one"},
    ),
    "auth.list_sessions": get(V, "/api/v1/auth/sessions"),
    "auth.end_session": send("DELETE", V, "/api/v1/auth/sessions/session-0000", (404,)),
    "users.list_users": get(A, "/api/v1/users", farm=True),
    "users.create_user": send(
        "POST", A, "/api/v1/users", (201,), {"name": "new{n}", "password": "long enough, this one"}, farm=True
    ),
    "users.get_user": get(A, "/api/v1/users/guard", farm=True),
    "users.update_user": send("PATCH", A, "/api/v1/users/guard", (200,), {"role": "viewer"}, farm=True),
    "users.delete_user": send("DELETE", A, "/api/v1/users/spare{n}", (204,), farm=True, fresh="spare_user"),
    "tokens.list_tokens": get(A, "/api/v1/tokens", farm=True),
    "tokens.create_token": send("POST", A, "/api/v1/tokens", (201,), {"name": "new{n}", "role": "viewer"}, farm=True),
    "tokens.revoke_token": send("DELETE", A, "/api/v1/tokens/spare{n}", (204,), farm=True, fresh="spare_token"),
    "audit.list_audit": get(A, "/api/v1/audit?limit=1000", farm=True, shows=True),
    "audit.export_audit": get(A, "/api/v1/audit/export", farm=True, shows=True),
    "farm_settings.show_settings": get(A, "/api/v1/settings", farm=True),
    "operations.healthz": get(None, "/healthz"),
    "operations.readyz": get(None, "/readyz"),
    "operations.metrics": get(V, "/metrics", farm=True, shows=True),
}

#: Routes that are no operations, pages and their files: endpoint -> an address, and whether one must log in.
PAGES: Final[dict[str, tuple[str, bool]]] = {
    "static": ("/static/favicon.svg", False),
    "web_ui.page": ("/live/anything", False),
    "web_ui.file": ("/ui/assets/nothing.js", False),
    "flasgger.static": ("/flasgger_static/swagger-ui.css", False),
    "flasgger.apidocs": ("/apidocs/", False),
    "flasgger.oauth_redirect": ("/oauth2-redirect.html", False),
    "flasgger.<lambda>": ("/apidocs/index.html", False),
    "flasgger.apispec": ("/apispec.json", True),
}

#: Lists that take the id of a camera: who may not see it is answered as if it were nowhere.
FILTERS: Final = (
    "/api/v1/events?camera={camera}",
    "/api/v1/events?text={camera}",
    "/api/v1/events?after=0-0&camera={camera}",
    "/api/v1/events?track={camera}:1:1",
    "/api/v1/events?identity={identity}&camera={camera}",
    "/api/v1/tracks?camera={camera}",
    "/api/v1/moves?camera={camera}",
    "/api/v1/recognitions?camera={camera}",
    "/api/v1/recognitions?event_id={camera}:1:1",
    "/api/v1/recognitions?track={camera}:1:1",
    "/api/v1/sightings?camera={camera}",
    "/api/v1/sightings?identity={identity}",
    "/api/v1/identities?camera={camera}",
    "/api/v1/identities?text={identity}",
    "/api/v1/playback/together?cameras={camera}",
)
