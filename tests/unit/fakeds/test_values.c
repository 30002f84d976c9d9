/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <string.h>

static void set__then_get__value_with_its_description(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "absent"};
    run_for(&fx->world, 7);
    assert_int_equal(set_with(&fx->a, "k", "hello", &(struct set_options){.write_mode = 3}), K_OK);
    uint32_t number = send_get(&fx->b, keys, 2, 0);
    run_for(&fx->world, 0);
    const struct answer *answer = answer_to(&fx->b, number);
    const Ds__GetRsp *body = get_answer(&fx->b, answer);
    assert_string_equal(got(&fx->b, answer, 0), "hello");
    assert_int_equal(body->n_payload_info, 1);
    assert_int_equal(body->payload_info[0]->data_size, 5);
    assert_int_equal(body->payload_info[0]->write_mode, 3);
    assert_int_equal(body->payload_info[0]->consistency_type, 1);
    assert_int_equal(body->payload_info[0]->version, 7); /* microseconds */
    assert_int_equal(body->payload_info[0]->part_index[0], 0);
    assert_int_equal(body->n_objects, 1);
    assert_int_equal(body->objects[0]->store_fd, -1);
    assert_int_equal(body->objects[0]->data_size, -1);
    assert_int_equal(body->objects[0]->version, -1);
    assert_int_equal(body->objects[0]->object_index, 1);
    assert_int_equal(body->objects[0]->object_key.len, 0);
    assert_int_equal(body->last_rc->error_code, K_OK);
}

static void get__same_key_twice__an_entry_and_a_part_for_each(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "k"};
    set(&fx->a, "k", "v");
    uint32_t number = send_get(&fx->a, keys, 2, 0);
    run_for(&fx->world, 0);
    const struct answer *answer = answer_to(&fx->a, number);
    assert_int_equal(get_answer(&fx->a, answer)->n_payload_info, 2);
    assert_int_equal(answer->part_count, 2);
    assert_string_equal(got(&fx->a, answer, 1), "v");
}

static void get__all_absent__still_ok_on_the_wire(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"x", "y"};
    uint32_t number = send_get(&fx->a, keys, 2, 0);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_int_equal(get_answer(&fx->a, answer_to(&fx->a, number))->n_objects, 2);
    assert_int_equal(get_answer(&fx->a, answer_to(&fx->a, number))->last_rc->error_code, K_OK);
}

static void set__existing_key__replaced(void **state)
{
    struct fixture *fx = *state;
    set(&fx->a, "k", "old");
    set(&fx->b, "k", "new");
    assert_string_equal(value_of(&fx->a, "k"), "new");
}

static void set__nx_on_existing_key__ok_and_old_value(void **state)
{
    struct fixture *fx = *state;
    const struct set_options nx = {.is_nx = true};
    assert_int_equal(set_with(&fx->a, "k", "first", &nx), K_OK);
    assert_int_equal(set_with(&fx->a, "k", "second", &nx), K_OK);
    assert_string_equal(value_of(&fx->a, "k"), "first");
}

static void set__other_write_mode__refused_until_deleted(void **state)
{
    struct fixture *fx = *state;
    const struct set_options evict = {.write_mode = 3};
    set(&fx->a, "k", "v");
    uint32_t number = send_set(&fx->a, "k", "n", &evict);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_INVALID);
    assert_string_equal(
        answer_to(&fx->a, number)->text,
        "The write mode, consistency type or cache type cannot be modified, traceId: trace-1");
    assert_string_equal(value_of(&fx->a, "k"), "v");
    del(&fx->a, "k");
    assert_int_equal(set_with(&fx->a, "k", "n", &evict), K_OK);
}

static void set__modes_of_a_second_level__refused(void **state)
{
    struct fixture *fx = *state;
    static const uint32_t MODES[] = {1, 2, 4};
    for (size_t i = 0; i < 3; i++) {
        const struct set_options options = {.write_mode = MODES[i]};
        uint32_t number = send_set(&fx->a, "k", "v", &options);
        run_for(&fx->world, 0);
        assert_int_equal(answer_to(&fx->a, number)->code, K_INVALID);
        assert_non_null(strstr(answer_to(&fx->a, number)->text, "L2_cache_type is set to none"));
    }
}

static void set__size_and_payload_differ__invalid(void **state)
{
    struct fixture *fx = *state;
    Ds__PublishReq request = DS__PUBLISH_REQ__INIT;
    struct dsrpc_piece piece = {.bytes = rt_slice_text("five!")};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = 5};
    request.client_id.len = strlen(fx->a.client_id);
    request.client_id.data = (uint8_t *)fx->a.client_id;
    request.object_key.len = 1;
    request.object_key.data = (uint8_t *)(uintptr_t) "k";
    request.data_size = 6;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_SET, &request.base, &value, 1, 4500);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_INVALID);
    assert_string_equal(value_of(&fx->a, "k"), "");
}

static void large_value__stored_and_answered_without_a_copy(void **state)
{
    struct fixture *fx = *state;
    uint8_t *data;
    const char *key = "big";
    struct rt_blob *blob = rt_blob_create((size_t)1 << 20, &data);
    memset(data, 'x', (size_t)1 << 20);
    send_set_big(&fx->a, key, blob, &(struct set_options){0});
    run_for(&fx->world, 0);
    struct fakeds_object object;
    assert_true(fakeds_worker_find(fx->world.worker, rt_slice_text(key), &object));
    assert_ptr_equal(rt_blob_slice(object.value).data, data); /* the sender's very bytes */
    uint32_t number = send_get(&fx->b, &key, 1, 0);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->b, number)->payload_bytes, 1 << 20);
    rt_blob_release(blob);
}

static void delete__present_and_absent__both_fine(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "absent", "k"};
    set(&fx->a, "k", "v");
    uint32_t number = send_keys(&fx->a, DSRPC_OP_DELETE, keys, 3, 0);
    run_for(&fx->world, 0);
    const Ds__DeleteAllCopyRsp *body =
        unpacked(&fx->a, answer_to(&fx->a, number), &ds__delete_all_copy_rsp__descriptor);
    assert_int_equal(body->n_fail_object_keys, 0);
    assert_string_equal(value_of(&fx->a, "k"), "");
}

static void exist__all_absent__all_false_and_ok(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"x", "k", "x"};
    set(&fx->a, "k", "v");
    uint32_t number = send_keys(&fx->a, DSRPC_OP_EXIST, keys, 3, 0);
    run_for(&fx->world, 0);
    const Ds__ExistRsp *body =
        unpacked(&fx->a, answer_to(&fx->a, number), &ds__exist_rsp__descriptor);
    assert_int_equal(body->n_exists, 3);
    assert_false(body->exists[0]);
    assert_true(body->exists[1]);
    assert_false(body->exists[2]);
}

static void query_size__absent_is_0__all_absent_is_not_found(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "x"};
    set(&fx->a, "k", "four");
    uint32_t some = send_keys(&fx->a, DSRPC_OP_QUERY_SIZE, keys, 2, 0);
    uint32_t none = send_keys(&fx->a, DSRPC_OP_QUERY_SIZE, keys + 1, 1, 0);
    run_for(&fx->world, 0);
    const Ds__QuerySizeRsp *body =
        unpacked(&fx->a, answer_to(&fx->a, some), &ds__query_size_rsp__descriptor);
    assert_int_equal(body->sizes[0], 4);
    assert_int_equal(body->sizes[1], 0);
    body = unpacked(&fx->a, answer_to(&fx->a, none), &ds__query_size_rsp__descriptor);
    assert_int_equal(body->last_rc->error_code, K_NOT_FOUND);
}

/* ---- reads ---- */

static const struct answer *read_part(struct fixture *fx, const char *const *keys, size_t count,
                                      const uint64_t *offsets, const uint64_t *sizes)
{
    ProtobufCBinaryData list[4];
    Ds__GetReq request = DS__GET_REQ__INIT;
    for (size_t i = 0; i < count; i++) {
        list[i] =
            (ProtobufCBinaryData){.len = strlen(keys[i]), .data = (uint8_t *)(uintptr_t)keys[i]};
    }
    request.client_id.len = strlen(fx->a.client_id);
    request.client_id.data = (uint8_t *)fx->a.client_id;
    request.object_keys = list;
    request.n_object_keys = count;
    request.read_offset_list = (uint64_t *)(uintptr_t)offsets;
    request.n_read_offset_list = count;
    request.read_size_list = (uint64_t *)(uintptr_t)sizes;
    request.n_read_size_list = count;
    request.return_object_index = true;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_GET, &request.base, NULL, 0, 4500);
    run_for(&fx->world, 0);
    assert_non_null(answer_to(&fx->a, number));
    return answer_to(&fx->a, number);
}

static void read__parts_of_a_value__size_0_to_the_end_and_cut_there(void **state)
{
    struct fixture *fx = *state;
    const char *key = "k";
    static const uint64_t OFFSETS[] = {1, 2, 4};
    static const uint64_t SIZES[] = {2, 0, 100};
    static const char *const WANTED[] = {"bc", "cdef", "ef"};
    set(&fx->a, key, "abcdef");
    for (size_t i = 0; i < 3; i++) {
        const struct answer *answer = read_part(fx, &key, 1, &OFFSETS[i], &SIZES[i]);
        assert_string_equal(got(&fx->a, answer, 0), WANTED[i]);
    }
}

static void read__behind_the_end__missing_with_the_reason_in_last_rc(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "good"};
    const uint64_t offsets[] = {6, 0};
    const uint64_t sizes[] = {1, 1};
    set(&fx->a, "k", "abcdef");
    set(&fx->a, "good", "g");
    const struct answer *answer = read_part(fx, keys, 2, offsets, sizes);
    const Ds__GetRsp *body = get_answer(&fx->a, answer);
    assert_string_equal(got(&fx->a, answer, 0), "");
    assert_string_equal(got(&fx->a, answer, 1), "g");
    assert_int_equal(body->last_rc->error_code, K_OUT_OF_RANGE);
    assert_memory_equal(body->last_rc->error_msg.data, "Read offset 6 out of range [0, 6)", 33);
}

static void read__same_key_twice__refused(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "k"};
    const uint64_t offsets[] = {0, 2};
    const uint64_t sizes[] = {1, 1};
    set(&fx->a, "k", "abcdef");
    const struct answer *answer = read_part(fx, keys, 2, offsets, sizes);
    assert_int_equal(answer->code, K_INVALID);
    assert_string_equal(answer->text, "Duplicate offset read for objectKey k, traceId: trace-1");
}

static void pipelined_requests__answered_in_order(void **state)
{
    struct fixture *fx = *state;
    const char *key = "k";
    size_t before = fx->a.answer_count;
    for (size_t i = 0; i < 10; i++) {
        send_set(&fx->a, key, "v", &(struct set_options){0});
        send_get(&fx->a, &key, 1, 0);
    }
    run_for(&fx->world, 0);
    assert_int_equal(fx->a.answer_count - before, 20);
    for (size_t i = 1; i < 20; i++) {
        assert_int_equal(fx->a.answers[before + i].number,
                         fx->a.answers[before + i - 1].number + 1);
    }
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_GET).answered, 10);
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).applied, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(set__then_get__value_with_its_description),
        IN_WORLD(get__same_key_twice__an_entry_and_a_part_for_each),
        IN_WORLD(get__all_absent__still_ok_on_the_wire),
        IN_WORLD(set__existing_key__replaced),
        IN_WORLD(set__nx_on_existing_key__ok_and_old_value),
        IN_WORLD(set__other_write_mode__refused_until_deleted),
        IN_WORLD(set__modes_of_a_second_level__refused),
        IN_WORLD(set__size_and_payload_differ__invalid),
        IN_WORLD(large_value__stored_and_answered_without_a_copy),
        IN_WORLD(delete__present_and_absent__both_fine),
        IN_WORLD(exist__all_absent__all_false_and_ok),
        IN_WORLD(query_size__absent_is_0__all_absent_is_not_found),
        IN_WORLD(read__parts_of_a_value__size_0_to_the_end_and_cut_there),
        IN_WORLD(read__behind_the_end__missing_with_the_reason_in_last_rc),
        IN_WORLD(read__same_key_twice__refused),
        IN_WORLD(pipelined_requests__answered_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
