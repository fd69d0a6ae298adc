"""Cameras that answer and refuse: an error, a wrong path, a wrong password, which is never shown."""

import pytest

from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.rtsp_server import Credentials, RtspServer
from tests.support.watched_camera import WatchedCamera


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (403, StatusReason.AUTH_FAILED),
        (404, StatusReason.NOT_FOUND),
        (454, StatusReason.SERVER_ERROR),
        (500, StatusReason.SERVER_ERROR),
        (503, StatusReason.SERVER_ERROR),
    ],
)
def test_what_an_rtsp_server_answers_is_told(clips: Clips, code: int, reason: StatusReason) -> None:
    """Given a server that answers with an error, When it is opened, Then the reason is named."""
    with RtspServer(clips.folder, fail_with=code) as server, WatchedCamera(server.url("x")) as camera:
        camera.wait_reason(reason)


def test_wrong_and_missing_credentials_are_auth_failed_and_never_shown(clips: Clips) -> None:
    """Given a server that asks for a password, When it is wrong or missing, Then auth_failed, without the password."""
    clips.make()
    with RtspServer(clips.folder, credentials=Credentials("admin", "right")) as server:
        for user in ("", "admin:wr0ng@"):
            url = server.url("squares", credentials=False).replace("rtsp://", f"rtsp://{user}")
            with WatchedCamera(url) as camera:
                detail = camera.wait_reason(StatusReason.AUTH_FAILED).detail
            assert "wr0ng" not in detail


def test_a_wrong_path_is_not_found(clips: Clips) -> None:
    """Given a server without that stream, When it is opened, Then not_found."""
    with RtspServer(clips.folder) as server, WatchedCamera(server.url("nothing")) as camera:
        camera.wait_reason(StatusReason.NOT_FOUND)


def test_no_password_is_printed_logged_or_reported(clips: Clips, capfd: pytest.CaptureFixture[str]) -> None:
    """Given a camera with a password, when it lets us in, refuses and dies, then nobody can read the password."""
    with RtspServer(clips.folder, credentials=Credentials("viewer", "hunter2")) as server:
        right, wrong = server.url("cam"), server.url("cam").replace("viewer", "stranger")
        with WatchedCamera(right) as camera, WatchedCamera(wrong) as refused:
            camera.wait_frames(2)
            refused.wait_reason(StatusReason.AUTH_FAILED)
            server.stop()
            camera.wait_reason(StatusReason.REFUSED)
            told = [state.detail for state in camera.states + refused.states]
    printed = capfd.readouterr()
    assert "camera_offline" in printed.out + printed.err
    assert any("***@" in text for text in told)
    assert "hunter2" not in "".join([*told, printed.out, printed.err])
