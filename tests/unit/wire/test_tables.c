/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "messages.h"
#include "peer.h"

/* Status codes, methods, and the memory of unpacked messages. */

/* ---- codes ---------------------------------------------------------------------------------- */

static void assert_code(const char *text, int32_t wanted)
{
    int32_t code = -1;
    assert_true(dsrpc_code_parse(text, strlen(text), &code));
    assert_int_equal(code, wanted);
}

static void code__in_any_of_its_spellings__is_read(void **state)
{
    (void)state;
    assert_code("K_NOT_FOUND", 3);
    assert_code("NOT_FOUND", 3);
    assert_code("3", 3);
    assert_code("0", 0);
    assert_code("OK", 0);
    assert_code("RPC_UNAVAILABLE", 1002);
    assert_code("2004", 2004);
}

static void code__that_does_not_exist__is_refused(void **state)
{
    static const char *const WRONG[] = {"",   "K_",   "not_found", "NOT_FOUN", "NOT_FOUNDS", "-1",
                                        "99", "2001", "3x",        " 3",       "4294967299"};
    int32_t code = -7;
    (void)state;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        assert_false(dsrpc_code_parse(WRONG[i], strlen(WRONG[i]), &code));
    }
    assert_int_equal(code, -7);
}

/* Texts that the real client was seen to print. */
static void code__text_and_name__are_the_datasystems(void **state)
{
    (void)state;
    assert_string_equal(dsrpc_code_text(3), "Key not found");
    assert_string_equal(dsrpc_code_text(2), "Invalid parameter");
    assert_string_equal(dsrpc_code_text(23), "Client and Worker disconnect");
    assert_string_equal(dsrpc_code_text(1002), "RPC unavailable");
    assert_string_equal(dsrpc_code_text(777), "UNKNOWN_TYPE");
    assert_string_equal(dsrpc_code_name(19), "K_TRY_AGAIN");
    assert_null(dsrpc_code_name(-1));
}

/* ---- methods -------------------------------------------------------------------------------- */

static void method__of_each_operation__has_its_own_index_and_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < DSRPC_OP_COUNT; i++) {
        const struct dsrpc_method *method = dsrpc_method_of(&dsrpc_profile_0_8_1, (enum dsrpc_op)i);
        enum dsrpc_op op = DSRPC_OP_UNKNOWN;
        assert_int_equal(method->op, i);
        assert_true(dsrpc_op_parse(method->word, strlen(method->word), &op));
        assert_int_equal(op, i);
        assert_string_equal(dsrpc_op_word(op), method->word);
        for (size_t k = 0; k < i; k++) {
            const struct dsrpc_method *other =
                dsrpc_method_of(&dsrpc_profile_0_8_1, (enum dsrpc_op)k);
            assert_false(other->index == method->index &&
                         strcmp(other->service, method->service) == 0);
        }
    }
    assert_string_equal(dsrpc_op_word(DSRPC_OP_UNKNOWN), "unknown");
}

static void method__word_that_is_none__is_refused(void **state)
{
    enum dsrpc_op op = DSRPC_OP_GET;
    (void)state;
    assert_false(dsrpc_op_parse("gets", 4, &op));
    assert_false(dsrpc_op_parse("", 0, &op));
    assert_int_equal(op, DSRPC_OP_GET);
    assert_true(dsrpc_op_parse("setx", 3, &op));
    assert_int_equal(op, DSRPC_OP_SET);
}

/* ---- arena ---------------------------------------------------------------------------------- */

/* A GetRsp of so many entries, each the empty message: two bytes. */
static uint8_t *many_objects(size_t count)
{
    uint8_t *bytes = malloc(count * 2);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        bytes[2 * i] = 0x0a;
        bytes[2 * i + 1] = 0;
    }
    return bytes;
}

static void arena__reset_between_messages__is_used_again(void **state)
{
    struct dsrpc_arena *arena = dsrpc_arena_create();
    uint8_t *bytes = many_objects(10000);
    const void *first = NULL;
    (void)state;
    assert_non_null(arena);
    for (int i = 0; i < 100; i++) {
        Ds__GetRsp *rsp = dsrpc_unpack(&ds__get_rsp__descriptor, rt_slice_of(bytes, 20000), arena);
        assert_non_null(rsp);
        assert_int_equal(rsp->n_objects, 10000);
        assert_int_equal(rsp->objects[9999]->store_fd, 0);
        first = first == NULL ? rsp : first;
        assert_ptr_equal(rsp, first); /* the same memory each time */
        dsrpc_arena_reset(arena);
    }
    free(bytes);
    dsrpc_arena_destroy(arena);
}

/* 2 MB that would unpack to 200 MB. */
static void arena__message_that_unpacks_beyond_the_limit__is_refused_and_forgotten(void **state)
{
    enum { OBJECT_COUNT = 1000000 };
    struct dsrpc_arena *arena = dsrpc_arena_create();
    uint8_t *bytes = many_objects(OBJECT_COUNT);
    (void)state;
    assert_non_null(arena);
    assert_null(
        dsrpc_unpack(&ds__get_rsp__descriptor, rt_slice_of(bytes, 2 * OBJECT_COUNT), arena));
    dsrpc_arena_reset(arena);
    assert_non_null(dsrpc_unpack(&ds__get_rsp__descriptor, rt_slice_of(bytes, 20), arena));
    free(bytes);
    dsrpc_arena_destroy(arena);
}

static void unpack__bytes_that_are_no_message__gives_null(void **state)
{
    struct dsrpc_arena *arena = dsrpc_arena_create();
    (void)state;
    assert_non_null(arena);
    assert_null(dsrpc_unpack(&ds__get_req__descriptor, rt_slice_of("\22\5k", 3), arena));
    assert_non_null(dsrpc_unpack(&ds__get_req__descriptor, rt_slice_of(NULL, 0), arena));
    dsrpc_arena_destroy(arena);
    dsrpc_arena_destroy(NULL);
}

/* Texts may hold a NUL: nothing is cut there. */
static void unpack__text_with_a_nul__is_whole(void **state)
{
    struct dsrpc_arena *arena = dsrpc_arena_create();
    struct rt_slice packed;
    (void)state;
    assert_non_null(arena);
    Ds__GetReq *req = dsrpc_unpack(&ds__get_req__descriptor, rt_slice_of("\22\3a\0b", 5), arena);
    assert_non_null(req);
    assert_int_equal(req->n_object_keys, 1);
    assert_int_equal(req->object_keys[0].len, 3);
    assert_memory_equal(req->object_keys[0].data, "a\0b", 3);
    assert_int_equal(dsrpc_pack(&req->base, arena, &packed), RT_OK);
    assert_true(rt_slice_equal(packed, rt_slice_of("\22\3a\0b", 5)));
    dsrpc_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code__in_any_of_its_spellings__is_read),
        cmocka_unit_test(code__that_does_not_exist__is_refused),
        cmocka_unit_test(code__text_and_name__are_the_datasystems),
        cmocka_unit_test(method__of_each_operation__has_its_own_index_and_word),
        cmocka_unit_test(method__word_that_is_none__is_refused),
        cmocka_unit_test(arena__reset_between_messages__is_used_again),
        cmocka_unit_test(arena__message_that_unpacks_beyond_the_limit__is_refused_and_forgotten),
        cmocka_unit_test(unpack__bytes_that_are_no_message__gives_null),
        cmocka_unit_test(unpack__text_with_a_nul__is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
