"""Who may have which request answered."""

import pytest

from camera_ctrler.accounts.principal import EVERYBODY, Principal
from camera_ctrler.api.app import all_operations
from camera_ctrler.api.authorisation import authorise
from camera_ctrler.api.openapi import build_document
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.registry import CameraNotFoundError
from contract.accounts import Role

GUARD = Principal("guard", Role.VIEWER, frozenset({"lobby"}))


def test_a_role_may_what_the_lesser_ones_may_and_no_more() -> None:
    """Given each role, then it passes up to itself, and beyond that 403 names what is needed and what there is."""
    order = list(Role)
    for has in order:
        for needs in order:
            if order.index(has) >= order.index(needs):
                authorise(Principal("x", has), needs, whole_farm=True, camera_id="lobby")
                continue
            with pytest.raises(ProblemError, match=f"role {needs.value}, and x has the role {has.value}") as refused:
                authorise(Principal("x", has), needs, whole_farm=False, camera_id=None)
            assert refused.value.status == 403


def test_a_hidden_camera_and_one_that_is_not_there_answer_alike() -> None:
    """Given who sees one camera, when another is asked for, then it is not found, whether it exists or not."""
    authorise(GUARD, Role.VIEWER, whole_farm=False, camera_id="lobby")
    with pytest.raises(CameraNotFoundError, match="'vault' does not exist"):
        authorise(GUARD, Role.VIEWER, whole_farm=False, camera_id="vault")


def test_what_is_of_the_whole_farm_is_for_those_who_see_all_of_it() -> None:
    """Given who sees one camera, whatever his role, then what cannot be cut by camera is refused."""
    admin_of_one = Principal("half", Role.ADMIN, frozenset({"lobby"}))
    with pytest.raises(ProblemError, match="sees only some cameras") as refused:
        authorise(admin_of_one, Role.VIEWER, whole_farm=True, camera_id=None)
    assert refused.value.status == 403
    authorise(EVERYBODY, Role.ADMIN, whole_farm=True, camera_id=None)


def test_a_role_is_asked_for_before_a_camera_is_looked_at() -> None:
    """Given a viewer who changes a camera that he does not see, then 403, as for one that he sees."""
    for camera_id in ("lobby", "vault"):
        with pytest.raises(ProblemError, match="needs the role admin"):
            authorise(GUARD, Role.ADMIN, whole_farm=False, camera_id=camera_id)


def test_the_document_says_who_may_do_what() -> None:
    """Given the document, then each operation names its role and how to log in, or that nobody need do so."""
    document = build_document(all_operations())
    assert set(document["components"]["securitySchemes"]) == {"cookie", "bearer"}
    for path, item in document["paths"].items():
        for described in item.values():
            is_open = described["security"] == []
            assert is_open == ("x-role" not in described), path
            assert is_open or {"401", "403"} <= described["responses"].keys(), path
            assert is_open or f"role *{described['x-role']}*" in described["description"], path
