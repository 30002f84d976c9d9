/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/seen.h"

struct fakeds__seen_key {
    struct rt_slice key;
    UT_hash_handle hh;
};

bool fakeds__seen_add(struct fakeds__seen *seen, struct rt_slice key)
{
    enum rt_status status;
    struct fakeds__seen_key *found = NULL;
    const void *data = key.len_bytes == 0 ? (const void *)"" : key.data;
    RT_TABLE_FIND_BYTES(seen->keys, data, key.len_bytes, found);
    if (found != NULL) {
        return false;
    }
    found = fakeds__scratch_take(seen->scratch, 1, sizeof(*found));
    if (found != NULL) {
        found->key = rt_slice_of(data, key.len_bytes);
        RT_TABLE_ADD_BYTES(seen->keys, found, found->key.data, found->key.len_bytes, &status);
        (void)status;
    }
    return true;
}

void fakeds__seen_fini(struct fakeds__seen *seen)
{
    RT_TABLE_FORGET(seen->keys);
}
