# SPDX-License-Identifier: Apache-2.0
"""A worker of 64 MB: what does not fit, and what is thrown away."""
from table import *
from texts import *

MIB = 1 << 20
SMALL = {"flags": ("--shared_memory_size_mb", 64), "real_flags": ("--shared_memory_size_mb", 64),
         "worlds": ("fakeds", "real"), "options": {"request_timeout_ms": 1000}}


def filled(prefix, number, **more):
    return [set_big(f"{prefix}-{index}", 4 * MIB, **more) for index in range(number)]


def mset_big(key, size, also=None):
    pairs = [(key, "a" * size)]
    return mset([(also, "v"), *pairs] if also else pairs)


def finds_no_room(step):
    """The worker waits for room nearly as long as it may; whether the last attempt is answered in time is a race."""
    detail = ". RPC Retry detail: [ … ] with … times in 1000 ms."
    return step.either(step.fails(OUT_OF_MEMORY, NO_SPACE + detail), step.fails(OUT_OF_MEMORY, OVER_LIMIT + detail),
                       step.fails(UNAVAILABLE, SILENCE + detail)).takes(1000)


CASES = [
    case("memory: a full worker refuses a value of mode none after the request time-out",
         *filled("mf", 12),
         finds_no_room(set_big("mf-more", 4 * MIB)),
         finds_no_room(set_big("mf-evict", 4 * MIB, write_mode="evict")),
         get("mf-0").returns((4 * MIB, b"a")),
         delete("mf-1").answers_with(failed=[]),
         set_big("mf-again", 4 * MIB),
         exist("mf-0", "mf-1", "mf-11", "mf-more", "mf-again").answers_with(exists=[True, False, True, False, True]),
         **SMALL),
    case("memory: overwriting on a full worker needs room beside the old value",
         *filled("mo", 12),
         finds_no_room(set_big("mo-0", 4 * MIB)),
         **SMALL),
    case("memory: mset on a full worker asks once and has no retry suffix",
         *filled("mm", 12),
         mset_big("mm-more", 4 * MIB).fails(OUT_OF_MEMORY, NO_SPACE).takes(857),
         mset_big("mm-more", 4 * MIB, also="mm-small").answers_with(failed=["mm-more"]).takes(857),
         exist("mm-more", "mm-small").answers_with(exists=[False, True]),
         requests("mset", count=2), link=True, **SMALL),
    case("memory: a value takes its allocation class: 64 bytes less than 4 MiB fit more often",
         *[set_big(f"mc-{index}", 4 * MIB - 64) for index in range(15)],
         finds_no_room(set_big("mc-more", 4 * MIB - 64)),
         **SMALL),
    case("memory: values of mode evict make room for each other, the oldest go",
         *filled("me", 30, write_mode="evict"),
         exist("me-0", "me-9", "me-29").answers_with(exists=[False, False, True]),
         get("me-29").returns((4 * MIB, b"a")),
         get("me-0", sub_ms=500).fails(NOT_FOUND, MISS).takes(452),
         **SMALL),
    case("memory: a value of mode none fits where values of mode evict can go",
         *filled("mn", 30, write_mode="evict"),
         set_big("mn-none", 4 * MIB), get("mn-none").returns((4 * MIB, b"a")),
         **SMALL),
]
