"""The allocator: memory that a training step frees is kept for the next one."""

import ctypes
import sys

# Parameters of glibc's mallopt (malloc.h).
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_NEVER = -1
_MORE_AT_A_TIME = 1 << 28  # bytes


def keep_freed_memory() -> bool:
    """Ask the C library not to give memory back to the system until the process ends.

    A step allocates and frees the same large tensors again and again. By default glibc takes each
    from the system and gives it back, and the system clears it page by page: a sixth of the time
    of a step. The process never shrinks.

    Returns:
        Whether it will; only glibc, on Linux, can.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER), (_M_TOP_PAD, _MORE_AT_A_TIME))
    return all(mallopt(parameter, value) == 1 for parameter, value in settings)
