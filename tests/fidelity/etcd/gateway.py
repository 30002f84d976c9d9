#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Sends the same HTTP/1 requests to a real etcd and to fakeetcd and compares what comes back: status, the
headers that clients look at, and bodies after ids, terms, sizes and tokens are masked.

    gateway.py --real etcd --fake build/bin/fakeetcd            profile etcd-3.4 or etcd-3.5, as the real one says
    gateway.py --only 'watch'                                   cases whose name contains the word

One line per case, `ok` or `FAIL`. Exit status: 0 all passed, 1 a case failed, 4 ended early.
"""
import argparse
import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from living import end_everything
from servers import Server
from worlds import CannotStart

EXIT_FAILED, EXIT_BROKEN = 1, 4
DEADLINE_S = 5
JOBS = 3     # cases spend their time waiting for servers and for silence
STREAM_S = 0.7  # a stream says all it has to say at once; silence after that is compared, too
HEADERS = ("content-type", "transfer-encoding", "trailer", "allow", "x-content-type-options", "connection",
           "grpc-metadata-content-type", "access-control-allow-origin", "access-control-allow-methods",
           "access-control-allow-headers", "www-authenticate", "upgrade", "sec-websocket-accept")
MASKS = [(re.compile(pattern, re.DOTALL), put) for pattern, put in (
    (r'"(cluster_id|member_id|raft_term|raftTerm|raftIndex|raftAppliedIndex|leader|dbSize|dbSizeInUse|memberID)":"\d+"',
     r'"\1":"#"'),
    (r'"(hash)":\d+', r'"\1":#'),
    (r'"token":"[A-Za-z]{16}\.\d+"', '"token":"#"'),
    (r'"\d{12,20}"', '"#"'),               # ids that the server picked
    (r'"TTL":"\d+"', '"TTL":"#"'),          # seconds go by
    (r'127\.0\.0\.1:\d+', "HOST"),
    (r'\x81~..(?=\{)', "[frame]"),
    (r'"3\.(4|5)\.\d+"', r'"3.\1.#"'),
)]


def b64(text):
    return base64.b64encode(text.encode()).decode()


# ---- cases: (name, [requests]); a request is (method, path, body, headers, what to read) ----

def post(path, body, headers=None, stream=False):
    return "POST", "/v3" + path, body if isinstance(body, str) else json.dumps(body), headers or {}, stream


def get(path, method="GET", headers=None):
    return method, path, None, headers or {}, False


FOO, BAR = b64("foo"), b64("bar")


def bad_bodies():
    bodies = ['{"key":"Zm9v"', "", " ", '{"key":"Zm9v"} trailing', "[1]", '"x"', "5", "true", "null", "{a}", "{}}", '{"keyx":"Zm9v"}',
              '{"key":"!!"}', '{"key":"Zm9"}', '{"key":"Zm9vYg=="}', '{"key":"Zm9vYg=x"}', '{"key":"Zm9vYg=="}', '{"key":"Zm9v\\n"}',
              '{"key":5}', '{"key":true}', '{"key":{}}', '{"key":null}', '{"key":[102,111,111]}', '{"key":["a"]}', '{"key":[300]}',
              '{"key":"Zm9v","limit":"x"}', '{"key":"Zm9v","limit":1.5}', '{"key":"Zm9v","limit":"1.5"}', '{"key":"Zm9v","limit":""}',
              '{"key":"Zm9v","limit":"5x"}', '{"key":"Zm9v","limit":"{}"}', '{"key":"Zm9v","limit":null}', '{"key":"Zm9v","limit":"null"}',
              '{"key":"Zm9v","limit":true}', '{"key":"Zm9v","limit":{}}', '{"key":"Zm9v","limit":[1]}', '{"key":"Zm9v","limit":1e2}',
              '{"key":"Zm9v","limit":9223372036854775807}', '{"key":"Zm9v","limit":9223372036854775808}', '{"key":"Zm9v","limit":-1}',
              '{"key":"Zm9v","sort_order":"FOO"}', '{"key":"Zm9v","sort_order":"ASCEND"}', '{"key":"Zm9v","sortOrder":2}',
              '{"key":"Zm9v","sort_order":true}', '{"key":"Zm9v","sort_order":1.5}', '{"key":"Zm9v","sort_target":"MOD"}',
              '{"key":"Zm9v","keys_only":1}', '{"key":"Zm9v","keys_only":"true"}', '{"key":"Zm9v","keysOnly":true}',
              '{"key":tru}', '{"key":"Zm9v",}', '{"key" "Zm9v"}', '{"key":"Zm9v" "x":1}', '{"key":"a', '{"key":"\\x"}', '{"key":"\\u00g0"}',
              '{"key":"a\tb"}', "[1 2]", "-x", "1.x", "1ex", "nul!", "'x'", "\u00e9", "{\"key\":\"Zm9v\",\"revision\":\"-1\"}"]
    return [(f"range with the body {body!r}", [post("/kv/put", {"key": FOO, "value": BAR}), post("/kv/range", body)]) for body in bodies]


def txn_cases():
    put, rng = {"requestPut": {"key": FOO, "value": BAR}}, {"request_range": {"key": FOO}}
    delete = {"requestDeleteRange": {"key": FOO, "prevKv": True}}
    compares = [[], [{"target": "CREATE", "key": FOO, "createRevision": "0"}], [{"target": "VERSION", "result": "GREATER", "key": FOO, "version": 0}],
                [{"target": "VALUE", "key": FOO, "value": BAR}], [{"target": 2, "result": 2, "key": FOO, "mod_revision": "100"}],
                [{"key": FOO, "lease": "5", "target": "LEASE"}], [{"key": FOO, "range_end": b64("g"), "target": "VERSION", "version": 1}], "x", {}, [5], [None]]
    for compare in compares:
        if compare != [None]:  # real 3.4 breaks the connection
            yield f"txn comparing {json.dumps(compare)}", [post("/kv/put", {"key": FOO, "value": BAR}),
                                                          post("/kv/txn", {"compare": compare, "success": [put, rng], "failure": [rng, delete]})]
    yield "txn in a txn", [post("/kv/txn", {"success": [{"requestTxn": {"success": [put, rng]}}, delete]})]
    yield "txn with one key twice", [post("/kv/txn", {"success": [put, put]})]
    yield "txn with too much", [post("/kv/txn", {"success": [rng] * 129})]


def kv_cases():
    yield "put and its options", [post("/kv/put", {"key": FOO, "value": BAR}), post("/kv/put", {"key": FOO, "value": BAR, "prev_kv": True}),
                                  post("/kv/put", {"key": FOO, "prevKv": True, "ignore_value": True}), post("/kv/put", {"key": FOO, "value": BAR, "ignore_value": True}),
                                  post("/kv/put", {"key": FOO, "lease": "123"}), post("/kv/put", {"value": BAR}),
                                  post("/kv/put", {"key": b64("none"), "ignore_lease": True})]
    yield "deleterange", [post("/kv/put", {"key": FOO, "value": BAR}), post("/kv/deleterange", {"key": FOO, "prev_kv": True}),
                          post("/kv/deleterange", {"key": FOO}), post("/kv/deleterange", {})]
    fill = [post("/kv/put", {"key": b64(key), "value": b64(key * 2)}) for key in ("a", "b", "c", "<&>\x00\xff")]
    yield "range and its options", fill + [post("/kv/range", dict({"key": b64("\0"), "range_end": b64("\0")}, **more)) for more in (
        {}, {"limit": 2}, {"count_only": True}, {"keys_only": True}, {"sort_order": "DESCEND", "sort_target": "KEY"},
        {"min_mod_revision": "3"}, {"maxCreateRevision": 3}, {"revision": "2"}, {"revision": "99"}, {"serializable": True})]
    yield "compaction", fill + [post("/kv/compaction", {"revision": "3"}), post("/kv/compaction", {"revision": 3}), post("/kv/compaction", {"revision": 99}),
                                post("/kv/range", {"key": b64("a"), "revision": "2"}), post("/kv/compaction", {"revision": "5", "physical": True})]
    yield "request too large", [post("/kv/put", {"key": FOO, "value": b64("v" * 1600000)})]
    yield "message too large", [post("/kv/put", {"key": FOO, "value": b64("v" * 2600000)})]


def lease_cases():
    grant = post("/lease/grant", {"TTL": "60", "ID": 77})
    yield "lease", [grant, grant, post("/kv/put", {"key": FOO, "lease": 77}), post("/lease/timetolive", {"ID": "77", "keys": True}),
                    post("/lease/keepalive", {"ID": "77"}, stream=True), post("/lease/keepalive", '{"ID":"77"}{"ID":78}', stream=True), post("/lease/leases", {}),
                    post("/lease/leases", ""), post("/kv/lease/timetolive", {"ID": 77}), post("/kv/lease/leases", {}), post("/kv/lease/revoke", {"ID": 77}),
                    post("/lease/revoke", {"ID": 77}), post("/lease/timetolive", {"ID": 77}), post("/lease/keepalive", {"ID": 77}, stream=True)]
    yield "lease without an id", [post("/lease/grant", {"TTL": 5}), post("/lease/grant", {"TTL": "9000000001"}), post("/lease/grant", {})]
    yield "keepalive without a body", [post("/lease/keepalive", "", stream=True)]
    yield "keepalive with a bad body", [post("/lease/keepalive", "{", stream=True), post("/lease/keepalive", "{}{", stream=True), post("/lease/keepalive", '{"ID":"x"}', stream=True)]


def watch_cases():
    create = {"create_request": {"key": FOO, "start_revision": "1"}}
    yield "watch of history", [post("/kv/put", {"key": FOO, "value": BAR}), post("/kv/deleterange", {"key": FOO}), post("/watch", create, stream=True)]
    yield "watch, then cancel", [post("/watch", json.dumps(create) + '{"cancel_request":{"watch_id":0}}', stream=True)]
    yield "watch with bad bodies", [post("/watch", '{"create_request":{"key":"Zm9v"', stream=True), post("/watch", "[]", stream=True), post("/watch", "", stream=True),
                                    post("/watch", {}, stream=True), post("/watch", {"create_request": {"key": "!"}}, stream=True),
                                    post("/watch", json.dumps(create) + "{", stream=True)]
    yield "watch with an empty range", [post("/watch", {"create_request": {"key": b64("b"), "range_end": b64("a")}}, stream=True)]
    yield "watch from the future", [post("/watch", {"create_request": {"key": FOO, "start_revision": "100"}}, stream=True)]
    yield "watch of what is compacted", [post("/kv/put", {"key": FOO}), post("/kv/put", {"key": FOO}), post("/kv/put", {"key": FOO}),
                                         post("/kv/compaction", {"revision": 4}), post("/watch", {"create_request": {"key": FOO, "start_revision": 2}}, stream=True)]


def service_cases():
    for path in ("/cluster/member/list", "/maintenance/status", "/maintenance/alarm", "/maintenance/defragment", "/maintenance/hash", "/maintenance/hashkv", "/auth/status",
                 "/auth/user/list", "/auth/role/list", "/cluster/member/add", "/cluster/member/remove", "/cluster/member/update", "/cluster/member/promote",
                 "/maintenance/transfer-leadership", "/maintenance/downgrade", "/auth/enable", "/auth/disable", "/auth/user/add", "/auth/user/get", "/auth/user/delete",
                 "/auth/user/changepw", "/auth/user/grant", "/auth/user/revoke", "/auth/role/add", "/auth/role/get", "/auth/role/delete", "/auth/role/grant",
                 "/auth/role/revoke", "/auth/authenticate", "/lock/unlock", "/election/proclaim", "/election/resign", "/election/leader"):
        yield f"{path} with nothing", [post(path, {})]
    yield "alarm by name", [post("/maintenance/alarm", {"action": "GET", "alarm": "NOSPACE"}), post("/maintenance/alarm", {"action": "DEACTIVATE", "memberID": 1, "alarm": 1})]
    yield "lock", [post("/lock/lock", {"name": b64("lock")}), post("/lock/unlock", {"key": b64("none")})]
    yield "election", [post("/election/campaign", {"name": b64("e"), "value": BAR}), post("/election/leader", {"name": b64("e")}), post("/election/leader", {"name": b64("f")}),
                       post("/election/observe", {"name": b64("e")}, stream=True)]
    yield "users and roles", [post("/auth/user/add", {"name": "a\u00e9<>&\"", "password": "p"}), post("/auth/user/list", {}), post("/auth/role/add", {"name": "r"}),
                              post("/auth/role/grant", {"name": "r", "perm": {"permType": "READWRITE", "key": FOO, "range_end": b64("fop")}}),
                              post("/auth/role/get", {"role": "r"}), post("/auth/user/grant", {"user": "a\u00e9<>&\"", "role": "r"}), post("/auth/user/get", {"name": "a\u00e9<>&\""}),
                              post("/auth/user/grant", {"user": "x", "role": "r"}), post("/auth/role/revoke", {"role": "r", "key": FOO, "range_end": b64("fop")}),
                              post("/auth/user/revoke", {"name": "x", "role": "r"}), post("/auth/user/changepw", {"name": "a\u00e9<>&\"", "password": "q"}),
                              post("/auth/user/delete", {"name": "a\u00e9<>&\""}), post("/auth/role/delete", {"role": "r"}), post("/auth/user/add", {"name": 5})]
    root = {"name": "root", "password": "r"}
    yield "auth", [post("/auth/user/add", root), post("/auth/role/add", {"name": "root"}), post("/auth/user/grant", {"user": "root", "role": "root"}), post("/auth/enable", {}),
                   post("/kv/range", {"key": FOO}), post("/kv/range", {"key": FOO}, {"Authorization": "zzz"}), post("/maintenance/snapshot", {}, stream=True),
                   post("/watch", {"create_request": {"key": FOO}}, stream=True), post("/watch", {"create_request": {"key": FOO}}, {"Authorization": "zzz"}, True),
                   post("/auth/authenticate", dict(root, password="x")),
                   post("/auth/authenticate", root), post("/kv/range", {"key": FOO}, {"Authorization": "TOKEN"}), post("/kv/put", {"key": FOO}, {"Grpc-Metadata-Token": "TOKEN"}),
                   post("/auth/disable", {}), post("/auth/disable", {}, {"Authorization": "TOKEN"}), post("/kv/range", {"key": FOO})]


def alarm_and_auth_cases():
    zzz = {"Authorization": "zzz"}
    bodies = {"/kv/range": {"key": FOO}, "/kv/put": {"key": FOO}, "/kv/deleterange": {"key": FOO}, "/kv/txn": {}, "/kv/compaction": {"revision": 1},
              "/lease/grant": {"TTL": 60, "ID": 5}, "/lease/timetolive": {"ID": 5}, "/lease/leases": {}, "/lease/revoke": {"ID": 5},
              "/cluster/member/list": {}, "/cluster/member/remove": {"ID": 1}, "/cluster/member/promote": {"ID": 1},
              "/maintenance/status": {}, "/maintenance/alarm": {}, "/maintenance/hash": {}, "/maintenance/defragment": {},
              "/maintenance/transfer-leadership": {"targetID": 1}, "/auth/enable": {}, "/auth/disable": {}, "/auth/user/add": {"name": "u", "password": "p"},
              "/auth/user/get": {"name": "u"}, "/auth/user/list": {}, "/auth/role/add": {"name": "r"}, "/auth/role/get": {"role": "r"},
              "/auth/role/list": {}, "/auth/authenticate": {"name": "u", "password": "p"}, "/lock/lock": {"name": FOO}, "/election/leader": {"name": FOO}}
    for path, body in bodies.items():
        yield f"{path} with a token while auth is off", [post(path, body, zzz)]
    yield "watch with a token while auth is off", [post("/watch", {"create_request": {"key": FOO}}, zzz, True)]
    yield "the alarm CORRUPT", [post("/kv/put", {"key": FOO, "value": BAR}), post("/maintenance/alarm", {"action": "ACTIVATE", "memberID": 1, "alarm": "CORRUPT"}),
                                post("/kv/range", {"key": FOO}), post("/kv/range", {"key": FOO, "serializable": True}), post("/kv/put", {"key": FOO}),
                                post("/kv/deleterange", {"key": FOO}), post("/kv/txn", {}), post("/kv/txn", {"success": [{"request_range": {"key": FOO}}]}),
                                post("/kv/txn", {"success": [{"requestPut": {"key": FOO}}]}), post("/kv/compaction", {"revision": 1}),
                                post("/lease/grant", {"TTL": 60}), post("/lease/revoke", {"ID": 5}), post("/election/leader", {"name": FOO})]
    grants = [(b64("m"), b64("z")), (b64("m"), b64("p")), (b64("b"), ""), (b64("m"), b64("x")), (b64("m"), ""), (b64("a"), b64("c"))]
    yield "permissions of one key", [post("/auth/role/add", {"name": "r"}),
                                     *(post("/auth/role/grant", {"name": "r", "perm": {"key": key, "range_end": end}}) for key, end in grants),
                                     post("/auth/role/grant", {"name": "r", "perm": {"permType": "WRITE", "key": b64("m"), "range_end": b64("p")}}),
                                     post("/auth/role/get", {"role": "r"}), post("/auth/role/revoke", {"role": "r", "key": b64("m"), "range_end": b64("z")}),
                                     post("/auth/role/get", {"role": "r"})]


def page_cases():
    # Not /v3: whether Go's router moves it with 301 or 307 depends on the Go that built etcd.
    for path in ("/version", "/health", "/", "/nosuch", "/v3/", "/v3/nosuch", "/v3/kv/range", "/v3alpha/kv/range", "/v2/keys", "/livez", "/readyz", "/livez?verbose",
                 "/health?serializable=true"):
        yield f"GET {path}", [get(path)]
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "POST"):
        for path in ("/version", "/health", "/v3/kv/range", "/v3/nosuch", "/nosuch"):
            yield f"{method} {path}", [get(path, method)]
    yield "v3beta", [("POST", "/v3beta/kv/range", json.dumps({"key": FOO}), {}, False)]
    yield "a slash too much", [post("/kv/range/", {"key": FOO})]
    yield "grpc-timeout", [post("/kv/range", {"key": FOO}, {"Grpc-Timeout": value}) for value in ("zz", "5", "10S", "1000m", "1x")]
    yield "content types do not matter", [post("/kv/range", {"key": FOO}, {"Content-Type": value}) for value in ("text/plain", "application/x-www-form-urlencoded")]


def raw_cases():
    head = b"POST /v3/kv/range HTTP/1.1\r\nHost: h\r\n"
    for name, data in (
            ("no Host", b"GET /version HTTP/1.1\r\n\r\n"), ("HTTP/1.0", b"GET /version HTTP/1.0\r\n\r\n"), ("two at once", b"GET /version HTTP/1.1\r\nHost: h\r\n\r\n" * 2),
            ("HTTP/1.0 with keep-alive", b"GET /version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), ("close", b"GET /version HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            ("no request", b"BAD\r\n\r\n"), ("bare line ends", b"GET /version HTTP/1.1\nHost: h\n\n"), ("HTTP/3.0", b"GET /version HTTP/3.0\r\nHost: h\r\n\r\n"),
            ("a blank in a name", b"GET /version HTTP/1.1\r\nHost: h\r\na b: c\r\n\r\n"), ("a bad length", head + b"Content-Length: x\r\n\r\n{}"),
            ("two lengths", head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), ("unknown coding", head + b"Transfer-Encoding: gzip\r\n\r\n{}"),
            ("a body in chunks", head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"key\r\n9;x=y\r\n\":\"Zm9v\"}\r\n0\r\n\r\n"),
            ("a bad chunk size", head + b"Transfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n0\r\n\r\n")):
        yield f"raw: {name}", [("RAW", "", data, {}, True)]
    yield "websocket for watch", [("RAW", "", b"GET /v3/watch HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                   b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", {"then": frame(json.dumps({"create_request": {"key": FOO}}).encode())}, True)]


def frame(payload):
    """A client's text frame, masked with zeros."""
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def all_cases():
    for cases in (kv_cases(), txn_cases(), bad_bodies(), lease_cases(), watch_cases(), service_cases(), alarm_and_auth_cases(), page_cases(), raw_cases()):
        yield from cases


# ---- one request ----

def send(address, request, tokens):
    method, path, body, headers, is_stream = request
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as peer:
        if method == "RAW":
            peer.sendall(body)
            if "then" in headers:  # what follows the answer to a handshake
                answer = peer.recv(65536).decode("latin-1")
                peer.sendall(headers["then"])
                return answer + receive(peer, True, False)
        else:
            data = (body or "").encode()
            lines = [f"{method} {path} HTTP/1.1", "Host: h"] + [f"{name}: {value.replace('TOKEN', tokens.get(address, ''))}" for name, value in headers.items()]
            if body is not None:
                lines.append(f"Content-Length: {len(data)}")
            peer.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + data)
        answer = receive(peer, is_stream, method == "HEAD")
    found = re.search(r'"token":"([^"]+)"', answer)
    if found:
        tokens[address] = found.group(1)
    return answer


def receive(peer, is_stream, is_head):
    data = b""
    peer.settimeout(STREAM_S if is_stream else DEADLINE_S)
    try:
        while not (not is_stream and is_whole(data, is_head)):
            piece = peer.recv(65536)
            if not piece:
                data += b"\n<closed>"
                break
            data += piece
    except socket.timeout:
        data += b"\n<silence>"
    except ConnectionResetError:
        data += b"\n<closed>"  # RST or FIN depends on what Go has left unread
    return data.decode("latin-1")


def is_whole(data, is_head):
    head, end, body = data.partition(b"\r\n\r\n")
    if not end or head.startswith(b"HTTP/1.1 100"):
        if head.startswith(b"HTTP/1.1 100") and end:
            return is_whole(body, is_head)
        return False
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if is_head:
        return True
    if length:
        return len(body) >= int(length.group(1))
    return body.endswith(b"0\r\n\r\n") or (b"\r\n0\r\n" in b"\r\n" + body and body.endswith(b"\r\n\r\n"))


def masked(answer):
    """Status line, headers that matter in alphabetical order, and the body without its chunks."""
    if "\r\n\r\n" not in answer:
        return answer
    head, _, body = answer.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    if ("transfer-encoding", "chunked") in headers:
        body = re.sub(r"(?:\r\n|^)[0-9a-f]+\r\n", "", body, flags=re.IGNORECASE)
    for pattern, put in MASKS:
        body = pattern.sub(put, body)
    body = re.sub(r'("(?:key|kv)":")[A-Za-z0-9+/=]{24,}"', r'\1#"', body)  # keys of locks have ids in them
    if "HTTP/1" in body and "\r\n\r\n" in body:  # the next answer on the same connection
        first, _, rest = body.partition("HTTP/1")
        body = first + masked("HTTP/1" + rest)
    return "\n".join([status, *sorted(f"{name}: {value}" for name, value in headers if name in HEADERS), "", body])


def differences(requests, real, fake, tokens):
    wrong = []
    for request in requests:
        answers = [masked(send(address, request, tokens)) for address in (real, fake)]
        if request[1].endswith("/snapshot"):
            answers = [re.sub(r'"blob":"[^"]*"', '"blob":"#"', answer) for answer in answers]
        if answers[0] != answers[1]:
            wrong += [f"{request[0]} {request[1]} {str(request[2])[:200]}", *(f"  real: {line}" for line in answers[0].split("\n")),
                      *(f"  fake: {line}" for line in answers[1].split("\n"))]
    return wrong


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_BROKEN))
    scratch = tempfile.mkdtemp(prefix="fidelity-gateway-")
    failed = 0
    try:
        version = real_version(options.real)
        chosen = [(name, requests) for name, requests in all_cases() if options.only in name]
        with ThreadPoolExecutor(JOBS) as pool:
            # The pool keeps the order, so the report has the order of the cases.
            for (name, _), wrong in zip(chosen, pool.map(lambda case: run_case(*case, options, version, scratch), chosen)):
                failed += report(name, wrong)
    finally:
        end_everything()
        shutil.rmtree(scratch, ignore_errors=True)
    return EXIT_FAILED if failed else 0


_shared = []  # servers of the cases that write nothing but foo=bar; one case at a time
_shared_lock = threading.Lock()


def shared_servers(options, version, scratch):
    if not _shared:
        servers = [Server(options.real, scratch), Server(options.fake, scratch, ["--profile", f"etcd-{version}"])]
        for server in servers:
            server.start()
        _shared[:] = servers
    return _shared


def run_case(name, requests, options, version, scratch):
    is_fresh = any("/kv/" in request[1] or "/lease" in request[1] or "/watch" in request[1] or "/auth" in request[1] or "/election" in request[1] or "/lock" in request[1]
                   for request in requests) and not name.startswith(("range with", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST"))
    try:
        if is_fresh:
            with Server(options.real, scratch) as real, Server(options.fake, scratch, ["--profile", f"etcd-{version}"]) as fake:
                wrong = differences(requests, real.address, fake.address, {})
        else:
            with _shared_lock:
                real, fake = shared_servers(options, version, scratch)
                wrong = differences(requests, real.address, fake.address, {})
    except (CannotStart, OSError) as error:
        wrong = [f"{type(error).__name__}: {error}"]
    return wrong


def report(name, wrong):
    print(printable(f"{'FAIL' if wrong else 'ok  '} {name}"), flush=True)
    for line in wrong:
        print(printable(f"     {line}"), flush=True)
    return 1 if wrong else 0


def printable(line):
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)


def real_version(program):
    said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout
    return "3.4" if "Version: 3.4." in said else "3.5"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", required=True)
    parser.add_argument("--fake", required=True)
    parser.add_argument("--only", default="")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
