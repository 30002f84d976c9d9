# SPDX-License-Identifier: Apache-2.0
"""
The unmodified Python KVClient behind the line protocol of the C program `dscall`.

One JSON request per line on stdin, one JSON answer per line on stdout, so that one
table of cases drives both clients. Runs inside the virtual environment:

    kvcall.py --worker_address HOST:PORT [--connect_timeout_ms N] [--request_timeout_ms N]

An answer has ok, code, text, took_us and what the call returned. An exception that is
not a status (a wrong argument refused by the binding) has code null and its class in "raised".
"""
import argparse
import hashlib
import json
import os
import re
import sys
import time

from yr.datasystem.kv_client import ExistenceOpt, KVClient, ReadParam
from yr.datasystem.object_client import WriteMode

from codes import CODE_OF_TEXT

WRITE_MODES = {
    "none": WriteMode.NONE_L2_CACHE,
    "through": WriteMode.WRITE_THROUGH_L2_CACHE,
    "back": WriteMode.WRITE_BACK_L2_CACHE,
    "evict": WriteMode.NONE_L2_CACHE_EVICT,
    "back_evict": WriteMode.WRITE_BACK_L2_CACHE_EVICT,
}
INLINE_LIMIT = 1024  # longer values are told by size and digest only


def main():
    options = arguments()
    host, port = options.worker_address.rsplit(":", 1)
    client = KVClient(host, int(port), connect_timeout_ms=options.connect_timeout_ms,
                      req_timeout_ms=options.request_timeout_ms)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever the library prints must not mix with the answers
    for line in sys.stdin:
        request = json.loads(line)
        call = prepare(client, request)
        answer = timed(call)
        answers.write(json.dumps(answer) + "\n")
        if request["op"] == "close":
            break
    answers.flush()
    os._exit(0) if options.abandon else None


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker_address", required=True)
    parser.add_argument("--connect_timeout_ms", type=int, default=60000)
    parser.add_argument("--request_timeout_ms", type=int, default=0)
    parser.add_argument("--abandon", action="store_true", help="end without telling the worker")
    return parser.parse_args()


def timed(call):
    started_ns = time.monotonic_ns()
    try:
        returned = call()
        took_us = (time.monotonic_ns() - started_ns) // 1000
        return {"ok": True, "code": 0, "text": "", "took_us": took_us, **shown(returned)}
    except (RuntimeError, TypeError) as error:
        took_us = (time.monotonic_ns() - started_ns) // 1000
        text = str(error)
        return {"ok": False, "code": code_of(text), "text": text, "took_us": took_us,
                "raised": type(error).__name__}


def shown(returned):
    """The part of the answer that depends on the operation: values are described after the clock stopped."""
    name, result = returned
    if name == "values":
        return {"values": [described(value) for value in result]}
    return {name: result} if name else {}


def described(value):
    if value is None:
        return None
    value = bytes(value)
    about = {"size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if len(value) <= INLINE_LIMIT:
        about["hex"] = value.hex()
    return about


def code_of(text):
    found = re.match(r"code: \[([^\]]*)\]", text)
    return CODE_OF_TEXT.get(found.group(1)) if found else None


def prepare(client, request):
    """Build arguments before the clock starts; the returned function is the call alone."""
    op = request["op"]
    mode = WRITE_MODES[request.get("write_mode", "none")]
    ttl = request.get("ttl_second", 0)
    keys = request.get("keys")
    if op == "init":
        return lambda: ("", client.init())
    if op == "set":
        value = value_of(request)
        return lambda: ("", client.set(request["key"], value, mode, ttl))
    if op == "get":
        return lambda: ("values", client.get(keys, sub_timeout_ms=request.get("sub_timeout_ms", 0)))
    if op == "exist":
        return lambda: ("exists", client.exist(keys))
    if op == "delete":
        return lambda: ("failed", client.delete(keys))
    if op == "expire":
        return lambda: ("failed", client.expire(keys, ttl))
    if op == "mset":
        values = [bytes.fromhex(value) for value in request["values_hex"]]
        existence = ExistenceOpt.NX if request.get("nx") else ExistenceOpt.NONE
        if request.get("tx"):
            return lambda: ("", client.msettx(keys, values, mode, ttl, existence))
        return lambda: ("failed", client.mset(keys, values, mode, ttl, existence))
    if op == "read":
        wanted = [ReadParam(*one) for one in zip(keys, request["offsets"], request["sizes"])]
        return lambda: ("values", read(client, wanted))
    if op == "health":
        return lambda: health(client)
    if op == "close":
        # The class has no close: the connection ends with the native object.
        return lambda: ("", client.__dict__.clear())
    raise SystemExit(f"unknown op {op}")


def value_of(request):
    if "repeat_hex" in request:
        unit = bytes.fromhex(request["repeat_hex"])
        return unit * (request["size"] // len(unit))
    return bytes.fromhex(request["value_hex"])


def read(client, wanted):
    return [None if one is None else bytes(one.immutable_data()) for one in client.read(wanted)]


def health(client):
    status = client.health_check()
    if status.is_error():
        raise RuntimeError(status.to_string())
    return "", None


if __name__ == "__main__":
    main()
