/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/connection/router.h"

#include <stdlib.h>

static struct fakeds__identity *create(struct fakeds__router *router, struct rt_slice name);

struct fakeds__identity *fakeds__router_identity(struct fakeds__router *router,
                                                 struct rt_slice name)
{
    struct fakeds__identity *identity = NULL;
    if (name.len_bytes > 0) {
        RT_TABLE_FIND_BYTES(router->identities, name.data, name.len_bytes, identity);
    }
    return identity != NULL ? fakeds__identity_retain(identity) : create(router, name);
}

static struct fakeds__identity *create(struct fakeds__router *router, struct rt_slice name)
{
    enum rt_status status = RT_OK;
    struct fakeds__identity *identity = malloc(sizeof(*identity) + name.len_bytes);
    if (identity == NULL) {
        return NULL;
    }
    *identity = (struct fakeds__identity){.reference_count = 1, .lost_by = ""};
    if (name.len_bytes > 0) {
        uint8_t *text = (uint8_t *)(identity + 1);
        memcpy(text, name.data, name.len_bytes);
        identity->name = rt_slice_of(text, name.len_bytes);
        RT_TABLE_ADD_BYTES(router->identities, identity, text, name.len_bytes, &status);
    }
    if (status != RT_OK) {
        free(identity);
        return NULL;
    }
    return identity;
}

struct fakeds__identity *fakeds__identity_retain(struct fakeds__identity *identity)
{
    identity->reference_count++;
    return identity;
}

void fakeds__identity_release(struct fakeds__router *router, struct fakeds__identity *identity)
{
    if (identity == NULL || --identity->reference_count > 0) {
        return;
    }
    if (identity->name.len_bytes > 0) {
        RT_TABLE_REMOVE(router->identities, identity);
    }
    free(identity);
}
