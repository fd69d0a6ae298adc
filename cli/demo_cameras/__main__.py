"""The process that serves the demo cameras: ``python -m cli.demo_cameras --dir media --port 8754``."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from cli.demo_cameras.live_server import LiveServer
from cli.demo_cameras.server import DEFAULT_HOST, DEFAULT_PORT


async def serve(server: LiveServer) -> None:
    """Serve until SIGTERM or SIGINT, then close every stream."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    await stop.wait()
    await server.stop()


def run(server: LiveServer) -> int:
    """Serve; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(serve(server))
    except OSError as error:
        print(f"demo cameras: cannot listen on {server.host}:{server.port}: {error}", file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str]) -> int:
    """Read the command line and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m cli.demo_cameras", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="folder of .mp4, .mkv and .ts files")
    parser.add_argument("--host", default=DEFAULT_HOST)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    options = parser.parse_args(arguments)
    return run(LiveServer(options.dir, options.host, options.port))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
