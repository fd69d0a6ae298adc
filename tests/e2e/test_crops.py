"""A real worker on real footage names crops of the people it follows, and they are on the volume."""

from pathlib import Path
from typing import Any

import cv2
import pytest

from contract.crop_paths import parse_crop_path
from tests.support.farm import REPOSITORY, Farm
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.weights import yolo11n

PLAZA = REPOSITORY.parent / "shared" / "data" / "mot" / "MOT15" / "PETS09-S2L1"


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.skipif(not PLAZA.is_dir(), reason=f"{PLAZA} is not there")
def test_people_on_a_plaza_are_told_of_with_crops_within_two_seconds(tmp_path: Path, own_valkey: ValkeyServer) -> None:
    """Given a camera over a plaza, when people walk there, events name crops of them, which are whole pictures."""
    (video,) = PLAZA.glob("*.mp4")
    yolo11n()
    settings = {"FARM_LOCAL_VIDEO_DIR": str(PLAZA), "FARM_DETECT_SIZE": "480", "FARM_DETECT_THREADS": "1"}
    with Farm(tmp_path, own_valkey.url, api_port=free_port(), **settings) as farm:
        farm.start_controller()
        farm.start_worker("one")
        farm.add_camera("plaza", f"file://{video}", analyse_fps=2, classes=["person"], box_padding=0.1)

        def events() -> list[dict[str, Any]]:
            status, answer = farm.call("GET", "/api/v1/events?limit=200")
            assert status == 200, answer
            return [event for event in answer["items"] if event.get("crops")]

        farm.wait_for(lambda: len({event["track"] for event in events()}) >= 3, "three people have crops", 60)
        for event in events():
            assert event["kind"] in {"track_updated", "track_ended"}
            for crop in event["crops"]:
                assert parse_crop_path(crop["path"]).camera_id == "plaza"
                image = cv2.imread(str(farm.frames_dir / crop["path"]))
                assert image is not None
                assert image.shape == (crop["height"], crop["width"], 3)
        first = min(events(), key=lambda event: int(event["number"]))
        assert first["at_ms"] - first["started_at_ms"] <= 2_000
        farm.wait_for(lambda: farm.camera_status("plaza")["crops_saved"] >= 3, "its status counts them", 20)
        assert b"farm_camera_crops_saved_total" in farm.call("GET", "/metrics")[1]
