/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc_meta.h"

#include "runtime/utf8.h"
#include "wire/dsrpc/dsrpc_field.h"

/* MetaPb: a scan over the raw bytes, which are echoed as they came; and the one we write. */
static enum rt_status take_field(struct dsrpc_meta *meta, const struct dsrpc__field *field);
static enum rt_status take_text(const struct dsrpc__field *field, struct rt_slice *out_text);
static enum rt_status check_tick(const struct dsrpc__field *field);
static enum rt_status check_text(const struct dsrpc__field *field);
static size_t put_tick(uint8_t *to, const char *name, uint64_t time_ns);
static bool is_sampled(enum dsrpc_op op);

enum meta_field {
    FIELD_SVC_NAME = 1,
    FIELD_METHOD_INDEX = 2,
    FIELD_PAYLOAD_INDEX = 3,
    FIELD_CLIENT_ID = 4,
    FIELD_WORKER_ID = 5,
    FIELD_GATEWAY_ID = 6,
    FIELD_TICKS = 9,
    FIELD_TRACE_ID = 10,
    FIELD_TIMEOUT = 11,
    FIELD_DB_NAME = 12,
    FIELD_LOG_SAMPLE_STATE = 14,
    FIELD_LATENCY_TICKS = 15,
    FIELD_TENANT_ID = 98
};

enum tick_field { TICK_TIME = 1, TICK_NAME = 2 };

#define LOG_SAMPLE_STATE 3u /* what the real client's user calls carry */
#define PAYLOAD_NONE     (-1)
#define PAYLOAD_EMBEDDED (-2)
#define MS_IN_US         1000

/* ---- reading -------------------------------------------------------------------------------- */

enum rt_status dsrpc_meta_decode(struct rt_slice raw, struct dsrpc_meta *out_meta)
{
    struct dsrpc_meta meta = {.raw = raw};
    struct rt_slice rest = raw;
    for (;;) {
        struct dsrpc__field field;
        enum rt_status status = dsrpc__field_next(&rest, &field);
        if (status == RT_E_AGAIN) {
            *out_meta = meta;
            return RT_OK;
        }
        if (status == RT_OK) {
            status = take_field(&meta, &field);
        }
        if (status != RT_OK) {
            return status;
        }
    }
}

static enum rt_status take_field(struct dsrpc_meta *meta, const struct dsrpc__field *field)
{
    bool is_number = field->type == DSRPC__VARINT;
    switch (field->number) {
    case FIELD_SVC_NAME:
        return take_text(field, &meta->service);
    case FIELD_CLIENT_ID:
        return take_text(field, &meta->queue_id);
    case FIELD_TRACE_ID:
        return take_text(field, &meta->trace_id);
    case FIELD_METHOD_INDEX:
        meta->method_index = (int32_t)(uint32_t)field->varint;
        return is_number ? RT_OK : RT_E_MALFORMED;
    case FIELD_PAYLOAD_INDEX:
        meta->payload_index = (int64_t)field->varint;
        return is_number ? RT_OK : RT_E_MALFORMED;
    case FIELD_TIMEOUT:
        meta->timeout = (int64_t)field->varint;
        return is_number ? RT_OK : RT_E_MALFORMED;
    case FIELD_TICKS:
        meta->tick_count++;
        return check_tick(field);
    case FIELD_LATENCY_TICKS:
        return check_tick(field);
    case FIELD_WORKER_ID:
    case FIELD_GATEWAY_ID:
    case FIELD_DB_NAME:
    case FIELD_TENANT_ID:
        return check_text(field);
    default:
        return RT_OK; /* unknown fields are let through, and echoed with the rest */
    }
}

/* Proto3 strings that are not UTF-8 make the real peers refuse the whole MetaPb. */
static enum rt_status check_text(const struct dsrpc__field *field)
{
    bool is_text = field->type == DSRPC__BYTES && dsrpc_is_utf8(field->bytes);
    return is_text ? RT_OK : RT_E_MALFORMED;
}

static enum rt_status take_text(const struct dsrpc__field *field, struct rt_slice *out_text)
{
    *out_text = field->bytes;
    return check_text(field);
}

static enum rt_status check_tick(const struct dsrpc__field *field)
{
    struct rt_slice rest = field->bytes;
    if (field->type != DSRPC__BYTES) {
        return RT_E_MALFORMED;
    }
    for (;;) {
        struct dsrpc__field inner;
        enum rt_status status = dsrpc__field_next(&rest, &inner);
        if (status == RT_E_AGAIN) {
            return RT_OK;
        }
        if (status != RT_OK || (inner.number == TICK_TIME && inner.type != DSRPC__VARINT) ||
            (inner.number == TICK_NAME && check_text(&inner) != RT_OK)) {
            return RT_E_MALFORMED;
        }
    }
}

/* ---- writing -------------------------------------------------------------------------------- */

size_t dsrpc__meta_put(uint8_t to[DSRPC__META_MAX_BYTES], const struct dsrpc_profile *profile,
                       const struct dsrpc_outgoing *request)
{
    const struct dsrpc_method *method = dsrpc_method_of(profile, request->op);
    bool has_payload = method->sends_payload;
    int64_t timeout = request->timeout_ms * (profile->is_meta_timeout_in_us ? MS_IN_US : 1);
    size_t len_bytes = dsrpc__put_bytes(to, FIELD_SVC_NAME, rt_slice_text(method->service));
    len_bytes += dsrpc__put_number(to + len_bytes, FIELD_METHOD_INDEX, (uint64_t)method->index);
    len_bytes += dsrpc__put_number(to + len_bytes, FIELD_PAYLOAD_INDEX,
                                   (uint64_t)(has_payload ? PAYLOAD_EMBEDDED : PAYLOAD_NONE));
    len_bytes += dsrpc__put_bytes(to + len_bytes, FIELD_CLIENT_ID, request->queue_id);
    to[len_bytes++] = FIELD_TICKS << 3 | DSRPC__BYTES; /* one empty tick: servers ask for one */
    to[len_bytes++] = 0;
    len_bytes += dsrpc__put_bytes(to + len_bytes, FIELD_TRACE_ID, request->trace_id);
    len_bytes += dsrpc__put_number(to + len_bytes, FIELD_TIMEOUT, (uint64_t)timeout);
    if (is_sampled(request->op) && !request->is_background) {
        len_bytes += dsrpc__put_number(to + len_bytes, FIELD_LOG_SAMPLE_STATE, LOG_SAMPLE_STATE);
    }
    len_bytes += put_tick(to + len_bytes, "CLIENT_START", request->started_ns);
    len_bytes += put_tick(to + len_bytes, "CLIENT_SEND", request->sent_ns);
    return len_bytes;
}

static size_t put_tick(uint8_t *to, const char *name, uint64_t time_ns)
{
    uint8_t tick[32];
    if (time_ns == 0) {
        return 0;
    }
    size_t len_bytes = dsrpc__put_number(tick, TICK_TIME, time_ns);
    len_bytes += dsrpc__put_bytes(tick + len_bytes, TICK_NAME, rt_slice_text(name));
    return dsrpc__put_bytes(to, FIELD_LATENCY_TICKS, rt_slice_of(tick, len_bytes));
}

/* As captured: what a user's call sends carries the sample state; these never do. */
static bool is_sampled(enum dsrpc_op op)
{
    switch (op) {
    case DSRPC_OP_CLIENT_FD:
    case DSRPC_OP_DISCONNECT:
    case DSRPC_OP_HEARTBEAT:
    case DSRPC_OP_DECREASE_REFERENCE:
    case DSRPC_OP_RECONCILE:
    case DSRPC_OP_ZMQ_HEARTBEAT:
        return false;
    default:
        return true;
    }
}

/* ---- texts ---------------------------------------------------------------------------------- */

bool dsrpc_is_utf8(struct rt_slice text)
{
    return rt_utf8_valid_bytes(text) == text.len_bytes;
}

uint64_t dsrpc_rpc_id(struct rt_slice queue_id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < queue_id.len_bytes; i++) {
        hash = (hash ^ queue_id.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}
