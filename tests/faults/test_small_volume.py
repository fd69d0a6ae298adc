"""A volume that fills faster than planned, under a real manager."""

import pytest

from benchmarks.retention import measure


@pytest.mark.long
def test_a_small_volume_never_fills_and_keeps_the_newest_and_the_evidence() -> None:
    """Given 200 MB, nearly full, and writers at twice the planned rate, no write finds it full, no evidence goes."""
    found = measure(minutes=0.5)
    assert found.problems == []
    assert found.least_free_bytes > 10_000_000
    assert found.evidence >= 2
    assert found.files > 20
