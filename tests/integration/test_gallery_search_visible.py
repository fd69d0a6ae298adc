"""Searches for somebody who sees only some cameras: neither found nor searched with is what others have seen."""

from contract.gallery import GalleryRequest, ReplyProblem, SearchKind
from reid.search.searching import GallerySearch
from tests.support.galleries import EIGHT_MS, Gallery, looks, settle, thresholds

SEEN, HIDDEN = "lobby", "vault"


def _request(kind: SearchKind, subject: str, visible: list[str] | None, limit: int = 2) -> GalleryRequest:
    return GalleryRequest(request_id="1", kind=kind, subject=subject, until_ms=0, limit=limit, visible=visible)


def _crowd(gallery: Gallery) -> GallerySearch:
    """Let one person be seen by a hidden camera much and by another one twice; return who searches."""
    for number in range(30):
        gallery.see(1, f"{HIDDEN}:1:{number}", camera=HIDDEN, at_ms=EIGHT_MS + number * 60_000)
    for number in range(2):
        gallery.see(1, f"{SEEN}:1:{number}", camera=SEEN, at_ms=EIGHT_MS + (40 + number) * 60_000)
    settle(gallery.writer())
    return GallerySearch(gallery.engine, gallery.index(), thresholds())


def test_what_hidden_cameras_saw_is_left_out_before_the_limit(sqlite_gallery: Gallery) -> None:
    """Given much that a hidden camera saw, when two tracks are asked for, then they are the two of the other one."""
    search = _crowd(sqlite_gallery)
    reply = search.by_vectors(_request(SearchKind.PICTURE, "", [SEEN]), looks(1))
    assert {each.track for each in reply.found} == {f"{SEEN}:1:0", f"{SEEN}:1:1"}
    of_all = search.by_vectors(_request(SearchKind.PICTURE, "", None, limit=40), looks(1))
    assert len(of_all.found) == 32
    assert search.by_vectors(_request(SearchKind.PICTURE, "", []), looks(1)).found == []


def test_an_identity_is_searched_with_only_by_what_may_be_seen_of_it(sqlite_gallery: Gallery) -> None:
    """Given an identity that both saw, then who sees neither camera has nothing to search with, and others have."""
    search = _crowd(sqlite_gallery)
    identity = sqlite_gallery.identity_of(f"{SEEN}:1:0")
    assert identity is not None
    assert search.by_identity(_request(SearchKind.IDENTITY, identity, [SEEN])).problem is None
    nothing = search.by_identity(_request(SearchKind.IDENTITY, identity, ["yard"]))
    assert (nothing.problem, nothing.found) == (ReplyProblem.NOTHING_TO_SEARCH_WITH, [])
