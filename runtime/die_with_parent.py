"""Becomes another program that dies when the process which started it dies, even by SIGKILL.

Run as a script: ``python die_with_parent.py <pid of the parent> program argument...``. A script of its own, and not a
`preexec_fn`, because Python code between fork and exec can hang a process that has threads.
"""

import ctypes
import os
import signal
import sys

#: From <sys/prctl.h>; kept across execve, forgotten by children of the program.
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for the signal, then become the program."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):  # it died before we asked
            sys.exit(1)
    # Python ignores these, and what is ignored stays so across execve.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - a list, no shell


if __name__ == "__main__":
    main()
