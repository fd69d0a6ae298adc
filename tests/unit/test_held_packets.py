"""Packets in memory: bounded, whole GOPs, every one that is dropped counted."""

from typing import cast

from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import StatusReason
from workers.media import MediaPacket
from workers.recording.held_packets import Arrived, Ended, Failed, HeldPacket, HeldPackets, Inbox, Told

SIZE = 100


def arrived(number: int, *, keyframe: bool = False, video: bool = True) -> Arrived:
    """Return the packet that arrived at second `number`."""
    return Arrived(cast("MediaPacket", Packet(SIZE)), video, keyframe, float(number), number * 1000, SIZE)


def held(number: int, *, keyframe: bool = False, video: bool = True) -> HeldPacket[str]:
    """Return the same with a place in time."""
    return HeldPacket(
        "s", cast("MediaPacket", Packet(SIZE)), video, keyframe, float(number), 0.0, float(number), SIZE, False
    )


def test_what_was_put_in_is_taken_out_in_order_and_once() -> None:
    """Given packets and words, when they are taken, then all of them, and nothing the second time."""
    inbox = Inbox(10_000)
    told: list[Told] = [arrived(0, keyframe=True), arrived(1), Failed(StatusReason.TIMEOUT, ""), Ended()]
    for each in told:
        inbox.put(each)
    assert inbox.take() == (told, 0)
    assert inbox.take() == ([], 0)


def test_too_much_drops_the_oldest_gop_and_marks_the_hole() -> None:
    """Given room for ten packets in GOPs of four, when more come, then whole GOPs go and the next one says so."""
    inbox = Inbox(10 * SIZE)
    for number in range(12):
        inbox.put(arrived(number, keyframe=number % 4 == 0))
    told, dropped = inbox.take()
    packets = [each for each in told if isinstance(each, Arrived)]
    assert [packet.at for packet in packets] == [4, 5, 6, 7, 8, 9, 10, 11]
    assert [packet.follows_hole for packet in packets] == [True] + [False] * 7
    assert dropped == 4


def test_words_survive_when_packets_are_dropped() -> None:
    """Given an end between packets, when there are too many, then the end is still told."""
    inbox = Inbox(2 * SIZE)
    inbox.put(arrived(0, keyframe=True))
    inbox.put(Ended())
    for number in range(1, 5):
        inbox.put(arrived(number))
    assert Ended() in inbox.take()[0]


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 30))
def test_an_inbox_never_holds_more_than_its_limit_and_counts_the_rest(keyframes: list[bool], room: int) -> None:
    """Given any GOPs, then what is left is within the limit, in order, and nothing is missing from the counts."""
    inbox = Inbox(room * SIZE)
    for number, keyframe in enumerate(keyframes):
        inbox.put(arrived(number, keyframe=keyframe))
    told, dropped = inbox.take()
    packets = [each for each in told if isinstance(each, Arrived)]
    assert len(packets) <= room
    assert len(packets) + dropped == len(keyframes)
    assert [packet.at for packet in packets] == list(range(dropped, len(keyframes)))
    assert not packets or not dropped or (packets[0].is_keyframe and packets[0].follows_hole)


def test_a_gop_is_dropped_whole_with_its_sound() -> None:
    """Given two GOPs with sound, when the oldest goes, then only the second is left; pictures are counted."""
    packets: HeldPackets[str] = HeldPackets()
    for number in range(8):
        packets.append(held(number, keyframe=number % 4 == 0, video=number % 2 == 0))
    assert packets.gop_end() == 4
    assert packets.drop_gop() == 2
    assert [packet.at for packet in packets] == [4, 5, 6, 7]
    assert packets.bytes == 4 * SIZE
    assert packets.gop_end() is None


def test_the_end_of_a_gop_is_known_also_when_the_oldest_packet_is_no_keyframe() -> None:
    """Given packets that begin in the middle of a GOP, then it ends with the first keyframe."""
    packets: HeldPackets[str] = HeldPackets()
    for number in range(1, 6):
        packets.append(held(number, keyframe=number == 4))
    assert packets.gop_end() == 4
    assert packets.drop_gop() == 3
    assert packets.oldest is not None
    assert packets.oldest.is_keyframe
