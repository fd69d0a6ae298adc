"""What cameras are reckoned to cost, how many workers that takes, and who may connect to what."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.planning.connect_budget import ConnectBudget
from camera_ctrler.planning.costs import DETECT_SECONDS, FRAME_SECONDS, STREAM_CORES, CostBook
from camera_ctrler.planning.load_board import CameraNeed, WorkerOffer, spent
from camera_ctrler.planning.sizing import TARGET_LOAD, load_cores, required_workers
from camera_ctrler.registry import RegisteredCamera, Registry
from contract.camera_specs import CameraCreate
from contract.workers import Holding, WorkerStatus
from runtime.farm_reader import WorkerView
from runtime.secret_box import SecretBox
from tests.support.clocks import SetClock


def view(name: str, *, host: str = "h", alive: bool = True, draining: bool = False, **more: object) -> WorkerView:
    """Return a worker as Redis shows it."""
    fields = {"cores": 4.0, "max_cameras": 10} | more
    status = WorkerStatus.model_validate(
        {
            "worker_id": name, "host": host, "pid": 1, "version": "0", "started_at_ms": 1, "updated_at_ms": 1,
            "device": "cpu", "detector": "openvino", "model": "m", "draining": draining,
        } | fields
    )  # fmt: skip
    return WorkerView(name, alive, 1000, status)


def camera(folder: Path, name: str) -> RegisteredCamera:
    """Return a registered camera."""
    registry = Registry(f"sqlite:///{folder}/farm.sqlite3", SecretBox(Fernet.generate_key().decode()))
    registry.migrate()
    added = registry.add(CameraCreate(id=name, url="rtsp://192.0.2.7/x", analyse_fps=2, require_labels=["gpu"]))
    registry.close()
    return added


def test_costs_are_estimated_until_they_are_measured(tmp_path: Path) -> None:
    """Given nothing measured, a camera costs the default; given others' figures, their median; then its own."""
    gate, book = camera(tmp_path, "gate"), CostBook()
    need = book.need(gate)
    assert (need.stream_cores, need.frame_seconds, need.analyse_fps) == (STREAM_CORES, FRAME_SECONDS, 2)
    assert (need.require, need.host) == (frozenset({"gpu"}), "192.0.2.7")
    others = {name: Holding(epoch=1, stream_cores=cores, frame_seconds=0.002) for name, cores in
              {"a": 0.1, "b": 0.3, "c": 0.2}.items()}  # fmt: skip
    book.hear([view("w", holdings=others)])
    assert (book.need(gate).stream_cores, book.need(gate).frame_seconds) == (0.2, 0.002)
    book.hear([view("w", holdings={"gate": Holding(epoch=1, stream_cores=0.05, frame_seconds=0.001)})])
    assert book.need(gate).stream_cores == 0.05


def test_small_changes_of_a_measured_cost_are_not_heard(tmp_path: Path) -> None:
    """Given a known cost, a change by a tenth raises no version; a doubling does."""
    gate, book = camera(tmp_path, "gate"), CostBook()
    for cores, heard in ((0.10, 0.10), (0.11, 0.10), (0.20, 0.20)):
        version = book.version
        book.hear([view("w", holdings={"gate": Holding(epoch=1, stream_cores=cores, frame_seconds=0.0)})])
        assert book.need(gate).stream_cores == heard
        assert (book.version > version) == (cores == heard)


def test_workers_of_one_host_share_its_cores() -> None:
    """Given two workers on one host that both see its cores, each may spend half; one that says its own, all of it."""
    book = CostBook()
    offers = book.offers([view("a"), view("b"), view("c", host="other", cores=1.5, cores_shared=False)])
    assert {name: offer.cores for name, offer in offers.items()} == {"a": 2.0, "b": 2.0, "c": 1.5}
    assert offers["a"].detect_seconds == DETECT_SECONDS
    offers = book.offers([view("a"), view("b", draining=True), view("c", alive=False)])
    assert {name: offer.cores for name, offer in offers.items()} == {"a": 4.0}


def test_a_worker_that_has_not_measured_its_detector_is_taken_for_a_typical_one() -> None:
    """Given workers with known detection times, a new one is reckoned with their median."""
    book = CostBook()
    workers = [view(name, detect_seconds=seconds) for name, seconds in (("a", 0.02), ("b", 0.04), ("c", 0.03))]
    book.hear(workers)
    assert book.offers([*workers, view("new")])["new"].detect_seconds == 0.03


@given(
    st.lists(st.sampled_from([0.2, 1.0, 4.0]), max_size=60),
    st.integers(1, 5),
    st.sampled_from([1.0, 2.0, 8.0]),
)
def test_as_many_workers_as_required_carry_all_cameras(rates: list[float], running: int, cores: float) -> None:
    """Given any cameras, the workers that are required have room for them at the target, and one fewer have not."""
    needs = [CameraNeed(analyse_fps=rate) for rate in rates]
    offer = WorkerOffer(cores, 1000, detect_seconds=0.05)
    required = required_workers(needs, {f"w{number}": offer for number in range(running)})
    total = sum(spent(need, offer) for need in needs)
    assert total <= required * cores * TARGET_LOAD + 1e-6
    assert required <= (1 if rates else 0) or total > (required - 1) * cores * TARGET_LOAD - 1e-6


def test_missing_labels_and_full_workers_count_as_workers_that_are_needed() -> None:
    """Given cameras for a label nobody has, or more cameras than workers take, the figure says how many are missing."""
    plain = WorkerOffer(8.0, 10, detect_seconds=0.001)
    north = CameraNeed(require=frozenset({"site=north"}))
    assert required_workers([CameraNeed(), north], {"a": plain}) == 2
    assert required_workers([CameraNeed()] * 35, {"a": plain}) == 4
    assert required_workers([], {"a": plain}) == 0
    assert required_workers([CameraNeed()], {}) == 1
    assert load_cores([CameraNeed(stream_cores=0.08)], {"a": plain}) == pytest.approx(0.08 + 0.001)


def test_a_host_has_so_many_connections_in_any_one_second() -> None:
    """Given three a second, a fourth has to wait until the first is a second old; other hosts and files do not."""
    clock = SetClock()
    budget = ConnectBudget(clock, 3)
    for _ in range(3):
        budget.spend("nvr")
        budget.spend("")
        clock.advance(0.3)
    assert budget.left(["nvr", "other", ""]) == {"nvr": 0, "other": 3}
    clock.advance(0.2)
    assert budget.left(["nvr"]) == {"nvr": 1}
