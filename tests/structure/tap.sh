# SPDX-License-Identifier: Apache-2.0
# Cases in the form that ctest's log is counted by; sourced by the checks of this folder.
cases=0
failures=0

# check NAME WRONG_LINES: fine when there is no wrong line.
check() {
    cases=$((cases + 1))
    if [[ -z $2 ]]; then
        printf 'ok %d - %s\n' "$cases" "$1"
    else
        failures=$((failures + 1))
        printf 'not ok %d - %s\n%s\n' "$cases" "$1" "$(sed 's/^/# /' <<<"$2")"
    fi
}

finish() {
    printf '1..%d\n' "$cases"
    exit $((failures > 0))
}

# Files of the tree, whether committed or not yet; works in an unpacked archive too.
tree_files() { # PATTERN_OF_FIND...
    find . \( -path ./build -o -path ./.git -o -path ./coverage/report -o -name __pycache__ \) -prune -o \
        -type f \( "$@" \) -print | sed 's|^\./||' | sort
}
