/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/operations/put.h"

#include "fakeds/request/dispatch.h"

#define MICROSECONDS_PER_S UINT64_C(1000000)

enum rt_status fakeds__put(struct fakeds_worker *worker, const struct fakeds__put *put)
{
    struct fakeds__object *object;
    uint64_t now_us = fakeds__now_us(worker);
    struct fakeds__content *content = fakeds__content_create(put->parts, put->part_count);
    if (content == NULL) {
        return RT_E_NOMEM;
    }
    content->write_mode = put->write_mode;
    content->consistency = put->consistency;
    content->cache_type = put->cache_type;
    content->version_us = put->version_us != 0 ? put->version_us : now_us;
    enum rt_status status = fakeds__store_put(&worker->store, put->key, content, &object);
    if (status != RT_OK) {
        fakeds__content_release(content);
        return status;
    }
    if (put->ttl_s > 0) {
        fakeds__store_set_expiry(&worker->store, object, now_us + put->ttl_s * MICROSECONDS_PER_S);
        fakeds__arm_scan(worker);
    } else if (!put->is_old_ttl_kept) {
        fakeds__store_set_expiry(&worker->store, object, RT_NEVER);
    }
    fakeds__evict_if_full(worker);
    fakeds__notify(worker, put->key, content);
    return RT_OK;
}

bool fakeds__is_second_level(uint32_t write_mode)
{
    return write_mode == FAKEDS__MODE_THROUGH || write_mode == FAKEDS__MODE_BACK ||
           write_mode == FAKEDS__MODE_BACK_EVICT;
}
