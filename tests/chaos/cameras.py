"""The cameras of a chaos run: on two camera hosts, registered and changed through the API while all goes on."""

from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.event_log import EventLog
from tests.support.farm import Farm
from tests.support.rtsp_server import RtspServer

#: Analysed frames per second that a change chooses from; `fault_kinds.UNDISTURBED_SECONDS` rests on the slowest.
RATES: Final = (1.0, 2.0, 3.0)
CLIP: Final = "squares.mp4"


@dataclass
class ChaosCamera:
    """One camera as the API has accepted it."""

    camera_id: str
    host: str
    enabled: bool = True


class ChaosCameras:
    """Adds, changes and removes cameras; what the API does not accept is logged and did not happen."""

    def __init__(self, farm: Farm, hosts: dict[str, RtspServer], log: EventLog) -> None:
        self._farm = farm
        self._hosts = hosts
        self._log = log
        self._number = 0
        self.registered: dict[str, ChaosCamera] = {}
        #: Every id that there ever was.
        self.ids: list[str] = []

    def add(self) -> bool:
        """Register one more camera, on the camera hosts in turn."""
        self._number += 1
        host = sorted(self._hosts)[self._number % len(self._hosts)]
        camera_id = f"cam-{self._number}"
        body = {"id": camera_id, "url": self._hosts[host].url(CLIP), "analyse_fps": 2.0}
        if not self._call("POST", "/api/v1/cameras", body):
            return False
        self.registered[camera_id] = ChaosCamera(camera_id, host)
        self.ids.append(camera_id)
        self._log.write("camera", camera=camera_id, change="added", host=host)
        return True

    def remove(self, camera_id: str) -> bool:
        """Delete a camera."""
        # Said before: from the moment it is asked for, no more results are owed.
        self._log.write("camera", camera=camera_id, change="removing")
        if not self._call("DELETE", f"/api/v1/cameras/{camera_id}"):
            return False
        del self.registered[camera_id]
        self._log.write("camera", camera=camera_id, change="removed")
        return True

    def change_rate(self, camera_id: str, rate: float) -> bool:
        """Let a camera be analysed at another rate."""
        if not self._call("PATCH", f"/api/v1/cameras/{camera_id}", {"analyse_fps": rate}):
            return False
        self._log.write("camera", camera=camera_id, change="changed")
        return True

    def switch(self, camera_id: str, *, on: bool) -> bool:
        """Enable or disable a camera."""
        if not on:
            self._log.write("camera", camera=camera_id, change="disabling")
        if not self._call("PATCH", f"/api/v1/cameras/{camera_id}", {"enabled": on}):
            return False
        self.registered[camera_id].enabled = on
        self._log.write("camera", camera=camera_id, change="enabled" if on else "disabled")
        return True

    def _call(self, method: str, path: str, body: object = None) -> bool:
        answer: Any
        try:
            status, answer = self._farm.call(method, path, body)
        except OSError as error:
            status, answer = 0, str(error)
        if 200 <= status < 300:
            return True
        self._log.write("refused", call=f"{method} {path}", status=status, answer=answer)
        return False
