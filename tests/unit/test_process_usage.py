"""CPU of a process and of its host."""

from workers.process_usage import ProcessUsage, busy_seconds, host_busy_seconds, own_cpu_seconds


def test_a_host_is_busy_with_all_but_idling_and_waiting_for_disks() -> None:
    """Given the first line of /proc/stat, guests are not counted twice, and what a hypervisor took is busy."""
    line = "cpu  100 20 30 9000 500 1 2 47 77 77\n"
    assert busy_seconds(line, 100) == (100 + 20 + 30 + 1 + 2 + 47) / 100


def test_a_system_that_does_not_tell_is_not_idle() -> None:
    """Given a line that is another, short, or all zeros (as sandboxes have it), then nothing is known."""
    for line in ("", "cpu", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4", "cpu 0 0 0 0 0 0 0 0 0 0", "cpu a b c d e f g h"):
        assert busy_seconds(line or "\n", 100) is None


def test_what_a_process_uses_is_part_of_what_its_host_does() -> None:
    """Given work of this process, its CPU rate is measured once some seconds were."""
    usage = ProcessUsage()
    assert usage.look(0.0).own_cores is None
    before, host_before = own_cpu_seconds(), host_busy_seconds()
    while own_cpu_seconds() - before < 0.3:
        sum(range(10_000))
    looked = usage.look(6.0)
    assert looked.own_cores is not None
    assert 0.3 / 6 <= looked.own_cores < 6
    assert (looked.host_busy_cores is None) == (host_before is None)
