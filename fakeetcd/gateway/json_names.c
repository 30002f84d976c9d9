/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_message.h"

#include <string.h>

/* Everything else that is bytes in package etcdserverpb: key, range_end, value, keys, blob. */
static const char *const STRINGS[] = {
    "cancel_reason", "clientURLs", "error", "errors", "hashedPassword", "name",  "password",
    "peerURLs",      "role",       "roles", "token",  "user",           "users", "version",
};

bool fakeetcd_json_is_string(const ProtobufCMessageDescriptor *descriptor,
                             const ProtobufCFieldDescriptor *field)
{
    if (field->type != PROTOBUF_C_TYPE_BYTES ||
        strcmp(descriptor->package_name, "etcdserverpb") != 0) {
        return false; /* names of locks and elections are bytes in etcd's too */
    }
    for (size_t i = 0; i < sizeof(STRINGS) / sizeof(STRINGS[0]); i++) {
        if (strcmp(STRINGS[i], field->name) == 0) {
            return true;
        }
    }
    return false;
}
