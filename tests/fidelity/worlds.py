# SPDX-License-Identifier: Apache-2.0
"""
What a client can be pointed at: the program `fakeds`, or the real worker with its etcd.

Both worlds have the same few verbs: start, stop, kill, restart, freeze, thaw. Ports are
asked from the kernel, data lives in a temporary folder, and whatever was started is ended
by its own process id.
"""
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

import living


class CannotStart(Exception):
    """A part of the world did not come up; the text is its own words."""


_ports_lock = threading.Lock()
_given_ports = set()  # by this run: who asked may not have bound it yet, or may come back to it


def free_port():
    """A port nobody listens on, below the range from which the kernel serves outgoing connections."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        with _ports_lock:
            if port not in _given_ports:
                _given_ports.add(port)
                return port


class FakeWorld:
    """One `fakeds` process."""

    READY = re.compile(r"ready at (\S+:\d+)")

    def __init__(self, program, folder):
        self._program = program
        self._folder = folder
        self._process = None
        self._starts = 0
        self._killed = False
        self.address = None

    def start(self, flags=(), faults="", address="127.0.0.1:0", deadline_s=5):
        command = [self._program, "--worker_address", address, *map(str, flags)]
        self._starts += 1
        self._killed = False
        if faults:
            path = os.path.join(self._folder, f"faults-{self._starts}.yaml")
            with open(path, "w") as file:
                file.write(faults)
            command += ["--faults", path]
        with open(os.path.join(self._folder, "fakeds.err"), "ab") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        living.born(self, self._process.kill)
        self.address = self._ready_address(deadline_s)

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._killed = True

    def restart(self, flags=(), faults=""):
        """A new process on the old address: all state is lost."""
        self.kill()
        self.start(flags, faults, self.address)

    def restart_not_ready(self):
        """As a real worker does it: it answers after a moment, but only that it is not ready."""
        self.kill()
        time.sleep(0.5)
        self.start(("--not_ready_ms", 4000), address=self.address)
        self._ready_at = time.monotonic() + 4.1

    def wait_ready(self):
        time.sleep(max(0, self._ready_at - time.monotonic()))

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        """Asks it to end; returns its exit status, 0 when the case itself had killed it."""
        if self._process is None or self._killed:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        living.gone(self)
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "no end within 5 s"

    def _ready_address(self, deadline_s):
        """Read the ready line without ever blocking longer than the deadline."""
        ends = time.monotonic() + deadline_s
        seen = b""
        while True:
            found = self.READY.search(seen.decode(errors="replace"))
            if found and b"\n" in seen:
                return found.group(1)
            left = ends - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                self.kill()
                raise CannotStart(f"fakeds was not ready within {deadline_s} s")
            piece = os.read(self._process.stdout.fileno(), 4096)
            if not piece:
                raise CannotStart(f"fakeds ended with {self._process.wait()}: {self.last_words()}")
            seen += piece

    def last_words(self):
        with open(os.path.join(self._folder, "fakeds.err"), "rb") as errors:
            return errors.read()[-500:].decode(errors="replace").strip()


class RealWorld:
    """Debian's etcd and the worker of the package, started with `dscli start -w`."""

    def __init__(self, venv, folder):
        self._venv = venv
        self._folder = tempfile.mkdtemp(prefix="real-", dir=folder)
        self._etcd = None
        self._worker_pid = None
        self._starting = None
        self._port = free_port()
        self._flags = ()
        self.address = f"127.0.0.1:{self._port}"

    def start(self, flags=(), faults=""):
        assert not faults, "the real worker takes no fault file"
        living.born(self, self.stop)
        self._flags = flags
        self._start_etcd()
        self._start_worker()

    def kill(self):
        signal_pid(self._worker_pid, signal.SIGKILL)
        wait_gone(self._worker_pid, 10)

    def restart_not_ready(self, keep_metadata=False):
        """Start it and do not wait; wait_ready does. Its metadata lives in RocksDB and outlives it unless removed."""
        self.kill()
        if not keep_metadata:
            shutil.rmtree(os.path.join(self._folder, "datasystem", "rocksdb"))
        self._starting = subprocess.Popen(self._dscli(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          text=True, cwd=self._folder)

    def wait_ready(self, deadline_s=60):
        self._read_pid(*self._end_of(self._starting, deadline_s))
        self._starting = None

    def freeze(self):
        signal_pid(self._worker_pid, signal.SIGSTOP)

    def thaw(self):
        signal_pid(self._worker_pid, signal.SIGCONT)

    def freeze_etcd(self):
        self._etcd.send_signal(signal.SIGSTOP)

    def thaw_etcd(self):
        self._etcd.send_signal(signal.SIGCONT)

    def stop(self):
        """The worker is not asked politely: a graceful leave takes longer than a case."""
        if self._starting:
            self._end_starting()
        if self._worker_pid:
            self.kill()
        if self._etcd:
            self._etcd.send_signal(signal.SIGKILL)
            self._etcd.wait()
        living.gone(self)
        shutil.rmtree(self._folder, ignore_errors=True)
        return 0

    def _end_starting(self):
        """A worker that is still starting is found through its parent, dscli."""
        for pid in children_of(self._starting.pid):
            signal_pid(pid, signal.SIGKILL)
        self._starting.kill()
        self._starting.wait()

    def _start_etcd(self, deadline_s=15):
        client, peer = free_port(), free_port()
        self._etcd_address = f"127.0.0.1:{client}"
        url, peer_url = f"http://{self._etcd_address}", f"http://127.0.0.1:{peer}"
        with open(os.path.join(self._folder, "etcd.log"), "ab") as log:
            self._etcd = subprocess.Popen(
                ["etcd", "--data-dir", os.path.join(self._folder, "etcd"),
                 "--listen-client-urls", url, "--advertise-client-urls", url,
                 "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
                 "--initial-cluster", f"default={peer_url}"],
                stdout=log, stderr=log)
        ends = time.monotonic() + deadline_s
        while time.monotonic() < ends:
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
                    if b"true" in answer.read():
                        return
            except OSError:
                time.sleep(0.1)
        raise CannotStart(f"etcd was not healthy within {deadline_s} s")

    def _start_worker(self, deadline_s=60):
        self._starting = subprocess.Popen(self._dscli(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          text=True, cwd=self._folder)
        self.wait_ready(deadline_s)

    def _end_of(self, process, deadline_s):
        try:
            output, _ = process.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            raise CannotStart(f"the worker was not ready within {deadline_s} s") from None
        return process.returncode, output

    def _read_pid(self, status, output):
        """The worker is a process of its own session; dscli prints which."""
        found = re.search(r"PID: (\d+)", output)
        if found:
            self._worker_pid = int(found.group(1))
        if status != 0 or not found:
            raise CannotStart(f"dscli start: {output.strip()[-300:]}")

    def _dscli(self):
        flags = {"--worker_address": self.address, "--etcd_address": self._etcd_address,
                 "--shared_memory_size_mb": "512", "--ipc_through_shared_memory": "false"}
        given = list(map(str, self._flags))
        flags.update(zip(given[::2], given[1::2]))
        words = [word for pair in flags.items() for word in pair]
        return [os.path.join(self._venv, "bin", "dscli"), "start", "-d", self._folder, "-w", *words]


def signal_pid(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def wait_gone(pid, deadline_s):
    ends = time.monotonic() + deadline_s
    while time.monotonic() < ends:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.01)
