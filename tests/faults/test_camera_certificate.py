"""Cameras behind TLS: a certificate that nobody vouches for, and headers that have no end."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contract.errors import StatusReason
from tests.support.clips import Clips
from tests.support.http_camera import Handler, HttpCamera, body, jpeg
from tests.support.rtsp_server import RtspServer
from tests.support.tcp_proxy import TcpProxy
from tests.support.watched_camera import QUICK, WatchedCamera


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, as cameras have them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "camera.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture(params=["https", "rtsps"])
def secure_url(request: pytest.FixtureRequest, certificate: Path, clips: Clips) -> Iterator[str]:
    """A camera behind TLS, over HTTP and over RTSP."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    if request.param == "https":
        with HttpCamera(tls) as camera:
            camera.answers["/shot"] = body(jpeg(), "image/jpeg")
            yield camera.url("/shot")
        return
    clips.make()
    with RtspServer(clips.folder) as server, TcpProxy(server.port, tls=tls) as proxy:
        yield f"rtsps://127.0.0.1:{proxy.port}/squares"


def test_a_certificate_nobody_vouches_for_is_refused(secure_url: str) -> None:
    """Given a camera that signs its own certificate, When it is opened, Then tls_failed."""
    with WatchedCamera(secure_url) as camera:
        camera.wait_reason(StatusReason.TLS_FAILED)
    assert camera.frames == []


def test_headers_that_dribble_in_over_tls_are_given_up_and_stop_is_heard(certificate: Path) -> None:
    """Given TLS and headers without an end, When the time is over, Then it is a time-out; a stop is heard at once."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    def dribble_headers(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not handler.ended.wait(0.2):
            handler.wfile.write(b"a")

    with HttpCamera(tls) as camera:
        camera.answers["/slow"] = dribble_headers
        watched = WatchedCamera(camera.url("/slow"), settings=replace(QUICK, camera_tls_verify=False))
        watched.capture.start()
        watched.wait(lambda: bool(watched.reasons), "given up", QUICK.connect_timeout_seconds + 1)
        assert watched.reasons[0] is StatusReason.TIMEOUT
        watched.wait(lambda: len(camera.requests) == 2, "asked again")
        watched.capture.stop()
        assert watched.capture.join(1)


def test_such_a_certificate_is_taken_when_checks_are_off(secure_url: str) -> None:
    """Given FARM_CAMERA_TLS_VERIFY=false, When such a camera is opened, Then it plays."""
    with WatchedCamera(secure_url, settings=replace(QUICK, camera_tls_verify=False)) as camera:
        camera.wait_frames(2)


def test_a_certificate_of_a_trusted_authority_is_taken(
    secure_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the camera's authority in SSL_CERT_FILE, When it is opened, Then it plays."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with WatchedCamera(secure_url) as camera:
        camera.wait_frames(2)
