#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On sockets what fails beside others is run once more, alone; what fails there too has failed, is
# counted once and reported once. What is repeated on purpose gets no second chance.
# usage: again.sh DSTEST, from the root of the tree
set -uo pipefail
source tests/structure/tap.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
scenario() { # NAME DATA_THAT_IS_EXPECTED
    cat >"$folder/$1.yaml" <<END
scenario: v1
name: $1
world:
  connectors:
    edge: {}
steps:
  - put: { connector: edge, key: k, data: hello }
  - get: { connector: edge, key: k }
    expect: { data: $2 }
END
}
scenario good hello
scenario bad goodbye

# What differs between what dstest says with these options and how often it should say it.
differences() { # DSTEST FAILURES SUMMARY OPTIONS...
    local said status
    said=$("$1" run --world sockets --jobs 2 "${@:4}" "$folder" 2>&1)
    status=$?
    ((status == 1)) || echo "exit code $status"
    [[ $(grep -c '^FAIL .*bad.yaml' <<<"$said") == "$2" ]] || echo "$said"
    [[ ${said##*$'\n'} == "$3" ]] || echo "${said##*$'\n'}"
}
check "again__fails_alone_too__is_counted_and_reported_once" "$(differences "$1" 1 '1 passed, 1 failed')"
check "again__repeated_on_purpose__fails_each_time" "$(differences "$1" 3 '3 passed, 3 failed' --repeat 3)"
finish
