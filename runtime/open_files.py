"""How many files and sockets a process may have open."""

import resource
from typing import Final

#: As many as anybody needs; some systems allow a thousand times as many, and some libraries go through all of them.
ENOUGH: Final = 65_536


def allow_many_open_files() -> int:
    """Raise the soft limit of this process to the hard one, or to `ENOUGH`; return what it is then.

    Many systems begin with 1,024, for programs of a time that could count no further. A recorded camera takes five.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
