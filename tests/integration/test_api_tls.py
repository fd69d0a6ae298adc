"""The API with a certificate of its own, served by gunicorn: renewed while it runs, and through a proxy."""

import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from camera_ctrler.api.tls import LOOK_SECONDS, Certificate, TlsError
from runtime.clock import SystemClock
from tests.support.accounts import guarded_settings
from tests.support.api_server import REPOSITORY, ApiServer, environment_of
from tests.support.certificates import write_certificate
from tests.support.farm_state import settings_for
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer, free_port

PASSWORD = "a password of the test"  # noqa: S105


@dataclass
class TlsServer(ApiServer):
    """The API over TLS."""

    def context(self) -> ssl.SSLContext:
        """Return what trusts the certificate that is there now."""
        return ssl.create_default_context(cafile=str(self.settings.tls_cert))

    def connection(self) -> http.client.HTTPSConnection:
        """Return a new connection."""
        return http.client.HTTPSConnection("127.0.0.1", self.settings.api_port, timeout=15, context=self.context())

    def serial_number(self) -> int:
        """Return the serial number of the certificate that a new connection is shown."""
        text = ssl.get_server_certificate(("127.0.0.1", self.settings.api_port))
        return x509.load_pem_x509_certificate(text.encode()).serial_number

    def call(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Return status, body and headers."""
        connection = self.connection()
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers
        finally:
            connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[TlsServer]:
    """One server with TLS for the module, where people log in."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    write_certificate(certificate, key)
    running = TlsServer(
        guarded_settings(
            folder,
            valkey_server.url,
            api_port=free_port(),
            api_threads=8,
            tls_cert=certificate,
            tls_key=key,
            admin_password=PASSWORD,
        ),
        folder / "log",
    )
    running.start()
    yield running
    assert running.stop() == 0


def test_somebody_logs_in_over_tls_and_his_browser_keeps_to_it(server: TlsServer) -> None:
    """Given FARM_TLS_CERT and FARM_ADMIN_PASSWORD, when he logs in, then cookies are Secure, and HSTS is sent."""
    status, me, headers = server.call("POST", "/api/v1/auth/login", {"user": "admin", "password": PASSWORD})
    assert status == 200
    assert (me["name"], me["role"], me["password_given"]) == ("admin", "admin", False)
    cookies = headers.get_all("Set-Cookie") or []
    assert len(cookies) == 3
    assert all("Secure;" in cookie for cookie in cookies)
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    pairs = dict(cookie.partition(";")[0].split("=", 1) for cookie in cookies)
    sent = "; ".join(f"{name}={value}" for name, value in pairs.items())
    status, cameras, _ = server.call("GET", "/api/v1/cameras", Cookie=sent)
    assert (status, cameras["items"]) == (200, [])
    status, _, _ = server.call("POST", "/api/v1/auth/logout", Cookie=sent, **{"X-CSRF-Token": pairs["farm_csrf"]})
    assert status == 204
    assert server.call("GET", "/api/v1/cameras", Cookie=sent)[0] == 401


def test_plain_http_gets_nothing(server: TlsServer) -> None:
    """Given TLS, when a request comes in clear, then it is not answered, and the server goes on."""
    with socket.create_connection(("127.0.0.1", server.settings.api_port), timeout=5) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionError):
            assert b"200 OK" not in plain.recv(1_000)
    assert server.get("/healthz")[0] == 200


def test_a_renewed_certificate_serves_the_next_connection_and_a_broken_one_does_not(server: TlsServer) -> None:
    """Given a running server, when its certificate is renewed, then new connections get it, also after a broken one."""
    certificate, key = server.settings.tls_cert, server.settings.tls_key
    assert certificate is not None
    assert key is not None
    open_one = server.connection()
    open_one.request("GET", "/healthz")
    assert open_one.getresponse().read()
    before = server.serial_number()
    renewed = write_certificate(certificate, key)
    assert renewed != before
    wait_until(lambda: server.serial_number() == renewed, "the renewed certificate", LOOK_SECONDS + 5)
    open_one.request("GET", "/healthz")  # who was connected stays so
    assert open_one.getresponse().status == 200
    open_one.close()

    certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\nhalf")
    time.sleep(LOOK_SECONDS * 1.2)
    assert [server.serial_number() for _ in range(2)] == [renewed] * 2
    assert "certificate_not_renewed" in server.log_path.read_text()
    again = write_certificate(certificate, key)
    wait_until(lambda: server.serial_number() == again, "the certificate after the broken one", LOOK_SECONDS + 5)


def test_clients_that_do_not_finish_their_handshake_keep_nobody_out(server: TlsServer) -> None:
    """Given as many silent connections as there are threads, and some that send nonsense, then others are answered."""
    silent = [socket.create_connection(("127.0.0.1", server.settings.api_port)) for _ in range(8)]
    for number, connection in enumerate(silent):
        if number % 2:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a handshake
    try:
        wait_until(lambda: server.get("/healthz")[0] == 200, "an answer beside silent clients", 15)
    finally:
        for connection in silent:
            connection.close()


def test_old_versions_of_tls_are_refused(server: TlsServer) -> None:
    """Given a client that speaks TLS 1.1 at most, then the handshake fails."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", server.settings.api_port), timeout=5) as raw,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        old.wrap_socket(raw)


@pytest.mark.parametrize("problem", ["missing", "no certificate", "another key", "encrypted key"])
def test_a_certificate_that_cannot_be_used_is_named_at_the_start(tmp_path: Path, problem: str) -> None:
    """Given files that are no certificate with its key, then the error names setting, file and remedy."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_certificate(certificate, key)
    if problem == "missing":
        certificate.unlink()
    elif problem == "no certificate":
        certificate.write_text("hello")
    elif problem == "another key":
        write_certificate(tmp_path / "other.pem", key)
    else:
        _encrypt(key)
    with pytest.raises(TlsError) as refused:
        Certificate(certificate, key, SystemClock())
    assert "FARM_TLS_CERT" in str(refused.value)
    assert str(certificate) in str(refused.value)


def _encrypt(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(path.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"passphrase")
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))


def test_an_api_without_its_certificate_does_not_start(tmp_path: Path, valkey_server: ValkeyServer) -> None:
    """Given FARM_TLS_CERT that is not there, when the API starts, then it ends with a sentence and no traceback."""
    settings = settings_for(tmp_path, valkey_server.url, api_port=free_port(), tls_cert=tmp_path / "gone.pem")
    answer = subprocess.run(
        [sys.executable, "-m", "camera_ctrler", "--only", "api"],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", **environment_of(settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2
    assert "FARM_TLS_CERT" in answer.stderr
    assert "Traceback" not in answer.stderr
