"""Files of cameras: every place that is wrong is named, and nothing wrong gets through."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.camera_files import COLUMNS, CameraFileError, check_rows, csv_rows, json_rows, read_rows
from contract.camera_specs import CameraCreate

URL = "rtsp://192.0.2.10:554/stream1"


def test_a_csv_file_may_have_any_columns_in_any_order() -> None:
    """Given a header with some columns, cells are read by name, empty ones are left out, lists are split."""
    text = f"name,url,classes,enabled,analyse_fps,id\nGate,{URL},person; car,no,2.5,gate\n,{URL},,,,\n\n"
    checked = check_rows(csv_rows(text, "c.csv"), [])
    assert checked.problems == []
    first, second = checked.good.values()
    assert (first.id, first.name, first.classes, first.enabled) == ("gate", "Gate", ["person", "car"], False)
    assert first.analyse_fps == 2.5
    assert second == CameraCreate(url=URL)


def test_spreadsheets_begin_with_a_mark_and_that_is_fine(tmp_path: Path) -> None:
    """Given the byte order mark and line ends of a spreadsheet program, the file is read."""
    path = tmp_path / "cameras.CSV"
    path.write_bytes(b"\xef\xbb\xbfid,url\r\ngate," + URL.encode() + b"\r\n")
    assert [row.fields for row in read_rows(path)] == [{"id": "gate", "url": URL}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 must name the columns, at least url"),
        ("id,name\n", "line 1 must name the columns, at least url"),
        ("id,url,fsp\n", "line 1, column 3: 'fsp' is unknown"),
        ("url,analyze_fps\n", "line 1, column 2: 'analyze_fps' is unknown; did you mean analyse_fps?"),
        ("url,id,url\n", "line 1, column 3: 'url' is there twice"),
        (f"id,url\na,{URL},surplus\n", "line 2 has 3 cells, the header has 2"),
        ('id,url\n"a,x\n', "is not CSV"),
    ],
)
def test_a_csv_file_that_cannot_be_read_says_where(text: str, message: str) -> None:
    """Given a broken file, the error names the line, the column and what would be right."""
    with pytest.raises(CameraFileError, match=message.replace("?", r"\?")):
        csv_rows(text, "cameras.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"url": }]', r"line 1, column 10 is not JSON"),
        ('{"url": "rtsp://a"}', "must hold a list of objects"),
        ('["rtsp://a"]', "entry 1 must be an object"),
        ("[" * 100_000, "nested too deeply|not JSON"),
    ],
)
def test_a_json_file_that_cannot_be_read_says_where(text: str, message: str) -> None:
    """Given a broken file, the error names the place."""
    with pytest.raises(CameraFileError, match=message):
        json_rows(text, "cameras.json")


def test_every_wrong_cell_is_named_by_line_and_column() -> None:
    """Given four wrong rows of six, each problem has its line and its column, and two are right."""
    text = (
        "id,url,analyse_fps,confidence\n"
        f"ok,{URL},,\n"
        "bad-scheme,ftp://192.0.2.1/a,,\n"
        f"../etc,{URL},many,\n"
        f"taken,{URL},,\n"
        f"ok,{URL},,\n"
        f"fine,{URL},1,0.5\n"
    )
    checked = check_rows(csv_rows(text, "c.csv"), ["taken"])
    assert list(checked.good) == ["line 2", "line 7"]
    places = [problem.partition(":")[0] for problem in checked.problems]
    assert sorted(places) == [
        "line 3, column url",
        "line 4, column analyse_fps",
        "line 4, column id",
        "line 5, column id",
        "line 6, column id",
    ]
    assert "'ok' is also in line 2" in checked.problems[-1]


def test_cameras_without_an_id_do_not_collide() -> None:
    """Given many rows without an id, all are right."""
    assert len(check_rows(json_rows(json.dumps([{"url": URL}] * 3), "c.json"), []).good) == 3


def test_problems_never_show_passwords() -> None:
    """Given wrong rows with passwords in them, no problem repeats a value."""
    rows = [
        {"url": "rtsp://admin:hunter2@[bad/x"},
        {"url": URL, "password": "hunter2" * 100},
        {"url": 5, "x": "hunter2"},
    ]
    problems = check_rows(json_rows(json.dumps(rows), "c.json"), []).problems
    assert len(problems) >= 3
    assert "hunter2" not in " ".join(problems)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Given a wrong ending, a missing file, or other bytes than UTF-8, the error says which."""
    (tmp_path / "cameras.csv").write_bytes(b"url\n\xff\xfe")
    for name, message in (
        ("a.xlsx", "neither .csv nor .json"),
        ("b.csv", "No such file"),
        ("cameras.csv", "not UTF-8"),
    ):
        with pytest.raises(CameraFileError, match=message):
            read_rows(tmp_path / name)


@given(st.lists(st.fixed_dictionaries({}, optional={name: st.text(max_size=20) for name in COLUMNS}), max_size=5))
def test_whatever_a_json_file_holds_the_answer_is_good_or_a_problem(entries: list[dict[str, str]]) -> None:
    """Given any values in any columns, each row ends up either good or with a problem, and nothing else happens."""
    checked = check_rows(json_rows(json.dumps(entries), "c.json"), [])
    bad_places = {problem.partition(",")[0] for problem in checked.problems}
    assert bad_places.isdisjoint(checked.good)
    assert len(bad_places) + len(checked.good) == len(entries)


@given(st.text(max_size=200))
def test_whatever_a_csv_file_holds_it_is_read_or_refused(text: str) -> None:
    """Given any text, reading it gives rows or the named error."""
    try:
        rows = csv_rows("url,id\n" + text, "c.csv")
    except CameraFileError:
        return
    check_rows(rows, [])
