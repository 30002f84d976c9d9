# SPDX-License-Identifier: Apache-2.0
"""
What the parts share: programs, folders, and the count of what passed.

What fails is run once more, alone and with servers of its own: two cores that do other things make late
answers. Its first failure is shown as `again`, and the count of such cases stands before the last line.
"""
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import recipes
from install import Unavailable
from servers import Server
from worlds import CannotStart

PART_DEADLINE_S = 600


class Bench:
    def __init__(self, options, scratch):
        self.fake = os.path.join(options.bin, "fakeetcd")
        self.base = os.environ.get("FIDELITY_DIR", os.path.join(ROOT, "build", "fidelity"))
        self.scratch = scratch
        self.seeds = [options.seed + i for i in range(options.seeds)]
        self.passed = self.failed = self.skipped = 0
        self.passed_again = 0  # of those that passed: not at the first try

    def fake_server(self, version):
        return Server(self.fake, self.scratch, ["--profile", f"etcd-{version}"])

    def real_server(self, version):
        return Server(self.real(version)[0], self.scratch)

    def real(self, version):
        """etcd and etcdctl of that version."""
        if version == "3.5":
            return recipes.real_etcd_35(self.base)
        for program, package in (("etcd", "etcd-server"), ("etcdctl", "etcd-client")):
            if not shutil.which(program):
                raise Unavailable(f"no {program} on this machine (Debian package {package})")
        return shutil.which("etcd"), shutil.which("etcdctl")

    def run_cases(self, part, names, jobs, case):
        """`case(name)` gives the words for the report and what is wrong as lines, none if nothing is."""
        failed = []
        with ThreadPoolExecutor(jobs) as pool:
            # The pool keeps the order, so the report has the order of the names.
            for name, (words, wrong) in zip(names, pool.map(lambda name: timed(case, name), names)):
                self._say("again" if wrong else "ok", part, words, wrong)
                self.passed += not wrong
                if wrong:
                    failed.append(name)
        for name in failed:
            words, wrong = timed(case, name)
            self._say("FAIL" if wrong else "ok", part, f"{words}, alone after a failure", wrong)
            self._count_again(1, int(bool(wrong)), 1)

    def run_story(self, part, tell):
        """`tell()` yields a name and what is wrong for each of its cases, which build on one another."""
        cases, failed = self._tell(part, tell, "again")
        if failed == 0:
            self.passed += cases
        else:
            self._count_again(*self._tell(part, tell, "FAIL"), failed)

    def run_program(self, part, ask):
        """`ask()` runs a program that prints `ok` and `FAIL` lines of its own, and gives what it printed and its status."""
        output, status = ended(ask)
        cases, failed = self._show(part, output, status, "again")
        if failed == 0:
            self.passed += cases
        else:
            self._count_again(*self._show(part, *ended(ask), "FAIL"), failed)

    def _count_again(self, cases, failed, failed_before):
        self.passed += cases - failed
        self.failed += failed
        self.passed_again += max(0, failed_before - failed)

    def _tell(self, part, tell, verdict_of_wrong):
        """How many cases, and how many of them failed."""
        cases = failed = 0
        begun = time.monotonic()
        for name, wrong in tell():
            self._say(verdict_of_wrong if wrong else "ok", part, f"{name} ({time.monotonic() - begun:.1f} s)", wrong)
            cases, failed = cases + 1, failed + bool(wrong)
            begun = time.monotonic()
        return cases, failed

    def _show(self, part, output, status, verdict_of_wrong):
        """How many cases, and how many of them failed."""
        cases = failed = 0
        for line in output.splitlines():
            verdict, words = line[:4].strip(), line[4:].strip()
            if verdict in ("ok", "FAIL"):
                cases, failed = cases + 1, failed + (verdict == "FAIL")
                self._say(verdict_of_wrong if verdict == "FAIL" else "ok", part, words)
            else:
                print(f"       {line}", flush=True)
        if status != 0 and failed == 0:
            cases, failed = cases + 1, 1
            self._say(verdict_of_wrong, part, f"exit status {status}")
        return cases, failed

    @staticmethod
    def _say(verdict, part, words, details=()):
        print(f"{verdict:<4} [{part}] {words}", *(f"       {line}" for line in details), sep="\n", flush=True)


def timed(case, name):
    begun = time.monotonic()
    try:
        words, wrong = case(name)
    except (CannotStart, subprocess.TimeoutExpired, OSError) as error:
        words, wrong = name, [f"{type(error).__name__}: {error}"]
    return f"{words} ({time.monotonic() - begun:.1f} s)", wrong


def ended(ask):
    try:
        return ask()
    except CannotStart as error:
        return f"FAIL a server: {error}", 1


def run_program(command):
    """What it printed and its exit status."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PART_DEADLINE_S, check=False)
        return done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        return f"{(error.stdout or b'').decode()}\nFAIL not finished within {PART_DEADLINE_S} s", 1

