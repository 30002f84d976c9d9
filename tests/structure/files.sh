#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What every file of the tree must have, and must not. From the tree's root.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

WALL_LINES=800

sources() {
    tree_files -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.cmake' \
        -o -name CMakeLists.txt -o -name '*.proto' -o -path ./dev -o -path ./.ci/run \
        -o -path ./tests/fidelity/run -o -path ./bench/run
}

# Text files that people wrote; captures, corpora and generated tables of data are none.
texts() {
    tree_files -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.md' -o -name '*.txt' \
        -o -name '*.yaml' -o -name '*.json' -o -name '*.cmake' -o -name '*.proto' -o -path ./dev \
        -o -path ./.ci/run -o -path ./tests/fidelity/run -o -path ./bench/run | grep -v '^tests/data/'
}

without_licence() {
    sources | while IFS= read -r file; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
    done
}

too_long() {
    sources | xargs wc -l | awk -v wall="$WALL_LINES" '$2 != "total" && $1 > wall { print $2 ": " $1 " lines" }'
}

# Folders of the machine where something was written mean nothing anywhere else; written in two
# parts so that this file does not name them itself.
foreign_paths() {
    texts | xargs grep -nE "(/(wor)k/|/(hom)e/[a-z]|/(roo)t/|\.\./(share)d/|/(tm)p/bash)" /dev/null
}

check "sources__all__say_their_licence" "$(without_licence)"
check "sources__all__end_before_line_$WALL_LINES" "$(too_long)"
check "texts__all__name_no_folder_of_one_machine" "$(foreign_paths)"
check "headers__all__have_an_include_guard" "$(
    tree_files -name '*.h' | xargs grep -LE '^#ifndef [A-Z0-9_]+_H$|^#pragma once')"
check "C_sources__all__have_no_tabs_or_trailing_blanks" "$(
    tree_files -name '*.[ch]' | xargs grep -nP '\t| +$' /dev/null | head -n 20)"
check "scenarios__all__are_named_by_a_sentence" "$(
    find scenarios -name '*.yaml' | grep -vE '^scenarios/[a-z-]+/[a-z0-9_]+\.yaml$')"

finish
