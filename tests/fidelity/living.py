# SPDX-License-Identifier: Apache-2.0
"""What this run has started and not yet ended, so that an interrupted run leaves nothing behind."""
import threading

_lock = threading.Lock()
_ends = {}
_over = False


class Interrupted(Exception):
    """The run is being ended: nothing new may be started."""


def born(owner, end):
    """`end` must end it at once and may be called when it has already ended."""
    with _lock:
        if not _over:
            _ends[id(owner)] = end
            return
    end()
    raise Interrupted


def gone(owner):
    with _lock:
        _ends.pop(id(owner), None)


def end_everything():
    global _over
    with _lock:
        _over = True
        ends = list(_ends.values())
        _ends.clear()
    for end in ends:
        end()
