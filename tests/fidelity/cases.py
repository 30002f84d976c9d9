# SPDX-License-Identifier: Apache-2.0
"""All cases, by topic. Each has a distinct name and uses keys of its own, so that cases may share a worker."""
import cases_batches
import cases_calls
import cases_connections
import cases_faults
import cases_lifecycle
import cases_memory

CASES = [
    *cases_calls.CASES,
    *cases_batches.CASES,
    *cases_lifecycle.CASES,
    *cases_memory.CASES,
    *cases_faults.CASES,
    *cases_connections.CASES,
]


def check():
    """Names must be distinct: reports and --only refer to them."""
    names = [case.name for case in CASES]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"case names used twice: {sorted(twice)}"


check()
