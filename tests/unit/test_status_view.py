"""What `./farm status` shows of cameras and workers."""

import json

from rich.console import Console

from cli.status_view import as_document, as_tables
from tests.support.looks import look


def shown() -> list[str]:
    """Return the lines of the tables."""
    console = Console(width=160, record=True, file=None)
    with console.capture() as capture:
        console.print(as_tables(look()))
    return capture.get().splitlines()


def test_a_camera_is_shown_with_state_reason_rates_and_age() -> None:
    """Given a working and a failing camera, each line has what an operator looks for, names as they are."""
    lines = shown()
    gate = next(line for line in lines if line.strip().startswith("gate"))
    assert gate.split() == ["gate", "[bold]gate", "online", "w-1", "1.0/25", "1.5", "s", "ago"]
    yard = next(line for line in lines if line.strip().startswith("yard"))
    assert yard.split()[:4] == ["yard", "[bold]yard", "offline", "auth_failed"]


def test_a_worker_is_shown_with_its_load_and_lease() -> None:
    """Given a live, a dead and a silent worker, the lines say which is which."""
    lines = [line.split() for line in shown()]
    assert ["w-1", "north", "cpu", "(openvino)", "1/64", "draining", "28.0", "2.4", "s"] in lines
    assert ["w-2", "north", "cpu", "(openvino)", "1/64", "draining", "28.0", "lost"] in lines
    assert ["w-3", "lost"] in lines


def test_a_farm_without_a_leading_manager_says_so() -> None:
    """Given no plan, the last line asks for the controller."""
    assert "no manager leads" in shown()[-1]


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
