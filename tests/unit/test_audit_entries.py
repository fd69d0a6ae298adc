"""What of a deed is kept, and what of it nobody may read."""

import json

from hypothesis import given
from hypothesis import strategies as st

from camera_ctrler.audit.entry import MAX_DETAIL, SECRET_FIELDS, masked, stored_detail

SECRET = "s3cr3t-canary"  # noqa: S105 - looked for in what is kept


def test_secrets_are_masked_wherever_they_stand() -> None:
    """Given passwords in fields, lists and URLs, then none is kept, and everything else is."""
    asked = {
        "url": f"rtsp://anna:{SECRET}@192.0.2.9/live",
        "cameras": [{"main_url": f"http://192.0.2.9/x?password={SECRET}", "password": SECRET, "name": "Gate"}],
        "new": SECRET,
        "current": SECRET,
        "token": SECRET,
    }
    kept = masked(asked)
    assert SECRET not in json.dumps(kept)
    assert kept["cameras"][0]["name"] == "Gate"
    assert "192.0.2.9" in kept["url"]


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=8)
)
def test_what_is_no_secret_is_kept_as_it_is(value: object) -> None:
    """Given anything that has neither a secret's name nor a URL, then it is kept to the letter."""
    text = json.dumps(value)
    if "://" not in text and not any(f'"{name}"' in text for name in SECRET_FIELDS):
        assert masked(value) == value


def test_a_detail_has_a_bounded_length() -> None:
    """Given ten thousand cameras in one request, then what is kept of it has room in a row."""
    kept = stored_detail(
        {"cameras": [{"id": f"camera-{number}", "url": "rtsp://192.0.2.9"} for number in range(10_000)]}
    )
    assert len(json.dumps(kept)) < 2 * MAX_DETAIL
    assert "camera-1" in kept["shortened"]
