/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/glob.h"

bool rt_glob_is_valid(struct rt_slice glob)
{
    for (size_t i = 0; i < glob.len_bytes; i++) {
        if (glob.data[i] == '\\' && ++i == glob.len_bytes) {
            return false;
        }
    }
    return true;
}

bool rt_glob_is_literal(struct rt_slice glob, char *out_text, size_t *out_len_bytes)
{
    size_t len_bytes = 0;

    for (size_t at = 0; at < glob.len_bytes;) {
        struct rt_glob_item item = rt_glob_next(glob, &at);

        if (item.kind != RT_GLOB_BYTE) {
            return false;
        }
        out_text[len_bytes++] = (char)item.byte;
    }
    *out_len_bytes = len_bytes;
    return true;
}

/* After a mismatch only the last `*` is worth another try: what an earlier one could give, the
 * last one can give too. */
bool rt_glob_matches(struct rt_slice glob, struct rt_slice text)
{
    size_t at = 0;
    size_t i = 0;
    size_t star_at = SIZE_MAX; /* just behind the last `*` */
    size_t star_i = 0;         /* where its bytes end so far */

    while (i < text.len_bytes) {
        if (at < glob.len_bytes) {
            size_t next = at;
            struct rt_glob_item item = rt_glob_next(glob, &next);

            if (item.kind == RT_GLOB_ANY) {
                at = star_at = next;
                star_i = i;
                continue;
            }
            if (item.kind == RT_GLOB_ONE || item.byte == text.data[i]) {
                at = next;
                i++;
                continue;
            }
        }
        if (star_at == SIZE_MAX) {
            return false;
        }
        at = star_at;
        i = ++star_i;
    }
    while (at < glob.len_bytes && glob.data[at] == '*') {
        at++;
    }
    return at == glob.len_bytes;
}

struct rt_glob_item rt_glob_next(struct rt_slice glob, size_t *at)
{
    uint8_t byte = glob.data[(*at)++];

    if (byte == '*') {
        return (struct rt_glob_item){.kind = RT_GLOB_ANY};
    }
    if (byte == '?') {
        return (struct rt_glob_item){.kind = RT_GLOB_ONE};
    }
    if (byte == '\\' && *at < glob.len_bytes) {
        byte = glob.data[(*at)++];
    }
    return (struct rt_glob_item){.kind = RT_GLOB_BYTE, .byte = byte};
}
