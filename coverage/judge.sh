#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lines that tests reach, by room, against the floor: what must not be undercut.
# usage: judge.sh LCOV_INFO FLOOR, from the root of the tree
set -euo pipefail

awk -v root="$PWD/" '
    FILENAME == ARGV[1] { if (NF == 2 && $1 !~ /^#/) floor[$1] = $2; next }
    /^SF:/ { path = substr($0, 4); if (index(path, root) == 1) path = substr(path, length(root) + 1)
             room = path; sub(/\/.*/, "", room); if (!(room in found)) order[++rooms] = room }
    /^LF:/ { n = substr($0, 4); found[room] += n; found["total"] += n }
    /^LH:/ { n = substr($0, 4); hit[room] += n; hit["total"] += n }
    END {
        order[++rooms] = "total"
        for (i = 1; i <= rooms; i++) {
            room = order[i]
            if (found[room] == 0) continue
            percent = 100 * hit[room] / found[room]
            below = room in floor && percent < floor[room]
            low += below
            printf "  %-12s %6.1f %%  of %6d lines%s\n", room, percent, found[room],
                below ? ", BELOW the floor of " floor[room] " %" : ""
        }
        if (low) { print "coverage: below the floor (coverage/floor.txt)"; exit 1 }
    }' "$2" "$1"
