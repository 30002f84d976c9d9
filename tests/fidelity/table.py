# SPDX-License-Identifier: Apache-2.0
"""
The words of which the table of cases is made: calls with what they must answer, and what happens around them.

    get("k", sub_ms=500).fails(NOT_FOUND, MISS).takes(452)
    begin(get("k", sub_ms=2000), by="b"), pause(300), set_("k", "v"), finish("b").returns("v").takes(300)

A text is compared without its variable parts (see judge.py) and completely; "…" in an expected text stands for anything.
"""
from dataclasses import dataclass, field, replace

INVALID, NOT_FOUND, RUNTIME, OUT_OF_MEMORY, NOT_READY, UNKNOWN = 2, 3, 5, 6, 8, 10
OUT_OF_RANGE, TRY_AGAIN, DISCONNECTED, ALREADY_EXISTS = 12, 19, 23, 2004
DEADLINE, UNAVAILABLE = 1001, 1002

CORRUPTED = "corrupted"

AT_ONCE_MS = 50  # the tolerance of a call that should take no time


@dataclass(frozen=True)
class Answer:
    """What one call must answer; `ok` None means anything."""
    ok: object = True
    code: object = None
    text: object = None
    raised: object = None
    fields: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One line of a case. `kind` is call, begin, finish, pause, world, link or requests."""
    kind: str
    by: str = "a"
    request: dict = field(default_factory=dict)
    answers: tuple = (Answer(),)
    least_ms: object = None
    most_ms: object = None
    argument: object = None

    def fails(self, code, text=None):
        return replace(self, answers=(Answer(ok=False, code=code, text=text),))

    def is_refused(self, text):
        """Invalid parameter, found out in the client."""
        return self.fails(INVALID, text).takes(0)

    def raises(self, raised, text=None):
        return replace(self, answers=(Answer(ok=False, raised=raised, text=text),))

    def returns(self, *values):
        """Values of a get or read: text, bytes, None, (size, unit) for a repeated unit, (size, unit, CORRUPTED) for anything else."""
        return replace(self, answers=(Answer(fields={"values": list(values)}),))

    def answers_with(self, **fields):
        return replace(self, answers=(Answer(fields=fields),))

    def either(self, *steps):
        """Any of the answers of these."""
        return replace(self, answers=tuple(answer for step in steps for answer in step.answers))

    def takes(self, expected_ms):
        margin_ms = max(AT_ONCE_MS, 0.15 * expected_ms)
        return self.within(max(0, expected_ms - margin_ms), expected_ms + margin_ms)

    def within(self, least_ms, most_ms):
        return replace(self, least_ms=least_ms, most_ms=most_ms)

    def client(self, name):
        return replace(self, by=name)


@dataclass(frozen=True)
class Case:
    name: str
    steps: tuple
    clients: dict            # name -> options
    faults: str = ""         # text of a fault file; such a case needs the fake
    flags: tuple = ()        # flags of fakeds; such a case needs the fake
    real_flags: tuple = ()   # flags of the real worker; such a case needs one of its own
    worlds: tuple = ("fakeds", "real")
    drivers: tuple = ("python", "c")
    link: bool = False       # put the relay between client and worker
    own_worker: bool = False  # disturbs the worker, so it cannot share one
    init: bool = True        # init every client first
    slow: bool = False       # only with --slow
    dead_port: bool = False  # no worker at all


def case(name, *steps, options=None, clients=None, **attributes):
    """Options are those of client "a"; every other client named by a step gets the same unless told."""
    options = {"connect_timeout_ms": 5000, **(options or {})}
    names = dict.fromkeys(step.by for step in steps if step.kind in ("call", "begin"))
    everybody = {one: options for one in names}
    everybody.update(clients or {})
    flat = tuple(steps)
    if attributes.get("faults") or attributes.get("flags"):
        attributes.setdefault("worlds", ("fakeds",))
    return Case(name=name, steps=flat, clients=everybody, **attributes)


def call(op, **request):
    return Step("call", request={"op": op, **request})


def init():
    return call("init")


def health():
    return call("health")


def close():
    return call("close")


def set_(key, value="v", **more):
    return call("set", key=key, value_hex=hexed(value), **more)


def set_big(key, size, **more):
    return call("set", key=key, repeat_hex="61", size=size, **more)


def get(*keys, sub_ms=0):
    return call("get", keys=list(keys), sub_timeout_ms=sub_ms)


def exist(*keys):
    return call("exist", keys=list(keys))


def delete(*keys):
    return call("delete", keys=list(keys))


def expire(*keys, ttl):
    return call("expire", keys=list(keys), ttl_second=ttl)


def mset(pairs, **more):
    """Pairs of key and value; a list, because keys may repeat."""
    return call("mset", keys=[key for key, _ in pairs], values_hex=[hexed(value) for _, value in pairs],
                tx=False, nx=more.pop("nx", False), **more)


def msettx(pairs, nx=True, **more):
    return call("mset", keys=[key for key, _ in pairs], values_hex=[hexed(value) for _, value in pairs],
                tx=True, nx=nx, **more)


def query_size(*keys):
    return call("query_size", keys=list(keys))


def read(*parts):
    """Parts are (key, offset, size)."""
    return call("read", keys=[part[0] for part in parts], offsets=[part[1] for part in parts],
                sizes=[part[2] for part in parts])


def begin(step, by):
    return replace(step, kind="begin", by=by)


def finish(by):
    return Step("finish", by=by)


def pause(milliseconds):
    return Step("pause", argument=milliseconds)


def world(verb, **arguments):
    return Step("world", argument=(verb, arguments))


def link(verb):
    return Step("link", argument=verb)


def requests(operation, *at_ms, count=None):
    """What the relay saw: the times of an operation's requests in ms after the first, or only their number."""
    return Step("requests", argument=(operation, list(at_ms), count))


def fault(id, on, at, do):
    """One fault of a fault file; `on` is written as inside braces, empty for points that are no requests."""
    where = f"    on: {{ {on} }}\n" if on else ""
    return f"  - id: {id}\n{where}    at: {at}\n    do: {do}\n"


def fault_file(*faults):
    return "fault-file: v1\nfaults:\n" + "".join(faults)


def hexed(value):
    return (value.encode() if isinstance(value, str) else value).hex()
