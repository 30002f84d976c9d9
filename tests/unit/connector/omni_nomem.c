/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_connector.h"

#include <stdio.h>
#include <stdlib.h>

#include "omni_script.h"
#include "omni_support.h"
#include "support/failing_memory.h"

/*
 * Each story is told again and again; the first time its first allocation fails, then its second,
 * until none does. Whatever fails must be said by a status, and leak nothing.
 */

/* ---- the serializer -------------------------------------------------------------------------- */

/* Arrays 100 deep around a map of 20 pairs and a tensor: the stack grows, keys are sorted. */
static const struct omni_value *build(struct omni_arena *arena)
{
    struct omni_pair pairs[20];
    const int64_t shape[] = {3};
    struct rt_blob *blob = rt_blob_copy(rt_slice_text("abc"));
    if (blob == NULL) {
        return NULL;
    }
    for (int i = 0; i < 20; i++) {
        pairs[i] = (struct omni_pair){omni_int(arena, i),
                                      omni_tensor(arena, OMNI_TENSOR, "int8", shape, 1, blob)};
    }
    rt_blob_release(blob);
    const struct omni_value *value = omni_map(arena, pairs, 20);
    for (int i = 0; i < 100; i++) {
        value = omni_array(arena, &value, 1);
    }
    return value;
}

static bool encode_and_decode(void *arg)
{
    (void)arg;
    bool is_whole = false;
    struct omni_encoded encoded;
    struct omni_codec_error error;
    struct omni_arena *arena = omni_arena_create();
    struct omni_arena *other = omni_arena_create();
    const struct omni_value *value = arena == NULL ? NULL : build(arena);
    if (value != NULL && other != NULL) {
        enum rt_status status = omni_encode(value, NULL, &encoded, &error);
        if (status == RT_OK) {
            const struct omni_value *back = NULL;
            status = omni_decode(encoded.headers, other, NULL, &back, &error);
            is_whole = status == RT_OK && omni_value_equal(value, back);
            omni_encoded_fini(&encoded);
        }
        assert_true(status == RT_OK || status == RT_E_NOMEM);
    }
    omni_arena_destroy(arena);
    omni_arena_destroy(other);
    return is_whole;
}

static void serializer__each_allocation_fails__is_said_and_leaks_nothing(void **state)
{
    (void)state;
    failing_memory_tell(encode_and_decode, NULL);
}

/* ---- the connector --------------------------------------------------------------------------- */

struct told {
    struct script *script;
    enum omni_model model;
    struct omni_connector *connector;
    const struct omni_value *data;
    int put_count;
    int get_count;
    bool is_put;
    bool is_got;
};

static void on_created(void *arg, struct omni_connector *connector, const char *text)
{
    struct told *told = arg;
    (void)text;
    told->connector = connector;
}

static void on_put(void *arg, const struct omni_put_result *result)
{
    struct told *told = arg;
    told->put_count++;
    told->is_put = result->is_success;
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct told *told = arg;
    told->get_count++;
    told->is_got = result->data != NULL;
    if (!told->is_got) {
        assert_int_equal(result->cause, DS_CAUSE_OUT_OF_MEMORY);
    }
}

static void use(struct told *told, struct rt_loop *loop)
{
    struct omni_metrics metrics;
    struct omni_handle handle = {.call = NULL};
    const struct omni_call_options options = {
        .has_deadline = told->model == OMNI_YUANRONG, /* the other has none */
        .deadline_us = rt_loop_now_us(loop) + 1000000,
        .handle = &handle};
    bool is_started = omni_put_with(told->connector, "0", "1", rt_slice_text("k"), told->data,
                                    &options, on_put, told) == RT_OK;
    assert_int_equal(handle.call != NULL, is_started ? 1 : 0);
    (void)!rt_loop_run(loop, NULL, NULL, RT_NEVER);
    assert_int_equal(told->put_count, is_started ? 1 : 0);
    is_started = omni_get_with(told->connector, "0", "1", rt_slice_text("k"), &options, on_get,
                               told) == RT_OK;
    assert_int_equal(handle.call != NULL, is_started ? 1 : 0);
    (void)!rt_loop_run(loop, NULL, NULL, RT_NEVER);
    assert_null(handle.call);
    assert_int_equal(told->get_count, is_started ? 1 : 0);
    omni_connector_metrics(told->connector, &metrics);
    assert_null(omni_metrics_broken_law(&metrics));
}

static bool put_and_get(void *arg)
{
    struct told *told = arg;
    struct rt_loop *loop = NULL;
    *told = (struct told){.script = told->script, .model = told->model, .data = told->data};
    if (rt_loop_create(RT_LOOP_SIMULATED, &loop) != RT_OK) {
        return false;
    }
    struct omni_environment environment = {.ds = {.loop = loop, .name = "edge"}};
    struct omni_connector_config config = {.model = told->model, .binding = &told->script->binding};
    if (omni_connector_create(&environment, &config, on_created, told) == RT_OK) {
        (void)!rt_loop_run(loop, NULL, NULL, RT_NEVER);
    }
    if (told->connector != NULL) {
        use(told, loop);
    }
    omni_connector_destroy(told->connector);
    assert_int_equal(told->script->create_count, told->script->destroy_count);
    rt_loop_destroy(loop);
    script_fini(told->script);
    return told->is_put && told->is_got;
}

static void tell_of_model(enum omni_model model)
{
    struct script script;
    struct omni_arena *arena = omni_arena_create();
    struct told told = {
        .script = &script, .model = model, .data = omni_text(arena, rt_slice_text("hello"))};
    script_init(&script);
    script.answer = SCRIPT_BYTES;
    script.bytes = rt_slice_of("\xa1x", 2);
    failing_memory_tell(put_and_get, &told);
    omni_arena_destroy(arena);
}

static void connector__each_allocation_fails__laws_hold_and_nothing_leaks(void **state)
{
    (void)state;
    tell_of_model(OMNI_YUANRONG);
}

static void polling__each_allocation_fails__laws_hold_and_nothing_leaks(void **state)
{
    (void)state;
    tell_of_model(OMNI_POLLING);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(serializer__each_allocation_fails__is_said_and_leaks_nothing),
        TEST(connector__each_allocation_fails__laws_hold_and_nothing_leaks),
        TEST(polling__each_allocation_fails__laws_hold_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
