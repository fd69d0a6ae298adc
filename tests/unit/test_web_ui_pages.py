"""What the controller serves of the web UI."""

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from camera_ctrler.web_ui.pages import SCREENS, make_blueprint
from runtime.settings import PROJECT_DIR

PAGE = '<!doctype html><meta name="style-nonce" content="" /><script src="/ui/assets/index-1.js"></script>'
SCRIPT = "console.log('farm');" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as the build leaves it."""
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets/index-1.js").write_text(SCRIPT)
    (folder / "assets/index-1.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "built-from.json").write_text("{}")
    (tmp_path / "secret.key").write_text("secret")
    return folder


def browser(folder: Path) -> FlaskClient:
    """Return somebody who looks at the UI in `folder`."""
    app = Flask("test")
    app.register_blueprint(make_blueprint(folder))
    return app.test_client()


@pytest.mark.parametrize(
    "path", ["/", *(f"/{screen}" for screen in SCREENS), "/events/lobby:1:17", "/settings/users/x"]
)
def test_every_screen_and_what_lies_below_it_is_the_page(built: Path, path: str) -> None:
    """Given a built UI, when the address of a screen is opened, then it is the page, which is kept by nobody."""
    answer = browser(built).get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/livez", "/screens", "/ui/nothing.js", "/ui/"])
def test_what_is_no_screen_is_not_found(built: Path, path: str) -> None:
    """Given a built UI, when anything else is asked for, then the page is not sent in its place."""
    assert browser(built).get(path).status_code == 404


def test_styles_made_while_running_carry_a_nonce_that_is_used_once(built: Path) -> None:
    """Given a built UI, then page and policy of one answer have the same nonce, and two answers have not."""
    seen = set()
    for _ in range(2):
        answer = browser(built).get("/live")
        nonce = re.search(r'content="([^"]+)"', answer.text)
        assert nonce is not None
        assert f"'nonce-{nonce[1]}'" in answer.headers["Content-Security-Policy"]
        seen.add(nonce[1])
    assert len(seen) == 2


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(built: Path) -> None:
    """Given a built UI, then its policy names no other host, no inline script or style, and no eval."""
    policy = browser(built).get("/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "://" not in policy
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy


def test_a_file_with_a_hash_in_its_name_is_sent_compressed_and_kept_for_ever(built: Path) -> None:
    """Given a built UI, when a browser asks for a script, then it gets what the build has compressed, for a year."""
    answer = browser(built).get("/ui/assets/index-1.js", headers={"Accept-Encoding": "gzip, deflate"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data).decode() == SCRIPT
    assert answer.mimetype == "text/javascript"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", ""])
def test_who_takes_no_compression_gets_the_file_as_it_is(built: Path, accepted: str) -> None:
    """Given a built UI, when a client refuses gzip, then the file is sent as it is."""
    answer = browser(built).get("/ui/assets/index-1.js", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.text == SCRIPT


def test_a_file_without_a_hash_is_asked_for_anew(built: Path) -> None:
    """Given a built UI, when a file is asked for whose name stays, then it may not be kept unasked."""
    assert "immutable" not in browser(built).get("/ui/built-from.json").headers["Cache-Control"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.key",
        "assets/../../secret.key",
        "%2e%2e/secret.key",
        "assets/index-1.js.gz",
        "%00",
        "assets/index-1.js%00",
        "x" * 3_000,
    ],
)
def test_nothing_outside_of_the_folder_is_sent(built: Path, name: str) -> None:
    """Given a file beside the folder, when an address leads to it, then it is not found."""
    assert browser(built).get(f"/ui/{name}").status_code in {308, 404}


def test_a_link_that_leads_out_of_the_folder_is_not_followed(built: Path) -> None:
    """Given a link in the folder to a file elsewhere, then it is not found."""
    (built / "assets/out.js").symlink_to(built.parent / "secret.key")
    assert browser(built).get("/ui/assets/out.js").status_code == 404


def test_without_a_built_ui_the_page_says_what_to_do(tmp_path: Path) -> None:
    """Given no built UI, when somebody opens it, then a page says how it is built; once it is, it is served."""
    client = browser(tmp_path / "ui")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "./farm web build" in answer.text
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui/index.html").write_text(PAGE)
    assert client.get("/").status_code == 200


def test_the_controller_and_the_ui_know_the_same_screens() -> None:
    """Given the UI's routes, then the controller answers each of them with the page, and no other."""
    routes = (PROJECT_DIR / "web/src/app/routes.tsx").read_text()
    screens = re.findall(r"^  (\w+): lazy\(", routes, re.MULTILINE)
    assert sorted([*screens, "login"]) == sorted(SCREENS)
