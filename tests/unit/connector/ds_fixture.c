/* SPDX-License-Identifier: Apache-2.0 */
#include "ds_fixture.h"
#include "wire/proto/datasystem.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define GIVE_UP_US (UINT64_C(3600) * 1000 * MS)
#define RING_COUNT 64

/* The law of the counters: sent = received + abandoned + in flight. */
static void assert_counts_hold(struct fixture *fx)
{
    for (int op = 0; op < DSRPC_OP_COUNT; op++) {
        struct ds_rpc_counts counts;
        ds_client_rpc_counts(fx->client, (enum dsrpc_op)op, &counts);
        assert_int_equal(counts.sent, counts.received + counts.abandoned + counts.in_flight);
        assert_true(counts.late <= counts.abandoned);
    }
}

int up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    fx->blobs_before = rt_blob_live_count();
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    assert_int_equal(rt_journal_create(fx->loop, RING_COUNT, &fx->journal), RT_OK);
    server_init(&fx->server, fx->loop, fx->network);
    server_listen(&fx->server, SERVER_ADDRESS);
    ds_options_init(&fx->options);
    fx->options.host = "10.0.1.1";
    fx->options.connect_timeout_ms = 3000;
    *state = fx;
    return 0;
}

int down(void **state)
{
    struct fixture *fx = *state;

    if (fx->client != NULL) {
        assert_counts_hold(fx);
    }
    ds_client_destroy(fx->client);
    server_fini(&fx->server);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE); /* no timer is left */
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_journal_destroy(fx->journal);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    assert_int_equal(rt_blob_live_count(), fx->blobs_before);
    free(fx);
    return 0;
}

void need_client(struct fixture *fx)
{
    struct ds_environment environment = {.loop = fx->loop,
                                         .network = fx->network,
                                         .journal = fx->journal,
                                         .seed = 1,
                                         .name = "client-1"};

    if (fx->client == NULL) {
        assert_int_equal(ds_client_create(&environment, &fx->options, &fx->client), RT_OK);
    }
}

/* ---- results ---- */

void seen_init(struct seen *seen, struct fixture *fx)
{
    *seen = (struct seen){.loop = fx->loop};
}

static void copy_bytes(char *to, struct rt_slice from)
{
    size_t len = from.len_bytes < SEEN_BYTES_MAX - 1 ? from.len_bytes : SEEN_BYTES_MAX - 1;

    if (len > 0) {
        memcpy(to, from.data, len);
    }
    to[len] = '\0';
}

void on_seen(void *arg, const struct ds_result *result)
{
    struct seen *seen = arg;

    seen->count++;
    seen->code = result->status.code;
    seen->detail = result->status.detail;
    (void)snprintf(seen->text, sizeof(seen->text), "%s", result->status.text);
    seen->ended_us = rt_loop_now_us(seen->loop);
    seen->took_us = result->took_us;
    seen->attempt_count = result->attempt_count;
    seen->value_count = result->value_count;
    for (size_t i = 0; i < result->value_count && i < SEEN_VALUES_MAX; i++) {
        seen->is_present[i] = result->values[i].is_present;
        copy_bytes(seen->values[i], result->values[i].bytes);
    }
    seen->exist_count = result->exist_count;
    for (size_t i = 0; i < result->exist_count && i < SEEN_VALUES_MAX; i++) {
        seen->exists[i] = result->exists[i];
    }
    seen->size_count = result->size_count;
    for (size_t i = 0; i < result->size_count && i < SEEN_VALUES_MAX; i++) {
        seen->sizes[i] = result->sizes[i];
    }
    seen->failed_count = result->failed_key_count;
    for (size_t i = 0; i < result->failed_key_count && i < SEEN_VALUES_MAX; i++) {
        copy_bytes(seen->failed[i], result->failed_keys[i]);
    }
}

/* ---- time ---- */

void run_for(struct fixture *fx, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + time_us);

    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

static bool has_ended(void *arg)
{
    return ((const struct seen *)arg)->count > 0;
}

void wait_seen(struct fixture *fx, struct seen *seen)
{
    assert_int_equal(rt_loop_run(fx->loop, has_ended, seen, rt_loop_now_us(fx->loop) + GIVE_UP_US),
                     RT_OK);
    assert_int_equal(seen->count, 1);
}

/* ---- calls ---- */

void init_ready(struct fixture *fx)
{
    struct seen seen;

    need_client(fx);
    seen_init(&seen, fx);
    assert_int_equal(ds_client_init(fx->client, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.code, K_OK);
}

void start_set(struct fixture *fx, const char *key, const char *value, struct seen *seen)
{
    struct dsrpc_piece piece = {.bytes = rt_slice_text(value)};
    struct dsrpc_value whole = {&piece, 1, strlen(value)};

    need_client(fx);
    seen_init(seen, fx);
    assert_int_equal(ds_set(fx->client, rt_slice_text(key), &whole, NULL, on_seen, seen), RT_OK);
    assert_int_equal(seen->count, 0);
}

void start_get(struct fixture *fx, const char *const *keys, size_t count, int64_t sub_timeout_ms,
               struct seen *seen)
{
    struct rt_slice slices[SEEN_VALUES_MAX];

    need_client(fx);
    seen_init(seen, fx);
    for (size_t i = 0; i < count; i++) {
        slices[i] = rt_slice_text(keys[i]);
    }
    assert_int_equal(ds_get(fx->client, slices, count, sub_timeout_ms, on_seen, seen), RT_OK);
    assert_int_equal(seen->count, 0);
}

void set(struct fixture *fx, const char *key, const char *value, struct seen *seen)
{
    start_set(fx, key, value, seen);
    wait_seen(fx, seen);
}

void get(struct fixture *fx, const char *key, int64_t sub_timeout_ms, struct seen *seen)
{
    start_get(fx, &key, 1, sub_timeout_ms, seen);
    wait_seen(fx, seen);
}

/* ---- answers ---- */

#define BODY_ENTRIES_MAX 4

struct rt_slice get_body(size_t present, size_t absent, int64_t size_bytes, int32_t last_rc)
{
    static uint8_t body[1024];
    static uint32_t parts[BODY_ENTRIES_MAX];
    Ds__GetRsp reply = DS__GET_RSP__INIT;
    Ds__ErrorInfoPb error = DS__ERROR_INFO_PB__INIT;
    Ds__PayloadInfoPb infos[BODY_ENTRIES_MAX];
    Ds__PayloadInfoPb *info_list[BODY_ENTRIES_MAX];
    Ds__ObjectInfoPb objects[BODY_ENTRIES_MAX];
    Ds__ObjectInfoPb *object_list[BODY_ENTRIES_MAX];
    static char text[] = "last words.";

    for (size_t i = 0; i < present; i++) {
        parts[i] = (uint32_t)i;
        ds__payload_info_pb__init(&infos[i]);
        infos[i].data_size = size_bytes;
        infos[i].n_part_index = 1;
        infos[i].part_index = &parts[i];
        infos[i].object_index = (uint32_t)i;
        info_list[i] = &infos[i];
    }
    for (size_t i = 0; i < absent; i++) {
        ds__object_info_pb__init(&objects[i]);
        objects[i].store_fd = objects[i].data_size = -1;
        objects[i].object_index = (uint32_t)(present + i);
        object_list[i] = &objects[i];
    }
    error.error_code = last_rc;
    error.error_msg.len = last_rc == K_OK ? 0 : sizeof(text) - 1;
    error.error_msg.data = (uint8_t *)text;
    reply.n_payload_info = present;
    reply.payload_info = info_list;
    reply.n_objects = absent;
    reply.objects = object_list;
    reply.last_rc = &error;
    return rt_slice_of(body, ds__get_rsp__pack(&reply, body));
}

/* ---- looking ---- */

void assert_times(struct fixture *fx, enum dsrpc_op op, const uint64_t *times_us, size_t count)
{
    assert_int_equal(server_count(&fx->server, op), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(server_request(&fx->server, op, i)->time_us -
                             server_request(&fx->server, op, 0)->time_us,
                         times_us[i]);
    }
}

void assert_text(const struct seen *seen, const char *part)
{
    if (strstr(seen->text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, seen->text);
    }
}
