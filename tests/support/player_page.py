"""A page with one video that plays a playlist with hls.js or by itself, and takes down what it shows."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, Route, sync_playwright

from tests.support.footage import READ_TIME_JS

CHROMIUM: Final = shutil.which("chromium")
_HLS_JS: Final = Path(__file__).parent / "hls_js" / "hls.light.min.js"
_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
]
_PAGE: Final = f"""<!doctype html><video id="video" muted playsinline width="640"></video><script src="hls.js"></script>
<script>
{READ_TIME_JS}
const video = document.getElementById("video");
const shown = [], errors = [];
let hls = null;

function wallTime(mediaTime) {{
  if (!hls) return null;
  const details = hls.levels[hls.loadLevel >= 0 ? hls.loadLevel : 0].details;
  const fragment = details.fragments.find((each) => mediaTime >= each.start - 1e-4 && mediaTime < each.end - 1e-4);
  return fragment ? fragment.programDateTime + (mediaTime - fragment.start) * 1000 : null;
}}

function note(now, meta) {{
  shown.push({{
    media: meta.mediaTime, clock: Date.now(), wall: wallTime(meta.mediaTime), width: video.videoWidth,
    burnt: readTime(video, video.videoWidth, video.videoHeight),
  }});
  video.requestVideoFrameCallback(note);
}}

function play(url, withHlsJs, rate) {{
  video.onerror = () => errors.push("video: " + (video.error && video.error.message));
  video.requestVideoFrameCallback(note);
  if (withHlsJs) {{
    hls = new Hls({{ enableWorker: false, maxBufferLength: 30, liveSyncDurationCount: 2 }});
    hls.on(Hls.Events.ERROR, (_, data) => errors.push(data.details + (data.fatal ? " (fatal)" : "")));
    hls.loadSource(url);
    hls.attachMedia(video);
  }} else {{
    video.src = url;
  }}
  video.defaultPlaybackRate = video.playbackRate = rate;
  video.play().catch((error) => errors.push("play: " + error.message));
}}

async function seek(mediaTime) {{
  const done = new Promise((resolve) => video.requestVideoFrameCallback((now, meta) => resolve(meta.mediaTime)));
  video.currentTime = mediaTime;
  const at = await done;
  return {{ media: at, wall: wallTime(at), burnt: readTime(video, video.videoWidth, video.videoHeight) }};
}}
</script>"""


class Player:
    """One page; its own functions are called by `page.evaluate`."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        page.route(f"{base_url}/player.html", _serve(_PAGE.encode(), "text/html"))
        page.route(f"{base_url}/hls.js", _serve(_HLS_JS.read_bytes(), "text/javascript"))
        page.goto(f"{base_url}/player.html")

    def play(self, url: str, *, hls_js: bool = True, rate: float = 1.0) -> None:
        """Begin to play."""
        self.page.evaluate("([url, hlsJs, rate]) => play(url, hlsJs, rate)", [url, hls_js, rate])

    def wait_for_end(self, seconds: float) -> None:
        """Wait until everything was played."""
        self.page.wait_for_function(
            "video.ended || errors.some((text) => text.includes('fatal'))", timeout=seconds * 1000
        )

    def seek(self, media_seconds: float) -> dict[str, Any]:
        """Seek and return the picture that is shown then: its media time, wall-clock time, and the one burnt in."""
        found: dict[str, Any] = self.page.evaluate("(at) => seek(at)", media_seconds)
        return found

    @property
    def shown(self) -> list[dict[str, Any]]:
        """Pictures that were shown, in order."""
        found: list[dict[str, Any]] = self.page.evaluate("shown")
        return found

    @property
    def errors(self) -> list[str]:
        """What went wrong."""
        found: list[str] = self.page.evaluate("errors")
        return found


@contextmanager
def open_player(base_url: str) -> Iterator[Player]:
    """Open a page of a headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield Player(browser.new_page(viewport={"width": 800, "height": 600}), base_url)
        finally:
            browser.close()


def _serve(body: bytes, kind: str) -> Any:
    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type=kind)

    return answer
