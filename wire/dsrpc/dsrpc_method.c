/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc_method.h"

#include <assert.h>

/* Methods by operation. A version with other indices is another table, never a branch. */
static const struct dsrpc_method METHODS_0_8_1[DSRPC_OP_COUNT] = {
#define DSRPC_METHOD_ROW(name, word, service, index, sends, returns)                               \
    [DSRPC_OP_##name] = {DSRPC_OP_##name, word, service, index, sends, returns},
    DSRPC_OP_LIST(DSRPC_METHOD_ROW)
#undef DSRPC_METHOD_ROW
};

const struct dsrpc_profile dsrpc_profile_0_8_1 = {
    .name = "datasystem-0.8.1",
    .version = "0.8.1",
    .methods = METHODS_0_8_1,
    .is_meta_timeout_in_us = false,
};

const struct dsrpc_method *dsrpc_method_of(const struct dsrpc_profile *profile, enum dsrpc_op op)
{
    assert((unsigned)op < (unsigned)DSRPC_OP_COUNT);
    return &profile->methods[op];
}

const char *dsrpc_op_word(enum dsrpc_op op)
{
    if ((unsigned)op >= (unsigned)DSRPC_OP_COUNT) {
        return "unknown";
    }
    return METHODS_0_8_1[op].word; /* words are the project's own: the same in every version */
}

bool dsrpc_op_parse(const char *word, size_t len_bytes, enum dsrpc_op *out_op)
{
    for (size_t i = 0; i < DSRPC_OP_COUNT; i++) {
        if (rt_slice_equal(rt_slice_of(word, len_bytes), rt_slice_text(METHODS_0_8_1[i].word))) {
            *out_op = METHODS_0_8_1[i].op;
            return true;
        }
    }
    return false;
}

enum dsrpc_op dsrpc__method_find(const struct dsrpc_profile *profile, struct rt_slice service,
                                 int32_t index, bool *out_is_service_known)
{
    bool is_known = false;
    enum dsrpc_op op = DSRPC_OP_UNKNOWN;
    for (size_t i = 0; i < DSRPC_OP_COUNT && op == DSRPC_OP_UNKNOWN; i++) {
        const struct dsrpc_method *method = &profile->methods[i];
        /* The connection's heartbeat belongs to no service: its name does not matter. */
        bool is_service = method->index < 0 || rt_slice_is_text(service, method->service);
        is_known = is_known || (method->index >= 0 && is_service);
        if (is_service && method->index == index) {
            op = method->op;
        }
    }
    *out_is_service_known = is_known;
    return op;
}
