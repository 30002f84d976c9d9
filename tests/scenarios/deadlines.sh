#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A get never outlives its deadline, whatever the worker does: for everything that can happen to a
# get there is a scenario in which a get with a deadline meets it.
# usage: deadlines.sh DSTEST, from the root of the tree
set -uo pipefail

# Points and actions of the two domains that a get can meet, as the program itself lists them.
# Missing on purpose: evict and expire befall values, and what is done to a heartbeat but muting it
# says nothing to a get; a hole is met at construction.
pairs() { # DSTEST
    "$1" reference | awk -F'|' '
        /^## What/ { is_ours = /`binding`|`fakeds`/ }
        is_ours && /^\| `/ {
            gsub(/[` ]/, "", $2); sub(/N$/, "", $2); gsub(/ /, "", $3); gsub(/ /, "", $4)
            if ($3 != "" && $3 !~ /^all/ && $3 !~ /(^|,)(get|heartbeat)(,|$)/) next
            n = split($4, actions, ",")
            for (i = 1; i <= n; i++) print $2, actions[i]
        }' | grep -vE '^(evict|expire) |^heartbeat (status|delay)$| hole$'
}

mapfile -t files < <(grep -lE 'deadline: ' scenarios/connector/*.yaml)
missing=0
count=0
while read -r point action; do
    count=$((count + 1))
    found=0
    for file in "${files[@]}"; do
        # The point may be a variable: then it is one of the values of the matrix.
        if grep -qE "at: ($point|\\\$\{point\})" "$file" && grep -qE "\b$point\b" "$file" &&
            grep -vE '^(name|seen|about)|expect:|status: ' "$file" |
            grep -qE "(^|[^a-z-])$action([^a-z-]|\$)"; then
            found=1
            break
        fi
    done
    if ((!found)); then
        echo "no scenario in which a get with a deadline meets $action at $point"
        missing=$((missing + 1))
    fi
done < <(pairs "$1")
if ((count < 40)); then
    echo "only $count pairs of point and action found; does $1 reference still list them?"
    exit 1
fi
echo "$count pairs of point and action, $missing without a scenario"
exit $((missing > 0))
