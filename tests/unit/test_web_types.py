"""The web UI is checked against the API as it is."""

from docs import generate_openapi


def test_the_types_of_the_web_ui_are_those_of_the_api() -> None:
    """Given the API, when the types of the web UI are looked at, then they were made from it."""
    wanted = generate_openapi.first_line(generate_openapi.document())
    found = generate_openapi.TYPES.read_text(encoding="utf-8").partition("\n")[0]
    assert found == wanted, "run `python -m docs.generate_openapi` (after `npm ci` in web/)"
