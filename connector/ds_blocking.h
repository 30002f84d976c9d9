/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_DS_BLOCKING_H
#define CONNECTOR_DS_BLOCKING_H

#include "connector/ds_client.h"

/*
 * The Datasystem client for programs with threads: it lives on an I/O thread of its own, over TCP,
 * and any thread may call and waits for the end. It behaves as ds_client.h says. The I/O thread
 * handles no signals. After fork() the child has no such thread: there every call is refused with a
 * text that says so, and destroying does nothing.
 *
 *   ds_blocking_create, ds_blocking_init, calls ..., ds_blocking_close, ds_blocking_destroy
 */
struct ds_blocking;

#define DS_BLOCKING_TEXT_BYTES 1024u

/* What a call brought; the caller's, whether it succeeded or not. Lists are in the order of the
 * keys.
 */
struct ds_blocking_result {
    int32_t code; /* enum dsrpc_code */
    enum ds_detail detail;
    char text[DS_BLOCKING_TEXT_BYTES]; /* cut to fit */
    struct rt_blob **values;           /* get, read: NULL where absent; retain one to keep it */
    size_t value_count;
    bool *exists; /* exist */
    size_t exist_count;
    uint64_t *sizes; /* query size, bytes; 0: absent */
    size_t size_count;
    char **failed_keys; /* delete, expire, mset */
    size_t failed_key_count;
    uint64_t took_us;
    uint32_t attempt_count; /* requests that went on the wire */
};
/* Leaves it empty; once more does nothing. */
void ds_blocking_result_fini(struct ds_blocking_result *result);

/* Starts the thread; nothing is sent. Options and name are copied. `name` NULL: "client".
 *   RT_E_NOMEM, RT_E_IO  no memory, no thread */
RT_NODISCARD enum rt_status ds_blocking_create(const struct ds_options *options, const char *name,
                                               struct ds_blocking **out_blocking);

/* Ends calls of other threads first, without a word to the worker; waits until they have left. No
 * call may start any more. Not from the I/O thread. NULL: nothing happens. */
void ds_blocking_destroy(struct ds_blocking *blocking);

/* All below: `out_result` is filled in every case, over what is in it; false when the code is not
 * OK. Arguments are borrowed until the call returns. A call waits no longer than request_timeout_ms
 * (connect_timeout_ms without one), a get no longer than that and its sub-timeout, whichever is
 * longer; each step of init connect_timeout_ms, close 5 s, health 3 s. Until init has succeeded,
 * and after close, calls end with K_NOT_READY. */
bool ds_blocking_init(struct ds_blocking *blocking, struct ds_blocking_result *out_result);
bool ds_blocking_close(struct ds_blocking *blocking, struct ds_blocking_result *out_result);
bool ds_blocking_set(struct ds_blocking *blocking, struct rt_slice key,
                     const struct dsrpc_value *value, const struct ds_set_options *options,
                     struct ds_blocking_result *out_result);
bool ds_blocking_get(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                     int64_t sub_timeout_ms, struct ds_blocking_result *out_result);
bool ds_blocking_read(struct ds_blocking *blocking, const struct ds_read *reads, size_t read_count,
                      struct ds_blocking_result *out_result);
bool ds_blocking_exist(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                       struct ds_blocking_result *out_result);
bool ds_blocking_delete(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                        struct ds_blocking_result *out_result);
bool ds_blocking_expire(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                        uint32_t ttl_s, struct ds_blocking_result *out_result);
bool ds_blocking_query_size(struct ds_blocking *blocking, const struct rt_slice *keys,
                            size_t key_count, struct ds_blocking_result *out_result);
bool ds_blocking_health(struct ds_blocking *blocking, struct ds_blocking_result *out_result);
bool ds_blocking_mset(struct ds_blocking *blocking, const struct rt_slice *keys,
                      const struct dsrpc_value *values, size_t count,
                      const struct ds_mset_options *options, struct ds_blocking_result *out_result);

#endif
