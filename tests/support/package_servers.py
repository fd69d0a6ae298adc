"""Servers that bring files as vendors and package registries do, on loopback and with the registries' own clients."""

import base64
import hashlib
import io
import json
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Settings of this machine that would let a client find packages elsewhere.
CLIENT_SETTINGS: Final = ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_INDEX_URL", "PIP_CERT")


def sha256(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


class FileServer:
    """Serves bytes by path over HTTP or HTTPS, and counts who asked for what."""

    def __init__(self, certificate: Path | None = None) -> None:
        """Listen on a free port.

        Args:
            certificate: PEM file with key and certificate of `make_certificate`; None: plain HTTP.
        """
        self.files: dict[str, bytes] = {}
        #: Called with the connection instead of the file's bytes being sent; no length is announced then.
        self.instead: Callable[[BufferedIOBase], None] | None = None
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._server.server_port}"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        body = self.files.get(request.path)
        if body is None:
            request.send_error(404)
            return
        request.send_response(200)
        kind = (
            "application/json" if body.startswith(b"{") else "text/html" if body.startswith(b"<") else "application/zip"
        )
        request.send_header("Content-Type", kind)
        if self.instead is None:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        try:
            if self.instead is None:
                request.wfile.write(body)
            else:
                self.instead(request.wfile)
        except OSError:  # the client had enough
            request.close_connection = True

    @contextmanager
    def running(self) -> Iterator["FileServer"]:
        """Serve until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)


def make_certificate(path: Path) -> Path:
    """Write key and certificate for 127.0.0.1 to the PEM file `path`; it serves clients as authority too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(hours=2))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def make_wheel(project: str, version: str, files: dict[str, bytes]) -> bytes:
    """Return a wheel that pip accepts, with `files` by their paths."""
    info = f"{project}-{version}.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in content.items():
            wheel.writestr(path, data)
    return packed.getvalue()


def serve_wheel(server: FileServer, project: str, version: str, wheel: bytes) -> str:
    """Put `wheel` on a package index at ``/simple``; returns the index's URL."""
    name = f"{project}-{version}-py3-none-any.whl"
    server.files[f"/files/{name}"] = wheel
    page = f'<!DOCTYPE html><html><body><a href="/files/{name}#sha256={sha256(wheel)}">{name}</a></body></html>'
    server.files[f"/simple/{project}/"] = page.encode()
    return f"{server.url}/simple"


def make_tgz(files: dict[str, bytes]) -> bytes:
    """Return a tarball as npm makes them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, data in files.items():
            item = tarfile.TarInfo(path)
            item.size = len(data)
            tar.addfile(item, io.BytesIO(data))
    return packed.getvalue()


def serve_npm(server: FileServer, package: str, version: str, tarball: bytes) -> str:
    """Put `tarball` on an npm registry; returns the registry's URL."""
    path = f"/{package}/-/{package}-{version}.tgz"
    server.files[path] = tarball
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    dist = {"tarball": server.url + path, "integrity": integrity}
    described = {"name": package, "version": version, "dist": dist}
    packument = {"name": package, "dist-tags": {"latest": version}, "versions": {version: described}}
    server.files[f"/{package}"] = json.dumps(packument).encode()
    return server.url
