/* SPDX-License-Identifier: Apache-2.0 */
/* Which codes each operation retries, at which times, and how its end reads: the retry law as
 * seen on the wire, row by row. */
#include "unit/connector/ds_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const enum dsrpc_op OPS[] = {DSRPC_OP_SET,    DSRPC_OP_GET,  DSRPC_OP_EXIST, DSRPC_OP_DELETE,
                                    DSRPC_OP_EXPIRE, DSRPC_OP_MSET, DSRPC_OP_HEALTH};

static int open_world(void **state)
{
    static struct world world;

    world_open(&world);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

/* A world of its own for one call that meets `code` every time. */
static void refuse_always(enum dsrpc_op op, int32_t code, int64_t request_ms, struct world *world,
                          struct ended *ended)
{
    world_open(world);
    world->options.request_timeout_ms = request_ms;
    world_ready(world);
    server_rule(&world->server, op, (struct server_rule){.code = code, .text = "made up"});
    run_op(world, op, ended);
    assert_int_equal(ended->code, code);
    assert_int_equal(ended->detail, DS_DETAIL_ANSWERED);
}

static bool may_retry(enum dsrpc_op op, int32_t code)
{
    switch (code) {
    case K_TRY_AGAIN:
    case K_RPC_CANCELLED:
    case K_RPC_DEADLINE_EXCEEDED:
    case K_RPC_UNAVAILABLE:
        return op != DSRPC_OP_HEALTH;
    case K_OUT_OF_MEMORY:
        return op != DSRPC_OP_HEALTH && op != DSRPC_OP_DELETE;
    case K_SCALING:
        return op == DSRPC_OP_MSET;
    default:
        return false;
    }
}

static void every_operation__a_code_every_time__retried_only_where_the_law_says(void **state)
{
    static const int32_t CODES[] = {2, 3, 5, 6, 8, 10, 19, 23, 1000, 1001, 1002, 32};
    static const uint64_t TIMES_MS[] = {0, 1, 6, 56, 256, 1256, 2990};

    (void)state;
    for (size_t i = 0; i < COUNT(OPS); i++) {
        for (size_t k = 0; k < COUNT(CODES); k++) {
            struct world world;
            struct ended ended = {0};
            size_t count = may_retry(OPS[i], CODES[k]) ? COUNT(TIMES_MS) : 1;
            refuse_always(OPS[i], CODES[k], 3000, &world, &ended);
            assert_times_ms(&world, OPS[i], TIMES_MS, count);
            assert_int_equal(ended.attempts, count);
            assert_int_equal(ended.took_us, TIMES_MS[count - 1] * 1000);
            world_close(&world);
        }
    }
}

static void get__one_second__six_requests(void **state)
{
    static const uint64_t TIMES_MS[] = {0, 1, 6, 56, 256, 990};
    struct world world;
    struct ended ended = {0};

    (void)state;
    refuse_always(DSRPC_OP_GET, K_TRY_AGAIN, 1000, &world, &ended);
    assert_times_ms(&world, DSRPC_OP_GET, TIMES_MS, COUNT(TIMES_MS));
    world_close(&world);
}

static void suffix__of_a_refusal__not_after_get_and_health(void **state)
{
    static const char NONE[] = ". RPC Retry detail: [ ] with 0 times in 700 ms.";

    (void)state;
    for (size_t i = 0; i < COUNT(OPS); i++) {
        struct world world;
        struct ended ended = {0};
        refuse_always(OPS[i], K_NOT_READY, 700, &world, &ended);
        if (OPS[i] == DSRPC_OP_GET || OPS[i] == DSRPC_OP_HEALTH) {
            assert_null(strstr(ended.text, "RPC Retry detail"));
        } else {
            assert_string_equal(ended.text + strlen(ended.text) - strlen(NONE), NONE);
        }
        world_close(&world);
    }
}

static void suffix__after_retries__names_the_code_and_counts_it(void **state)
{
    static const char END[] = ". RPC Retry detail: [ Try again * 7 ] with 6 times in 3000 ms.";
    struct world world;
    struct ended ended = {0};

    (void)state;
    refuse_always(DSRPC_OP_SET, K_TRY_AGAIN, 3000, &world, &ended);
    assert_string_equal(ended.text + strlen(ended.text) - strlen(END), END);
    world_close(&world);
}

/* The request time-out, for a get the sub-timeout when it is longer, 3 s for health. */
static void silence__of_each_operation__ends_at_its_budget_with_one_request(void **state)
{
    struct world *world = *state;

    world->options.request_timeout_ms = 1000;
    world_ready(world);
    for (size_t i = 0; i < COUNT(OPS); i++) {
        struct ended ended = {0};
        server_silence(&world->server, OPS[i]);
        run_op(world, OPS[i], &ended);
        assert_int_equal(ended.code, K_RPC_UNAVAILABLE);
        assert_int_equal(ended.detail, DS_DETAIL_SILENCE);
        assert_int_equal(ended.took_us, OPS[i] == DSRPC_OP_HEALTH ? 3000000 : 1000000);
        assert_int_equal(server_count(&world->server, OPS[i]), 1);
        assert_int_equal(world_counts(world, OPS[i]).abandoned, 1);
    }
    struct ended longer = {0};
    run_get(world, "k", 1700, &longer);
    assert_int_equal(longer.took_us, 1700000);
    struct ended shorter = {0};
    run_get(world, "k", 300, &shorter);
    assert_int_equal(shorter.took_us, 1000000);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation__a_code_every_time__retried_only_where_the_law_says),
        cmocka_unit_test(get__one_second__six_requests),
        cmocka_unit_test(suffix__of_a_refusal__not_after_get_and_health),
        cmocka_unit_test(suffix__after_retries__names_the_code_and_counts_it),
        WORLD_TEST(silence__of_each_operation__ends_at_its_budget_with_one_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
