# SPDX-License-Identifier: Apache-2.0
"""
Stories told with stock etcdctl: the same commands to the real server and to the fake, every word of
the output compared after masking what is different between two runs of one server.

A command is a text as in a shell; `<` gives it standard input; `$lease` is the id in the output of
the last `lease grant`, `$scratch` a folder of this run. `& ` lets it run beside the following commands until `end`.
"""
import re
import shlex
import signal
import subprocess
import tempfile
import time

import living

DEADLINE_S = 20
READY_S = 0.5  # what runs beside says nothing when it stands
QUIET_S = 0.4

MASKS = (
    (r"\b[0-9a-f]{13,16}\b", "<id>"),
    (r'"(cluster_id|member_id|ID|leader|lease|raftTerm|raft_term|raftIndex|raftAppliedIndex|dbSize|dbSizeInUse)":\d+', r'"\1":<n>'),
    (r'"(ClusterID|MemberID|Lease)" : [1-9]\d*', r'"\1" : <n>'),
    (r"\b\d{17,20}\b", "<id>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r"\btook = [0-9.]+[mµn]?s", "took = <time>"),
    (r"remaining\(\d+s\)", "remaining(<n>s)"),
    (r'"took":[^,}]*', '"took":<time>'),
    (r'"path":"[^"]*"', '"path":<path>'),
    (r'"ts":"[^"]*"|"ts":[0-9.]+', '"ts":<time>'),
    (r'"caller":"[^"]*"', '"caller":<where>'),
    (r"etcd-endpoints://0x[0-9a-f]+|endpoint://client-[0-9a-f-]+", "<target>"),
    (r"\b\d+(\.\d+)? [kM]?B\b", "<size>"),
    (r"Snapshot saved at .*|Snapshot .*version.*", "<snapshot>"),
)

STORIES = {
    "put, get and their options": [
        "put a 1", "put b 2 --prev-kv", "put a 3 --prev-kv", "get a", "get a -w json", "get a --rev 2", "get a b c",
        "get '' --prefix", "get '' --from-key --keys-only", "get a --print-value-only", "get a --count-only -w fields",
        "get '' --prefix --sort-by modify --order descend --limit 1 -w json", "get nothing", "get a --rev 100",
        "put '' x", "put c --ignore-value", "put a --ignore-value", "get a -w fields", "put a < from standard input", "get a"],
    "delete and its options": [
        "put x1 a", "put x2 b", "put x3 c", "del x1", "del x1", "del x2 --prev-kv", "del x --prefix --prev-kv -w json", "del '' --from-key"],
    "transactions": [
        "put k 1",
        "txn < value(\"k\") = \"1\"\n\nput k 2\nget k\n\nget k\n\n",
        "txn < version(\"k\") > \"7\"\nmod(\"k\") < \"100\"\n\nput k 3\n\ndel k --prev-kv\nput l 9\n\n",
        "txn -w json < create(\"none\") = \"0\"\n\nget k\nput none 1\n\n\n",
        "txn < version(\"none\") = \"0\"\n\nput d 1\nput d 2\n\n\n", "get '' --prefix"],
    "leases": [
        "lease grant 60", "put a 1 --lease=$lease", "put b 2 --lease=$lease", "lease timetolive $lease --keys",
        "lease timetolive $lease -w json", "lease keep-alive --once $lease", "lease list", "get a -w json", "lease revoke $lease",
        "get '' --prefix", "lease revoke $lease", "lease timetolive $lease", "put a 1 --lease=1234abcd", "lease grant 1",
        "lease grant 0", "lease grant 99999999999"],
    "watches": [
        "& watch w --prefix --prev-kv", "put w1 a", "put w1 b", "del w1", "end",
        "& watch w1 --rev 1 -w json", "put w1 c", "end",
        "& watch w0 w9 --progress-notify", "put w5 c", "put w9 d", "end"],
    "compaction": [
        "put a 1", "put a 2", "put a 3", "compaction 3", "compaction 3", "compaction 100", "get a --rev 2", "get a --rev 3",
        "compaction 4 --physical", "& watch a --rev 2", "end", "& watch a --rev 4", "end"],
    "cluster and maintenance": [
        "member list", "member list -w table", "endpoint health", "endpoint status -w simple", "endpoint hashkv -w simple",
        "alarm list", "alarm disarm", "defrag", "member remove 1234", "move-leader 1234", "snapshot save $scratch/snapshot"],
    "lock and election": [
        "lock l echo held", "get l --prefix", "& elect e one", "get e --prefix --print-value-only", "end", "get e --prefix --count-only -w fields",
        "& elect -l e", "put e/1 two", "end"],
    "users, roles and permissions": [
        "auth enable", "user list", "role list", "role add r", "role add r", "role grant-permission r readwrite a b",
        "role grant-permission r read q --prefix", "role grant-permission r write k", "role get r", "role revoke-permission r k",
        "role revoke-permission r zz", "role get r", "role get none", "user add u:pw", "user add u:pw", "user add '':x",
        "user grant-role u r", "user grant-role u none", "user get u", "user get u --detail", "user get none",
        "user revoke-role u none", "user add root:pw", "auth enable", "user grant-role root root", "role list", "user list",
        "auth enable", "get a", "put a 1 --user u:pw", "get a --user u:pw", "put q1 1 --user u:pw", "get q1 --user u:pw",
        "get '' --from-key --user u:pw", "get a --user u:wrong", "get a --user none:pw", "put z 1 --user root:pw",
        "user list --user u:pw", "member list --user root:pw", "endpoint health --user root:pw", "user passwd u --interactive=false --user root:pw < new",
        "get a --user u:pw", "get a --user u:new", "user delete u --user root:pw", "get a --user u:new", "role delete r --user root:pw",
        "user delete root --user root:pw", "auth disable --user root:pw", "auth disable", "user delete root", "user list", "get z"],
    "sizes": ["put big < <1000000 bytes>", "get big --count-only -w fields", "put big < <1600000 bytes>"],
}


class Session:
    """One server, one etcdctl; what a story needs to remember."""

    def __init__(self, etcdctl, address, scratch):
        self._scratch = tempfile.mkdtemp(prefix="etcdctl-", dir=scratch)
        self._base = [etcdctl, "--endpoints", address]
        self._lease = "0"
        self._beside = None

    def run(self, line):
        if line == "end":
            return self._end_beside()
        words, given = self._words(line.removeprefix("& "))
        if line.startswith("& "):
            return self._begin_beside(words)
        done = subprocess.run(self._base + words, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=DEADLINE_S, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"}, check=False)
        granted = re.match(r"lease ([0-9a-f]+) granted", done.stdout)
        if granted:
            self._lease = granted.group(1)
        return f"exit {done.returncode}\n{masked(done.stdout, words)}"

    def _words(self, line):
        command, separator, given = line.partition(" < ")
        sized = re.fullmatch(r"<(\d+) bytes>", given)
        text = "x" * int(sized.group(1)) if sized else given
        return shlex.split(command.replace("$lease", self._lease).replace("$scratch", self._scratch)), text if separator else ""

    def _begin_beside(self, words):
        self._beside = subprocess.Popen(self._base + words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
        self._beside_words = words
        living.born(self, self._beside.kill)
        time.sleep(READY_S)
        return ""

    def _end_beside(self):
        time.sleep(QUIET_S)
        self._beside.send_signal(signal.SIGINT)
        output, _ = self._beside.communicate(timeout=DEADLINE_S)
        living.gone(self)
        return masked(output, self._beside_words)


def masked(text, words):
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    # The keys of a lease come in no order.
    text = re.sub(r"(attached keys\(\[|\"keys\":\[)([^\]]*)", lambda found: found.group(1) + in_order(found.group(2)), text)
    if words[:2] == ["lease", "list"]:
        text = "\n".join(sorted(text.splitlines()))
    if words[0] == "endpoint" and words[1] in ("status", "hashkv"):
        text = re.sub(r"\b\d+\b", "<n>", text)  # indexes, terms and hashes are each server's own
    if words[-2:] == ["-w", "table"]:
        text = re.sub(r"-+", "-", re.sub(r" +", " ", text))  # columns are as wide as the ids in them
    return text.strip()


def in_order(names):
    separator = "," if "," in names else " "
    return separator.join(sorted(names.split(separator)))


def differences(name, real, fake):
    """Runs one story on both; the first command whose output differs, as lines to print."""
    for line in STORIES[name]:
        expected, got = real.run(line), fake.run(line)
        if expected != got:
            shown = line if len(line) < 200 else line[:200] + " ..."
            return [f"$ etcdctl {shown}", *(f"real | {one}" for one in expected.splitlines()),
                    *(f"fake | {one}" for one in got.splitlines())]
    return []
