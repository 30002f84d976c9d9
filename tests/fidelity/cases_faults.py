# SPDX-License-Identifier: Apache-2.0
"""Faults that only a fake can show, with what the real client makes of them and how often it asks."""
from table import *
from texts import *

R3 = {"connect_timeout_ms": 3000}
R1 = {"connect_timeout_ms": 3000, "request_timeout_ms": 1000}

# Waits of 1, 5, 50, 200, 1000 ms between attempts; one more starts 10 ms before the budget ends.
LAW_3000 = (0, 2, 8, 60, 261, 1262, 2990)
LAW_1000 = (0, 2, 8, 60, 261, 990)


def faulty(name, faults, *steps, options=R3, **attributes):
    return case(name, *steps, options=options, faults=fault_file(*faults), link=True, **attributes)


def on_request(op, do, **more):
    return [fault("injected", f"op: {op}", more.get("at", "request"), do)]


def answered(code_name, code, *, retried_law):
    """Get answered with one status every time."""
    return faulty(f"fault: get answered {code_name} every time",
                  on_request("get", f'status({code_name}, "made up")'),
                  get("f-status", sub_ms=500).fails(code, "made up").takes(2991 if retried_law else 0),
                  requests("get", *(LAW_3000 if retried_law else (0,))))


def set_answered(code_name, code, *, detail=None):
    law = detail is not None
    text = retried("made up", f"{detail} * 7", 6, 3000) if law else refused("made up", 3000)
    return faulty(f"fault: set answered {code_name} every time",
                  on_request("set", f'status({code_name}, "made up")'),
                  set_("f-status").fails(code, text).takes(2991 if law else 0),
                  requests("set", *(LAW_3000 if law else (0,))))


CASES = [
    # --- silence ---------------------------------------------------------------------------------------------
    faulty("fault: get never answered", on_request("get", "drop-request"),
           get("f-silent", sub_ms=500).fails(UNAVAILABLE, SILENCE).takes(3001), requests("get", 0)),
    faulty("fault: get applied but never answered", on_request("get", "drop-reply", at="applied"),
           get("f-silent", sub_ms=500).fails(UNAVAILABLE, SILENCE).takes(3001), requests("get", 0)),
    faulty("fault: get never answered, the sub-timeout larger than the request time-out", on_request("get", "drop-request"),
           get("f-silent", sub_ms=2000).fails(UNAVAILABLE, SILENCE).takes(2000), requests("get", 0), options=R1),
    faulty("fault: set never answered", on_request("set", "drop-request"),
           set_("f-silent").fails(UNAVAILABLE, retried(SILENCE, "RPC unavailable * 1", 0, 3000)).takes(3008),
           requests("set", 0), get("f-silent").fails(NOT_FOUND, MISS)),
    faulty("fault: set applied but never answered", on_request("set", "drop-reply", at="applied"),
           set_("f-lost-reply").fails(UNAVAILABLE, retried(SILENCE, "RPC unavailable * 1", 0, 3000)).takes(3008),
           requests("set", 0), get("f-lost-reply").returns("v")),
    faulty("fault: the first set reply lost is not noticed before the budget ends", on_request("set", "1*drop-reply", at="applied"),
           set_("f-first").fails(UNAVAILABLE, retried(SILENCE, "RPC unavailable * 1", 0, 1000)).takes(1000),
           requests("set", 0), set_("f-first", "w").takes(0), get("f-first").returns("w"), options=R1),
    *[faulty(f"fault: {op} never answered", on_request(op, "drop-request"),
             step.fails(UNAVAILABLE, retried(SILENCE, "RPC unavailable * 1", 0, 1000)).takes(1000),
             requests(op, 0), options=R1)
      for op, step in (("exist", exist("f-silent")), ("delete", delete("f-silent")), ("expire", expire("f-silent", ttl=1)),
                       ("mset", mset([("f-silent", "v")])))],
    faulty("fault: health check never answered takes three seconds whatever the request time-out", on_request("health", "drop-request"),
           health().fails(UNAVAILABLE, SILENCE).takes(3000), requests("health", 0), options=R1),
    faulty("fault: reply that stops at byte 20", [fault("stalled", "op: get", '"reply.byte 20"', "stall")],
           set_("f-stall"), get("f-stall").fails(UNAVAILABLE, SILENCE).takes(1000), options=R1),

    # --- delay -----------------------------------------------------------------------------------------------
    faulty("fault: set delayed before it is applied", on_request("set", "delay(400ms)"),
           set_("f-delay").takes(400), get("f-delay").returns("v").takes(0)),
    faulty("fault: get reply delayed", on_request("get", "1*delay(400ms)", at="applied"),
           set_("f-late"), get("f-late").returns("v").takes(400), get("f-late").returns("v").takes(0)),

    # --- statuses of get -------------------------------------------------------------------------------------
    answered("K_RPC_DEADLINE_EXCEEDED", DEADLINE, retried_law=True),
    answered("K_TRY_AGAIN", TRY_AGAIN, retried_law=True),
    answered("K_OUT_OF_MEMORY", OUT_OF_MEMORY, retried_law=True),
    answered("K_RPC_UNAVAILABLE", UNAVAILABLE, retried_law=True),
    answered("K_RPC_CANCELLED", 1000, retried_law=True),
    answered("K_INVALID", INVALID, retried_law=False),
    answered("K_NOT_READY", NOT_READY, retried_law=False),
    answered("K_RUNTIME_ERROR", RUNTIME, retried_law=False),
    answered("K_CLIENT_WORKER_DISCONNECT", DISCONNECTED, retried_law=False),
    answered("K_UNKNOWN_ERROR", UNKNOWN, retried_law=False),
    faulty("fault: get answered K_TRY_AGAIN every time, R 1000",
           on_request("get", 'status(K_TRY_AGAIN, "made up")'),
           get("f-status").fails(TRY_AGAIN, "made up").takes(991), requests("get", *LAW_1000), options=R1),
    faulty("fault: get answered K_TRY_AGAIN three times, then served",
           on_request("get", '3*status(K_TRY_AGAIN, "made up")'),
           set_("f-three"), get("f-three").returns("v").takes(60), requests("get", 0, 2, 8, 60)),
    faulty("fault: the second get is answered K_RUNTIME_ERROR",
           on_request("get", 'skip(1) -> 1*status(K_RUNTIME_ERROR, "made up")'),
           set_("f-second"), get("f-second").returns("v"), get("f-second").fails(RUNTIME, "made up").takes(0),
           get("f-second").returns("v"), requests("get", count=3)),
    faulty("fault: last status of a miss is 1001", on_request("get", "last-rc(K_RPC_DEADLINE_EXCEEDED)", at="applied"),
           get("f-last").fails(DEADLINE).takes(2993), requests("get", *LAW_3000)),
    faulty("fault: last status of a miss is K_RUNTIME_ERROR", on_request("get", "last-rc(K_RUNTIME_ERROR)", at="applied"),
           get("f-last").fails(RUNTIME).takes(0), requests("get", 0)),
    faulty("fault: last status K_RUNTIME_ERROR beside a found key is not an error",
           on_request("get", "last-rc(K_RUNTIME_ERROR)", at="applied"),
           set_("f-last-half"), get("f-last-half", "f-last-none").returns("v", None).takes(0), requests("get", 0)),
    faulty("fault: a get reply without entries", on_request("get", "reply-no-entries", at="applied"),
           get("f-empty").fails(UNKNOWN, "The response count in GetRspPb does not match with objects count.").takes(0),
           requests("get", 0)),

    # --- statuses of the others ------------------------------------------------------------------------------
    set_answered("K_TRY_AGAIN", TRY_AGAIN, detail="Try again"),
    set_answered("K_RPC_DEADLINE_EXCEEDED", DEADLINE, detail="RPC deadline exceeded"),
    set_answered("K_OUT_OF_MEMORY", OUT_OF_MEMORY, detail="Out of memory"),
    set_answered("K_SCALING", 32),
    set_answered("K_NOT_READY", NOT_READY),
    set_answered("K_INVALID", INVALID),
    set_answered("K_CLIENT_WORKER_DISCONNECT", DISCONNECTED),
    faulty("fault: set answered K_TRY_AGAIN twice, then applied",
           on_request("set", '2*status(K_TRY_AGAIN, "made up")'),
           set_("f-twice").takes(8), requests("set", 0, 2, 8), get("f-twice").returns("v")),
    *[faulty(f"fault: {op} answered {name} every time", on_request(op, f'status({name}, "made up")'),
             step.fails(code, retried("made up", f"{detail} * 6", 5, 1000)).takes(991), requests(op, *LAW_1000), options=R1)
      for op, step in (("exist", exist("f-s")), ("delete", delete("f-s")), ("expire", expire("f-s", ttl=1)),
                       ("mset", mset([("f-s", "v")])))
      for name, code, detail in (("K_TRY_AGAIN", TRY_AGAIN, "Try again"),)],
    faulty("fault: mset answered K_SCALING every time", on_request("mset", 'status(K_SCALING, "made up")'),
           mset([("f-s", "v")]).fails(32, retried("made up", "The cluster is scaling * 6", 5, 1000)).takes(991),
           requests("mset", *LAW_1000), options=R1),
    faulty("fault: delete answered K_OUT_OF_MEMORY is not retried", on_request("delete", 'status(K_OUT_OF_MEMORY, "made up")'),
           delete("f-s").fails(OUT_OF_MEMORY, refused("made up", 1000)).takes(0), requests("delete", 0), options=R1),
    faulty("fault: exist answered K_OUT_OF_MEMORY every time", on_request("exist", 'status(K_OUT_OF_MEMORY, "made up")'),
           exist("f-s").fails(OUT_OF_MEMORY, retried("made up", "Out of memory * 6", 5, 1000)).takes(991),
           requests("exist", *LAW_1000), options=R1),
    *[faulty(f"fault: {op} answered K_RUNTIME_ERROR", on_request(op, 'status(K_RUNTIME_ERROR, "made up")'),
             step.fails(RUNTIME, text).takes(0), requests(op, 0), options=R1)
      for op, step, text in (("exist", exist("f-s"), refused("made up", 1000)),
                             ("delete", delete("f-s"), refused("made up", 1000)),
                             ("expire", expire("f-s", ttl=1), refused("made up", 1000)),
                             ("mset", mset([("f-s", "v")]), refused("made up", 1000)),
                             ("health", health(), "made up"))],
    faulty("fault: health check answered that the worker is leaving", on_request("health", 'status(K_SCALE_DOWN, "made up")'),
           health().fails(31, "made up").takes(0), requests("health", 0)),

    # --- the connection --------------------------------------------------------------------------------------
    faulty("fault: connection reset when the get arrives, the request forgotten", on_request("get", "1*rst"),
           get("f-rst").fails(UNAVAILABLE, SILENCE).takes(3001), requests("get", 0),
           set_("f-rst").takes(0), get("f-rst").returns("v").takes(0)),
    faulty("fault: connection ended when the get arrives, the request forgotten", on_request("get", "1*fin"),
           get("f-fin").fails(UNAVAILABLE, SILENCE).takes(3001), requests("get", 0),
           set_("f-fin").takes(0), get("f-fin").returns("v").takes(0)),
    faulty("fault: connection reset when the set arrives, the request forgotten", on_request("set", "1*rst"),
           set_("f-rst").fails(UNAVAILABLE, retried(SILENCE, "RPC unavailable * 1", 0, 1000)).takes(1000), requests("set", 0),
           get("f-rst").fails(NOT_FOUND, MISS).takes(0), options=R1),
    faulty("fault: a byte of the value changed on its way is not noticed", [fault("flip", "op: get", '"reply.byte 30000"', "1*corrupt")],
           set_big("f-flip", 65536), get("f-flip").returns((65536, b"a", CORRUPTED)), get("f-flip").returns((65536, b"a"))),
    faulty("fault: reply cut at byte 30", [fault("cut", "op: get", '"reply.byte 30"', "1*truncate")],
           set_("f-cut"), get("f-cut").fails(UNAVAILABLE, SILENCE).takes(1000), get("f-cut").returns("v").takes(0), options=R1),
]
