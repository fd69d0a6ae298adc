"""Answers with a finished clip: whole, a range of it, or that it has not changed."""

from collections.abc import Mapping
from typing import Any, BinaryIO, Final, cast

from flask import Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import FileWrapper

from camera_ctrler.playback.clip_store import ClipFile

#: Bytes sent at a time: so many that an hour of footage does not wait for Python.
_PIECE_BYTES: Final = 524_288


def clip_response(clip: ClipFile[Any], *, tag: str, name: str, headers: Mapping[str, str]) -> Response:
    """Return the answer; it closes `clip` when it was sent.

    Args:
        clip: What to send.
        tag: Names its contents.
        name: Of the file, where a person saves it.
        headers: What else is said of it.
    """
    response = Response(
        FileWrapper(cast("BinaryIO", clip), _PIECE_BYTES), mimetype="video/mp4", direct_passthrough=True
    )
    response.content_length = clip.size
    response.set_etag(tag)
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers.update(headers)
    response.cache_control.private = True
    response.cache_control.no_cache = True
    try:
        response.make_conditional(request.environ, accept_ranges=True, complete_length=clip.size)
    except HTTPException:
        clip.close()
        raise
    return response
