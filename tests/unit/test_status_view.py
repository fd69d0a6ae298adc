"""What `./farm status --json` says."""

import json

from cli.status_view import as_document
from contract.errors import StatusReason
from tests.support.looks import led_look, look


def test_the_document_is_json_with_the_same_facts() -> None:
    """Given the farm, the JSON has cameras by id and workers with their lease."""
    document = json.loads(json.dumps(as_document(look())))
    assert [(entry["camera_id"], entry["state"]) for entry in document["cameras"]] == [
        ("gate", "online"),
        ("yard", "offline"),
    ]
    assert [(entry["worker_id"], entry["alive"], entry["lease_ms"]) for entry in document["workers"]] == [
        ("w-1", True, 2_400),
        ("w-2", False, 0),
        ("w-3", False, 0),
    ]


def test_the_document_has_loads_costs_moves_and_what_could_not_be_placed() -> None:
    """Given a led farm, then farm and workers have what the tables show, and what workers say of themselves."""
    document = json.loads(json.dumps(as_document(led_look(unplaced={"x": StatusReason.NO_LABELS}))))
    farm = document["farm"]
    assert (farm["load_cores"], farm["capacity_cores"], farm["required_workers"]) == (1.0, 4.0, 2)
    assert farm["moves_last_hour"] == {"worker_died": 4, "placed": 9}
    assert [one["reason"] for one in farm["unplaced"]] == ["no_labels"]
    assert farm["leader"]["controllers"] == ["a", "b"]
    assert farm["spool"] == {"records": 0, "size_bytes": 0, "lost": 0}
    worker = document["workers"][0]
    assert worker["holdings"] == {"cam-0000000000000000": {"epoch": 12, "cost_cores": 0.12}}
    assert (worker["load"], worker["capacity_cores"]) == (0.5, 2)
    assert (worker["host"], worker["detector"], worker["refused_writes"]) == ("north", "openvino", 0)
