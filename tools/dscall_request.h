/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_DSCALL_REQUEST_H
#define TOOLS_DSCALL_REQUEST_H

#include "connector/ds_blocking.h"

#include <jansson.h>

/* One line of input, read into what the client wants. Keys point into `json`; values are blobs of
 * the request. Zeroed is empty. */
struct request {
    json_t *json;
    const char *op;
    struct rt_slice key; /* set */
    struct rt_slice *keys;
    size_t key_count;
    struct dsrpc_value *values; /* set: one; mset */
    struct dsrpc_piece *pieces; /* one for each value */
    size_t value_count;
    struct ds_read *reads; /* as many as keys */
    int64_t sub_timeout_ms;
    struct ds_mset_options options; /* the `set` part also for set, its ttl for expire */
};

/* NULL, or what is wrong with the line. Fini in either case. */
const char *request_parse(const char *line, size_t len_bytes, struct request *out_request);
void request_fini(struct request *request);

#endif
