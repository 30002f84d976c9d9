/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/ds_client.h"
#include "fakeds/cluster/cluster_view.h"
#include "fakeds/worker/worker.h"
#include "support/mini_etcd.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* Two workers on one etcd, a client on each: what one stores the other has. Simulated time. */
#define ETCD   "10.0.2.1:2379"
#define SECOND UINT64_C(1000000)
#define MS     UINT64_C(1000)
#define A      0
#define B      1

struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct mini_etcd etcd;
    struct fakeds_worker *workers[3];
    struct ds_client *clients[3];
    unsigned done_count;
    uint64_t done_us;
    int32_t code;
    char text[512];
    char value[64];
    size_t value_bytes;
    bool is_present;
    bool exists;
    uint64_t size_bytes;
    size_t failed_count;
};

static void until(struct fixture *fx, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, time_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

static void pass(struct fixture *fx, uint64_t time_us)
{
    until(fx, rt_loop_now_us(fx->loop) + time_us);
}

static void on_done(void *arg, const struct ds_result *result)
{
    struct fixture *fx = arg;
    fx->done_count++;
    fx->done_us = rt_loop_now_us(fx->loop);
    fx->code = result->status.code;
    fx->failed_count = result->failed_key_count;
    snprintf(fx->text, sizeof(fx->text), "%s",
             result->status.text == NULL ? "" : result->status.text);
    fx->value[0] = '\0';
    fx->is_present = result->value_count > 0 && result->values[0].is_present;
    if (fx->is_present) {
        struct rt_slice bytes = result->values[0].bytes;
        fx->value_bytes = bytes.len_bytes;
        snprintf(fx->value, sizeof(fx->value), "%.*s", (int)bytes.len_bytes,
                 (const char *)bytes.data);
    }
    fx->exists = result->exist_count > 0 && result->exists[0];
    fx->size_bytes = result->size_count > 0 ? result->sizes[0] : 0;
}

static void add_worker(struct fixture *fx, size_t index)
{
    char name[32];
    char address[32];
    struct fakeds_options options;
    struct fakeds_environment environment = {
        .loop = fx->loop, .network = fx->network, .seed = index + 1};
    snprintf(name, sizeof(name), "worker-%zu", index + 1);
    snprintf(address, sizeof(address), "10.0.1.%zu:31501", index + 1);
    fakeds_options_init(&options);
    options.name = name;
    options.address = address;
    options.etcd.address = ETCD;
    assert_int_equal(fakeds_worker_create(&environment, &options, &fx->workers[index]), RT_OK);
}

static void add_client(struct fixture *fx, size_t index)
{
    char host[32];
    char name[32];
    struct ds_options options;
    snprintf(host, sizeof(host), "10.0.1.%zu", index + 1);
    snprintf(name, sizeof(name), "client-%zu", index + 1);
    struct ds_environment environment = {
        .loop = fx->loop, .network = fx->network, .seed = index + 1, .name = name};
    ds_options_init(&options);
    options.host = host;
    options.connect_timeout_ms = 5000;
    assert_int_equal(ds_client_create(&environment, &options, &fx->clients[index]), RT_OK);
    assert_int_equal(ds_client_init(fx->clients[index], on_done, fx), RT_OK);
    pass(fx, SECOND);
    assert_int_equal(fx->code, K_OK);
}

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    mini_etcd_init(&fx->etcd, fx->loop, fx->network);
    mini_etcd_listen(&fx->etcd, ETCD);
    add_worker(fx, A);
    add_worker(fx, B);
    until(fx, 10 * SECOND);
    add_client(fx, A);
    add_client(fx, B);
    fx->done_count = 0;
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    for (size_t i = 0; i < 3; i++) {
        ds_client_destroy(fx->clients[i]);
        fakeds_worker_destroy(fx->workers[i]);
    }
    mini_etcd_fini(&fx->etcd);
    until(fx, rt_loop_now_us(fx->loop));
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    assert_int_equal(rt_blob_live_count(), 0);
    free(fx);
    return 0;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void wait_done(struct fixture *fx)
{
    unsigned before = fx->done_count;
    uint64_t end_us = rt_loop_now_us(fx->loop) + 70 * SECOND;
    while (fx->done_count == before && rt_loop_now_us(fx->loop) < end_us) {
        pass(fx, MS);
    }
    assert_int_equal(fx->done_count, before + 1);
}

static void start_set(struct fixture *fx, size_t index, const char *key, const char *value,
                      const struct ds_set_options *options)
{
    struct dsrpc_piece piece = {.bytes = rt_slice_text(value)};
    struct dsrpc_value whole = {
        .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};
    assert_int_equal(ds_set(fx->clients[index], rt_slice_text(key), &whole, options, on_done, fx),
                     RT_OK);
}

static void set_with(struct fixture *fx, size_t index, const char *key, const char *value,
                     const struct ds_set_options *options)
{
    start_set(fx, index, key, value, options);
    wait_done(fx);
}

static void set(struct fixture *fx, size_t index, const char *key, const char *value)
{
    struct ds_set_options options = {0};
    set_with(fx, index, key, value, &options);
}

static void start_get(struct fixture *fx, size_t index, const char *key, int64_t sub_timeout_ms)
{
    struct rt_slice slice = rt_slice_text(key);
    assert_int_equal(ds_get(fx->clients[index], &slice, 1, sub_timeout_ms, on_done, fx), RT_OK);
}

static void get(struct fixture *fx, size_t index, const char *key)
{
    start_get(fx, index, key, 0);
    wait_done(fx);
}

static void erase(struct fixture *fx, size_t index, const char *key)
{
    struct rt_slice slice = rt_slice_text(key);
    assert_int_equal(ds_delete(fx->clients[index], &slice, 1, on_done, fx), RT_OK);
    wait_done(fx);
}

static void exist(struct fixture *fx, size_t index, const char *key)
{
    struct rt_slice slice = rt_slice_text(key);
    assert_int_equal(ds_exist(fx->clients[index], &slice, 1, on_done, fx), RT_OK);
    wait_done(fx);
}

static bool has(struct fixture *fx, size_t index, const char *key)
{
    struct fakeds_object object;
    return fakeds_worker_find(fx->workers[index], rt_slice_text(key), &object);
}

/* A key whose metadata worker `index` keeps. */
static const char *key_of(struct fixture *fx, size_t index, char out_key[32])
{
    struct fakeds__view view = {0};
    char address[32];
    const struct mini_key *ring = mini_etcd_find(&fx->etcd, "/datasystem/ring/");
    assert_int_equal(fakeds__view_set_ring(&view, rt_slice_of(ring->value, ring->value_bytes), 1),
                     RT_OK);
    snprintf(address, sizeof(address), "10.0.1.%zu:31501", index + 1);
    for (unsigned i = 0;; i++) {
        snprintf(out_key, 32, "key-%u", i);
        if (strcmp(fakeds__view_owner(&view, rt_slice_text(out_key)), address) == 0) {
            break;
        }
    }
    fakeds__view_fini(&view);
    return out_key;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void get__key_of_the_other_worker__brings_it_and_keeps_a_copy(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    for (size_t owner = A; owner <= B; owner++) {
        key_of(fx, owner, key);
        set(fx, A, key, "value");
        assert_int_equal(fx->code, K_OK);
        assert_false(has(fx, B, key));
        get(fx, B, key);
        assert_int_equal(fx->code, K_OK);
        assert_string_equal(fx->value, "value");
        assert_true(has(fx, B, key));
    }
}

static void get__key_nowhere__is_not_found(void **state)
{
    struct fixture *fx = *state;
    get(fx, B, "nowhere");
    assert_int_equal(fx->code, K_NOT_FOUND);
    exist(fx, B, "nowhere");
    assert_int_equal(fx->code, K_OK);
    assert_false(fx->exists);
}

static void get__value_of_5_mib__arrives_whole(void **state)
{
    struct fixture *fx = *state;
    size_t len_bytes = (size_t)5 * 1024 * 1024 + 17;
    uint8_t *bytes = NULL;
    struct rt_blob *blob = rt_blob_create(len_bytes, &bytes);
    assert_non_null(blob);
    for (size_t i = 0; i < len_bytes; i++) {
        bytes[i] = (uint8_t)(i * 31 >> 3);
    }
    struct dsrpc_piece piece = {.blob = blob, .bytes = rt_blob_slice(blob)};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = len_bytes};
    struct ds_set_options options = {0};
    assert_int_equal(ds_set(fx->clients[A], rt_slice_text("large"), &value, &options, on_done, fx),
                     RT_OK);
    wait_done(fx);
    get(fx, B, "large");
    assert_int_equal(fx->code, K_OK);
    assert_int_equal(fx->value_bytes, len_bytes);
    struct fakeds_object object;
    assert_true(fakeds_worker_find(fx->workers[B], rt_slice_text("large"), &object));
    assert_true(rt_slice_equal(rt_blob_slice(object.value), rt_blob_slice(blob)));
    rt_blob_release(blob);
}

static void exist_and_query_size__key_of_the_other_worker__know_it_without_a_copy(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice slice = rt_slice_text("key");
    set(fx, A, "key", "value");
    exist(fx, B, "key");
    assert_true(fx->exists);
    assert_int_equal(ds_query_size(fx->clients[B], &slice, 1, on_done, fx), RT_OK);
    wait_done(fx);
    assert_int_equal(fx->size_bytes, 5);
    assert_false(has(fx, B, "key"));
}

static void copy__key_deleted_on_the_other_worker__is_gone_when_delete_returns(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    for (size_t owner = A; owner <= B; owner++) {
        key_of(fx, owner, key);
        set(fx, A, key, "value");
        get(fx, B, key);
        erase(fx, A, key);
        assert_int_equal(fx->code, K_OK);
        assert_false(has(fx, B, key)); /* at once: delete is synchronous */
        get(fx, B, key);
        assert_int_equal(fx->code, K_NOT_FOUND);
        set(fx, A, key, "again");
        erase(fx, B, key);
        assert_false(has(fx, A, key));
    }
}

static void copy__key_overwritten_on_the_other_worker__is_the_new_value_within_25_ms(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    for (size_t owner = A; owner <= B; owner++) {
        key_of(fx, owner, key);
        set(fx, A, key, "old");
        get(fx, B, key);
        set(fx, A, key, "new");
        pass(fx, 25 * MS);
        get(fx, B, key);
        assert_string_equal(fx->value, "new");
        set(fx, B, key, "newer");
        pass(fx, 25 * MS);
        get(fx, A, key);
        assert_string_equal(fx->value, "newer");
    }
}

/* There is a moment at which the owner has heard of the new value and not yet of the copy. */
static void copy__key_overwritten_at_any_moment_of_the_first_read__does_not_stay_old(void **state)
{
    struct fixture *fx = *state;
    struct ds_set_options options = {0};
    char key[32];
    rt_network_set_latency(fx->network, 10 * MS);
    for (size_t owner = A; owner <= B; owner++) {
        key_of(fx, owner, key);
        for (uint64_t moment_us = 0; moment_us <= 100 * MS; moment_us += 5 * MS) {
            set(fx, A, key, "old");
            start_get(fx, B, key, 0);
            pass(fx, moment_us);
            start_set(fx, A, key, "new", &options);
            pass(fx, 300 * MS); /* both calls end */
            get(fx, B, key);
            assert_string_equal(fx->value, "new");
            erase(fx, A, key);
        }
    }
}

static void copy__key_deleted_at_any_moment_of_the_first_read__does_not_stay(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    rt_network_set_latency(fx->network, 10 * MS);
    for (size_t owner = A; owner <= B; owner++) {
        key_of(fx, owner, key);
        struct rt_slice slice = rt_slice_text(key);
        for (uint64_t moment_us = 0; moment_us <= 100 * MS; moment_us += 5 * MS) {
            set(fx, A, key, "value");
            start_get(fx, B, key, 0);
            pass(fx, moment_us);
            assert_int_equal(ds_delete(fx->clients[A], &slice, 1, on_done, fx), RT_OK);
            pass(fx, 300 * MS); /* both calls end */
            get(fx, B, key);
            assert_int_equal(fx->code, K_NOT_FOUND);
            assert_false(has(fx, B, key));
        }
    }
}

/* ---- rules ---------------------------------------------------------------------------------- */

static void set__other_write_mode_through_the_other_worker__is_refused_with_both_modes(void **state)
{
    struct fixture *fx = *state;
    struct ds_set_options evict = {.write_mode = DS_NONE_L2_CACHE_EVICT};
    set_with(fx, A, "key", "value", &evict);
    set(fx, B, "key", "value");
    assert_int_equal(fx->code, K_INVALID);
    assert_non_null(strstr(fx->text, "Inconsistency in publish or set cache whose key already "
                                     "exists in datasystem"));
    assert_non_null(strstr(fx->text, "old: (1, 3, 0)"));
    get(fx, A, "key");
    assert_string_equal(fx->value, "value");
}

static void set__nx_while_the_other_worker_has_it__succeeds_and_keeps_the_old_value(void **state)
{
    struct fixture *fx = *state;
    struct ds_set_options nx = {.only_if_absent = true};
    set(fx, A, "key", "old");
    set_with(fx, B, "key", "new", &nx);
    assert_int_equal(fx->code, K_OK);
    get(fx, B, "key");
    assert_string_equal(fx->value, "old");
}

static void msettx__key_on_the_other_worker__is_refused_as_a_whole(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice keys[] = {rt_slice_text("fresh"), rt_slice_text("key")};
    struct dsrpc_piece piece = {.bytes = rt_slice_text("new")};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = 3};
    struct dsrpc_value values[] = {value, value};
    struct ds_mset_options options = {.set = {.only_if_absent = true}, .is_transaction = true};
    set(fx, A, "key", "old");
    assert_int_equal(ds_mset(fx->clients[B], keys, values, 2, &options, on_done, fx), RT_OK);
    wait_done(fx);
    assert_int_equal(fx->code, K_OC_KEY_ALREADY_EXIST);
    assert_non_null(strstr(fx->text, "object[key] already exist"));
    assert_null(strstr(fx->text, "in local worker"));
    get(fx, B, "key");
    assert_string_equal(fx->value, "old");
}

static void expire__key_of_the_other_worker__ends_there_and_here(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice slice = rt_slice_text("key");
    set(fx, A, "key", "value");
    get(fx, B, "key");
    assert_int_equal(ds_expire(fx->clients[B], &slice, 1, 1, on_done, fx), RT_OK);
    wait_done(fx);
    assert_int_equal(fx->code, K_OK);
    pass(fx, 1200 * MS);
    assert_false(has(fx, A, "key"));
    assert_false(has(fx, B, "key"));
    slice = rt_slice_text("nowhere");
    assert_int_equal(ds_expire(fx->clients[B], &slice, 1, 1, on_done, fx), RT_OK);
    wait_done(fx);
    assert_int_equal(fx->code, K_NOT_FOUND);
}

static void copy__of_a_key_with_ttl__ends_with_the_original(void **state)
{
    struct fixture *fx = *state;
    struct ds_set_options ttl = {.ttl_s = 2};
    set_with(fx, A, "key", "value", &ttl);
    pass(fx, SECOND);
    get(fx, B, "key");
    assert_int_equal(fx->code, K_OK);
    pass(fx, 1300 * MS);
    get(fx, B, "key");
    assert_int_equal(fx->code, K_NOT_FOUND);
}

static void get__key_evicted_by_its_holder__is_not_found(void **state)
{
    struct fixture *fx = *state;
    set(fx, A, "key", "value");
    assert_int_equal(fakeds_worker_evict(fx->workers[A], rt_slice_text("key")), RT_OK);
    pass(fx, MS);
    get(fx, B, "key");
    assert_int_equal(fx->code, K_NOT_FOUND);
    exist(fx, B, "key");
    assert_false(fx->exists);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static void get__waiting_while_the_other_worker_stores_it__wakes_at_once(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    for (size_t owner = A; owner <= B; owner++) {
        key_of(fx, owner, key);
        uint64_t from_us = rt_loop_now_us(fx->loop);
        start_get(fx, B, key, 5000);
        pass(fx, 3 * SECOND);
        unsigned before = fx->done_count;
        struct dsrpc_piece piece = {.bytes = rt_slice_text("late")};
        struct dsrpc_value whole = {.pieces = &piece, .piece_count = 1, .total_bytes = 4};
        struct ds_set_options options = {0};
        assert_int_equal(ds_set(fx->clients[A], rt_slice_text(key), &whole, &options, on_done, fx),
                         RT_OK);
        pass(fx, 50 * MS);
        assert_int_equal(fx->done_count, before + 2);
        assert_in_range(fx->done_us - from_us, 3 * SECOND, 3050 * MS);
        assert_true(has(fx, B, key));
    }
}

/* The owner forgets who waits after 0.8 of the time that was left: R = S = 5000. */
static void get__stored_elsewhere_in_the_last_stretch__misses_it(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    key_of(fx, A, key);
    start_get(fx, B, key, 5000);
    pass(fx, 3900 * MS);
    set(fx, A, key, "too late");
    assert_int_equal(fx->code, K_OK);
    wait_done(fx);
    assert_int_equal(fx->code, K_NOT_FOUND);
}

/* ---- workers that are gone ------------------------------------------------------------------ */

static void get__holder_killed__is_unavailable_when_the_time_is_over(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    key_of(fx, B, key);
    set(fx, A, key, "value");
    fakeds_worker_kill(fx->workers[A]);
    uint64_t from_us = rt_loop_now_us(fx->loop);
    get(fx, B, key);
    assert_int_equal(fx->code, K_RPC_UNAVAILABLE);
    assert_non_null(strstr(fx->text, "[RPC_RECV_TIMEOUT]"));
    assert_in_range(fx->done_us - from_us, 4400 * MS, 5100 * MS);
    exist(fx, B, key);
    assert_true(fx->exists); /* the owner still knows a location */
}

static void calls__owner_killed__fail_but_copies_stay(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    key_of(fx, A, key);
    set(fx, A, key, "value");
    get(fx, B, key);
    fakeds_worker_kill(fx->workers[A]);
    get(fx, B, key);
    assert_string_equal(fx->value, "value");
    exist(fx, B, key);
    assert_true(fx->exists);
    set(fx, B, key, "new");
    assert_int_equal(fx->code, K_RUNTIME_ERROR);
    erase(fx, B, key);
    assert_int_equal(fx->code, K_MASTER_TIMEOUT);
    key_of(fx, B, key);
    set(fx, B, key, "own");
    assert_int_equal(fx->code, K_OK);
}

static void calls__owner_without_a_lease__fail_at_once(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    key_of(fx, A, key);
    fakeds_worker_kill(fx->workers[A]);
    pass(fx, 70 * SECOND); /* its lease is over */
    uint64_t from_us = rt_loop_now_us(fx->loop);
    set(fx, B, key, "new");
    assert_int_equal(fx->code, K_MASTER_TIMEOUT);
    assert_non_null(strstr(fx->text, "Disconnected from remote node 10.0.1.1:31501"));
    get(fx, B, key);
    assert_int_equal(fx->code, K_RUNTIME_ERROR);
    assert_in_range(fx->done_us - from_us, 0, 50 * MS);
}

static void calls__owner_out_of_the_ring__are_served_by_those_who_are_left(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    key_of(fx, A, key);
    set(fx, B, key, "held by B, known to A");
    fakeds_worker_kill(fx->workers[A]);
    pass(fx, 330 * SECOND);
    get(fx, B, key);
    assert_string_equal(fx->value, "held by B, known to A");
    erase(fx, B, key);
    assert_int_equal(fx->code, K_OK);
    set(fx, B, key, "again");
    assert_int_equal(fx->code, K_OK);
}

static void worker__joins_later__finds_what_was_there_before(void **state)
{
    struct fixture *fx = *state;
    char key[32];
    for (unsigned i = 0; i < 40; i++) {
        snprintf(key, sizeof(key), "old-%u", i);
        set(fx, i % 2, key, "value");
        assert_int_equal(fx->code, K_OK);
    }
    add_worker(fx, 2);
    pass(fx, 5 * SECOND);
    add_client(fx, 2);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(key, sizeof(key), "old-%u", i);
        for (size_t j = 0; j < 3; j++) {
            get(fx, j, key);
            assert_int_equal(fx->code, K_OK);
        }
    }
    for (unsigned i = 0; i < 40; i++) {
        snprintf(key, sizeof(key), "old-%u", i);
        erase(fx, i % 3, key);
        for (size_t j = 0; j < 3; j++) {
            assert_false(has(fx, j, key));
        }
    }
}

/* Cut off from etcd alone: its peers can write, three times; then it takes no more writes. */
static void worker__alone_without_etcd__refuses_writes_and_dies(void **state)
{
    struct fixture *fx = *state;
    set(fx, A, "key", "before");
    fx->etcd.mute_peer = "worker-1";
    pass(fx, 30 * SECOND); /* 55 s after the last answer it thinks itself expired */
    set(fx, A, "key", "still");
    assert_int_equal(fx->code, K_OK);
    pass(fx, 50 * SECOND);
    set(fx, A, "key", "after");
    assert_int_not_equal(fx->code, K_OK);
    assert_true(fakeds_worker_is_running(fx->workers[A]));
    pass(fx, 270 * SECOND);
    assert_false(fakeds_worker_is_running(fx->workers[A]));
    assert_true(fakeds_worker_is_running(fx->workers[B]));
}

/* Nobody reaches etcd: everybody keeps serving, without a limit. */
static void workers__etcd_down_for_longer_than_the_dead_time__keep_serving(void **state)
{
    struct fixture *fx = *state;
    mini_etcd_kill(&fx->etcd);
    pass(fx, 400 * SECOND);
    for (size_t i = A; i <= B; i++) {
        set(fx, i, i == A ? "a" : "b", "value");
        assert_int_equal(fx->code, K_OK);
    }
    get(fx, B, "a");
    assert_string_equal(fx->value, "value");
    mini_etcd_listen(&fx->etcd, ETCD);
    pass(fx, 30 * SECOND);
    get(fx, A, "b");
    assert_string_equal(fx->value, "value");
    add_worker(fx, 2);
    pass(fx, 10 * SECOND);
    add_client(fx, 2);
    get(fx, 2, "a");
    assert_string_equal(fx->value, "value");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(get__key_of_the_other_worker__brings_it_and_keeps_a_copy),
        TEST(get__key_nowhere__is_not_found),
        TEST(get__value_of_5_mib__arrives_whole),
        TEST(exist_and_query_size__key_of_the_other_worker__know_it_without_a_copy),
        TEST(copy__key_deleted_on_the_other_worker__is_gone_when_delete_returns),
        TEST(copy__key_overwritten_on_the_other_worker__is_the_new_value_within_25_ms),
        TEST(copy__key_overwritten_at_any_moment_of_the_first_read__does_not_stay_old),
        TEST(copy__key_deleted_at_any_moment_of_the_first_read__does_not_stay),
        TEST(set__other_write_mode_through_the_other_worker__is_refused_with_both_modes),
        TEST(set__nx_while_the_other_worker_has_it__succeeds_and_keeps_the_old_value),
        TEST(msettx__key_on_the_other_worker__is_refused_as_a_whole),
        TEST(expire__key_of_the_other_worker__ends_there_and_here),
        TEST(copy__of_a_key_with_ttl__ends_with_the_original),
        TEST(get__key_evicted_by_its_holder__is_not_found),
        TEST(get__waiting_while_the_other_worker_stores_it__wakes_at_once),
        TEST(get__stored_elsewhere_in_the_last_stretch__misses_it),
        TEST(get__holder_killed__is_unavailable_when_the_time_is_over),
        TEST(calls__owner_killed__fail_but_copies_stay),
        TEST(calls__owner_without_a_lease__fail_at_once),
        TEST(calls__owner_out_of_the_ring__are_served_by_those_who_are_left),
        TEST(worker__joins_later__finds_what_was_there_before),
        TEST(worker__alone_without_etcd__refuses_writes_and_dies),
        TEST(workers__etcd_down_for_longer_than_the_dead_time__keep_serving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
