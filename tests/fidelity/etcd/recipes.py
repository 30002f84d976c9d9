# SPDX-License-Identifier: Apache-2.0
"""
Puts the clients and servers that etcd is compared with into one folder, each once and again when
its recipe changed: real etcd 3.5 and the Go programs by `go build`, etcd3 by `npm ci`.
"""
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from install import Unavailable, one_at_a_time

DEADLINE_S = 900
ETCD_35, ETCDCTL_35 = "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/etcdctl/v3"


def real_etcd_35(base):
    """Paths of etcd and etcdctl 3.5."""
    folder = os.path.join(base, "etcd35")

    def make():
        for name, package in (("etcd", ETCD_35), ("etcdctl", ETCDCTL_35)):
            go(["build", "-o", os.path.join(folder, name), package], os.path.join(HERE, "real35"))

    made(folder, "real35", make)
    return os.path.join(folder, "etcd"), os.path.join(folder, "etcdctl")


def go_program(base):
    folder = os.path.join(base, "etcd-go")
    program = os.path.join(folder, "fidelity")
    made(folder, "go", lambda: go(["build", "-o", program, "."], os.path.join(HERE, "go")))
    return program


def npm_cases(base):
    """The command that runs the cases against an endpoint."""
    folder = os.path.join(base, "etcd-npm")

    def make():
        for name in os.listdir(os.path.join(HERE, "npm")):
            shutil.copy(os.path.join(HERE, "npm", name), folder)
        need("npm", "Debian packages nodejs and npm")
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, "npm cannot install etcd3")

    need("node", "Debian package nodejs")
    made(folder, "npm", make)
    return ["node", os.path.join(folder, "cases.js")]


def made(folder, recipe, make):
    """Once for this recipe: what its files say is kept beside the result."""
    digest = digest_of(os.path.join(HERE, recipe))
    stamp = os.path.join(folder, "recipe")
    with one_at_a_time(folder):
        if os.path.exists(stamp) and read(stamp) == digest:
            return
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        make()
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(digest)


def digest_of(folder):
    digest = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        digest.update(name.encode() + b"\0" + read(os.path.join(folder, name)).encode())
    return digest.hexdigest()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def go(words, folder):
    need("go", "Debian package golang")
    run(["go", *words], folder, "go cannot build it (no network, or an old go)")


def need(program, package):
    if not shutil.which(program):
        raise Unavailable(f"no {program} on this machine ({package})")


def run(command, folder, words):
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{words}: not finished within {DEADLINE_S} s") from None
    if done.returncode != 0:
        raise Unavailable(f"{words}: {done.stdout.strip()[-300:]}")
