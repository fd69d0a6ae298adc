"""Why a process ended, for whoever started it."""

from typing import Final

DONE: Final = 0
#: Settings, model or database cannot be used; starting again will not help.
UNUSABLE: Final = 2
#: Redis does not answer, or the worker id is still taken; start it again after a pause.
NOT_YET: Final = 69
#: The detector or a thread of this process failed in a way that only a new process mends; start it again.
BROKEN: Final = 70
#: The lease was taken by others while this process slept; start it again.
LEASE_LOST: Final = 75
#: Asked twice to leave; work may be unfinished.
FORCED: Final = 130
