/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

/* Each action once, at each kind of point. Who owns the loss is in the journal. */

/* ---- request ---- */

static void status_at_request__answered_and_nothing_applied(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do 1*status(K_TRY_AGAIN, \"made up\")");
    uint32_t number = begin_set(fx);
    assert_int_equal(answer_to(&fx->a, number)->code, K_TRY_AGAIN);
    assert_string_equal(answer_to(&fx->a, number)->text, "made up");
    assert_false(is_stored(fx, "k"));
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).failed, 1);
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
}

static void last_rc_at_request__normal_answer_with_it_at_once(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: get} at request do last-rc(K_RPC_DEADLINE_EXCEEDED)");
    uint32_t number = begin_get(fx, "absent", 2000);
    const Ds__GetRsp *body = get_answer(&fx->a, answer_to(&fx->a, number));
    assert_int_equal(body->n_objects, 1);
    assert_int_equal(body->last_rc->error_code, K_RPC_DEADLINE_EXCEEDED);
}

static void no_entries_at_request__empty_answer(void **state)
{
    struct fixture *fx = *state;
    set(&fx->a, "k", "v");
    arm(&fx->world, "f: on {op: get} at request do reply-no-entries");
    uint32_t number = begin_get(fx, "k", 0);
    const Ds__GetRsp *body = get_answer(&fx->a, answer_to(&fx->a, number));
    assert_int_equal(body->n_objects + body->n_payload_info, 0);
}

static void drop_request__neither_applied_nor_answered(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do drop-request");
    uint32_t number = begin_set(fx);
    run_for(&fx->world, 10 * S);
    assert_null(answer_to(&fx->a, number));
    assert_false(is_stored(fx, "k"));
    assert_lost_by(fx, "f");
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).eaten, 1);
}

static void delay_at_request__applied_exactly_then(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do delay(400ms)");
    uint64_t start_us = rt_loop_now_us(fx->world.loop);
    uint32_t number = begin_set(fx);
    run_for(&fx->world, 400 * MS - 1);
    assert_false(is_stored(fx, "k"));
    run_for(&fx->world, 1);
    assert_true(is_stored(fx, "k"));
    assert_int_equal(answer_to(&fx->a, number)->time_us - start_us, 400 * MS);
}

static void hold_at_request__large_value_applied_when_the_event_comes(void **state)
{
    struct fixture *fx = *state;
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create((size_t)1 << 20, &data);
    memset(data, 'x', (size_t)1 << 20);
    arm(&fx->world, "f: on {op: set} at request do hold(step.go.done)");
    uint32_t number = send_set_big(&fx->a, "big", blob, &(struct set_options){0});
    run_for(&fx->world, 30 * S);
    assert_false(is_stored(fx, "big"));
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).waiting, 1);
    fault_event(fx->world.faults, "step.go.done");
    run_for(&fx->world, 0);
    struct fakeds_object object;
    assert_true(fakeds_worker_find(fx->world.worker, rt_slice_text("big"), &object));
    assert_ptr_equal(rt_blob_slice(object.value).data, data);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    rt_blob_release(blob);
}

static void hold_at_request__survives_its_connection(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do hold(step.go.done)");
    uint32_t number = begin_set(fx);
    dealer_reset(&fx->a);
    dealer_connect(&fx->a);
    fault_event(fx->world.faults, "step.go.done");
    run_for(&fx->world, 0);
    assert_true(is_stored(fx, "k"));
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
}

static void rst_at_request__connection_and_request_are_gone(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do 1*rst");
    begin_set(fx);
    assert_int_equal(fx->a.closed_why, RT_E_RESET);
    assert_false(is_stored(fx, "k"));
    assert_lost_by(fx, "f");
    dealer_connect(&fx->a);
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
}

static void fin_at_request__closed_in_order(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do 1*fin");
    begin_set(fx);
    assert_int_equal(fx->a.closed_why, RT_E_CLOSED);
    assert_lost_by(fx, "f");
}

static void cut_at_wait__answer_reaches_the_next_connection(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: get} at wait do 1*cut");
    uint32_t number = begin_get(fx, "k", 2000);
    assert_int_equal(fx->a.closed_why, RT_E_RESET);
    dealer_connect(&fx->a);
    set(&fx->b, "k", "v");
    assert_string_equal(got(&fx->a, answer_to(&fx->a, number), 0), "v");
}

static void stall_at_request__nothing_moves_until_it_is_over(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do 1*stall(1s)");
    uint32_t first = begin_set(fx);
    uint32_t second = begin_get(fx, "x", 0);
    run_for(&fx->world, 1 * S - 1);
    assert_null(answer_to(&fx->a, first));
    assert_null(answer_to(&fx->a, second));
    run_for(&fx->world, 1);
    assert_non_null(answer_to(&fx->a, first));
    assert_non_null(answer_to(&fx->a, second));
    assert_non_null(fx->a.stream);
}

static void stall_for_ever__lost_but_the_connection_stays(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at request do 1*stall");
    uint32_t number = begin_set(fx);
    run_for(&fx->world, 100 * S);
    assert_null(answer_to(&fx->a, number));
    assert_non_null(fx->a.stream);
    assert_lost_by(fx, "f");
}

/* ---- applied, replied ---- */

static void drop_reply__applied_and_silent(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "lost-reply: on {op: set, key: \"k*\"} at applied do 1*drop-reply");
    uint32_t number = begin_set(fx);
    run_for(&fx->world, 10 * S);
    assert_null(answer_to(&fx->a, number));
    assert_true(is_stored(fx, "k"));
    assert_lost_by(fx, "lost-reply");
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).applied, 1);
}

static void delay_at_applied__applied_now_answered_then(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at applied do delay(400ms)");
    uint32_t number = begin_set(fx);
    assert_true(is_stored(fx, "k"));
    run_for(&fx->world, 400 * MS - 1);
    assert_null(answer_to(&fx->a, number));
    run_for(&fx->world, 1);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
}

static void duplicate__answered_twice_counted_once(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at applied do 1*duplicate");
    uint32_t number = begin_set(fx);
    assert_int_equal(answers_to(&fx->a, number), 2);
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).answered, 1);
}

static void rst_at_applied__applied_and_cut_off(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at applied do 1*rst");
    begin_set(fx);
    assert_int_equal(fx->a.closed_why, RT_E_RESET);
    assert_true(is_stored(fx, "k"));
    assert_lost_by(fx, "f");
}

static void fin_at_replied__the_answer_comes_first(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at replied do 1*fin");
    uint32_t number = begin_set(fx);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_int_equal(fx->a.closed_why, RT_E_CLOSED);
    assert_int_equal(fx->world.eaten_count, 0);
}

static void fin_at_replied__answers_of_the_same_turn_come_first_too(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set, key: a} at replied do 1*fin");
    uint32_t before = send_set(&fx->a, "before", "v", &(struct set_options){0});
    uint32_t number = send_set(&fx->a, "a", "v", &(struct set_options){0});
    uint32_t behind = send_set(&fx->a, "behind", "v", &(struct set_options){0});
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, before)->code, K_OK);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_int_equal(answer_to(&fx->a, behind)->code, K_OK);
    assert_int_equal(fx->a.closed_why, RT_E_CLOSED);
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).answered, 3);
    assert_int_equal(fx->world.eaten_count, 0);
}

/* More than a peer takes at once. */
static void fin_at_replied__large_value__all_of_it_comes_first(void **state)
{
    const size_t len_bytes = (size_t)16 << 20;
    struct fixture *fx = *state;
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create(len_bytes, &data);
    memset(data, 'x', len_bytes);
    send_set_big(&fx->a, "big", blob, &(struct set_options){0});
    rt_blob_release(blob);
    run_for(&fx->world, 0);
    arm(&fx->world, "f: on {op: get} at replied do 1*fin");
    uint32_t number = begin_get(fx, "big", 0);
    assert_int_equal(answer_to(&fx->a, number)->payload_bytes, len_bytes);
    assert_int_equal(fx->a.closed_why, RT_E_CLOSED);
    assert_int_equal(fx->world.eaten_count, 0);
}

/* ---- bytes of the answer ---- */

static void truncate__bytes_before_it_then_the_end(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at reply.byte 20 do 1*truncate");
    uint32_t number = begin_set(fx);
    assert_null(answer_to(&fx->a, number));
    assert_int_equal(fx->a.closed_why, RT_E_CLOSED);
    assert_lost_by(fx, "f");
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).applied, 1);
}

static void truncate__behind_the_end__whole_answer_then_the_end(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at reply.byte 100000 do 1*truncate");
    uint32_t number = begin_set(fx);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_int_equal(fx->a.closed_why, RT_E_CLOSED);
}

static void stall__at_a_byte__the_rest_comes_when_it_is_over(void **state)
{
    struct fixture *fx = *state;
    set(&fx->a, "k", "v");
    arm(&fx->world, "f: on {op: get} at reply.byte 20 do 1*stall(1s)");
    uint32_t number = begin_get(fx, "k", 0);
    run_for(&fx->world, 1 * S - 1);
    assert_null(answer_to(&fx->a, number));
    run_for(&fx->world, 1);
    assert_string_equal(got(&fx->a, answer_to(&fx->a, number), 0), "v");
}

static void stall__at_a_byte_for_ever__half_an_answer_is_lost(void **state)
{
    struct fixture *fx = *state;
    arm(&fx->world, "f: on {op: set} at reply.byte 20 do 1*stall");
    uint32_t number = begin_set(fx);
    run_for(&fx->world, 100 * S);
    assert_null(answer_to(&fx->a, number));
    assert_non_null(fx->a.stream);
    assert_lost_by(fx, "f");
}

static void last_rc_and_no_entries_at_applied__the_finished_answer_is_altered(void **state)
{
    struct fixture *fx = *state;
    set(&fx->a, "k", "v");
    arm(&fx->world, "one: on {op: get} at applied do 1*last-rc(K_RUNTIME_ERROR)");
    uint32_t number = begin_get(fx, "k", 0);
    const struct answer *answer = answer_to(&fx->a, number);
    assert_string_equal(got(&fx->a, answer, 0), "v");
    assert_int_equal(get_answer(&fx->a, answer)->last_rc->error_code, K_RUNTIME_ERROR);
    arm(&fx->world, "two: on {op: get} at applied do 1*reply-no-entries");
    number = begin_get(fx, "k", 0);
    answer = answer_to(&fx->a, number);
    assert_int_equal(get_answer(&fx->a, answer)->n_payload_info, 0);
    assert_int_equal(answer->part_count, 0);
}

static void corrupt__last_byte_of_the_value__only_that_answer_differs(void **state)
{
    struct fixture *fx = *state;
    set(&fx->a, "k", "v");
    uint32_t number = begin_get(fx, "k", 0);
    char rule[96];
    size_t before = fx->a.answer_count;
    struct fakeds_counts counts;
    fakeds_worker_counts(fx->world.worker, &counts);
    uint64_t start_bytes = counts.bytes_out;
    begin_get(fx, "k", 0);
    fakeds_worker_counts(fx->world.worker, &counts);
    snprintf(rule, sizeof(rule), "f: on {op: get} at reply.byte %u do 1*corrupt",
             (unsigned)(counts.bytes_out - start_bytes - 1));
    arm(&fx->world, rule);
    number = begin_get(fx, "k", 0);
    assert_int_equal(fx->a.answer_count, before + 2);
    assert_int_equal(answer_to(&fx->a, number)->payload[0], 'v' ^ 0xff);
    assert_string_equal(value_of(&fx->a, "k"), "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(status_at_request__answered_and_nothing_applied),
        IN_WORLD(last_rc_at_request__normal_answer_with_it_at_once),
        IN_WORLD(no_entries_at_request__empty_answer),
        IN_WORLD(drop_request__neither_applied_nor_answered),
        IN_WORLD(delay_at_request__applied_exactly_then),
        IN_WORLD(hold_at_request__large_value_applied_when_the_event_comes),
        IN_WORLD(hold_at_request__survives_its_connection),
        IN_WORLD(rst_at_request__connection_and_request_are_gone),
        IN_WORLD(fin_at_request__closed_in_order),
        IN_WORLD(cut_at_wait__answer_reaches_the_next_connection),
        IN_WORLD(stall_at_request__nothing_moves_until_it_is_over),
        IN_WORLD(stall_for_ever__lost_but_the_connection_stays),
        IN_WORLD(drop_reply__applied_and_silent),
        IN_WORLD(delay_at_applied__applied_now_answered_then),
        IN_WORLD(duplicate__answered_twice_counted_once),
        IN_WORLD(rst_at_applied__applied_and_cut_off),
        IN_WORLD(fin_at_replied__the_answer_comes_first),
        IN_WORLD(fin_at_replied__answers_of_the_same_turn_come_first_too),
        IN_WORLD(fin_at_replied__large_value__all_of_it_comes_first),
        IN_WORLD(truncate__bytes_before_it_then_the_end),
        IN_WORLD(truncate__behind_the_end__whole_answer_then_the_end),
        IN_WORLD(stall__at_a_byte__the_rest_comes_when_it_is_over),
        IN_WORLD(stall__at_a_byte_for_ever__half_an_answer_is_lost),
        IN_WORLD(last_rc_and_no_entries_at_applied__the_finished_answer_is_altered),
        IN_WORLD(corrupt__last_byte_of_the_value__only_that_answer_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
