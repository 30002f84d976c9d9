/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <string.h>

struct pair {
    const char *key;
    const char *value;
};

struct batch_options {
    bool is_tx;
    bool is_nx;
    uint32_t write_mode;
    uint32_t ttl_s;
};

#define PAIR_MAX 8

static const struct answer *mset(struct fixture *fx, const struct pair *pairs, size_t count,
                                 const struct batch_options *options)
{
    Ds__MultiPublishObjectPb objects[PAIR_MAX];
    Ds__MultiPublishObjectPb *list[PAIR_MAX];
    struct dsrpc_piece pieces[PAIR_MAX];
    struct dsrpc_value values[PAIR_MAX];
    Ds__MultiPublishReq request = DS__MULTI_PUBLISH_REQ__INIT;
    for (size_t i = 0; i < count; i++) {
        ds__multi_publish_object_pb__init(&objects[i]);
        objects[i].object_key.len = strlen(pairs[i].key);
        objects[i].object_key.data = (uint8_t *)(uintptr_t)pairs[i].key;
        objects[i].data_size = strlen(pairs[i].value);
        list[i] = &objects[i];
        pieces[i] = (struct dsrpc_piece){.bytes = rt_slice_text(pairs[i].value)};
        values[i] = (struct dsrpc_value){
            .pieces = &pieces[i], .piece_count = 1, .total_bytes = objects[i].data_size};
    }
    request.client_id.len = strlen(fx->a.client_id);
    request.client_id.data = (uint8_t *)fx->a.client_id;
    request.object_info = list;
    request.n_object_info = count;
    request.consistency_type = 1;
    request.write_mode = options->write_mode;
    request.ttl_second = options->ttl_s;
    request.is_tx = options->is_tx;
    request.existence = options->is_nx ? 1 : 0;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_MSET, &request.base, values, count, 4500);
    run_for(&fx->world, 0);
    assert_non_null(answer_to(&fx->a, number));
    return answer_to(&fx->a, number);
}

static const Ds__MultiPublishRsp *body_of(struct fixture *fx, const struct answer *answer)
{
    assert_int_equal(answer->code, K_OK);
    return unpacked(&fx->a, answer, &ds__multi_publish_rsp__descriptor);
}

static const struct batch_options PLAIN = {0};
static const struct batch_options TX = {.is_tx = true, .is_nx = true};

static void mset__new_and_old_keys__all_stored(void **state)
{
    struct fixture *fx = *state;
    const struct pair pairs[] = {{"a", "1"}, {"b", "2"}};
    set(&fx->a, "a", "old");
    const Ds__MultiPublishRsp *body = body_of(fx, mset(fx, pairs, 2, &PLAIN));
    assert_int_equal(body->n_failed_object_keys, 0);
    assert_int_equal(body->last_rc->error_code, K_OK);
    assert_string_equal(value_of(&fx->a, "a"), "1");
    assert_string_equal(value_of(&fx->a, "b"), "2");
}

static void mset__repeated_key__first_value_and_each_repetition_reported(void **state)
{
    struct fixture *fx = *state;
    const struct pair pairs[] = {{"k", "1"}, {"m", "2"}, {"k", "3"}, {"k", "4"}};
    const Ds__MultiPublishRsp *body = body_of(fx, mset(fx, pairs, 4, &PLAIN));
    assert_int_equal(body->n_failed_object_keys, 2);
    assert_memory_equal(body->failed_object_keys[0].data, "k", 1);
    assert_memory_equal(body->failed_object_keys[1].data, "k", 1);
    assert_string_equal(value_of(&fx->a, "k"), "1");
}

static void mset__nx__refused(void **state)
{
    struct fixture *fx = *state;
    const struct pair pair = {"k", "1"};
    const struct answer *answer = mset(fx, &pair, 1, &(struct batch_options){.is_nx = true});
    assert_int_equal(answer->code, K_RUNTIME_ERROR);
    assert_string_equal(answer->text, "The MSet doesn't support ntx_1, traceId: trace-1");
}

static void mset__mode_of_a_second_level__refused(void **state)
{
    struct fixture *fx = *state;
    const struct pair pair = {"k", "1"};
    assert_int_equal(mset(fx, &pair, 1, &(struct batch_options){.write_mode = 1})->code, K_INVALID);
}

static void mset__evict_over_none__replaced_and_mode_kept(void **state)
{
    struct fixture *fx = *state;
    const struct pair pair = {"k", "new"};
    set(&fx->a, "k", "old");
    const Ds__MultiPublishRsp *body =
        body_of(fx, mset(fx, &pair, 1, &(struct batch_options){.write_mode = 3}));
    assert_int_equal(body->n_failed_object_keys, 0);
    assert_string_equal(value_of(&fx->a, "k"), "new");
    assert_int_equal(set(&fx->a, "k", "none again"), K_OK);
}

static void mset__none_over_evict__fails_and_the_value_is_gone(void **state)
{
    struct fixture *fx = *state;
    static const char END[] =
        "(consistency_type, write_mode, cache_type), (1, 0, 0); old: (1, 3, 0)";
    const struct pair pairs[] = {{"k", "new"}, {"other", "v"}};
    set_with(&fx->a, "k", "old", &(struct set_options){.write_mode = 3});
    const Ds__MultiPublishRsp *body = body_of(fx, mset(fx, pairs, 2, &PLAIN));
    assert_int_equal(body->n_failed_object_keys, 1);
    assert_int_equal(body->last_rc->error_code, K_INVALID);
    assert_non_null(
        memmem(body->last_rc->error_msg.data, body->last_rc->error_msg.len, END, sizeof(END) - 1));
    assert_string_equal(value_of(&fx->a, "k"), "");
    assert_string_equal(value_of(&fx->a, "other"), "v");
}

static void mset__no_ttl_over_a_key_with_one__the_old_ttl_stays(void **state)
{
    struct fixture *fx = *state;
    const struct pair pair = {"k", "new"};
    set_with(&fx->a, "k", "old", &(struct set_options){.ttl_s = 1});
    mset(fx, &pair, 1, &PLAIN);
    run_for(&fx->world, 1 * S);
    assert_string_equal(value_of(&fx->a, "k"), "");
}

static void mset__with_ttl__replaces_the_old_one(void **state)
{
    struct fixture *fx = *state;
    const struct pair pair = {"k", "new"};
    set_with(&fx->a, "k", "old", &(struct set_options){.ttl_s = 1});
    mset(fx, &pair, 1, &(struct batch_options){.ttl_s = 3});
    run_for(&fx->world, 2 * S);
    assert_string_equal(value_of(&fx->a, "k"), "new");
    run_for(&fx->world, 1 * S);
    assert_string_equal(value_of(&fx->a, "k"), "");
}

static void mset__wakes_a_get_that_waits_for_its_keys(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"a", "b"};
    const struct pair pairs[] = {{"a", "1"}, {"b", "2"}};
    uint32_t number = send_get(&fx->b, keys, 2, 2000);
    run_for(&fx->world, 100 * MS);
    mset(fx, pairs, 2, &PLAIN);
    assert_string_equal(got(&fx->b, answer_to(&fx->b, number), 0), "1");
    assert_string_equal(got(&fx->b, answer_to(&fx->b, number), 1), "2");
}

static void msettx__one_key_exists__nothing_is_stored(void **state)
{
    struct fixture *fx = *state;
    const struct pair pairs[] = {{"a", "1"}, {"b", "2"}};
    set(&fx->a, "b", "old");
    const struct answer *answer = mset(fx, pairs, 2, &TX);
    assert_int_equal(answer->code, K_OC_KEY_ALREADY_EXIST);
    assert_string_equal(answer->text, "object[b] already exists in local worker, traceId: trace-1");
    assert_string_equal(value_of(&fx->a, "a"), "");
    assert_string_equal(value_of(&fx->a, "b"), "old");
}

static void msettx__all_new__all_stored(void **state)
{
    struct fixture *fx = *state;
    const struct pair pairs[] = {{"a", "1"}, {"b", "2"}};
    assert_int_equal(body_of(fx, mset(fx, pairs, 2, &TX))->n_failed_object_keys, 0);
    assert_string_equal(value_of(&fx->a, "b"), "2");
}

static void msettx__empty_value__runtime_error_and_nothing_stored(void **state)
{
    struct fixture *fx = *state;
    const struct pair pairs[] = {{"a", ""}, {"b", "2"}};
    const struct answer *answer = mset(fx, pairs, 2, &TX);
    assert_int_equal(answer->code, K_RUNTIME_ERROR);
    assert_string_equal(answer->text,
                        "Small object doesn't match the payload size, traceId: trace-1");
    assert_string_equal(value_of(&fx->a, "b"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(mset__new_and_old_keys__all_stored),
        IN_WORLD(mset__repeated_key__first_value_and_each_repetition_reported),
        IN_WORLD(mset__nx__refused),
        IN_WORLD(mset__mode_of_a_second_level__refused),
        IN_WORLD(mset__evict_over_none__replaced_and_mode_kept),
        IN_WORLD(mset__none_over_evict__fails_and_the_value_is_gone),
        IN_WORLD(mset__no_ttl_over_a_key_with_one__the_old_ttl_stays),
        IN_WORLD(mset__with_ttl__replaces_the_old_one),
        IN_WORLD(mset__wakes_a_get_that_waits_for_its_keys),
        IN_WORLD(msettx__one_key_exists__nothing_is_stored),
        IN_WORLD(msettx__all_new__all_stored),
        IN_WORLD(msettx__empty_value__runtime_error_and_nothing_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
