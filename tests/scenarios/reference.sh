#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The page about the scenario language is what the tables of the language print.
# usage: reference.sh DSTEST, from the root of the tree
set -uo pipefail
if ! "$1" reference | diff -u docs/scenario-reference.md -; then
    echo "docs/scenario-reference.md is not what dstest reference prints; run: ./dev docs"
    exit 1
fi
