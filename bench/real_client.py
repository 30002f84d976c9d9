# SPDX-License-Identifier: Apache-2.0
"""set and get of the unmodified Python client, one call at a time; a line of JSON for each size and operation."""
import json
import sys
import time

from yr.datasystem.kv_client import KVClient

SIZES = (256, 64 << 10, 1 << 20, 64 << 20)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    seconds = float(sys.argv[2])
    client = KVClient(host, int(port), connect_timeout_ms=20000)
    client.init()
    for size in SIZES:
        value = b"x" * size
        key = f"bench-{size}"
        measure("set", size, seconds, lambda k=key, v=value: client.set(k, v))
        measure("get", size, seconds, lambda k=key: client.get([k], False, 0))
        client.delete([key])


def measure(op, size, seconds, call):
    call()
    count = 0
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        call()
        count += 1
    rate = count / (time.monotonic() - begin)
    print(json.dumps({"mode": "blocking", "size_bytes": size, "op": op, "per_second": round(rate, 1),
                      "mb_per_second": round(rate * size / 1e6, 1)}), flush=True)


main()
