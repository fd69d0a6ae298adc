"""Refuses what pages of other sites would change: also where nobody need log in, and so no cookie keeps them out.

Most requests that change something have a JSON body or a method that a browser sends for another site's page only after
it was allowed to, which it never is here. Some have neither, such as asking a worker to leave.
"""

from typing import Final

from flask import request

from camera_ctrler.api.problems import ProblemError

#: What browsers say of a request, and scripts cannot: it comes from a page of this origin, or from no page at all.
_OWN: Final = frozenset({"same-origin", "none"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_other_sites() -> None:
    """Pass, unless the request at hand would change something for a page of another site.

    Raises:
        ProblemError: 403.
    """
    if request.method not in _READING and request.headers.get("Sec-Fetch-Site", "none") not in _OWN:
        raise ProblemError(
            403,
            "other-site",
            "The request comes from another site",
            "Pages of other sites may change nothing here; use the farm's own pages, or a program with a token",
        )
