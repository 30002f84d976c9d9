# SPDX-License-Identifier: Apache-2.0
"""
A client process that is driven line by line: the Python KVClient (kvcall.py) or the C client (dscall).

Every wait has a deadline; a client that misses it is killed and the case fails with that reason.
"""
import json
import os
import queue
import subprocess
import threading

import living


class NoAnswer(Exception):
    """The client said nothing before the deadline, or ended."""


class Client:
    """One process, one call at a time; concurrency means more clients."""

    def __init__(self, command, worker_address, options, log_dir):
        arguments = [*command, "--worker_address", worker_address]
        for name in ("connect_timeout_ms", "request_timeout_ms"):
            if name in options:
                arguments += [f"--{name}", str(options[name])]
        environment = {**os.environ, "DATASYSTEM_CLIENT_LOG_DIR": log_dir}
        self._errors = open(os.path.join(log_dir, "client.err"), "ab")
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=self._errors, env=environment, text=True, bufsize=1)
        living.born(self, self._process.kill)
        self._answers = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, request, deadline_s=90):
        self.begin(request)
        return self.finish(deadline_s)

    def begin(self, request):
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise NoAnswer(f"the client ended with {self._process.wait()} before {request['op']}") from None

    def finish(self, deadline_s=90):
        try:
            line = self._answers.get(timeout=deadline_s)
        except queue.Empty:
            self.kill()
            raise NoAnswer(f"no answer within {deadline_s} s") from None
        if line is None:
            raise NoAnswer(f"the client ended with {self._process.wait()}")
        return json.loads(line)

    def close(self, deadline_s=5):
        """End politely: end of input, then the process tells the worker and leaves. May be called again."""
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
        living.gone(self)
        self._errors.close()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def _read(self):
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(None)
