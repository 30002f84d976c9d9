# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: their arguments, the programs, fakeds on a free port, and goals.

A goal is a row of the JSON file, too, so that two runs can be compared by a program:

    goal(...) --> {"goal", "value", "limit", "kind", "is_met"} --> finish(report, options)
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEADLINE_S = 300  # of each program that measures
AT_LEAST, AT_MOST = "at least", "at most"


def arguments(part, description, file, seconds):
    """A parser that the part may add to."""
    parser = argparse.ArgumentParser(prog=f"./dev bench {part}", description=description)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "bin"), help="folder of the programs")
    parser.add_argument("--json", default=os.path.join(ROOT, "build", file), help="file to write")
    parser.add_argument("--seconds", type=seconds, default=2, help="of each measurement, about")
    return parser


def program(options, name):
    path = os.path.join(options.bin, name)
    if not os.access(path, os.X_OK):
        sys.exit(f"bench: {path} is missing; run: ./dev build")
    return path


def run(command, **more):
    """What it prints; stderr goes where ours goes."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=DEADLINE_S, check=True, **more).stdout


def rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Fakeds:
    """The program fakeds on a free port, with 2 GiB."""

    def __init__(self, options):
        self._program = program(options, "fakeds")
        self._process = None
        self.address = None

    def __enter__(self):
        self._process = subprocess.Popen([self._program, "--worker_address", "127.0.0.1:0",
                                          "--shared_memory_size_mb", "2048"], stdout=subprocess.PIPE, text=True)
        self.address = self._process.stdout.readline().split()[-1]
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)

    def rss_kb(self):
        return rss_kb(self._process.pid)


# ---- goals ----

def goal(what, value, limit, kind):
    return {"goal": what, "value": value, "limit": limit, "kind": kind,
            "is_met": value >= limit if kind == AT_LEAST else value <= limit}


def finish(report, rows, options):
    """Prints which goals are met and writes everything down."""
    print()
    for row in rows:
        print(f"{'met    ' if row['is_met'] else 'NOT MET'} {row['goal']}: {row['value']} ({row['kind']} {row['limit']})")
    report["goals"] = rows
    with open(options.json, "w", encoding="utf-8") as out:
        json.dump(report, out, indent=1)
    print(f"written: {os.path.relpath(options.json)}")
