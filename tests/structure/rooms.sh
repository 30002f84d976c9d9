#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rule of dependencies (docs/architecture.md), read off the includes. From the tree's root.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

# Room and what it may include, itself besides. harness and what stands above it may use all.
ALLOWED=(
    "runtime:"
    "document:runtime"
    "wire:runtime"
    "connector:runtime document wire"
    "faults:runtime document wire"
    "fakeds:runtime document wire faults"
    "fakeetcd:runtime document wire faults"
    "harness:runtime document wire connector faults fakeds fakeetcd"
)
ROOMS="runtime document wire connector faults fakeds fakeetcd harness"

sources_of() { # ROOM
    find "$1" -name '*.[ch]' | sort
}

# Lines "file:line: text" of a room's includes that name a room it may not know. The public
# header <fakeds.h> counts as fakeds.
foreign_includes() { # ROOM ALLOWED...
    local room=$1
    shift
    sources_of "$room" | xargs awk -v own="$room" -v may="$*" -v rooms="$ROOMS" '
        BEGIN { n = split(rooms, all, " "); for (i = 1; i <= n; i++) is_room[all[i]] = 1
                n = split(may, list, " "); for (i = 1; i <= n; i++) allowed[list[i]] = 1
                allowed[own] = 1; is_room["tests"] = is_room["bench"] = is_room["tools"] = 1 }
        /^[ \t]*#[ \t]*include/ && match($0, /["<][^">]+[">]/) {
            path = substr($0, RSTART + 1, RLENGTH - 2); name = path; sub(/\/.*/, "", name)
            if (path == "fakeds.h") name = "fakeds"
            else if (path == name) next
            if (name in is_room && !(name in allowed)) print FILENAME ":" FNR ": " $0
        }'
}

# Uses of a word outside comments, in the rooms given, but for the files whose path matches.
uses() { # EXTENDED_REGEX BUT_FOR ROOM...
    local words=$1 but=$2
    shift 2
    find "$@" -name '*.[ch]' 2>/dev/null | grep -vE "$but" | sort | xargs grep -nE "$words" /dev/null |
        grep -vE '^[^:]+:[0-9]+: *(/?\*|//)'
}

for entry in "${ALLOWED[@]}"; do
    room=${entry%%:*}
    if [[ -d $room ]]; then
        check "${room}__includes__itself $(sed 's/^./and &/' <<<"${entry#*:}")" "$(foreign_includes "$room" ${entry#*:})"
    fi
done

check "local_includes__anywhere__name_their_room" "$(
    find $ROOMS -name '*.[ch]' 2>/dev/null | xargs grep -nE '^ *# *include "[^/"]+"')"

check "event_loop_headers__outside_runtime__are_not_included" "$(
    uses '# *include *<event2/(event|bufferevent|listener|thread|dns|evhttp|http|util)|# *include *<event\.h>|# *include *<ev[a-z]*\.h>' \
        '^runtime/' $ROOMS tools examples)"

# The program that says how long a run took has real time.
check "system_clock__outside_runtime__is_not_read" "$(
    uses '\b(clock_gettime|gettimeofday|time|clock|timespec_get)\(' \
        '^(runtime|harness/dstest)/' $ROOMS)"

check "sockets__outside_runtime__are_not_opened" "$(
    uses '(^|[^>._A-Za-z0-9])(socket|bind|listen|accept4?|connect|send|sendto|sendmsg|recv|recvfrom|recvmsg|epoll_[a-z]+)\(' \
        '^runtime/' $ROOMS)"

finish
