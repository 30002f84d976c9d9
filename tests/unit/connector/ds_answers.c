/* SPDX-License-Identifier: Apache-2.0 */
/* What the answer to a get must be, and what becomes of one that is not. */
#include "ds_fixture.h"
#include "wire/proto/datasystem.pb-c.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const KEYS[] = {"k", "l", "m"};

static void answer_get(struct fixture *fx, struct rt_slice body, const char *const *parts,
                       size_t part_count)
{
    struct server_rule rule = {.body = body, .part_count = part_count};

    for (size_t i = 0; i < part_count; i++) {
        rule.parts[i] = rt_slice_text(parts[i]);
    }
    server_rule(&fx->server, DSRPC_OP_GET, rule);
}

static void get_keys(struct fixture *fx, size_t count, struct seen *seen)
{
    start_get(fx, KEYS, count, 0, seen);
    wait_seen(fx, seen);
}

static void get__values_and_holes__are_told_in_key_order(void **state)
{
    static const char *const PARTS[] = {"hello", "world"};
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    answer_get(fx, get_body(2, 1, 5, K_OK), PARTS, 2);
    get_keys(fx, 3, &seen);
    assert_int_equal(seen.code, K_OK);
    assert_int_equal(seen.value_count, 3);
    assert_string_equal(seen.values[0], "hello");
    assert_string_equal(seen.values[1], "world");
    assert_false(seen.is_present[2]);
}

static void get__nothing_found__is_not_found_or_the_last_status(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    answer_get(fx, get_body(0, 2, 0, K_OK), NULL, 0);
    get_keys(fx, 2, &seen);
    assert_int_equal(seen.code, K_NOT_FOUND);
    assert_text(&seen, "Cannot get objects from worker, traceId: ");
    assert_int_equal(seen.value_count, 0);
    answer_get(fx, get_body(0, 2, 0, K_RUNTIME_ERROR), NULL, 0);
    get_keys(fx, 2, &seen);
    assert_int_equal(seen.code, K_RUNTIME_ERROR);
    assert_text(&seen, "last words, traceId: ");
    assert_int_equal(seen.attempt_count, 1);
}

static void get__retryable_last_status__repeats_the_law(void **state)
{
    static const char *const PARTS[] = {"hello"};
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    answer_get(fx, get_body(0, 1, 0, K_RPC_DEADLINE_EXCEEDED), NULL, 0);
    get_keys(fx, 1, &seen);
    assert_int_equal(seen.code, K_RPC_DEADLINE_EXCEEDED);
    assert_int_equal(seen.attempt_count, 7);
    assert_int_equal(seen.took_us, 2990 * MS);
    /* With a value beside it, too; the value is taken when the budget is used up. */
    answer_get(fx, get_body(1, 1, 5, K_TRY_AGAIN), PARTS, 1);
    get_keys(fx, 2, &seen);
    assert_int_equal(seen.code, K_OK);
    assert_string_equal(seen.values[0], "hello");
    assert_int_equal(seen.attempt_count, 7);
}

static void get__counts_that_do_not_match__are_an_unknown_error(void **state)
{
    static const char *const PARTS[] = {"hello", "hello"};
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    for (size_t round = 0; round < 3; round++) {
        /* no entries; one too many; a part that nobody names */
        size_t present = round;
        answer_get(fx, get_body(present, 0, 5, K_OK), PARTS, 2);
        get_keys(fx, 1, &seen);
        assert_int_equal(seen.code, K_UNKNOWN_ERROR);
        assert_text(&seen, "The response count in GetRspPb does not match with objects count.");
        assert_int_equal(ds_cause_of(seen.code, seen.detail), DS_CAUSE_OTHER);
        assert_int_equal(seen.attempt_count, 1);
    }
}

static struct rt_slice one_entry(const char *name, uint32_t index, const uint32_t *parts,
                                 size_t part_count, int64_t size_bytes)
{
    static uint8_t body[256];
    Ds__GetRsp reply = DS__GET_RSP__INIT;
    Ds__PayloadInfoPb info = DS__PAYLOAD_INFO_PB__INIT;
    Ds__PayloadInfoPb *list[] = {&info};

    info.object_key = (ProtobufCBinaryData){strlen(name), (uint8_t *)(uintptr_t)name};
    info.object_index = index;
    info.data_size = size_bytes;
    info.n_part_index = part_count;
    info.part_index = (uint32_t *)(uintptr_t)parts;
    reply.n_payload_info = 1;
    reply.payload_info = list;
    return rt_slice_of(body, ds__get_rsp__pack(&reply, body));
}

static void get__an_entry_of_another_key__is_an_unknown_error(void **state)
{
    static const uint32_t FIRST[] = {0};
    static const char *const PARTS[] = {"hello"};
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    answer_get(fx, one_entry("", 3, FIRST, 1, 5), PARTS, 1);
    get_keys(fx, 1, &seen);
    assert_int_equal(seen.code, K_UNKNOWN_ERROR);
    assert_text(&seen, "Object key does not match with GetRspPb");
    answer_get(fx, one_entry("zz", 0, FIRST, 1, 5), PARTS, 1);
    get_keys(fx, 1, &seen);
    assert_int_equal(seen.code, K_UNKNOWN_ERROR);
    answer_get(fx, one_entry("k", 9, FIRST, 1, 5), PARTS, 1); /* a name goes before the index */
    get_keys(fx, 1, &seen);
    assert_int_equal(seen.code, K_OK);
    assert_string_equal(seen.values[0], "hello");
}

static void get__a_value_in_two_parts__is_joined(void **state)
{
    static const uint32_t BOTH[] = {0, 1};
    static const char *const PARTS[] = {"hel", "lo"};
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    answer_get(fx, one_entry("", 0, BOTH, 2, 5), PARTS, 2);
    get_keys(fx, 1, &seen);
    assert_int_equal(seen.code, K_OK);
    assert_string_equal(seen.values[0], "hello");
}

static void get__parts_that_do_not_exist_or_fit__are_undecodable(void **state)
{
    static const uint32_t BEYOND[] = {7};
    static const uint32_t BEYOND_IN_TWO[] = {0, UINT32_MAX};
    static const uint32_t TWICE[] = {0, 0};
    static const uint32_t FIRST[] = {0};
    static const char *const PARTS[] = {"hello", ""};
    struct fixture *fx = *state;
    const struct {
        const uint32_t *parts;
        size_t count;
        int64_t size_bytes;
    } ROWS[] = {{BEYOND, 1, 5}, {BEYOND_IN_TWO, 2, 5}, {TWICE, 2, 10},
                {FIRST, 1, 6},  {FIRST, 1, -1},        {FIRST, 1, INT64_MAX}};
    struct seen seen;

    init_ready(fx);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        answer_get(fx, one_entry("", 0, ROWS[i].parts, ROWS[i].count, ROWS[i].size_bytes), PARTS,
                   ROWS[i].count);
        get_keys(fx, 1, &seen);
        assert_int_equal(seen.code, K_UNKNOWN_ERROR);
        assert_int_equal(seen.detail, DS_DETAIL_UNDECODABLE);
        assert_int_equal(ds_cause_of(seen.code, seen.detail), DS_CAUSE_CODEC);
    }
}

/* ---- answers that are none ---- */

static void answer_frames(struct fixture *fx, enum dsrpc_op op, const struct rt_slice *frames,
                          size_t count)
{
    struct server_rule rule = {.is_frames = true, .part_count = count};

    for (size_t i = 0; i < count; i++) {
        rule.parts[i] = frames[i];
    }
    server_rule(&fx->server, op, rule);
}

static void answer__cut_or_garbled__ends_the_call_with_the_real_status(void **state)
{
    struct fixture *fx = *state;
    const struct rt_slice none = {0};
    const struct rt_slice garbage = rt_slice_text("\xff\xff\xff\xff");
    const struct {
        struct rt_slice frames[5];
        size_t count;
        int32_t code;
        const char *text;
    } ROWS[] = {
        {{none}, 0, K_RUNTIME_ERROR, "Empty frames"},
        {{garbage}, 1, K_INVALID, "ParseFromZmqMessage failed."},
        {{garbage, none}, 2, K_INVALID, "ParseFromZmqMessage failed."},
        {{none, garbage}, 2, K_INVALID, "ParseFromZmqMessage failed."},
        {{none}, 1, K_INVALID, "Expect a 64 bit integer"},
        {{none, none}, 2, K_INVALID, "Expect a 64 bit integer"},
        {{none, none, rt_slice_text("abc")}, 3, K_INVALID, "Not a 64-bit integer"},
        {{none, none, rt_slice_of("\5\0\0\0\0\0\0\0", 8)},
         3,
         K_INVALID,
         "Not enough payload frames"},
        {{none, none, rt_slice_of("\1\0\0\0\0\0\0\0", 8), rt_slice_text("hi")},
         4,
         K_RUNTIME_ERROR,
         "remaining Sz"},
        {{none, none, rt_slice_of("\377\377\377\377\377\377\377\377", 8)},
         3,
         K_INVALID,
         "Not enough payload frames"},
    };
    struct seen seen;

    init_ready(fx);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        answer_frames(fx, DSRPC_OP_GET, ROWS[i].frames, ROWS[i].count);
        get_keys(fx, 1, &seen);
        assert_int_equal(seen.code, ROWS[i].code);
        assert_int_equal(seen.detail, DS_DETAIL_UNDECODABLE);
        assert_text(&seen, ROWS[i].text);
        assert_int_equal(seen.took_us, 0);
    }
}

static void answer__every_cut_of_a_good_body__ends_the_call_with_some_status(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice whole = get_body(1, 2, 5, K_OK);
    uint8_t *copy = malloc(whole.len_bytes);
    struct seen seen;

    assert_non_null(copy);
    memcpy(copy, whole.data, whole.len_bytes);
    init_ready(fx);
    for (size_t len = 0; len < whole.len_bytes; len++) {
        const struct rt_slice frames[] = {{0},
                                          rt_slice_of(copy, len),
                                          rt_slice_of("\5\0\0\0\0\0\0\0", 8),
                                          rt_slice_text("hello")};
        answer_frames(fx, DSRPC_OP_GET, frames, 4);
        get_keys(fx, 3, &seen);
        /* Only the empty last_rc, the last two bytes, may be missing: a message without it is
         * whole. */
        bool is_whole = len == whole.len_bytes - 2;
        assert_int_equal(seen.code == K_OK, is_whole);
        assert_int_equal(seen.took_us, 0);
    }
    free(copy);
}

/* A set needs nothing of its answer: without a body it has succeeded, as in the real client. */
static void answer__without_a_body__is_an_empty_one(void **state)
{
    struct fixture *fx = *state;
    const struct rt_slice none = {0};
    struct seen seen;

    init_ready(fx);
    answer_frames(fx, DSRPC_OP_SET, &none, 1);
    set(fx, "k", "v", &seen);
    assert_int_equal(seen.code, K_OK);
}

static void answer__garbled_to_a_set__has_the_suffix(void **state)
{
    struct fixture *fx = *state;
    const struct rt_slice garbage = rt_slice_text("\xff\xff");
    struct seen seen;

    init_ready(fx);
    answer_frames(fx, DSRPC_OP_SET, &garbage, 1);
    set(fx, "k", "v", &seen);
    assert_int_equal(seen.code, K_INVALID);
    assert_text(&seen, "ParseFromZmqMessage failed.");
    assert_text(&seen, "RPC Retry detail: [ ] with 0 times in 3000 ms.");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        CASE(get__values_and_holes__are_told_in_key_order),
        CASE(get__nothing_found__is_not_found_or_the_last_status),
        CASE(get__retryable_last_status__repeats_the_law),
        CASE(get__counts_that_do_not_match__are_an_unknown_error),
        CASE(get__an_entry_of_another_key__is_an_unknown_error),
        CASE(get__a_value_in_two_parts__is_joined),
        CASE(get__parts_that_do_not_exist_or_fit__are_undecodable),
        CASE(answer__cut_or_garbled__ends_the_call_with_the_real_status),
        CASE(answer__every_cut_of_a_good_body__ends_the_call_with_some_status),
        CASE(answer__without_a_body__is_an_empty_one),
        CASE(answer__garbled_to_a_set__has_the_suffix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
