"""Secrets do not reach the logs, not even with the traceback of a failure that had them in hand."""

import os
import subprocess
import sys

import pytest

HIDDEN = "s3cr3tpw"

PROGRAM = """
import structlog
from camera_ctrler.registry import Registry
from contract.camera_specs import CameraCreate
from contract.camera_urls import split_secrets
from cryptography.fernet import Fernet
from runtime.lanes import Lane
from runtime.logs import configure_logs
from runtime.secret_box import SecretBox
from runtime.settings import CommonSettings

configure_logs(CommonSettings(log_format={log_format!r}, log_level="DEBUG", redis_url="redis://:{hidden}@h/0"))
url = "rtsp://admin:{hidden}@h/x?token={hidden}"

def fail(item):
    public, secrets = split_secrets(url)
    spec = CameraCreate(url=url, password="{hidden}")
    structlog.get_logger().warning("in_hand", secrets=secrets, spec=spec)
    raise ValueError("this frame is bad")

lane = Lane("test", fail, lambda item: None)
lane.put(url)
lane.close(5)
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_failure_with_secrets_in_hand_is_logged_without_them(log_format: str) -> None:
    """Given work that fails with secrets in its variables, the log has the failure and the place, and no secret."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(log_format=log_format, hidden=HIDDEN)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )
    assert "this frame is bad" in done.stderr
    assert "work_failed" in done.stderr
    assert "in_hand" in done.stderr
    assert HIDDEN not in done.stderr + done.stdout
