/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

/* Faults of the process, of connections, and of what a worker does by itself. */

/* ---- the process ---- */

static void kill_at_request__worker_is_dead_and_the_request_with_it(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do 1*kill");
    begin_set(fx);
    assert_false(fakeds_worker_is_running(fx->world.worker));
    assert_int_equal(fx->a.closed_why, RT_E_RESET);
    assert_int_equal(fx->b.closed_why, RT_E_RESET);
    assert_lost_by(fx, "f");
}

static void killed_by_hand_before_the_fault_does__lives_normally_again(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do 1*delay(1s) -> kill");
    uint32_t number = begin_set(fx);
    fakeds_worker_kill(fx->world.worker);
    assert_int_equal(fakeds_worker_start(fx->world.worker, true, 0), RT_OK);
    run_for(&fx->world, 2 * S);
    assert_null(answer_to(&fx->a, number));
    assert_true(fakeds_worker_is_running(fx->world.worker));
    dealer_connect(&fx->a);
    dealer_register(&fx->a);
    assert_string_equal(value_of(&fx->a, "k"), "");
}

static void restart_at_applied__kept_state_and_not_ready_for_a_while(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at applied do 1*restart(kept, 2s)");
    begin_set(fx);
    assert_true(fakeds_worker_is_running(fx->world.worker));
    dealer_connect(&fx->a);
    dealer_register(&fx->a);
    assert_int_equal(set(&fx->a, "x", "v"), K_NOT_READY);
    run_for(&fx->world, 2 * S);
    assert_string_equal(value_of(&fx->a, "k"), "v");
}

static void restart_at_replied__lost_state_behind_the_answer(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at replied do 1*restart(lost)");
    uint32_t number = begin_set(fx);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_false(is_stored(fx, "k"));
    assert_non_null(strstr(fx->world.events, "worker-1.killed worker-1.restarted "));
}

/* ---- connections ---- */

static void reconnect(struct fixture *fx)
{
    dealer_close(&fx->a);
    dealer_connect(&fx->a);
}

static void refuse_at_connect__that_connection_only(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {client: client-a} at connect do 1*refuse");
    reconnect(fx);
    assert_false(fx->a.is_open);
    assert_null(fx->a.stream);
    dealer_connect(&fx->a);
    assert_true(fx->a.is_open);
}

static void stall_at_greeting__greeted_when_it_is_over(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {} at greeting do 1*stall(1s)");
    reconnect(fx);
    run_for(&fx->world, 1 * S - 1);
    assert_false(fx->a.is_open);
    run_for(&fx->world, 1);
    assert_true(fx->a.is_open);
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
}

static void fin_at_greeting__closed_before_a_byte(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {} at greeting do 1*fin");
    reconnect(fx);
    assert_int_equal(fx->a.closed_why, RT_E_CLOSED);
}

/* ---- heartbeats, waits, notifications, eviction, expiry ---- */

static void mute_heartbeats__silent_and_the_client_is_not_heard(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: heartbeat} at heartbeat do mute");
    run_for(&fx->world, 50 * S);
    Ds__HeartbeatReq request = DS__HEARTBEAT_REQ__INIT;
    request.client_id.len = strlen(fx->a.client_id);
    request.client_id.data = (uint8_t *)fx->a.client_id;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_HEARTBEAT, &request.base, NULL, 0, 60000);
    run_for(&fx->world, 10 * S);
    assert_null(answer_to(&fx->a, number));
    assert_int_equal(set(&fx->a, "k", "v"), K_CLIENT_WORKER_DISCONNECT);
}

static void status_at_wait__instead_of_waiting(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: get} at wait do 1*status(K_RUNTIME_ERROR, \"Max retries hit\")");
    uint32_t number = begin_get(fx, "k", 2000);
    assert_int_equal(answer_to(&fx->a, number)->code, K_RUNTIME_ERROR);
    set(&fx->a, "k", "v"); /* a get that need not wait is not struck */
    assert_string_equal(value_of(&fx->a, "k"), "v");
}

static void suppressed_notification__runs_to_its_timer_without_the_key(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: get} at notify do 1*suppress");
    uint32_t number = begin_get(fx, "k", 900);
    set(&fx->b, "k", "v");
    run_for(&fx->world, 900 * MS - 1);
    assert_null(answer_to(&fx->a, number));
    run_for(&fx->world, 1);
    assert_string_equal(got(&fx->a, answer_to(&fx->a, number), 0), "");
    assert_int_equal(fired(&fx->world, "f"), 1);
}

static void delayed_notification__woken_exactly_then(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: get} at notify do 1*delay(300ms)");
    uint32_t number = begin_get(fx, "k", 900);
    set(&fx->b, "k", "v");
    run_for(&fx->world, 300 * MS - 1);
    assert_null(answer_to(&fx->a, number));
    run_for(&fx->world, 1);
    assert_string_equal(got(&fx->a, answer_to(&fx->a, number), 0), "v");
}

static void delayed_notification__get_is_over_before__forgotten(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: get} at notify do 1*delay(3s)");
    uint32_t number = begin_get(fx, "k", 900);
    set(&fx->b, "k", "v");
    run_for(&fx->world, 5 * S);
    assert_int_equal(answers_to(&fx->a, number), 1);
}

static void suppressed_expiry__the_key_stays(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {key: k} at expire do 1*suppress");
    set_with(&fx->a, "k", "v", &(struct set_options){.ttl_s = 1});
    set_with(&fx->a, "other", "v", &(struct set_options){.ttl_s = 1});
    run_for(&fx->world, 10 * S);
    assert_true(is_stored(fx, "k"));
    assert_false(is_stored(fx, "other"));
}

static void delayed_expiry__gone_so_much_later(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {} at expire do 1*delay(2s)");
    set_with(&fx->a, "k", "v", &(struct set_options){.ttl_s = 1});
    run_for(&fx->world, 3 * S - 1);
    assert_true(is_stored(fx, "k"));
    run_for(&fx->world, 1);
    assert_false(is_stored(fx, "k"));
}

static void suppressed_eviction__the_next_one_goes(void **state)
{
    struct fixture *fx = *state;
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create((size_t)4 << 20, &data);
    memset(data, 0, (size_t)4 << 20);
    arm(&fx->world, "f: on {key: k00} at evict do suppress");
    for (unsigned i = 0; i < 12; i++) {
        char key[8];
        snprintf(key, sizeof(key), "k%02u", i);
        send_set_big(&fx->a, key, blob, &(struct set_options){.write_mode = 3});
        run_for(&fx->world, 0);
    }
    assert_true(is_stored(fx, "k00"));
    assert_false(is_stored(fx, "k01"));
    assert_false(is_stored(fx, "k02"));
    rt_blob_release(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(kill_at_request__worker_is_dead_and_the_request_with_it),
        IN_WORLD(killed_by_hand_before_the_fault_does__lives_normally_again),
        IN_WORLD(restart_at_applied__kept_state_and_not_ready_for_a_while),
        IN_WORLD(restart_at_replied__lost_state_behind_the_answer),
        IN_WORLD(refuse_at_connect__that_connection_only),
        IN_WORLD(stall_at_greeting__greeted_when_it_is_over),
        IN_WORLD(fin_at_greeting__closed_before_a_byte),
        IN_WORLD(mute_heartbeats__silent_and_the_client_is_not_heard),
        IN_WORLD(status_at_wait__instead_of_waiting),
        IN_WORLD(suppressed_notification__runs_to_its_timer_without_the_key),
        IN_WORLD(delayed_notification__woken_exactly_then),
        IN_WORLD(delayed_notification__get_is_over_before__forgotten),
        IN_WORLD(suppressed_expiry__the_key_stays),
        IN_WORLD(delayed_expiry__gone_so_much_later),
        IN_WORLD(suppressed_eviction__the_next_one_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
