"""The documents made from the code agree with it, and the contract is spelt in one place."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.bootstrap import VERBS
from contract import keys
from contract.errors import REMEDIES, StatusReason
from docs.generate_contract import (
    KEY_FACTS,
    DocumentError,
    documents,
    fields_of,
    key_entry,
    key_functions,
    with_reasons,
)
from runtime.settings import ALL_SETTINGS

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("contract", "runtime", "model_store", "camera_ctrler", "workers", "reid", "cli", "deploy", "benchmarks")
#: A key, not a sentence such as "farm: stopped".
KEY_LITERAL = re.compile(rf"\b{keys.PREFIX}:[^\s]")


def literals(path: Path) -> Iterator[str]:
    """Yield every text constant of a Python file that is not a docstring, or the whole of a Lua file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".lua":
        yield source
        return
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", list(documents()), ids=lambda path: path.name)
def test_a_document_made_from_the_code_is_up_to_date(path: Path) -> None:
    """Given the code as it is, making the document again changes nothing."""
    written = path.read_text(encoding="utf-8")
    assert written == documents()[path], "run: python -m docs.generate_contract"


@pytest.mark.parametrize(("name", "function"), list(key_functions()))
def test_the_docstring_of_every_key_names_type_writer_reader_and_lifetime(name: str, function: object) -> None:
    """Given a key's function, when its docstring is read, then it says who uses the key and how long it lives."""
    assert callable(function)
    entry = key_entry(name, function)
    assert list(entry.facts) == list(KEY_FACTS)
    assert entry.pattern.startswith(f"{keys.PREFIX}:")


def test_two_keys_never_have_the_same_pattern() -> None:
    """Given all keys, then no two of them can name the same key for the same id."""
    patterns = [key_entry(name, function).pattern for name, function in key_functions()]
    assert len(patterns) == len(set(patterns)) > 10


def test_a_key_whose_docstring_leaves_something_out_is_refused_by_name() -> None:
    """Given a key without a lifetime, when the document is made, then the error names key and fact."""

    def careless() -> str:
        """Something.

        Type: string. Writer: worker. Reader: API.
        """
        return "farm:careless"

    with pytest.raises(DocumentError, match=r"contract\.keys\.careless.*Lifetime"):
        key_entry("careless", careless)


def test_no_module_but_the_contract_spells_a_key() -> None:
    """Given every source file of the tree, then only contract/keys.py has a text that looks like a key."""
    files = [path for package in PACKAGES for path in (PROJECT / package).rglob("*") if path.suffix in {".py", ".lua"}]
    assert PROJECT / "runtime/lua/publish_plan.lua" in files
    offenders = {
        str(path.relative_to(PROJECT)): text
        for path in files
        for text in literals(path)
        if KEY_LITERAL.search(text) and path != PROJECT / "contract/keys.py"
    }
    assert offenders == {}


def test_the_search_for_spelt_keys_finds_one(tmp_path: Path) -> None:
    """Given a file that spells a key in an f-string, and a sentence, then only the key is found."""
    path = tmp_path / "bad.py"
    path.write_text('"""farm:docstring"""\nkey = f"farm:camera:{1}:status"\nprint("farm: stopped")\n')
    assert [text for text in literals(path) if KEY_LITERAL.search(text)] == ["farm:camera:"]


PAGES = [
    *(
        PROJECT / name
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "frames/README.md", "reid/README.md")
    ),
    *sorted((PROJECT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    """Given a page, then each link that is no web address names a file or folder of the tree."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    """Given a page, then each `./farm VERB` and each `python -m MODULE` in it is there."""
    text = page.read_text(encoding="utf-8")
    verbs = {verb for verbs in re.findall(r"\./farm ([a-z][a-z|]*)", text) for verb in verbs.split("|")}
    assert verbs <= set(VERBS)
    for module in re.findall(r"python -m ([a-z_.]*[a-z_])", text):
        name = f"{module}.__main__" if (PROJECT / module).is_dir() else module
        assert importlib.util.find_spec(name) is not None, module


def test_every_reason_has_a_remedy() -> None:
    """Given the reasons a status may have, then each one has a sentence that says what to do."""
    assert set(REMEDIES) == set(StatusReason)


def test_operations_without_the_marks_of_the_table_of_reasons_is_refused() -> None:
    """Given a document without the marks, when the table is made, then the error names them."""
    with pytest.raises(DocumentError, match="end of reasons"):
        with_reasons("# Operations")


def test_the_settings_document_covers_every_field() -> None:
    """Given the settings models, then what is read from their source is what pydantic reads."""
    read = {field.name for model in ALL_SETTINGS for field in fields_of(model)}
    assert read == {name for model in ALL_SETTINGS for name in model.model_fields}
