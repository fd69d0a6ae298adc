"""Shows what came of trying a camera."""

import json

from contract.camera_trials import WARNINGS, CameraTrialReply
from contract.errors import REMEDIES


def print_trial(reply: CameraTrialReply, *, as_json: bool) -> None:
    """Print a reply, for people or as JSON; its picture is left out."""
    if as_json:
        print(json.dumps(reply.model_dump(mode="json", exclude={"request_id", "picture"}), indent=2))
        return
    for line in lines_of(reply):
        print(line)


def lines_of(reply: CameraTrialReply) -> list[str]:
    """Return what people are told of a reply, line by line."""
    if reply.reason is not None:
        return [line for line in (f"not watchable: {reply.reason}", reply.detail, REMEDIES[reply.reason]) if line]
    gop = "" if reply.gop_seconds is None else f", a keyframe every {reply.gop_seconds:g} s"
    rate = f", {reply.fps:g} frames a second" if reply.fps else ""
    seen = f"{reply.width}x{reply.height} {reply.codec}{rate}{gop}"
    found = f"watchable: {seen}, first picture after {reply.latency_ms:.0f} ms, by {reply.worker_id}"
    return [found, *(f"note: {WARNINGS[warning]}" for warning in reply.warnings)]
