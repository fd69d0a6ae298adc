"""Writes the documents that are made from the code: `python -m docs.generate_contract`.

`docs/contract.md` comes from `contract/` and the Lua scripts, `docs/settings.md` from `runtime/settings/`, and the
table of reasons in `docs/operations.md` from `contract.errors.REMEDIES`. A test fails while one of them is stale.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Final

from pydantic import BaseModel

from contract import (
    assignments,
    camera_trials,
    cameras,
    crops,
    detections,
    errors,
    events,
    footage_report,
    gallery,
    keys,
    plan,
    recognition,
    recordings,
    reid_workers,
    workers,
    zones,
)
from runtime import settings

DOCS: Final = Path(__file__).resolve().parent
LUA: Final = DOCS.parent / "runtime" / "lua"
#: What the docstring of a key must name, in this order.
KEY_FACTS: Final = ("Type", "Writer", "Reader", "Lifetime")
#: Modules whose models travel through Redis.
MESSAGE_MODULES: Final = (
    assignments,
    detections,
    crops,
    events,
    cameras,
    workers,
    plan,
    recordings,
    footage_report,
    recognition,
    reid_workers,
    gallery,
    zones,
    camera_trials,
)
NOTICE: Final = "<!-- Made by `python -m docs.generate_contract`; change the code it is made from, not this file. -->"
REASONS_BEGIN: Final = "<!-- reasons: made by `python -m docs.generate_contract` -->"
REASONS_END: Final = "<!-- end of reasons -->"

_FACT: Final = re.compile(rf"\b({'|'.join(KEY_FACTS)}): (.*?)(?=\s+(?:{'|'.join(KEY_FACTS)}): |$)")


class DocumentError(ValueError):
    """Something in the code does not say what its document needs; the text names it."""


@dataclass(frozen=True)
class KeyEntry:
    """One Redis key as its function describes it."""

    function: str
    #: The key with its parameters in braces.
    pattern: str
    summary: str
    #: `KEY_FACTS` -> what the docstring says.
    facts: dict[str, str]


@dataclass(frozen=True)
class Field:
    """One field of a model, as its source spells it."""

    name: str
    type: str
    #: Empty: the field must be given.
    default: str
    comment: str


# --- reading the code ------------------------------------------------------------------------------------------------


def key_functions() -> Iterator[tuple[str, Callable[..., str]]]:
    """Yield name and function of every key, in the order of the source."""
    for name, member in vars(keys).items():
        if inspect.isfunction(member) and member.__module__ == keys.__name__:
            yield name, member


def key_entry(name: str, function: Callable[..., str]) -> KeyEntry:
    """Return what the docstring of a key's function says.

    Raises:
        DocumentError: It does not name all of `KEY_FACTS`.
    """
    text = " ".join((inspect.getdoc(function) or "").split())
    summary, _, rest = text.partition(f" {KEY_FACTS[0]}: ")
    facts = {fact: value.rstrip(".") for fact, value in _FACT.findall(f"{KEY_FACTS[0]}: {rest}" if rest else "")}
    missing = [fact for fact in KEY_FACTS if not facts.get(fact)]
    if missing or not summary:
        raise DocumentError(f"contract.keys.{name}: the docstring must say {', '.join(missing) or 'what the key is'}")
    placeholders = [f"{{{parameter}}}" for parameter in inspect.signature(function).parameters]
    return KeyEntry(name, function(*placeholders), summary, facts)


def fields_of(model: type) -> list[Field]:
    """Return the fields that the body of `model` declares, with the `#:` comment above each."""
    source = inspect.getsource(model)
    lines = source.splitlines()
    body = ast.parse(inspect.cleandoc(source) if source[0].isspace() else source).body[0]
    assert isinstance(body, ast.ClassDef)
    found = []
    for node in body.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        type_ = ast.unparse(node.annotation)
        if type_.startswith("ClassVar") or node.target.id == "model_config":
            continue
        default = ast.unparse(node.value) if node.value is not None else ""
        found.append(Field(node.target.id, type_, default, _comment_above(lines, node.lineno)))
    return found


def _comment_above(lines: list[str], line_number: int) -> str:
    """Return the `#:` comment that ends just above line `line_number` (1 is the first)."""
    comment: list[str] = []
    for line in reversed(lines[: line_number - 1]):
        stripped = line.strip()
        if not stripped.startswith("#:"):
            break
        comment.insert(0, stripped.removeprefix("#:").strip())
    return " ".join(comment)


def own_classes(module: ModuleType, base: type) -> list[type]:
    """Return the classes below `base` that `module` itself defines, in the order of the source."""
    return [
        member
        for member in vars(module).values()
        if inspect.isclass(member) and issubclass(member, base) and member.__module__ == module.__name__
    ]


# --- writing ---------------------------------------------------------------------------------------------------------


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a Markdown table; cells may hold any text of one line."""
    lines = [header, tuple("---" for _ in header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def code(text: str) -> str:
    """Return `text` as inline code, or an empty text as it is."""
    return f"`` {text} ``" if "`" in text else f"`{text}`" if text else ""


def field_table(model: type) -> list[str]:
    """Return the table of a model's fields."""
    rows = [
        (code(field.name), code(field.type), code(field.default) or "must be given", field.comment)
        for field in fields_of(model)
    ]
    return table(("Field", "Type", "Default", "Meaning"), rows)


def contract_document() -> str:
    """Return `docs/contract.md`."""
    lines = [
        "# Contract",
        "",
        NOTICE,
        "",
        "What the services say to each other, and where in Redis they say it. The words are explained in the",
        "[glossary](glossary.md); how the pieces work together stands in [architecture](architecture.md).",
    ]
    for section in (_keys_section, _messages_section, _values_section, _scripts_section):
        lines += ["", *section()]
    return "\n".join(lines) + "\n"


def _keys_section() -> Iterator[str]:
    entries = [key_entry(name, function) for name, function in key_functions()]
    overview = [(code(entry.pattern), entry.facts["Type"], entry.facts["Lifetime"]) for entry in entries]
    yield from ("## Redis keys", "", *table(("Key", "Type", "Lifetime"), overview))
    for entry in entries:
        yield from ("", f"### {code(entry.pattern)}", "", entry.summary, "")
        yield from (f"* {fact}: {entry.facts[fact]}" for fact in KEY_FACTS)
        yield f"* Function: `contract.keys.{entry.function}`"
    yield from ("", "### Keys of RQ", "", "RQ makes them; only `reid/queue/` touches them.", "")
    yield from table(("Key", "What it is"), [(code(pattern), meaning) for pattern, meaning in keys.RQ_KEYS.items()])


def _messages_section() -> Iterator[str]:
    yield from ("## Messages", "", "JSON, written and checked by pydantic models.")
    for module in MESSAGE_MODULES:
        for model in own_classes(module, BaseModel):
            yield from ("", f"### `{model.__name__}`", "", inspect.getdoc(model) or "", "")
            bases = [base.__name__ for base in model.__bases__ if base is not BaseModel]
            if bases:
                yield from (f"All fields of {', '.join(bases)}, and:", "")
            yield from field_table(model)


def _values_section() -> Iterator[str]:
    yield "## Words with a fixed set of values"
    for module in (*MESSAGE_MODULES, errors):
        for enum in own_classes(module, StrEnum):
            assert issubclass(enum, StrEnum)
            yield from ("", f"### `{enum.__name__}`", "", inspect.getdoc(enum) or "", "")
            yield ", ".join(code(member.value) for member in enum)


def _scripts_section() -> Iterator[str]:
    yield from ("## Scripts", "", "Writes that must be checked and made in one step run inside Redis.")
    for path in sorted(LUA.glob("*.lua")):
        yield from ("", f"### `{path.stem}`", "", "```", *script_header(path.read_text(encoding="utf-8")), "```")


def script_header(source: str) -> list[str]:
    """Return the comment that a Lua script begins with."""
    header: list[str] = []
    for line in source.splitlines():
        if not line.startswith("--"):
            break
        header.append(line.removeprefix("--").removeprefix(" "))
    return header


def _setting_default(field: Field) -> str:
    """Return a setting's default as people would write it; an empty one as ``empty``."""
    return "empty" if field.default in {"SecretStr('')", "''", "None"} else code(field.default.strip("'"))


def settings_document() -> str:
    """Return `docs/settings.md`."""
    lines = [
        "# Settings",
        "",
        NOTICE,
        "",
        "Every process reads `FARM_*` variables from its environment and from a `.env` file in the project's folder",
        "(another file: `FARM_ENV_FILE`); the environment wins. A name that stands nowhere below is refused.",
    ]
    for model in settings.ALL_SETTINGS:
        lines += ["", f"## {model.__name__}", "", inspect.getdoc(model) or ""]
        bases = [base.__name__ for base in model.__bases__ if base in settings.ALL_SETTINGS]
        lines += [f"Reads all settings of {' and '.join(bases)} as well."] if bases else []
        rows = [
            (
                code(f"{settings.ENV_PREFIX}{field.name.upper()}"),
                code(field.type),
                _setting_default(field),
                field.comment,
            )
            for field in fields_of(model)
        ]
        lines += ["", *table(("Name", "Type", "Default", "Meaning"), rows)]
    lines += ["", "## Read by `./farm` before anything is installed", ""]
    lines += [", ".join(code(name) for name in sorted(settings.LAUNCHER_NAMES)) + "."]
    return "\n".join(lines) + "\n"


def with_reasons(document: str) -> str:
    """Return `document` with the table of reasons between its two marks made anew.

    Raises:
        DocumentError: A mark is missing.
    """
    before, begin, rest = document.partition(REASONS_BEGIN)
    _, end, after = rest.partition(REASONS_END)
    if not begin or not end:
        raise DocumentError(f"docs/operations.md must have the lines {REASONS_BEGIN!r} and {REASONS_END!r}")
    rows = [(code(reason.value), remedy) for reason, remedy in errors.REMEDIES.items()]
    return "\n".join([before + begin, "", *table(("Reason", "Meaning and remedy"), rows), "", end + after])


def documents() -> dict[Path, str]:
    """Return path -> text of every document that is made from the code, as it should be now."""
    operations = DOCS / "operations.md"
    return {
        DOCS / "contract.md": contract_document(),
        DOCS / "settings.md": settings_document(),
        operations: with_reasons(operations.read_text(encoding="utf-8")),
    }


def main() -> int:
    """Write every document that has changed; return an exit code."""
    for path, text in documents().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: docs/{path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
