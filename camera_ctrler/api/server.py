"""Serves the API with gunicorn: one process, many threads, streams that end when the server stops."""

import errno
import gc
import os
import socket
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final, cast

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import TConn, ThreadWorker
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import Services, services_of
from camera_ctrler.api.tls import Certificate
from contract.errors import FarmError
from database.engine import DatabaseError
from runtime.clock import SystemClock
from runtime.settings import ControllerSettings

#: Seconds for answers under way when the server stops; then connections are closed.
GRACEFUL_SECONDS: Final = 10
#: Seconds that a client may leave its connection full, or its request unfinished, before its thread is taken back.
CLIENT_SECONDS: Final = 30.0
#: Seconds from when a thread takes up a connection until the request's header must be there. A limit for the whole,
#: for one on each read would be set back by every byte of a client that dribbles.
HEADER_SECONDS: Final = 8.0
#: Methods whose bodies no handler reads, so that a request is complete with its header.
WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BACKLOG: Final = 512

log = structlog.get_logger(__name__)


class ListenError(FarmError):
    """The API cannot listen where it shall; the text names address and setting."""


class StreamEndingWorker(ThreadWorker):
    """A gunicorn worker that tells streams when it stops, and does not wait for ever for a client."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadlines_lock = threading.Lock()
        #: When each connection whose request is being read is cut, by the monotonic clock.
        self._deadlines: dict[TConn, float] = {}

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in order: streams end, other answers are finished."""
        # Not from the signal handler itself, which may have interrupted a holder of the same locks.
        self.method_queue.defer(_services(self).stop)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at once."""
        _services(self).stopping.set()
        super().handle_quit(sig, frame)

    def handle(self, conn: TConn) -> Any:
        """Read and answer one request; a client that does not finish its header in time loses its connection."""
        self._cut_after(conn, HEADER_SECONDS)
        try:
            return super().handle(conn)
        finally:
            self._cut_after(conn, None)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer one request; a client that stops reading, or is too long with its body, loses its connection."""
        self._cut_after(conn, None if req.method in WITHOUT_BODY else CLIENT_SECONDS)
        conn.sock.settimeout(CLIENT_SECONDS)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError as error:
            raise BrokenPipeError(errno.EPIPE, "the client took nothing for too long") from error

    def murder_pending(self) -> None:
        """Cut connections that were waited for too long; gunicorn calls it about once a second.

        It runs on the thread that closes connections, so none of these has been closed meanwhile.
        """
        super().murder_pending()
        now = time.monotonic()
        with self._deadlines_lock:
            late = [conn for conn, deadline in self._deadlines.items() if deadline <= now]
            for conn in late:
                del self._deadlines[conn]
                with suppress(OSError):  # the client has gone already
                    conn.sock.shutdown(socket.SHUT_RDWR)
        if late:
            log.warning("slow_clients_cut", connections=len(late))

    def _cut_after(self, conn: TConn, seconds: float | None) -> None:
        with self._deadlines_lock:
            if seconds is None:
                self._deadlines.pop(conn, None)
            else:
                self._deadlines[conn] = time.monotonic() + seconds


class _Server(BaseApplication):
    def __init__(self, settings: ControllerSettings, descriptor: int, certificate: Certificate | None) -> None:
        self._settings = settings
        self._certificate = certificate
        self._descriptor = descriptor
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"fd://{self._descriptor}",
            "workers": 1,
            "worker_class": StreamEndingWorker,
            "threads": self._settings.api_threads,
            "worker_connections": self._settings.api_threads * 4,
            "graceful_timeout": GRACEFUL_SECONDS,
            "keepalive": 15,
            "proc_name": "camfarm-api",
            "loglevel": self._settings.log_level.lower(),
            "control_socket_disable": True,
            "worker_exit": _close,
            # Whom else a proxy speaks for, FARM_TRUSTED_PROXIES says.
            "forwarded_allow_ips": "",
        }
        certificate = self._certificate
        if certificate is not None:
            options |= {
                # gunicorn looks at these for whether it shall use TLS; what it uses comes from the other one.
                "certfile": str(self._settings.tls_cert),
                "keyfile": str(self._settings.tls_key or self._settings.tls_cert),
                "ssl_context": lambda _config, _default: certificate.context(),
            }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(self._settings)
        # What is there by now stays until the end. Were the collector to look through it again and again, every answer
        # that makes thousands of objects, such as a day's footage, would now and then wait 70 ms for that.
        gc.collect()
        gc.freeze()
        return app


def _services(worker: StreamEndingWorker) -> Services:
    return services_of(cast("Flask", worker.wsgi))


def _close(_server: object, worker: StreamEndingWorker) -> None:
    if getattr(worker, "wsgi", None) is not None:  # None: the app could not be made
        _services(worker).close()


def serve(settings: ControllerSettings) -> int:
    """Serve until SIGTERM or SIGINT; returns an exit code.

    Call it last: gunicorn forks, and its child ends by leaving this function with `SystemExit`.

    Raises:
        ListenError: The address cannot be listened on.
        FarmError: Another setting cannot be used.
    """
    certificate = Certificate(settings.tls_cert, settings.tls_key, SystemClock()) if settings.tls_cert else None
    _prepare(settings)
    # gunicorn takes the descriptor over and closes it in parent and child.
    descriptor = listen(settings.api_host, settings.api_port).detach()
    scheme = "http" if certificate is None else "https"
    log.info("api_listening", url=f"{scheme}://{settings.api_host}:{settings.api_port}/")
    parent = os.getpid()
    try:
        _Server(settings, descriptor, certificate).run()
    except SystemExit as ended:
        if os.getpid() != parent:
            raise
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    return 0


def _prepare(settings: ControllerSettings) -> None:
    """Find unusable settings here, where they can be said in a sentence, and bring the database up to date."""
    services = Services.create(settings)
    try:
        services.registry.migrate()
        services.make_first_admin()
    except (DatabaseError, SQLAlchemyError) as error:  # /readyz says so until it is back
        log.error("database_away", error=str(error))
    finally:
        services.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        ListenError: Names address, setting and remedy.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(f"the API cannot listen on {host}: {error.strerror}; check FARM_API_HOST") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(_why(host, port, error)) from error
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use already; stop what listens there, or set FARM_API_PORT to another port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights; set FARM_API_PORT to one above 1023"
    return f"the API cannot listen on {host}:{port}: {error.strerror}; check FARM_API_HOST and FARM_API_PORT"
