/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ETCD_ETCD_CLIENT_MEMBER_H
#define WIRE_ETCD_ETCD_CLIENT_MEMBER_H

#include "runtime/slice.h"

/* What a Datasystem worker writes under `<prefix>/datasystem/cluster/<host:port>`. */
enum etcd_member_state {
    ETCD_MEMBER_UNKNOWN,
    ETCD_MEMBER_START,
    ETCD_MEMBER_RESTART,
    ETCD_MEMBER_RECOVER,
    ETCD_MEMBER_READY,
    ETCD_MEMBER_EXITING,
    ETCD_MEMBER_DOWNGRADE
};

/* `<ns>;<state>[;<host>[;<version>]]`. Views into the text. */
struct etcd_member_value {
    uint64_t time_ns;
    enum etcd_member_state state;
    struct rt_slice host_id;
    struct rt_slice version;
};
bool etcd_member_parse(struct rt_slice text, struct etcd_member_value *out_value);
/* With a version the host field is there too, be it empty. Returns the length, 0: no room. */
size_t etcd_member_format(const struct etcd_member_value *value, char *out_text, size_t text_bytes);

#endif
