"""Which classes may be one object: detectors waver between a car and a truck, never between a car and a person."""

from collections.abc import Mapping
from typing import Final

#: Names in COCO and the usual ones beside it. A class that is in no group is a group of its own.
INTERCHANGEABLE: Final[tuple[frozenset[str], ...]] = (
    frozenset({"car", "truck", "bus", "van"}),
    frozenset({"bicycle", "motorcycle", "motorbike"}),
)


def group_classes(class_names: Mapping[int, str]) -> dict[int, int]:
    """Return for every class the smallest class index of its group, which stands for the group.

    Args:
        class_names: Name of every class by index, in any case.
    """
    groups: dict[int, int] = {}
    first_of_kind: dict[frozenset[str], int] = {}
    for class_id in sorted(class_names):
        name = class_names[class_id].lower()
        kind = next((kind for kind in INTERCHANGEABLE if name in kind), frozenset({f"{class_id} {name}"}))
        groups[class_id] = first_of_kind.setdefault(kind, class_id)
    return groups
