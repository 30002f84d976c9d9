# SPDX-License-Identifier: Apache-2.0
"""Connections that are cut or frozen on their way; client a goes through the relay and so do all others of the case."""
from table import *
from texts import *

R1 = {"connect_timeout_ms": 3000, "request_timeout_ms": 1000}
R3 = {"connect_timeout_ms": 3000}


def linked(name, *steps, options=R3, **attributes):
    return case(name, *steps, options=options, link=True, **attributes)


CASES = [
    linked("cut: a waiting get survives, its answer comes over the new connection",
           begin(get("c-wait", sub_ms=2500), "b"), pause(300), link("cut"), pause(500), set_("c-wait", "A"),
           finish("b").returns("A").takes(800), requests("get", 0)),
    linked("cut: a waiting get survives two cuts",
           begin(get("c-wait-2", sub_ms=2500), "b"), pause(300), link("cut"), pause(400), link("cut"), pause(400), set_("c-wait-2", "A"),
           finish("b").returns("A").takes(1100), requests("get", 0)),
    linked("cut: the miss of a waiting get comes over the new connection",
           begin(get("c-miss", sub_ms=1000), "b"), pause(300), link("cut"),
           finish("b").fails(NOT_FOUND, MISS).takes(902), requests("get", 0)),
    linked("cut: an answer that is ready while nobody is connected is lost",
           begin(get("c-gap", sub_ms=500), "b"), pause(425), link("cut"),
           finish("b").fails(UNAVAILABLE, SILENCE).takes(3000), requests("get", 0)),
    # Not in the same moment: what is written before the client has seen the cut is lost.
    linked("cut: a call right after it waits for the new connection",
           set_("c-next"), link("cut"), pause(20), get("c-next").returns("v").within(50, 400),
           link("cut"), pause(20), set_("c-next", "w").within(50, 400), get("c-next").returns("w").takes(0)),
    linked("cut: later calls see nothing of it",
           set_("c-later"), link("cut"), pause(700), get("c-later").returns("v").takes(0), set_("c-later", "w").takes(0)),
    linked("frozen link: a set that gave up is applied when the link thaws",
           set_("c-late"), link("freeze"), set_("c-late", "x").fails(UNAVAILABLE, retried(SILENCE, "RPC unavailable * 1", 0, 1000)).takes(1000),
           link("thaw"), pause(300), get("c-late").returns("x").takes(0), options=R1),
    linked("frozen link: the late answer of a get that gave up disturbs nobody",
           set_("c-old", "x"), link("freeze"), get("c-old").fails(UNAVAILABLE, SILENCE).takes(1000), link("thaw"), pause(200),
           get("c-old").returns("x").takes(0), set_("c-old", "y").takes(0), get("c-old").returns("y").takes(0), options=R1),
    linked("frozen link: shorter than the budget, the call only takes longer",
           link("freeze"), begin(set_("c-short"), "a"), pause(600), link("thaw"), finish("a").takes(600),
           get("c-short").returns("v").takes(0)),
]
