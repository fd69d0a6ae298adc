"""What the audit notes of one deed, with what is secret masked. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contract.camera_urls import MASK, mask_url

#: Characters of a detail's JSON at most; of a longer one the beginning is kept, as text.
MAX_DETAIL: Final = 16_000
#: Fields whose values nobody must read, whatever they belong to.
SECRET_FIELDS: Final = frozenset({"password", "secret", "current", "new", "token"})


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that somebody did."""

    actor: str
    #: Name of the API's operation, or what the command line has in its place.
    action: str
    #: What it was done to.
    what: str = ""
    #: What was asked for; masked when it is written.
    detail: Mapping[str, Any] = field(default_factory=dict)
    #: Address of the client; empty: this machine.
    address: str = ""


def masked(value: Any, name: str = "") -> Any:
    """Return a value of JSON without what is secret: passwords, and what URLs have of them."""
    if name in SECRET_FIELDS and value is not None:
        return MASK
    if isinstance(value, Mapping):
        return {str(key): masked(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(each) for each in value]
    if isinstance(value, str) and "://" in value:
        return mask_url(value)
    return value


def stored_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return a detail as the table has it: masked, and of bounded length."""
    found: dict[str, Any] = masked(detail)
    text = json.dumps(found)
    return found if len(text) <= MAX_DETAIL else {"shortened": text[:MAX_DETAIL]}
