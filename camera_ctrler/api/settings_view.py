"""Decides what is shown of settings and models. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from camera_ctrler.api.settings_schemas import ModelEntry, SettingEntry
from model_store.model_file import ModelState
from runtime.settings import ENV_PREFIX, CommonSettings

#: Settings that are no secrets by type and may have a password in them.
_MAY_HAVE_PASSWORD: Final = frozenset({"redis_url"})


def setting_entries(settings: CommonSettings) -> list[SettingEntry]:
    """Return every setting of a process; of secrets only whether they are set."""
    found = []
    for name, field in type(settings).model_fields.items():
        value, default = getattr(settings, name), field.default
        secret = isinstance(value, SecretStr) or name in _MAY_HAVE_PASSWORD
        found.append(
            SettingEntry(
                name=f"{ENV_PREFIX}{name.upper()}",
                value=None if secret else written(value),
                is_set=default is PydanticUndefined or _plain(value) != _plain(default),
                default=None if secret or default is PydanticUndefined else written(default),
            )
        )
    return found


def written(value: Any) -> str:
    """Return a value as `.env` would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def model_entries(states: Iterable[ModelState], used: Mapping[str, Sequence[str]]) -> list[ModelEntry]:
    """Return models that are there or used, by name.

    Args:
        states: What this host knows of; those that are missing are left out unless they are used.
        used: Name of a model, or path of its file, to the workers that use it.
    """
    users = {name: sorted(workers) for name, workers in used.items()}
    found = {
        state.name: ModelEntry(
            name=state.name,
            kind=state.kind,
            format=state.format,
            size_bytes=state.size_bytes,
            licence=state.licence,
            state=state.state,
            used_by=users.pop(state.name, []),
        )
        for state in states
    }
    for name, workers in users.items():
        found[name] = ModelEntry(
            name=Path(name).name,
            kind=None,
            format=None,
            size_bytes=None,
            licence=None,
            state="elsewhere",
            used_by=workers,
        )
    return [entry for _, entry in sorted(found.items()) if entry.state != "missing" or entry.used_by]
