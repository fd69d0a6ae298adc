"""HLS playlists of recorded footage, and the numbers of parts in one that grows."""

from dataclasses import replace

from camera_ctrler.playback.hls import Part, Place, entrance, iso_time, playlist, target_seconds
from camera_ctrler.playback.live_windows import LiveWindows

START = 1_790_000_000_000


def part(number: int, **fields: object) -> Part:
    """Return the part of a file of ten seconds."""
    made = Part(START + number * 10_000, 1, 0, 9_999, START + number * 10_000, 10.0, "one")
    return replace(made, **fields)  # type: ignore[arg-type]  # the fields of a part


def lines_of(text: str, prefix: str) -> list[str]:
    """Return the lines that begin with something, without it."""
    return [line.removeprefix(prefix) for line in text.splitlines() if line.startswith(prefix)]


def test_files_without_a_gap_share_one_init_section() -> None:
    """Given three files of one stream, then the init section is named once, and no discontinuity is."""
    text = playlist([part(0), part(1), part(2)], ended=True, start_ms=START + 12_500)
    assert lines_of(text, "#EXT-X-MAP") == [f':URI="recordings/{START}-1/init.mp4"']
    assert "#EXT-X-DISCONTINUITY\n" not in text
    assert lines_of(text, "#EXTINF:") == ["10.00000,"] * 3
    assert lines_of(text, "#EXT-X-PROGRAM-DATE-TIME:") == [iso_time(START + 10_000 * number) for number in range(3)]
    assert lines_of(text, "#EXT-X-START:") == ["TIME-OFFSET=12.500,PRECISE=YES"]
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:10\n")
    assert text.endswith(f"recordings/{START + 20_000}-1/0-9999.m4s\n#EXT-X-ENDLIST\n")


def test_a_gap_and_another_init_section_are_discontinuities() -> None:
    """Given a gap, then another stream, then each is marked, with its time, and the init section where it changes."""
    text = playlist([part(0), part(3), part(4, init="two"), part(5, init="two")], ended=True)
    marks = [line for line in text.splitlines() if "DISCONTINUITY" in line or line.startswith("recordings")]
    assert marks[1:] == [
        f"recordings/{START}-1/0-9999.m4s",
        "#EXT-X-DISCONTINUITY",
        f"recordings/{START + 30_000}-1/0-9999.m4s",
        "#EXT-X-DISCONTINUITY",
        f"recordings/{START + 40_000}-1/0-9999.m4s",
        f"recordings/{START + 50_000}-1/0-9999.m4s",
    ]
    assert len(lines_of(text, "#EXT-X-MAP")) == 2


def test_a_place_behind_a_gap_is_counted_in_playing_time() -> None:
    """Given a start wanted in the second file after a gap, then the gap does not count."""
    parts = [part(0), part(3)]
    assert "#EXT-X-START:TIME-OFFSET=14.000," in playlist(parts, ended=True, start_ms=START + 34_000)
    assert "#EXT-X-START:TIME-OFFSET=10.000," in playlist(parts, ended=True, start_ms=START + 20_000)
    assert "#EXT-X-START:TIME-OFFSET=20.000," in playlist(parts, ended=True, start_ms=START + 99_000)
    assert "#EXT-X-START" not in playlist(parts, ended=True)


def test_sound_in_some_files_only_is_left_out_of_all() -> None:
    """Given files with and without sound, then all are asked for without; where all have it, none is."""
    mixed = playlist([part(0, sound=True, lead=0.05), part(1, init="two")], ended=True)
    assert mixed.count("?sound=false") == 4
    assert iso_time(START) in mixed
    alike = playlist([part(0, sound=True, lead=0.05), part(1, sound=True)], ended=True)
    assert "sound" not in alike
    assert iso_time(START - 50) in alike, "sound that begins before the first picture is the first sample"


def test_a_playlist_that_grows_states_its_place_and_no_end() -> None:
    """Given the end of a playlist that grows, then its numbers are stated and its target duration hardly moves."""
    text = playlist(
        [part(0, seconds=2.0), part(0, first=2, begin_ms=START + 2_000, seconds=3.9)], ended=False, place=Place(41, 3)
    )
    assert "#EXT-X-MEDIA-SEQUENCE:41\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n" in text
    assert "ENDLIST" not in text
    assert "PLAYLIST-TYPE" not in text
    assert [target_seconds([part(0, seconds=seconds)], ended=False) for seconds in (1, 2, 2.1, 4, 4.1, 9)] == [
        2, 2, 4, 4, 8, 16,
    ]  # fmt: skip


def test_the_entrance_leads_to_the_live_playlist() -> None:
    """Given a camera, then the entrance names one variant with its size and bandwidth."""
    text = entrance(START, 2_000_000, (640, 360))
    assert text.splitlines()[-2:] == [
        "#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=640x360",
        f"recordings.m3u8?from_ms={START}",
    ]
    assert "RESOLUTION" not in entrance(START, 0, (0, 0))


def test_parts_that_leave_a_live_playlist_are_counted() -> None:
    """Given a playlist that grows while its beginning passes, then every part keeps its number, and gaps theirs."""
    windows, name = LiveWindows(), ("lobby", START)
    numbers: dict[int, int] = {}
    gaps: dict[int, int] = {}
    places = [number for number in range(30) if number % 7 != 3]  # with a gap now and then
    for newest in range(2, len(places)):
        begin = windows.begin_ms(name)
        parts = [part(number) for number in places[: newest + 1] if part(number).end_ms > begin]
        window = windows.cut(name, parts, START + places[newest] * 10_000 - 45_000)
        gap_count = window.place.discontinuities
        for offset, each in enumerate(window.parts):
            if offset and each.begin_ms != window.parts[offset - 1].end_ms:
                gap_count += 1
            assert numbers.setdefault(each.start_ms, window.place.sequence + offset) == window.place.sequence + offset
            assert gaps.setdefault(each.start_ms, gap_count) == gap_count
    assert len(window.parts) < 8
    assert numbers[part(places[-1]).start_ms] == len(places) - 1
    # One that is not remembered, after the controller was started anew, is counted to the same numbers.
    again = LiveWindows().cut(name, [part(number) for number in places], START + places[-1] * 10_000 - 45_000)
    assert again == window


def test_the_last_part_stays_however_old_it_is() -> None:
    """Given a camera that is not recorded any more, then what was played last is still there."""
    window = LiveWindows().cut(("lobby", START), [part(0), part(1)], START + 10**9)
    assert [each.start_ms for each in window.parts] == [START + 10_000]
    assert window.place == Place(1, 0)


def test_files_of_the_archive_bring_their_own_init_sections() -> None:
    """Given files whose init sections were not looked into, then each is named, and they go on without a break."""
    text = playlist([part(number, init="h264", own_init=True) for number in range(3)], ended=True)
    assert len(lines_of(text, "#EXT-X-MAP")) == 3
    assert "#EXT-X-DISCONTINUITY\n" not in text
