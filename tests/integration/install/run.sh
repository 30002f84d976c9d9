#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The examples build against the *installed* library and work: with pkg-config (shared and static)
# and with the CMake package, against the installed fake worker. Nothing of the build folder is used
# after the installation.
# usage: run.sh SOURCE_DIR BUILD_DIR CC
set -euo pipefail
source_dir=$1 build_dir=$2 compiler=$3
work=$(mktemp -d)
fake_pid=
trap '[[ -z $fake_pid ]] || kill "$fake_pid" 2>/dev/null; rm -rf "$work"' EXIT

fail() {
    printf 'FAIL: %s\n' "$*"
    exit 1
}

prefix=$work/usr
for component in connector fakes; do
    cmake --install "$build_dir" --prefix "$prefix" --component "$component" >"$work/log" 2>&1 ||
        { cat "$work/log"; fail "cmake --install of $component"; }
done

# ---- what is exported, and what a header says about its version ----
libdir=$(dirname "$(find "$prefix" -name libomniconnect.so)")
exports() { # LIBRARY
    nm -D --defined-only "$libdir/$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }'
}
exports libomniconnect.so >"$work/exports"
grep -vE '^(omni|ds)_[^_]' "$work/exports" && fail "libomniconnect.so exports the above by mistake"
while read -r name; do
    grep -rqw "$name" "$prefix/include" || fail "$name is exported, and no installed header has it"
done <"$work/exports"
grep -qx omni_blocking_put "$work/exports" || fail "omni_blocking_put is not exported"
exports libomniconnect-fakes.so >"$work/exports"
grep -vE '^fake(ds|etcd)_[^_]' "$work/exports" && fail "the fakes export more than their headers"
grep -qx fakeds_start "$work/exports" || fail "fakeds_start is not exported"

# ---- pkg-config, shared and static ----
export PKG_CONFIG_PATH=$libdir/pkgconfig
version=$(pkg-config --modversion omniconnect)
cat >"$work/version.c" <<'END'
#include <omniconnect.h>
#include <stdio.h>
#if !OMNI_VERSION_AT_LEAST(0, 1)
#error "the macro does not work"
#endif
int main(void)
{
    return printf("%s %s\n", OMNI_VERSION, omni_version()) < 0;
}
END
read -ra flags <<<"$(pkg-config --cflags --libs omniconnect)"
read -ra static_flags <<<"$(pkg-config --cflags omniconnect) $libdir/libomniconnect.a $(pkg-config --static --libs omniconnect | sed 's/-lomniconnect[a-z-]*//g')"
warnings=(-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror)
"$compiler" "${warnings[@]}" "$work/version.c" -o "$work/version" "${flags[@]}" -Wl,-rpath,"$libdir"
[[ $("$work/version") == "$version $version" ]] ||
    fail "versions differ: $("$work/version"), pkg-config says $version"
for stage in producer consumer; do
    "$compiler" "${warnings[@]}" "$source_dir/examples/$stage.c" -o "$work/$stage" "${flags[@]}" \
        -Wl,-rpath,"$libdir"
    "$compiler" "${warnings[@]}" "$source_dir/examples/$stage.c" -o "$work/$stage-static" \
        "${static_flags[@]}"
done

# ---- each header alone, and the lines of C in the README ----
include_dir=$(dirname "$(find "$prefix" -name omniconnect.h)")
header_count=0
while read -r header; do
    header_count=$((header_count + 1))
    printf '#include <%s>\n' "$header" >"$work/alone.c"
    "$compiler" "${warnings[@]}" -fsyntax-only "$work/alone.c" "${flags[@]}" ||
        fail "$header does not stand alone"
done < <(cd "$include_dir" && find connector -name '*.h' | sort)
((header_count > 10)) || fail "only $header_count headers are installed"
{
    printf '#include <stdio.h>\n'
    sed -n '/^```c$/,/^```$/ { /^#include/p }' "$source_dir/README.md"
    cat <<'END'
int main(void)
{
    struct omni_blocking *connector = NULL;
    char why[OMNI_BLOCKING_TEXT_BYTES] = "";
    struct omni_arena *arena = omni_arena_create();
    const int64_t shape[] = {2, 3};
    struct rt_blob *blob = rt_blob_copy(rt_slice_text("24 bytes of six floats.."));
    struct omni_call_result put;
    struct omni_call_result got;
    enum rt_status status;
END
    sed -n '/^```c$/,/^```$/ { /^```/d; /^#include/d; p }' "$source_dir/README.md"
    printf 'omni_arena_destroy(arena);\nrt_blob_release(blob);\nreturn status == RT_OK ? 0 : 1;\n}\n'
} >"$work/readme.c"
"$compiler" "${warnings[@]}" "$work/readme.c" -o "$work/readme" "${flags[@]}" \
    -Wl,-rpath,"$libdir" || fail "the README's lines of C do not compile"

# ---- the CMake package ----
cp -r "$source_dir/examples" "$work/examples"
cmake -S "$work/examples/installed" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$compiler" >"$work/log" 2>&1 && cmake --build "$work/cmake" >>"$work/log" 2>&1 ||
    { cat "$work/log"; fail "the CMake package"; }

# ---- all of them in use, against the installed fake worker ----
mkfifo "$work/ready"
"$prefix/bin/fakeds" --worker_address 127.0.0.1:0 >"$work/ready" &
fake_pid=$!
read -r line <"$work/ready"
port=${line##*:}
number=0
for folder in "$work" "$work/cmake"; do
    for kind in "" -static; do
        [[ -x $folder/producer$kind ]] || continue
        number=$((number + 1))
        put=$("$folder/producer$kind" "$port" "key-$number") || fail "producer$kind"
        got=$("$folder/consumer$kind" "$port" "key-$number") || fail "consumer$kind"
        [[ $put == "put key-$number: "*" bytes" ]] || fail "$put"
        [[ $got == "got key-$number: tensor float32 [2, 3], 24 bytes"* ]] || fail "$got"
    done
done
((number == 3)) || fail "$number pairs were built, not 3"
"$work/consumer" "$port" 2>/dev/null && fail "a missing argument is no error"
"$work/producer" 0 key 2>"$work/words" && fail "port 0 is no error"
grep -q 'put failed: .' "$work/words" || fail "no reason is given: $(cat "$work/words")"
if [[ -x $work/cmake/test_my_client ]]; then
    "$work/cmake/test_my_client" >"$work/log" 2>&1 || { cat "$work/log"; fail "test_my_client"; }
fi
printf 'ok: version %s, %d pairs of producer and consumer\n' "$version" "$number"
