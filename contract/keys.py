"""Every Redis key and channel of CamFarm, one function each.

The docstring of a function is the contract of its key: type, writer, reader, lifetime. `docs/contract.md` is
generated from them. No other module spells a key.

RQ has keys of its own, see `RQ_KEYS`.
"""

from typing import Final

PREFIX: Final = "farm"
#: Keys that RQ makes, with the names of the farm's three queues (``high``, ``default``, ``low``); only `reid/queue/`
#: touches them. What each is for; all of it is made anew from the database when it is lost.
RQ_KEYS: Final = {
    "rq:queue:{name}": "list of the jobs that wait, oldest first",
    "rq:job:{id}": "hash of one job: which event, which recogniser; goes when it is done, and a week after it failed",
    "rq:wip:{name}": "sorted set of jobs that are being done, as ``job:ReID worker``; never expires by itself",
    "rq:failed:{name}": "sorted set of jobs that are dead letters; a week",
    "rq:queues": "set of queues",
    "rq:workers": "set of RQ's workers, beside `rq:workers:{name}` for each queue; ReID workers are among them",
    "rq:worker:{id}": "hash of one of RQ's workers, with expiry",
    "rq:results:{id}": "stream of why a job failed; a week",
}


def workers() -> str:
    """Ids of workers that have taken a lease and were not yet cleaned up.

    Type: set of worker ids. Writer: worker (adds itself), manager (removes the dead).
    Reader: manager, API. Lifetime: for ever.
    """
    return f"{PREFIX}:workers"


def worker_lease(worker_id: str) -> str:
    """Proof that a worker lives; the value is its random token.

    Type: string with expiry. Writer: worker (sets it if absent, renews while the token is its own).
    Reader: manager, API. Lifetime: FARM_LEASE_SECONDS after the last renewal.
    """
    return f"{PREFIX}:worker:{worker_id}:lease"


def worker_status(worker_id: str) -> str:
    """`WorkerStatus` as JSON.

    Type: string with expiry. Writer: worker, once a second. Reader: manager, API.
    Lifetime: 60 s after the last write.
    """
    return f"{PREFIX}:worker:{worker_id}:status"


def assignments(worker_id: str) -> str:
    """Cameras a worker shall watch.

    Type: hash, camera id -> `Assignment` as JSON. Writer: manager, only while it leads.
    Reader: the worker, API. Lifetime: until the worker is dead and its cameras are placed elsewhere.
    """
    return f"{PREFIX}:worker:{worker_id}:assignments"


def wakeups(worker_id: str) -> str:
    """Says that `assignments` changed, so that a worker need not poll; a lost entry costs one second.

    Type: stream of at most some 16 entries, field ``why``. Writer: manager; script `ask_drain`. Reader: the
    worker. Lifetime: as `assignments`.
    """
    return f"{PREFIX}:worker:{worker_id}:wakeups"


def controller_lease() -> str:
    """The manager that leads; the value is its random token, checked inside every script that publishes a plan.

    Type: string with expiry. Writer: managers (set if absent, renew while the token is their own).
    Reader: managers, API. Lifetime: FARM_LEASE_SECONDS after the last renewal.
    """
    return f"{PREFIX}:controller:lease"


def controllers() -> str:
    """Ids of the controllers that run, leading or not.

    Type: sorted set, score: Unix ms by the clock of Redis when it was heard last. Writer: managers, three times in
    FARM_LEASE_SECONDS; each removes those that were not heard for a minute. Reader: manager, `camera_ctrler --check`.
    Lifetime: for ever.
    """
    return f"{PREFIX}:controllers"


def plan_mark() -> str:
    """Says that this server holds a plan; a server without it is new or has lost its data.

    Type: string. Writer: manager. Reader: manager, workers. Lifetime: for ever.
    """
    return f"{PREFIX}:plan:mark"


def plan_report() -> str:
    """What the leading manager did last: cameras unplaced and why, moves, counts.

    Type: string, JSON, with expiry. Writer: manager. Reader: API. Lifetime: 60 s after the last write.
    """
    return f"{PREFIX}:plan:report"


def camera_epoch(camera_id: str) -> str:
    """The fence: the newest epoch that a write was accepted for, or that the manager fenced the camera with.

    Type: string, decimal integer that only rises. Writer: scripts `publish_result`, `publish_status` and
    `publish_plan`. Reader: the same scripts, manager. Lifetime: for ever: late writes
    for a deleted camera must be refused too.
    """
    return f"{PREFIX}:camera:{camera_id}:epoch"


def camera_status(camera_id: str) -> str:
    """`CameraStatus` as JSON.

    Type: string with expiry. Writer: the worker that holds the camera, fenced by epoch. Reader: API.
    Lifetime: 60 s after the last write, or until the camera is deleted.
    """
    return f"{PREFIX}:camera:{camera_id}:status"


def camera_result(camera_id: str) -> str:
    """The newest `AnalysisResult` as JSON.

    Type: string. Writer: the worker that holds the camera, fenced by epoch. Reader: API.
    Lifetime: one day after the last write, or until the camera is deleted.
    """
    return f"{PREFIX}:camera:{camera_id}:result"


def camera_preview(camera_id: str) -> str:
    """One small JPEG with the result that belongs to it; the only pixels that pass through Redis.

    Type: hash with expiry: ``jpeg`` (bytes), ``result`` (`AnalysisResult` as JSON).
    Writer: the worker that holds the camera, fenced by epoch; with every result while `camera_watched` is there, every
    five seconds otherwise. Reader: API (live view).
    Lifetime: 15 s after the last write.
    """
    return f"{PREFIX}:camera:{camera_id}:preview"


def camera_watched(camera_id: str) -> str:
    """Says that somebody looks at a camera's previews: its worker makes one with every result then.

    Type: string with expiry. Writer: API, whenever it reads a preview. Reader: the worker that holds the camera, once a
    second. Lifetime: 10 s after the last look.
    """
    return f"{PREFIX}:camera:{camera_id}:watched"


def camera_frames(camera_id: str) -> str:
    """Index of the newest saved frames; older ones are found on the volume by their path.

    Type: sorted set, member: path relative to the frames volume, score: `captured_at_ms`.
    Writer: the worker that holds the camera, fenced by epoch. Reader: API (playback).
    Lifetime: the newest FARM_FRAME_INDEX_SIZE frames, until the camera is deleted.
    """
    return f"{PREFIX}:camera:{camera_id}:frames"


def camera_results(camera_id: str) -> str:
    """The newest results, every one of them, also those that were delivered late after an outage.

    Type: stream, entry id ``epoch-seq``, field ``result``: `AnalysisResult` as JSON; the server itself refuses an id
    that is not newer, so that a result sent twice is kept once.
    Writer: the worker that holds the camera, fenced by epoch. Reader: API.
    Lifetime: the newest FARM_RESULT_STREAM_SIZE results, until the camera is deleted.
    """
    return f"{PREFIX}:camera:{camera_id}:results"


def camera_event_cursor(camera_id: str) -> str:
    """The newest events that were accepted, so that one sent twice is kept once.

    Type: hash, epoch -> number, for the epochs that may still write. Writer: script `publish_event`.
    Reader: the same script, workers. Lifetime: until the camera is deleted.
    """
    return f"{PREFIX}:camera:{camera_id}:event_cursor"


def events() -> str:
    """Events of all cameras, in the order in which they were accepted.

    Type: stream, field ``event``: `Event` as JSON, with a consumer group ``store``. Writer: workers, fenced by epoch;
    event writers acknowledge what is in the database. Reader: event writers, API.
    Lifetime: some FARM_EVENT_STREAM_SIZE newest events, stored or not.
    """
    return f"{PREFIX}:events"


def event_losses() -> str:
    """Events that made room in the stream before any event writer had stored them.

    Type: string, decimal integer. Writer: scripts `take_events` and `claim_events`. Reader: API.
    Lifetime: for ever.
    """
    return f"{PREFIX}:events:lost"


def event_writer_lease(writer_id: str) -> str:
    """Proof that an event writer lives: what it has taken from the stream is left to it.

    Type: string with expiry, its random token. Writer: event writer (sets it if absent, renews while the token is its
    own). Reader: event writers, scripts `take_events` and `claim_events`.
    Lifetime: FARM_LEASE_SECONDS after the last renewal.
    """
    return f"{PREFIX}:event_writer:{writer_id}:lease"


def reid_workers() -> str:
    """Ids of ReID workers that have taken a lease and were not yet cleaned up.

    Type: set of ids. Writer: ReID worker (adds itself, removes itself), dispatcher of recognition (removes the dead).
    Reader: API, command line, dispatcher. Lifetime: for ever.
    """
    return f"{PREFIX}:reid:workers"


def reid_worker_lease(worker_id: str) -> str:
    """Proof that a ReID worker lives: the jobs that it has taken are left to it.

    Type: string with expiry, its random token. Writer: ReID worker (sets it if absent, renews while the token is its
    own). Reader: script `take_jobs`, dispatcher of recognition, API.
    Lifetime: FARM_LEASE_SECONDS after the last renewal.
    """
    return f"{PREFIX}:reid:worker:{worker_id}:lease"


def reid_worker_status(worker_id: str) -> str:
    """`ReidWorkerStatus` as JSON.

    Type: string with expiry. Writer: ReID worker, once a second. Reader: API, command line.
    Lifetime: 60 s after the last write.
    """
    return f"{PREFIX}:reid:worker:{worker_id}:status"


def dispatcher_lease() -> str:
    """The ReID worker whose dispatcher puts recognitions on the queues; the value is its random token.

    Type: string with expiry. Writer: ReID workers (set if absent, renew while the token is their own).
    Reader: ReID workers. Lifetime: FARM_LEASE_SECONDS after the last renewal.
    """
    return f"{PREFIX}:reid:dispatcher:lease"


def segments() -> str:
    """Files of footage that are finished, of all cameras, on their way into the database.

    Type: stream, field ``segment``: `Segment` as JSON. Writer: workers. Reader: manager, which notes in the
    database how far it has come. Lifetime: some 200,000 newest; what is lost is found on the volume again.
    """
    return f"{PREFIX}:segments"


def camera_segments(camera_id: str) -> str:
    """The newest finished files of footage of a camera, newest first: the part of the index that is not in SQL yet.

    Type: list of `Segment` as JSON, with expiry. Writer: the workers that record the camera. Reader: API (playback).
    Lifetime: the newest 60, one hour after the last one.
    """
    return f"{PREFIX}:camera:{camera_id}:segments"


def camera_open_segment(camera_id: str) -> str:
    """`OpenSegment` as JSON: the file that is being written.

    Type: string with expiry. Writer: the worker that records the camera, once a second. Reader: API (playback).
    Lifetime: 15 s after the last write.
    """
    return f"{PREFIX}:camera:{camera_id}:open_segment"


def footage_report() -> str:
    """How full the volumes of footage are, what was deleted and why, and what is wrong with them: `FootageReport`.

    Type: string, JSON, with expiry. Writer: the manager that leads, every few seconds. Reader: API, command line.
    Lifetime: 60 s after the last write.
    """
    return f"{PREFIX}:footage:report"


def moves() -> str:
    """What the manager gave to whom, and why.

    Type: stream, field ``move``: `Move` as JSON. Writer: manager, only while it leads. Reader: API.
    Lifetime: some 10,000 newest moves.
    """
    return f"{PREFIX}:moves"


def worker_drain(worker_id: str) -> str:
    """Asks a worker to hand its cameras over and leave.

    Type: string, who asked. Writer: script `ask_drain` for API and command line (sets it), the worker (deletes it
    when it leaves). Reader: the worker, API. Lifetime: one hour.
    """
    return f"{PREFIX}:worker:{worker_id}:drain"


def camera_channel(camera_id: str) -> str:
    """Says that a new preview is there, so that live views need not poll.

    Type: publish/subscribe channel, message: ``seq``. Writer: script `publish_result`. Reader: API (live view).
    Lifetime: none.
    """
    return f"{PREFIX}:camera:{camera_id}:updates"


def gallery_writer_lease() -> str:
    """The gallery writer: the one process that decides which track is which identity; the value is its random token.

    Type: string with expiry. Writer: ReID processes (set if absent, renew while the token is their own).
    Reader: ReID processes, API. Lifetime: FARM_LEASE_SECONDS after the last renewal. It only keeps others from trying:
    what is written to the database is fenced there.
    """
    return f"{PREFIX}:gallery:writer:lease"


def gallery_log() -> str:
    """Says that the gallery has changed; who follows it then reads the database, from where it was.

    Type: stream, field ``number``: the embedding up to which all are decided on. Writer: gallery writer. Reader: ReID
    processes. Lifetime: some 1,000 newest entries; one that is lost costs half a second.
    """
    return f"{PREFIX}:gallery:log"


def gallery_answering() -> str:
    """Says that some ReID process answers searches.

    Type: string with expiry. Writer: ReID processes, every two seconds. Reader: script `ask_gallery`.
    Lifetime: 10 s after the last write.
    """
    return f"{PREFIX}:gallery:answering"


def gallery_requests() -> str:
    """Searches that wait for a ReID process.

    Type: list of `GalleryRequest` as JSON, oldest left. Writer: script `ask_gallery` for API and command line.
    Reader: ReID processes; each request is taken by one of them, and not taken up after its `until_ms`.
    Lifetime: at most 64 entries.
    """
    return f"{PREFIX}:gallery:requests"


def gallery_picture(request_id: str) -> str:
    """The picture that a search is for, as it was uploaded.

    Type: string (bytes of a JPEG, PNG or WebP of at most 8 MB) with expiry. Writer: script `ask_gallery` for API and
    command line. Reader: the ReID process that takes the request, which deletes it. Lifetime: 30 s.
    """
    return f"{PREFIX}:gallery:picture:{request_id}"


def limits() -> str:
    """What the keys of rate limits begin with, which the library `limits` makes: ``...:LIMITER/<whose>/<limit>``.

    Type: string (a count) with expiry. Writer: API (rate limits, failed logins). Reader: API. Lifetime: the window of
    the limit, a quarter of an hour at most. Lost with Redis: the windows begin anew.
    """
    return f"{PREFIX}:limits"


def gallery_reply(request_id: str) -> str:
    """What was found.

    Type: list of one `GalleryReply` as JSON, with expiry. Writer: the ReID process that took the request.
    Reader: who asked, who takes it away. Lifetime: 30 s.
    """
    return f"{PREFIX}:gallery:reply:{request_id}"


def camera_trials(worker_id: str) -> str:
    """Cameras that a worker shall try, for people who set them up.

    Type: list of `CameraTrialRequest` as JSON, oldest left, with expiry. Writer: script `ask_trial` for API and command
    line. Reader: the worker; a request is not taken up after its `until_ms`.
    Lifetime: at most 4 entries, 40 s after the last one.
    """
    return f"{PREFIX}:worker:{worker_id}:trials"


def camera_trials_answered(worker_id: str) -> str:
    """Says that a worker tries cameras.

    Type: string with expiry. Writer: the worker, whenever it looks for a request. Reader: script `ask_trial`.
    Lifetime: 30 s after the last write: as long as a worker may be at those that it has taken.
    """
    return f"{PREFIX}:worker:{worker_id}:tries"


def camera_trial_reply(request_id: str) -> str:
    """What came of a trial, with a picture of at most 640 pixels.

    Type: list of one `CameraTrialReply` as JSON, with expiry. Writer: the worker that was asked.
    Reader: who asked, who takes it away. Lifetime: 30 s.
    """
    return f"{PREFIX}:trial:{request_id}"
