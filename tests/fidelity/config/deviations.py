# SPDX-License-Identifier: Apache-2.0
"""
Where ours and the loader upstream differ on purpose: each row is a file, what upstream makes of it
and what ours does. Both are checked, so a row that is no longer true fails.

An outcome is "error", "none" (no configuration), or the edges as "FROM->TO NAME, ...".
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    name: str
    text: str
    upstream: str
    ours: str
    suffix: str = ".yaml"


def staged(lines, connectors="{a: {name: A}}"):
    return f"runtime: {{connectors: {connectors}}}\nstage_args:\n" + "".join(f"- {line}\n" for line in lines)


# The reasons: names and ids that nobody can mean are refused where they stand rather than carried
# on as Python objects; what only Python's dict() makes a map of is no map; a tag that builds a
# Python object is no configuration.
DEVIATIONS = (
    Deviation("a name that is a number", staged(["{stage_id: 1, input_connectors: {'0': a}}"], "{a: {name: 5}}"),
              "0->1 5", "error"),
    Deviation("a name that is null", staged(["{stage_id: 1, input_connectors: {'0': {name: null}}}"]),
              "0->1 None", "error"),
    Deviation("a name that is a boolean", staged(["{stage_id: 1, input_connectors: {'0': {name: yes}}}"]),
              "0->1 True", "error"),
    Deviation("an id that is a list", staged(["{stage_id: [1], input_connectors: {'0': a}}"]), "0->[1] A", "error"),
    Deviation("an id that is a mapping", staged(["{stage_id: {a: 1}}"]), "", "error"),
    Deviation("the end of an edge that is a list",
              "runtime: {edges: [{from: [0], to: 1}, {from: 1, to: 2}]}\nstage_args: [{stage_id: 0}]\n",
              "[0]->1 SharedMemoryConnector, 1->2 SharedMemoryConnector", ""),
    Deviation("a source that is a list", "stage_args: [{stage_id: 1, engine_input_source: [[0], 2]}]\n",
              "[0]->1 SharedMemoryConnector, 2->1 SharedMemoryConnector", ""),
    Deviation("extra as a list of pairs",
              staged(["{stage_id: 1, input_connectors: {'0': {name: A, extra: [[host, h]]}}}"]), "0->1 A", "error"),
    Deviation("runtime as a list of pairs", "runtime: [[edges, []]]\nstages: [{stage_id: 0}]\n", "", "error"),
    Deviation("bytes as an option",
              staged(["{stage_id: 1, input_connectors: {'0': {name: A, extra: {b: !!binary aGk=}}}}"]),
              "0->1 A", "error"),
    Deviation("a set as an option",
              staged(["{stage_id: 1, input_connectors: {'0': {name: A, extra: {s: !!set {a, b}}}}}"]),
              "0->1 A", "error"),
    Deviation("an id with a NUL in it", 'stage_args: [{stage_id: "a\\0b", engine_input_source: [0]}]\n',
              "0->a\0b SharedMemoryConnector", "error"),
    Deviation("a time of day as an id",
              "stage_args: [{stage_id: 2001-12-14t21:59:43.10-05:00, engine_input_source: [0]}]\n",
              "0->2001-12-14 21:59:43.100000-05:00 SharedMemoryConnector",
              "0->2001-12-14t21:59:43.10-05:00 SharedMemoryConnector"),
    Deviation("NaN in JSON", '{"stages": [{"stage_id": NaN, "engine_input_source": [0]}]}',
              "0->nan SharedMemoryConnector", "error", ".json"),
    Deviation("half a surrogate pair in JSON", '{"x": "\\ud800", "stages": [{"stage_id": 1, "engine_input_source": [0]}]}',
              "0->1 SharedMemoryConnector", "error", ".json"),
    Deviation("seventy levels", "x: " + "[" * 70 + "]" * 70 + "\nstages: []\n", "", "error"),
)

# Not in files: when some of the stages that an edge could lead to are numbers and others are not,
# sorting them raises upstream; ours takes numbers first. run.py knows it as `mixed ids`.
