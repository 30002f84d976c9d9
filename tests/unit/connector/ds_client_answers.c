/* SPDX-License-Identifier: Apache-2.0 */
/* Which answers the client takes, which it refuses, and that no answer can hurt it. */
#include "unit/connector/ds_world.h"

#include "runtime/random.h"
#include "wire/proto/datasystem.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENTRIES_MAX 4

/* One answer to every get, as a test wrote it down. */
struct plan {
    struct {
        const char *key; /* NULL: told by its index */
        uint32_t index;
        int64_t size_bytes;
        uint32_t parts[3];
        size_t part_count;
    } values[ENTRIES_MAX];
    size_t value_count;
    struct {
        const char *key;
        uint32_t index;
        int64_t store_fd;
    } objects[ENTRIES_MAX];
    size_t object_count;
    const char *payload[ENTRIES_MAX];
    size_t payload_count;
    int32_t last_rc;
    unsigned times; /* asked so often */
};

static ProtobufCBinaryData data_of(const char *text)
{
    return text == NULL ? (ProtobufCBinaryData){0}
                        : (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static struct rt_slice pack_plan(struct plan *plan, struct dsrpc_arena *arena)
{
    Ds__GetRsp reply = DS__GET_RSP__INIT;
    Ds__ErrorInfoPb error = DS__ERROR_INFO_PB__INIT;
    Ds__PayloadInfoPb infos[ENTRIES_MAX];
    Ds__PayloadInfoPb *info_list[ENTRIES_MAX];
    Ds__ObjectInfoPb objects[ENTRIES_MAX];
    Ds__ObjectInfoPb *object_list[ENTRIES_MAX];
    struct rt_slice body = {0};

    for (size_t i = 0; i < plan->value_count; i++) {
        ds__payload_info_pb__init(&infos[i]);
        infos[i].object_key = data_of(plan->values[i].key);
        infos[i].object_index = plan->values[i].index;
        infos[i].data_size = plan->values[i].size_bytes;
        infos[i].n_part_index = plan->values[i].part_count;
        infos[i].part_index = plan->values[i].parts;
        info_list[i] = &infos[i];
    }
    for (size_t i = 0; i < plan->object_count; i++) {
        ds__object_info_pb__init(&objects[i]);
        objects[i].object_key = data_of(plan->objects[i].key);
        objects[i].object_index = plan->objects[i].index;
        objects[i].store_fd = plan->objects[i].store_fd;
        objects[i].data_size = -1;
        object_list[i] = &objects[i];
    }
    error.error_code = plan->last_rc;
    error.error_msg = data_of("last words");
    reply.last_rc = plan->last_rc == K_OK ? NULL : &error;
    reply.n_payload_info = plan->value_count;
    reply.payload_info = info_list;
    reply.n_objects = plan->object_count;
    reply.objects = object_list;
    assert_int_equal(dsrpc_pack(&reply.base, arena, &body), RT_OK);
    return body;
}

static bool answer_planned(void *arg, struct server *server, const struct server_request *request)
{
    struct plan *plan = arg;
    struct dsrpc_piece pieces[ENTRIES_MAX];
    struct dsrpc_value parts[ENTRIES_MAX];

    if (request->op != DSRPC_OP_GET) {
        return false;
    }
    struct dsrpc_arena *arena = dsrpc_arena_create();
    struct rt_slice body = pack_plan(plan, arena);
    for (size_t i = 0; i < plan->payload_count; i++) {
        pieces[i] = (struct dsrpc_piece){.bytes = rt_slice_text(plan->payload[i])};
        parts[i] = (struct dsrpc_value){&pieces[i], 1, pieces[i].bytes.len_bytes};
    }
    plan->times++;
    assert_true(server_answer(server, request, K_OK, "", body, true, parts, plan->payload_count));
    dsrpc_arena_destroy(arena);
    return true;
}

/* Gets "a", "b", ... from a worker that answers `plan`. */
static void get_planned(struct plan *plan, size_t key_count, struct ended *ended)
{
    const struct rt_slice keys[ENTRIES_MAX] = {rt_slice_text("a"), rt_slice_text("b"),
                                               rt_slice_text("c"), rt_slice_text("d")};
    struct world world;

    *ended = (struct ended){0};
    world_open(&world);
    world_ready(&world);
    world.server.hook = answer_planned;
    world.server.hook_arg = plan;
    ended->world = &world;
    assert_int_equal(ds_get(world.client, keys, key_count, 0, on_ended, ended), RT_OK);
    world_wait(&world, ended);
    /* The bytes are copies of the test: they go before the world counts its blobs. */
    for (size_t i = 0; i < ended->value_count; i++) {
        if (ended->is_present[i]) {
            struct rt_slice bytes = rt_blob_slice(ended->values[i]);
            assert_true(bytes.len_bytes < sizeof(ended->failed[i]));
            memcpy(ended->failed[i], bytes.data, bytes.len_bytes);
        }
    }
    ended_fini(ended);
    world_close(&world);
}

static void assert_value(const struct ended *ended, size_t i, const char *text)
{
    assert_true(ended->is_present[i]);
    assert_string_equal(ended->failed[i], text);
}

static void get__entries_by_index__in_key_order(void **state)
{
    struct ended ended;
    struct plan plan = {.values = {{.index = 0, .size_bytes = 3, .part_count = 1},
                                   {.index = 1, .size_bytes = 2, .parts = {1}, .part_count = 1}},
                        .value_count = 2,
                        .payload = {"one", "to"},
                        .payload_count = 2};

    (void)state;
    get_planned(&plan, 2, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_int_equal(ended.value_count, 2);
    assert_value(&ended, 0, "one");
    assert_value(&ended, 1, "to");
}

static void get__entries_by_name__taken(void **state)
{
    struct ended ended;
    struct plan plan = {
        .values = {{.key = "a", .index = 7, .size_bytes = 3, .part_count = 1},
                   {.key = "b", .index = 9, .size_bytes = 2, .parts = {1}, .part_count = 1}},
        .value_count = 2,
        .payload = {"one", "to"},
        .payload_count = 2};

    (void)state;
    get_planned(&plan, 2, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_value(&ended, 0, "one");
    assert_value(&ended, 1, "to");
}

static void get__a_key_missing__the_others_are_brought(void **state)
{
    struct ended ended;
    struct plan plan = {.values = {{.index = 1, .size_bytes = 3, .part_count = 1}},
                        .value_count = 1,
                        .objects = {{.index = 0, .store_fd = -1}},
                        .object_count = 1,
                        .payload = {"two"},
                        .payload_count = 1};

    (void)state;
    get_planned(&plan, 2, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_int_equal(ended.value_count, 2);
    assert_false(ended.is_present[0]);
    assert_value(&ended, 1, "two");
}

static void get__value_in_parts__joined_in_their_order(void **state)
{
    struct ended ended;
    struct plan plan = {
        .values = {{.index = 0, .size_bytes = 6, .parts = {2, 0, 1}, .part_count = 3}},
        .value_count = 1,
        .payload = {"bb", "ccc", "a"},
        .payload_count = 3};

    (void)state;
    get_planned(&plan, 1, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_value(&ended, 0, "abbccc");
}

static void get__value_of_no_bytes__present_and_empty(void **state)
{
    struct ended ended;
    struct plan plan = {.values = {{.index = 0, .part_count = 1}},
                        .value_count = 1,
                        .payload = {""},
                        .payload_count = 1};

    (void)state;
    get_planned(&plan, 1, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_value(&ended, 0, "");
}

static void get__fewer_entries_than_keys__unknown_error(void **state)
{
    struct ended ended;
    struct plan plan = {.values = {{.index = 0, .size_bytes = 1, .part_count = 1}},
                        .value_count = 1,
                        .payload = {"x"},
                        .payload_count = 1};

    (void)state;
    get_planned(&plan, 2, &ended);
    assert_int_equal(ended.code, K_UNKNOWN_ERROR);
    assert_int_equal(ended.value_count, 0);
    assert_non_null(strstr(ended.text, "response count"));
}

static void get__parts_nobody_names__unknown_error(void **state)
{
    struct ended ended;
    struct plan plan = {.values = {{.index = 0, .size_bytes = 1, .part_count = 1}},
                        .value_count = 1,
                        .payload = {"x", "y"},
                        .payload_count = 2};

    (void)state;
    get_planned(&plan, 1, &ended);
    assert_int_equal(ended.code, K_UNKNOWN_ERROR);
    assert_int_equal(ended.value_count, 0);
}

static void refused_as_undecodable(struct plan *plan, size_t key_count)
{
    struct ended ended;

    get_planned(plan, key_count, &ended);
    assert_int_not_equal(ended.code, K_OK);
    assert_int_equal(ended.detail, DS_DETAIL_UNDECODABLE);
    assert_int_equal(ended.value_count, 0);
    assert_int_equal(ended.attempts, 1);
}

static void get__part_that_does_not_exist__undecodable(void **state)
{
    struct plan plan = {
        .values = {{.index = 0, .size_bytes = 1, .parts = {UINT32_MAX}, .part_count = 1}},
        .value_count = 1,
        .payload = {"x"},
        .payload_count = 1};

    (void)state;
    refused_as_undecodable(&plan, 1);
}

static void get__size_other_than_its_parts__undecodable(void **state)
{
    static const int64_t sizes_bytes[] = {0, 2, -1, INT64_MIN, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes_bytes) / sizeof(sizes_bytes[0]); i++) {
        struct plan plan = {.values = {{.index = 0, .size_bytes = sizes_bytes[i], .part_count = 1}},
                            .value_count = 1,
                            .payload = {"x"},
                            .payload_count = 1};
        refused_as_undecodable(&plan, 1);
    }
}

static void get__entry_in_shared_memory__undecodable(void **state)
{
    struct plan plan = {.objects = {{.index = 0, .store_fd = 3}}, .object_count = 1};

    (void)state;
    refused_as_undecodable(&plan, 1);
}

static void get__entries_of_other_keys__undecodable(void **state)
{
    struct plan by_name = {.values = {{.key = "z", .size_bytes = 1, .part_count = 1}},
                           .value_count = 1,
                           .payload = {"x"},
                           .payload_count = 1};
    struct plan twice = {.values = {{.index = 0, .size_bytes = 1, .part_count = 1},
                                    {.index = 0, .size_bytes = 1, .parts = {1}, .part_count = 1}},
                         .value_count = 2,
                         .payload = {"x", "y"},
                         .payload_count = 2};

    (void)state;
    refused_as_undecodable(&by_name, 1);
    refused_as_undecodable(&twice, 2);
}

static void get__nothing_found__last_status_says_why(void **state)
{
    struct ended ended;
    struct plan plain = {.objects = {{.index = 0, .store_fd = -1}}, .object_count = 1};
    struct plan told = plain;

    (void)state;
    told.last_rc = K_NOT_FOUND;
    get_planned(&plain, 1, &ended);
    assert_int_equal(ended.code, K_NOT_FOUND);
    assert_int_equal(ended.detail, DS_DETAIL_ANSWERED);
    assert_non_null(strstr(ended.text, "Cannot get objects from worker"));
    get_planned(&told, 1, &ended);
    assert_int_equal(ended.code, K_NOT_FOUND);
    assert_non_null(strstr(ended.text, "last words"));
}

/* ---- hostile answers ---- */

#define REQUEST_MS 3000

/* What a worker does to the first get; later ones are answered well. */
struct attack {
    size_t keep_bytes; /* of a good answer; the rest is left out */
    bool is_cut;       /* and the connection then reset */
    uint64_t seed;     /* not 0: bytes of chance instead, or behind what was kept */
    size_t good_bytes; /* how long it would have been */
    unsigned times;
};

static bool answer_badly(void *arg, struct server *server, const struct server_request *request)
{
    struct attack *attack = arg;
    uint8_t noise[200];

    if (request->op != DSRPC_OP_GET || attack->times++ > 0) {
        return false;
    }
    struct rt_blob *good = server_good_bytes(server, request);
    struct rt_slice bytes = rt_blob_slice(good);
    attack->good_bytes = bytes.len_bytes;
    size_t kept_bytes = attack->keep_bytes < bytes.len_bytes ? attack->keep_bytes : bytes.len_bytes;
    assert_true(server_send(server, request, rt_slice_of(bytes.data, kept_bytes)));
    if (attack->seed != 0) {
        struct rt_random random;
        rt_random_init(&random, attack->seed, "noise");
        for (size_t i = 0; i < sizeof(noise); i++) {
            noise[i] = (uint8_t)rt_random_below(&random, 256);
        }
        (void)server_send(server, request, rt_slice_of(noise, sizeof(noise)));
    }
    if (attack->is_cut) {
        server_cut_connection_of(server, request);
    }
    rt_blob_release(good);
    return true;
}

/* Attacks one get of one client. Whatever it was: an end at the latest at the deadline, another
 * client undisturbed, and the attacked one works again. */
static void attack_get(struct attack *attack)
{
    struct world world;
    struct ended ended = {0};
    struct ended again = {0};
    struct ended of_other = {0};
    struct ds_client *other = NULL;

    world_open(&world);
    world.options.request_timeout_ms = REQUEST_MS;
    world_ready(&world);
    struct ds_client *first = world.client;
    struct ds_environment environment = {
        .loop = world.loop, .network = world.network, .seed = 8, .name = "client-2"};
    assert_int_equal(ds_client_create(&environment, &world.options, &other), RT_OK);
    world.client = other;
    run_init(&world, &of_other);
    world.client = first;
    world.server.value = rt_blob_copy(rt_slice_text("value"));
    world.server.hook = answer_badly;
    world.server.hook_arg = attack;
    uint64_t start_us = world_now_us(&world);
    start_get(&world, "k", 0, &ended);
    world.client = other;
    ended_fini(&of_other);
    of_other = (struct ended){0};
    run_get(&world, "k", 0, &of_other);
    assert_int_equal(of_other.code, K_OK);
    assert_int_equal(of_other.attempts, 1);
    world.client = first;
    world_pass_us(&world, start_us + REQUEST_MS * 1000 - world_now_us(&world));
    assert_int_equal(ended.calls, 1);
    world_pass_ms(&world, 200000); /* a connection stuck in a message is made anew */
    run_get(&world, "k", 0, &again);
    assert_int_equal(again.code, K_OK);
    ended_fini(&ended);
    ended_fini(&again);
    ended_fini(&of_other);
    ds_client_destroy(other);
    world_close(&world);
}

static void get__answer_cut_at_every_byte__ends_and_recovers(void **state)
{
    (void)state;
    size_t good_bytes = 1;
    for (size_t keep_bytes = 0; keep_bytes < good_bytes; keep_bytes++) {
        struct attack cut = {.keep_bytes = keep_bytes, .is_cut = true};
        attack_get(&cut);
        good_bytes = cut.good_bytes;
    }
    assert_true(good_bytes > 20);
}

static void get__answer_that_stops_at_some_byte__ends_at_the_deadline(void **state)
{
    (void)state;
    size_t good_bytes = 1;
    for (size_t keep_bytes = 0; keep_bytes < good_bytes; keep_bytes += 7) {
        struct attack stop = {.keep_bytes = keep_bytes};
        attack_get(&stop);
        good_bytes = stop.good_bytes;
    }
}

static void get__bytes_of_chance__ends_and_reconnects(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct attack noise = {.keep_bytes = seed % 40, .seed = seed};
        attack_get(&noise);
    }
}

/* One whole message, its protobuf and its frames in any state: the connection lives on. */
static bool answer_mutated(void *arg, struct server *server, const struct server_request *request)
{
    struct attack *attack = arg;
    uint8_t body[96];
    struct rt_random random;

    if (request->op != DSRPC_OP_GET || attack->times++ > 0) {
        return false;
    }
    rt_random_init(&random, attack->seed, "body");
    size_t len_bytes = (size_t)rt_random_below(&random, sizeof(body) + 1);
    for (size_t i = 0; i < len_bytes; i++) {
        body[i] = (uint8_t)rt_random_below(&random, 256);
    }
    struct dsrpc_piece piece = {.bytes = rt_slice_text("value")};
    struct dsrpc_value part = {&piece, 1, 5};
    return server_answer(server, request, K_OK, "", rt_slice_of(body, len_bytes),
                         attack->seed % 2 == 0, &part, attack->seed % 2 == 0);
}

static void get__body_of_chance__ends_at_once_on_the_same_connection(void **state)
{
    struct world world;

    (void)state;
    world_open(&world);
    world_ready(&world);
    world.server.value = rt_blob_copy(rt_slice_text("value"));
    uint64_t connects = world_state(&world).connects;
    world.server.hook = answer_mutated;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct attack attack = {.seed = seed};
        struct ended ended = {0};
        world.server.hook_arg = &attack;
        run_get(&world, "k", 0, &ended);
        ended_fini(&ended);
    }
    assert_int_equal(world_state(&world).connects, connects);
    world_close(&world);
}

static void answer__malformed_zmtp__client_connects_again(void **state)
{
    static const uint8_t reserved_flags[] = {0xff, 0x00, 0x01, 0x02};
    struct world world;
    struct ended ended = {0};

    (void)state;
    world_open(&world);
    world_ready(&world);
    server_silence(&world.server, DSRPC_OP_SET);
    uint64_t connects = world_state(&world).connects;
    start_set(&world, "k", "v", &ended);
    world_pass_ms(&world, 1);
    const struct server_request *request = server_request(&world.server, DSRPC_OP_SET, 0);
    assert_true(
        server_send(&world.server, request, rt_slice_of(reserved_flags, sizeof(reserved_flags))));
    world_pass_ms(&world, 150);
    assert_int_equal(world_state(&world).connects, connects + 1);
    /* The identity is the old one, so the answer still arrives. */
    assert_true(server_answer_well(&world.server, request));
    world_wait(&world, &ended);
    assert_int_equal(ended.code, K_OK);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get__entries_by_index__in_key_order),
        cmocka_unit_test(get__entries_by_name__taken),
        cmocka_unit_test(get__a_key_missing__the_others_are_brought),
        cmocka_unit_test(get__value_in_parts__joined_in_their_order),
        cmocka_unit_test(get__value_of_no_bytes__present_and_empty),
        cmocka_unit_test(get__fewer_entries_than_keys__unknown_error),
        cmocka_unit_test(get__parts_nobody_names__unknown_error),
        cmocka_unit_test(get__part_that_does_not_exist__undecodable),
        cmocka_unit_test(get__size_other_than_its_parts__undecodable),
        cmocka_unit_test(get__entry_in_shared_memory__undecodable),
        cmocka_unit_test(get__entries_of_other_keys__undecodable),
        cmocka_unit_test(get__nothing_found__last_status_says_why),
        cmocka_unit_test(get__answer_cut_at_every_byte__ends_and_recovers),
        cmocka_unit_test(get__answer_that_stops_at_some_byte__ends_at_the_deadline),
        cmocka_unit_test(get__bytes_of_chance__ends_and_reconnects),
        cmocka_unit_test(get__body_of_chance__ends_at_once_on_the_same_connection),
        cmocka_unit_test(answer__malformed_zmtp__client_connects_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
