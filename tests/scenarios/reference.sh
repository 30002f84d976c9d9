#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The page about the scenario language is what the tables of the language print, and the one about
# the API what the public headers say.
# usage: reference.sh DSTEST, from the root of the tree
set -uo pipefail
if ! "$1" reference | diff -u docs/scenario-reference.md -; then
    echo "docs/scenario-reference.md is not what dstest reference prints; run: ./dev docs"
    exit 1
fi
if ! docs/api_reference.sh | diff -u docs/reference/api.md -; then
    echo "docs/reference/api.md is not what the public headers say; run: ./dev docs"
    exit 1
fi
