# SPDX-License-Identifier: Apache-2.0
"""
One etcd on a free port, real or fake, started by the same flags: the fake has to take the real one's.
"""
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import living
from worlds import CannotStart, free_port


START_DEADLINE_S = 60  # a disk that is busy holds up the real one's first fsyncs


class Server:
    def __init__(self, program, folder, more=()):
        self._program = program
        self._folder = tempfile.mkdtemp(prefix="etcd-", dir=folder)
        self._more = list(more)
        self._process = None
        self._client, self._peer = free_port(), free_port()
        self.address = f"127.0.0.1:{self._client}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def start(self, deadline_s=START_DEADLINE_S):
        url, peer_url = f"http://{self.address}", f"http://127.0.0.1:{self._peer}"
        with open(os.path.join(self._folder, "log"), "ab") as log:
            self._process = subprocess.Popen(
                [self._program, "--name", "default", "--data-dir", os.path.join(self._folder, "data"),
                 "--listen-client-urls", url, "--advertise-client-urls", url,
                 "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
                 "--initial-cluster", f"default={peer_url}", *self._more],
                stdout=log, stderr=log)
        living.born(self, self._process.kill)
        self._wait_healthy(deadline_s)

    def restore(self, etcdctl, snapshot):
        """Its data, before it is started. What etcdctl said, after `exit status` if it failed."""
        peer_url = f"http://127.0.0.1:{self._peer}"
        done = subprocess.run([etcdctl, "snapshot", "restore", snapshot, "--data-dir", os.path.join(self._folder, "data"), "--name", "default",
                               "--initial-cluster", f"default={peer_url}", "--initial-advertise-peer-urls", peer_url],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False, env=dict(os.environ, ETCDCTL_API="3"))
        return done.stdout if done.returncode == 0 else f"exit status {done.returncode}\n{done.stdout}"

    def forget(self):
        """Its data are gone; it is down."""
        shutil.rmtree(os.path.join(self._folder, "data"))

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def end(self):
        if self._process and self._process.poll() is None:
            self.kill()
        living.gone(self)

    def last_words(self):
        with open(os.path.join(self._folder, "log"), "rb") as log:
            return log.read()[-400:].decode(errors="replace").strip()

    def is_running(self):
        return self._process.poll() is None

    def _wait_healthy(self, deadline_s):
        ends = time.monotonic() + deadline_s
        while time.monotonic() < ends:
            if not self.is_running():
                raise CannotStart(f"{self._program} ended with {self._process.returncode}: {self.last_words()}")
            try:
                with urllib.request.urlopen(f"http://{self.address}/health", timeout=1) as answer:
                    if b"true" in answer.read():
                        return
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        self.kill()
        raise CannotStart(f"{self._program} was not healthy within {deadline_s} s: {self.last_words()}")
