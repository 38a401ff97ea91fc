"""Start a program as another user, and let it end when its starter is gone.

Run as a script (`python -I -S child.py <uid> <gid> <signal> <program> [argument…]`) between the supervisor and a
server: a Python function between fork and exec is not safe in a program with threads, and tools such as setpriv are not
everywhere. -1 keeps the user. The program takes the place of this script, so its process id is the one first seen.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Drop rights, ask the kernel for `signal` when the parent ends (Linux only), become the program."""
    uid, gid, ending = (int(argument) for argument in arguments[:3])
    parent = os.getppid()
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":  # after setuid, which clears it
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, ending, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the kernel knew
            signal.raise_signal(signal.SIGTERM)
    os.umask(0o077)
    os.execv(arguments[3], arguments[3:])  # noqa: S606 — no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
