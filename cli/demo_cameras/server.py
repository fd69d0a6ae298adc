"""How the demo cameras' server is started, and where it serves a clip."""

import sys
from pathlib import Path
from typing import Final

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8754


def argv(media_dir: Path, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> list[str]:
    """Return the command line of the server, to be run in the project's folder; it ends on SIGTERM and SIGINT."""
    command = [sys.executable, "-m", "cli.demo_cameras", "--dir", str(media_dir)]
    return [*command, "--host", host, "--port", str(port)]


def url(clip: Path, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> str:
    """Return the RTSP URL of a clip: an endless live stream over TCP."""
    return f"rtsp://{host}:{port}/{clip.stem}"
