/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "runtime/random.h"

#include <stdio.h>
#include <string.h>

/* Requests whose bytes were changed at random: whatever they do, nobody else notices. */
#define ROUND_COUNT 3000

static size_t valid_message(struct fixture *fx, struct rt_random *random, uint8_t *bytes,
                            size_t capacity_bytes)
{
    static const enum dsrpc_op OPS[] = {DSRPC_OP_SET,    DSRPC_OP_GET,      DSRPC_OP_DELETE,
                                        DSRPC_OP_EXIST,  DSRPC_OP_EXPIRE,   DSRPC_OP_QUERY_SIZE,
                                        DSRPC_OP_CREATE, DSRPC_OP_HEARTBEAT};
    ProtobufCBinaryData key = {.len = 1, .data = (uint8_t *)(uintptr_t) "k"};
    struct dsrpc_piece piece = {.bytes = rt_slice_text("value")};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = 5};
    Ds__GetReq get = DS__GET_REQ__INIT;
    struct rt_slice body;
    get.client_id.len = strlen(fx->a.client_id);
    get.client_id.data = (uint8_t *)fx->a.client_id;
    get.object_keys = &key;
    get.n_object_keys = 1;
    get.sub_timeout = (int64_t)rt_random_below(random, 3);
    assert_int_equal(dsrpc_pack(&get.base, fx->a.arena, &body), RT_OK);
    struct dsrpc_outgoing request = {.op =
                                         OPS[rt_random_below(random, sizeof(OPS) / sizeof(OPS[0]))],
                                     .queue_id = rt_slice_text("q:1:0:9"),
                                     .trace_id = rt_slice_text("t"),
                                     .timeout_ms = 100,
                                     .body = body};
    if (request.op == DSRPC_OP_SET) {
        request.values = &value;
        request.value_count = 1;
    }
    struct rt_outbox *out = rt_outbox_create();
    assert_int_equal(dsrpc_request_encode(&dsrpc_profile_0_8_1, &request, out), RT_OK);
    size_t len_bytes = rt_outbox_len_bytes(out);
    assert_true(len_bytes <= capacity_bytes);
    rt_outbox_copy(out, bytes, len_bytes);
    rt_outbox_destroy(out);
    dsrpc_arena_reset(fx->a.arena);
    return len_bytes;
}

static void mutate(struct rt_random *random, uint8_t *bytes, size_t len_bytes)
{
    for (uint64_t left = rt_random_below(random, 4); left > 0; left--) {
        bytes[rt_random_below(random, len_bytes)] = (uint8_t)rt_random_u64(random);
    }
}

static void changed_requests__others_are_served_and_nothing_leaks(void **state)
{
    struct fixture *fx = *state;
    struct rt_random random;
    uint8_t bytes[1024];
    rt_random_init(&random, 7, "test:hostile");
    set(&fx->b, "mine", "v");
    for (size_t i = 0; i < ROUND_COUNT; i++) {
        if (fx->a.stream == NULL) {
            dealer_connect(&fx->a);
        }
        size_t len_bytes = valid_message(fx, &random, bytes, sizeof(bytes));
        mutate(&random, bytes, len_bytes);
        dealer_send_raw(&fx->a, bytes, len_bytes);
        run_for(&fx->world, rt_random_below(&random, 2000));
        fx->a.answer_count = 0;
        if (rt_random_below(&random, 8) == 0) {
            dealer_close(&fx->a); /* with half a message inside, perhaps */
        }
    }
    assert_string_equal(value_of(&fx->b, "mine"), "v");
    run_for(&fx->world, 1 * S);
    for (enum dsrpc_op op = 0; op <= DSRPC_OP_UNKNOWN; op++) {
        assert_int_equal(counts_of(&fx->world, op).waiting, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(changed_requests__others_are_served_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
