# SPDX-License-Identifier: Apache-2.0
"""
The Datasystem's real worker with the fake as its etcd: start, use, a second worker, a read across
both, etcd frozen for ten seconds, a lost lease, stop. One story: each case builds on those before it.
"""
import base64
import json
import os
import signal
import time
import urllib.request

import living
from clients import Client, NoAnswer
from install import installed
from worlds import CannotStart, RealWorld, signal_pid, wait_gone

CLUSTER_KEYS = "/datasystem/cluster/"
FROZEN_S = 10
VALUE = b"across two workers".hex()


class Worker(RealWorld):
    """As the world of the other parts, but with an etcd that is there already."""

    def __init__(self, venv, folder, etcd_address):
        super().__init__(venv, folder)
        self._given_etcd_address = etcd_address

    def _start_etcd(self, deadline_s=15):
        self._etcd_address = self._given_etcd_address

    def ask_to_leave(self, deadline_s):
        signal_pid(self._worker_pid, signal.SIGTERM)
        wait_gone(self._worker_pid, deadline_s)

    def is_running(self):
        try:
            os.kill(self._worker_pid, 0)
            return True
        except ProcessLookupError:
            return False


def run(part, bench):
    venv = os.path.join(bench.base, "venv")
    installed(venv)
    dscall = os.path.join(os.path.dirname(bench.fake), "dscall")
    if not os.access(dscall, os.X_OK):
        raise CannotStart(f"{dscall} is missing; run ./dev build")

    def tell():
        with bench.fake_server("3.5") as etcd:
            story = Story(bench, venv, etcd, dscall)
            try:
                for name, step in STORY:
                    yield name, tell_step(story, step)
            finally:
                story.end()

    bench.run_story(part, tell)


def tell_step(story, step):
    try:
        wrong = step(story)
    except (CannotStart, NoAnswer, OSError, LookupError) as error:
        wrong = [f"{type(error).__name__}: {error}"]
    return [*wrong, f"fake: {story.etcd.last_words()}"] if wrong else []


class Story:
    def __init__(self, bench, venv, etcd, dscall):
        self.bench, self.venv, self.etcd, self.dscall = bench, venv, etcd, dscall
        self.workers, self.clients = [], []

    def add_worker(self):
        worker = Worker(self.venv, self.bench.scratch, self.etcd.address)
        self.workers.append(worker)
        worker.start()
        client = Client([self.dscall], worker.address, {"connect_timeout_ms": 5000}, self.bench.scratch)
        self.clients.append(client)
        answer = client.call({"op": "init"})
        if not answer["ok"]:
            raise CannotStart(f"init: {answer['text']}")

    def members(self):
        """Address and state of each worker, as etcd has them."""
        reply = self.ask("kv/range", {"key": encoded(CLUSTER_KEYS), "range_end": encoded(CLUSTER_KEYS[:-1] + "0")})
        return {decoded(kv["key"]).removeprefix(CLUSTER_KEYS): (decoded(kv["value"]).split(";")[1], int(kv.get("lease", 0)))
                for kv in reply.get("kvs", [])}

    def ask(self, method, body):
        request = urllib.request.Request(f"http://{self.etcd.address}/v3/{method}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def wait_for(self, what, deadline_s):
        """True when it became true in time; nothing else tells when another process is ready."""
        ends = time.monotonic() + deadline_s
        while time.monotonic() < ends:
            if what():
                return True
            time.sleep(0.1)
        return False

    def end(self):
        for client in self.clients:
            client.kill()
            living.gone(client)
        for worker in self.workers:
            worker.stop()


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def decoded(text):
    return base64.b64decode(text).decode()


def start(story):
    story.add_worker()
    address = story.workers[0].address
    found = story.wait_for(lambda: story.members().get(address, ("", 0))[0] == "ready", 20)
    lease = story.members().get(address, ("", 0))[1]
    return [] if found and lease else [f"members: {story.members()}"]


def use(story):
    client = story.clients[0]
    return wrong_of(client.call({"op": "set", "key": "a", "value_hex": VALUE}), True) + \
        wrong_of(client.call({"op": "get", "keys": ["a"]}), True) + \
        wrong_of(client.call({"op": "get", "keys": ["absent"]}), False)


def second(story):
    story.add_worker()
    address = story.workers[1].address
    found = story.wait_for(lambda: story.members().get(address, ("", 0))[0] == "ready", 20)
    return [] if found and len(story.members()) == 2 else [f"members: {story.members()}"]


def across(story):
    return wrong_of(story.clients[0].call({"op": "set", "key": "far", "value_hex": VALUE}), True) + \
        wrong_of(story.clients[1].call({"op": "get", "keys": ["far"]}), True)


def frozen(story):
    client = story.clients[0]
    story.etcd.signal(signal.SIGSTOP)
    try:
        wrong = []
        ends = time.monotonic() + FROZEN_S
        while time.monotonic() < ends and not wrong:
            wrong = wrong_of(client.call({"op": "set", "key": "cold", "value_hex": VALUE}), True) + \
                wrong_of(client.call({"op": "get", "keys": ["cold"]}), True)
            time.sleep(0.5)
    finally:
        story.etcd.signal(signal.SIGCONT)
    return wrong or use(story)


def lease_lost(story):
    """
    The worker makes a new lease and puts itself back. (With real etcd too, sets fail for a while after
    it: the other worker has taken it out of the ring. So only its membership is asked for.)
    """
    address = story.workers[0].address
    before = story.members()[address][1]
    story.ask("lease/revoke", {"ID": str(before)})

    def is_back():
        state, lease = story.members().get(address, ("", 0))
        return lease not in (0, before) and state in ("ready", "recover")

    if story.wait_for(is_back, 60):
        return []
    return [f"members: {story.members()}, running: {story.workers[0].is_running()}"]


def leave(story):
    address = story.workers[1].address
    story.clients[1].close()
    story.workers[1].ask_to_leave(60)
    gone = story.wait_for(lambda: address not in story.members(), 30)
    return [] if gone else [f"members: {story.members()}"]


def wrong_of(answer, is_ok):
    return [] if answer["ok"] == is_ok else [json.dumps(answer)]


STORY = (
    ("a worker starts and is a member with a lease", start),
    ("set and get through it", use),
    ("a second worker joins", second),
    ("a value set on one is read on the other", across),
    (f"etcd frozen for {FROZEN_S} s disturbs nobody", frozen),
    ("a revoked lease: the worker comes back with a new one", lease_lost),
    ("a worker that leaves is no member any more", leave),
)
