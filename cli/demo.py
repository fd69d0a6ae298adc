"""`./farm demo`: a whole farm with cameras, for people who have none at hand."""

import contextlib
import os
import socket
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from camera_ctrler.api.farm_watch import FarmLook, FarmWatch
from camera_ctrler.registry import CameraNotFoundError, Registry
from cli.connection import open_registry
from cli.demo_cameras import footage, server
from cli.demo_cameras.footage import DemoCamera
from cli.models import make_model_present, usable_recognisers
from cli.ports import check_port
from cli.stack import Stack, announce, check_ports, locked, next_steps, running_stack
from cli.steps import Steps
from cli.web_command import make_present
from contract.camera_specs import CameraCreate, CameraPatch
from contract.cameras import CameraState
from contract.recordings import RecordMode
from runtime import exit_codes
from runtime.child_process import Child
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.process_group import StoppedWhileStartingError
from runtime.redis_client import RedisAwayError, connect
from runtime.settings import PROJECT_DIR, DatabaseSettings, StackSettings, is_loopback

#: Seconds that all demo cameras may take to be analysed; then those that are not are named.
ONLINE_SECONDS: Final = 60.0
#: Most bytes of footage, where no setting says otherwise: somebody who tries the farm has not planned for its disk.
FOOTAGE_BYTES: Final = 2_000_000_000


def run_demo(settings: StackSettings, *, rtsp_port: int, tcp: bool, verbose: bool) -> int:
    """Run a farm with demo cameras until it is asked to stop; return an exit code."""
    steps = Steps()
    media_dir = settings.data_dir.absolute() / "demo"
    if not settings.recordings_max_bytes:
        os.environ["FARM_RECORDINGS_MAX_BYTES"] = str(FOOTAGE_BYTES)  # the processes of the farm inherit it
    settings = open_on_loopback(settings)
    with locked(settings) as lock:
        check_ports(settings)
        check_port(server.DEFAULT_HOST, rtsp_port, "--rtsp-port")
        make_present(steps)
        if settings.workers:
            make_model_present(settings, steps)
        recognisers = usable_recognisers(settings, steps) if settings.reid_workers else ""
        with steps.step("demo footage") as step:
            cameras = footage.prepare(media_dir, step.progress)
            step.text = f"demo footage: {', '.join(camera.id for camera in cameras)}"
        try:
            with running_stack(settings, steps, verbose=verbose) as stack:
                stack.recognisers = recognisers
                stack.start_redis(tcp=tcp)
                announce(stack, lock, "demo")
                stack.migrate()
                login = stack.make_first_admin()
                stack.start(
                    f"demo cameras on rtsp://{server.DEFAULT_HOST}:{rtsp_port}", [_server(media_dir, rtsp_port)]
                )
                with open_registry(settings) as registry:
                    register(registry, cameras, rtsp_port, steps)
                stack.start_farm()
                if settings.workers:
                    _wait_online(stack, [camera.id for camera in cameras])
                steps.block(next_steps(stack.settings, login))
                return stack.supervise()
        except StoppedWhileStartingError:
            return exit_codes.FORCED
        finally:
            switch_off(settings, cameras)


def open_on_loopback(settings: StackSettings) -> StackSettings:
    """Return settings without login where only this machine reaches the farm, unless FARM_AUTH says what is wanted.

    The processes of the farm inherit it.
    """
    if "auth" in settings.model_fields_set or not is_loopback(settings.api_host):
        return settings
    os.environ["FARM_AUTH"] = "off"
    return settings.model_copy(update={"auth": False})


def _server(media_dir: Path, port: int) -> Child:
    def answers(_pid: int) -> bool:
        with socket.socket() as client:
            client.settimeout(1)
            return client.connect_ex((server.DEFAULT_HOST, port)) == 0

    return Child("demo-cameras", server.argv(media_dir, port=port), cwd=PROJECT_DIR, ready=answers)


def register(registry: Registry, cameras: Sequence[DemoCamera], port: int, steps: Steps) -> None:
    """Add the demo cameras, or switch those on that an earlier demo left; what people changed in them stays."""
    for camera in cameras:
        url = camera.url(server.DEFAULT_HOST, port)
        try:
            found = registry.get(camera.id).view().url
        except CameraNotFoundError:
            registry.add(CameraCreate(id=camera.id, name=camera.name, url=url, record=RecordMode.CONTINUOUS))
            continue
        if is_demo_url(found, camera):
            registry.update(camera.id, CameraPatch(url=url, enabled=True))
        else:
            steps.warn(f"there is a camera {camera.id!r} of yours; the demo camera of that name is left out")


def is_demo_url(url: str, camera: DemoCamera) -> bool:
    """Tell whether `url` is where some demo serves `camera`, on whatever port."""
    host, _, rest = url.removeprefix("rtsp://").partition(":")
    return url.startswith("rtsp://") and host == server.DEFAULT_HOST and rest.endswith(f"/{camera.clip.stem}")


def switch_off(settings: DatabaseSettings, cameras: Sequence[DemoCamera]) -> None:
    """Leave the demo cameras switched off: without their server, `./farm up` would try them for ever."""
    with open_registry(settings) as registry:
        for camera in cameras:
            with contextlib.suppress(CameraNotFoundError):  # never registered, or removed by somebody
                if is_demo_url(registry.get(camera.id).view().url, camera):
                    registry.update(camera.id, CameraPatch(enabled=False))


def _wait_online(stack: Stack, camera_ids: Sequence[str]) -> None:
    with (
        stack.steps.step("first detections") as step,
        open_registry(stack.settings) as registry,
        connect(stack.settings, name="camfarm-cli") as client,
    ):
        farm = FarmWatch(registry, FarmReader(client), SystemClock())

        def all_analysed() -> bool:
            try:
                waiting = not_analysed(farm.look(), camera_ids)
            except RedisAwayError:  # its supervisor is starting it again
                return False
            step.progress(f"waiting for {', '.join(waiting)}")
            return not waiting

        done = stack.wait_for(all_analysed, ONLINE_SECONDS)
        look = farm.look()
        step.text = in_view(look)
    if not done:
        for camera_id in not_analysed(look, camera_ids):
            view = look.statuses[camera_id]
            reason = view.reason.value if view.reason else view.state.value
            stack.steps.warn(f"{camera_id} is not online: {reason}. {view.remedy}")


def not_analysed(look: FarmLook, camera_ids: Sequence[str]) -> list[str]:
    """Return those of `camera_ids` that are not online with a first frame analysed; removed ones do not count."""
    views = [look.statuses[camera_id] for camera_id in camera_ids if camera_id in look.statuses]
    return [view.camera_id for view in views if not (view.state is CameraState.ONLINE and view.frames_analysed)]


def in_view(look: FarmLook) -> str:
    """Return how many cameras are online and what they see, as one sentence."""
    seen: Counter[str] = Counter()
    for view in look.statuses.values():
        seen.update(view.objects)
    objects = ", ".join(f"{count} {name}" for name, count in seen.most_common(4)) or "nothing yet"
    return f"{look.online} of {len(look.statuses)} cameras online, in view: {objects}"
