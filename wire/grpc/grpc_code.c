/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_code.h"

static const char *const names[] = {
#define GRPC_CODE_NAME(name, number, word) [number] = word,
    GRPC_CODE_LIST(GRPC_CODE_NAME)
#undef GRPC_CODE_NAME
};

#define NAME_COUNT ((int32_t)(sizeof(names) / sizeof(names[0])))

const char *grpc_code_name(int32_t code)
{
    return code < 0 || code >= NAME_COUNT ? NULL : names[code];
}

bool grpc_code_by_name(struct rt_slice name, int32_t *out_code)
{
    for (int32_t code = 0; code < NAME_COUNT; code++) {
        if (rt_slice_is_text(name, names[code])) {
            *out_code = code;
            return true;
        }
    }
    return false;
}
