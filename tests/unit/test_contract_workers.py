"""Statuses of workers of other versions."""

from contract.workers import Stage, StageFigures, WorkerStatus


def test_the_status_of_an_older_worker_says_nothing_of_stages_and_a_newer_ones_unknown_stage_is_left_out() -> None:
    """Given messages of workers of other versions, then both are read."""
    said = {
        **{"worker_id": "one", "host": "h", "pid": 1, "version": "0", "started_at_ms": 0, "updated_at_ms": 0},
        **{"device": "cpu", "detector": "openvino", "model": "m", "cores": 2, "max_cameras": 4},
    }
    older = WorkerStatus.model_validate(said)
    assert (older.stages, older.cpu_cores, older.drops_per_second) == (None, None, {})
    newer = WorkerStatus.model_validate(said | {"stages": {"dream": {}, "save": {"busy": 0.5, "colour": "red"}}})
    assert newer.stages == {Stage.SAVE: StageFigures(busy=0.5)}
    assert WorkerStatus.model_validate_json(newer.model_dump_json()) == newer
