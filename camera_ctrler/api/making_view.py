"""Answers with how far a file is while it is made, and at last with the file or what is wrong: lines of JSON."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

from flask import Response, copy_current_request_context, current_app
from pydantic import BaseModel, Field

from camera_ctrler.api.long_answers import may_go_on, while_allowed
from camera_ctrler.api.problems import Problem
from camera_ctrler.api.recording_schemas import RecordedSpan
from camera_ctrler.api.services import services
from camera_ctrler.playback.making import Making

MIMETYPE: Final = "application/x-ndjson"
#: Seconds between two lines at most: a client that has gone is noticed by it.
_TELL_SECONDS: Final = 2.0
#: Seconds between two lines at least.
_PAUSE_SECONDS: Final = 0.1


class MadeFile(BaseModel):
    """A file that was made, and its digest."""

    url: str = Field(description="Where this API serves it")
    size_bytes: int
    sha256: str = Field(description="Of the file, in hexadecimal digits")
    begin_ms: int = Field(description="When its first picture was taken")
    end_ms: int = Field(description="When its last picture was taken, or ends")
    gaps: list[RecordedSpan] = Field(description="What was not recorded in between")
    notes: list[str] = Field(description="For people")


class ExportNews(BaseModel):
    """One line of the answer: how far it is; the last one has the file, or the problem."""

    done: float = Field(description="How much is done, 0 to 1")
    made: MadeFile | None = None
    problem: Problem | None = None


def told_while_made(make: Callable[[Making], MadeFile]) -> Response:
    """Return the answer that tells how far `make` is, which runs in a thread of its own meanwhile.

    Raises:
        ProblemError: 503; all streams are taken.
    """
    making = Making(services().stopping)
    last: list[ExportNews] = []

    @copy_current_request_context
    def run() -> None:
        try:
            last.append(ExportNews(done=1, made=make(making)))
        except Exception as error:  # the outermost of a thread; the app's handlers log it, and find the words
            told = current_app.make_response(current_app.handle_user_exception(error))
            last.append(ExportNews(done=0, problem=Problem.model_validate_json(told.get_data())))
        finally:
            making.end()

    with ExitStack() as stack:
        stack.enter_context(services().streams.one())
        threading.Thread(target=run, name="export", daemon=True).start()
        response = Response(while_allowed(_lines(making, last), may_go_on()), mimetype=MIMETYPE)
        response.cache_control.no_store = True
        response.headers["X-Accel-Buffering"] = "no"  # nginx would gather what is to be seen at once
        stack.callback(making.cancel)
        response.call_on_close(stack.pop_all().close)
    return response


def _lines(making: Making, last: list[ExportNews]) -> Iterator[str]:
    done, over = 0.0, False
    while not over:
        yield f"{ExportNews(done=round(done, 4)).model_dump_json()}\n"
        done, over = making.wait(done, _TELL_SECONDS)
        if not over:
            _, over = making.wait(1.0, _PAUSE_SECONDS)
    yield f"{last[0].model_dump_json()}\n"
