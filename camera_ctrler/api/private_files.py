"""Answers with pictures from the frames volume: for whoever asked, and for no cache that others are answered from."""

from pathlib import Path

from flask import Response, send_file


def private_jpeg(file: Path, *, age_seconds: int) -> Response:
    """Return the answer with a JPEG, or that it has not changed.

    Args:
        file: Where it lies.
        age_seconds: How long his browser may show it without asking again.
    """
    answer = send_file(file, mimetype="image/jpeg", conditional=True, max_age=age_seconds)
    # `send_file` says public: a proxy before the farm would show it to who may not see the camera, or after it was
    # erased.
    answer.headers["Cache-Control"] = f"private, max-age={age_seconds}"
    return answer
