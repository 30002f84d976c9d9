# SPDX-License-Identifier: Apache-2.0
"""
A snapshot of the fake, taken, checked and restored by stock etcdctl: a real etcd that runs on it answers
every read as the fake does.
"""
import os
import re
import subprocess
import tempfile

DEADLINE_S = 30
OWN = re.compile(r'^"(ClusterID|MemberID|RaftTerm)" : .*\n', re.MULTILINE)  # a restored cluster is another one
READS = (("get", "", "--from-key"), ("get", "a", "--rev", "3"), ("get", "a", "--rev", "2"), ("get", "gone"), ("lease", "list"))


def short(say):
    say("lease", "grant", "1000")
    lease = say("lease", "list").split()[-1]
    for command in (("put", "a", "1"), ("put", "a", "2"), ("put", "gone", "x"), ("put", "b", "3", "--lease", lease), ("del", "gone"), ("compaction", "3"), ("put", "c", "")):
        say(*command)


def many(say):
    for start in range(0, 3000, 100):
        puts = "\n".join(f"put k{i:05} {'v' * (i % 700)}." for i in range(start, start + 100))
        say("txn", stdin=f"\n{puts}\n\n\n")
    say("put", "large", "x" * 100_000)


LIVES = {"nothing": lambda say: None, "a short life": short, "many keys": many}


def speaker(etcdctl, address):
    def say(*words, stdin=None):
        done = subprocess.run([etcdctl, "--endpoints", address, *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=DEADLINE_S, check=False, env=dict(os.environ, ETCDCTL_API="3"))
        return done.stdout if done.returncode == 0 else f"exit status {done.returncode}\n{done.stdout}"
    return say


def tell(live, etcdctl, fake, real, folder):
    """What was wrong. `real` has not been started."""
    path = os.path.join(folder, "snapshot.db")
    ask_fake = speaker(etcdctl, fake.address)
    said = []

    def say(*words, stdin=None):
        said.append(ask_fake(*words, stdin=stdin))
        return said[-1]

    live(say)
    said += [ask_fake("snapshot", "save", path), ask_fake("snapshot", "status", path), real.restore(etcdctl, path)]
    wrong = [answer for answer in said if answer.startswith("exit status")]
    if wrong:
        return wrong
    with real:
        ask_real = speaker(etcdctl, real.address)
        for read in READS:
            answers = [OWN.sub("", ask(*read, "-w", "fields")) for ask in (ask_fake, ask_real)]
            if "exit status" in answers[0]:
                answers = [answer.split("Error:")[-1].strip() for answer in answers]
            if answers[0] != answers[1]:
                wrong += [" ".join(read), f"  fake: {answers[0][:300]!r}", f"  real: {answers[1][:300]!r}"]
    return wrong


def run(part, bench):
    version = part.split("-")[1]
    etcdctl = bench.real(version)[1]

    def case(name):
        with bench.fake_server(version) as fake:
            return name, tell(LIVES[name], etcdctl, fake, bench.real_server(version), tempfile.mkdtemp(dir=bench.scratch))

    bench.run_cases(part, list(LIVES), 1, case)
