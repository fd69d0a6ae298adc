"""Keeps the stack on which this thread handles signals, where a library would leave another one behind.

OpenVINO 2026.4 gives the thread that compiles a model a stack of its own for signals, and takes it away when the model
is closed. Of two models that are closed in the order in which they were opened the second one then puts back that of
the first one, which is gone: the next signal (Ctrl-C, SIGTERM, an alarm) ends the process with a segmentation fault.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    """``stack_t`` of <signal.h> on Linux."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def kept_signal_stack() -> Iterator[None]:
    """Let this thread have the stack for signals again that it has now, whatever is done inside."""
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    before = _Stack()
    libc.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        libc.sigaltstack(ctypes.byref(before), None)
