/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

/* What faults do to a request on its way: before it is applied, behind it, and to its bytes. */

static const char *const PUT = KV_PATH("Put");

static void ask_put(struct lab *lab, struct talk *talk, const char *key)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    request.key = bytes_of(key);
    request.value = bytes_of("v");
    lab_ask(lab, talk, PUT, &request.base);
}

static struct fakeetcd_op_counts counts_of(struct lab *lab, const char *word)
{
    struct fakeetcd_op_counts counts;
    assert_true(fakeetcd_server_op_counts(lab->server, word, &counts));
    assert_int_equal(counts.arrived, counts.answered + counts.eaten + counts.waiting);
    return counts;
}

/* ---- before it is applied ---- */

static void request__status__is_answered_and_nothing_applied(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put, key: \"a*\"} at request do 1*status(UNAVAILABLE, "
                 "\"etcdserver: no leader\")");
    ask_put(lab, &talk, "ab");
    assert_talk_failed(&talk, GRPC_UNAVAILABLE, "etcdserver: no leader");
    assert_false(lab_has(lab, "ab"));
    assert_string_equal(lab->last_cause, "x");
    assert_int_equal(counts_of(lab, "etcd-put").failed, 1);
    talk_free(&talk);
    ask_put(lab, &talk, "ab");
    assert_talk_ok(&talk);
    talk_free(&talk);
}

static void request__key_of_another__is_left_alone(void **state)
{
    struct lab *lab = *state;

    lab_arm(lab, "x: on {op: etcd-put, key: \"a*\"} at request do drop-request");
    (void)lab_put(lab, "b", "1");
    assert_int_equal(lab_fired(lab, "x"), 0);
}

static void request__txn__is_matched_by_each_of_its_keys(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    Etcdserverpb__RequestOp op = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__RequestOp *ops[] = {&op};
    Etcdserverpb__TxnRequest txn = ETCDSERVERPB__TXN_REQUEST__INIT;

    lab_arm(lab, "x: on {op: etcd-txn, key: deep} at request do status(ABORTED)");
    put.key = bytes_of("deep");
    op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
    op.request_put = &put;
    txn.failure = ops;
    txn.n_failure = 1;
    lab_ask(lab, &talk, KV_PATH("Txn"), &txn.base);
    assert_talk_failed(&talk, GRPC_ABORTED, "ABORTED");
    talk_free(&talk);
}

static void request__drop_request__is_lost_and_nothing_applied(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at request do drop-request");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 60 * SECOND_US);
    assert_false(talk.is_ended);
    assert_false(lab_has(lab, "a"));
    assert_int_equal(counts_of(lab, "etcd-put").eaten, 1);
    assert_int_equal(lab->records[RT_REC_RPC_EATEN], 1);
    talk_free(&talk);
}

static void request__delay__is_applied_exactly_that_much_later(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at request do delay(250ms)");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 250 * MS_US - 1);
    assert_false(lab_has(lab, "a"));
    lab_pass(lab, 1);
    assert_true(lab_has(lab, "a"));
    assert_talk_ok(&talk);
    assert_int_equal(lab_fired(lab, "x"), 1);
    talk_free(&talk);
}

static void request__hold__waits_for_its_event(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at request do hold(step.go.done)");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 60 * SECOND_US);
    assert_false(talk.is_ended);
    assert_int_equal(counts_of(lab, "etcd-put").waiting, 1);
    fault_event(lab->engine, "step.go.done");
    lab_settle(lab);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

/* The client has given up meanwhile: nobody is answered, nothing is applied. */
static void request__held_and_cancelled__is_gone(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at request do hold(step.go.done)");
    ask_put(lab, &talk, "a");
    talk_free(&talk);
    lab_settle(lab);
    fault_event(lab->engine, "step.go.done");
    lab_settle(lab);
    assert_false(lab_has(lab, "a"));
    assert_int_equal(counts_of(lab, "etcd-put").eaten, 1);
}

static void request__rst__ends_every_call_of_the_connection(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    struct talk watch;

    talk_open(lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "k", "", 0);
    lab_arm(lab, "x: on {op: etcd-put} at request do 1*rst");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    assert_false(talk.is_from_server);
    assert_true(watch.is_ended);
    assert_false(lab_has(lab, "a"));
    talk_free(&talk);
    talk_free(&watch);
    (void)lab_put(lab, "a", "on a new connection");
}

static void request__fin__ends_the_connection(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at request do 1*fin");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    assert_false(lab_has(lab, "a"));
    talk_free(&talk);
}

static void request__goaway__ends_the_connection_with_its_error(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at request do 1*goaway(ENHANCE_YOUR_CALM)");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_not_equal(talk.code, GRPC_OK);
    assert_false(lab_has(lab, "a"));
    talk_free(&talk);
    (void)lab_put(lab, "a", "on a new connection");
}

/* gRPC's mapping of HTTP/2 errors: REFUSED_STREAM is UNAVAILABLE, CANCEL is CANCELLED. */
static void request__rst_stream__ends_this_call_only(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    struct talk watch;

    talk_open(lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "k", "", 0);
    lab_arm(lab, "x: on {op: etcd-put} at request do 1*rst-stream(REFUSED_STREAM)->1*rst-stream");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    talk_free(&talk);
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_CANCELLED);
    assert_false(watch.is_ended);
    assert_false(lab_has(lab, "a"));
    talk_free(&talk);
    talk_free(&watch);
}

static void request__stall_that_ends__is_applied_afterwards(void **state)
{
    struct lab *lab = *state;
    struct talk stalled;
    struct talk other;

    lab_arm(lab, "x: on {op: etcd-put} at request do 1*stall(2s)");
    ask_put(lab, &stalled, "a");
    ask_put(lab, &other, "b");
    lab_pass(lab, 2 * SECOND_US - 1);
    assert_false(stalled.is_ended);
    assert_false(other.is_ended);
    assert_false(lab_has(lab, "b"));
    lab_pass(lab, 1);
    assert_talk_ok(&stalled);
    assert_talk_ok(&other);
    talk_free(&stalled);
    talk_free(&other);
}

static void request__stall_for_ever__another_connection_works(void **state)
{
    struct lab *lab = *state;
    struct talk stalled;

    lab_arm(lab, "x: on {op: etcd-put} at request do 1*stall");
    ask_put(lab, &stalled, "a");
    lab_pass(lab, 60 * SECOND_US);
    assert_false(stalled.is_ended);
    struct grpc_channel *first = lab->channel;
    lab->channel = lab_connect(lab, "client-2");
    (void)lab_put(lab, "b", "1");
    talk_free(&stalled);
    grpc_channel_destroy(first);
}

static void request__kill__server_is_dead_until_started(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put, key: a} at request do 1*kill");
    (void)lab_put(lab, "before", "1");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    talk_free(&talk);
    assert_false(fakeetcd_server_is_running(lab->server));
    ask_put(lab, &talk, "b");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    talk_free(&talk);
    assert_int_equal(fakeetcd_server_start(lab->server, true), RT_OK);
    (void)lab_put(lab, "b", "1");
    assert_true(lab_has(lab, "before"));
    assert_false(lab_has(lab, "a"));
}

static void request__nth__only_the_second_is_struck(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put, nth: 2} at request do status(INTERNAL)");
    (void)lab_put(lab, "a", "1");
    ask_put(lab, &talk, "a");
    assert_int_equal(talk.code, GRPC_INTERNAL);
    talk_free(&talk);
    (void)lab_put(lab, "a", "3");
}

static void request__client_and_etcd__are_conditions(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put, client: client-2} at request do status(INTERNAL)");
    lab_arm(lab, "y: on {op: etcd-put, etcd: etcd-2} at request do status(INTERNAL)");
    lab_arm(lab, "z: on {op: etcd-put, etcd: etcd-1, key: z} at request do status(DATA_LOSS)");
    (void)lab_put(lab, "a", "1");
    ask_put(lab, &talk, "z");
    assert_int_equal(talk.code, GRPC_DATA_LOSS);
    talk_free(&talk);
}

/* ---- behind it ---- */

static void applied__drop_reply__is_applied_and_never_answered(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put, key: a} at applied do drop-reply");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 60 * SECOND_US);
    assert_true(lab_has(lab, "a"));
    assert_false(talk.is_ended);
    assert_int_equal(counts_of(lab, "etcd-put").applied, 1);
    assert_int_equal(counts_of(lab, "etcd-put").eaten, 1);
    talk_free(&talk);
}

static void applied__refusal__is_not_asked(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at applied do drop-reply");
    ask_put(lab, &talk, "");
    assert_talk_failed(&talk, GRPC_INVALID_ARGUMENT, "etcdserver: key is not provided");
    assert_int_equal(lab_fired(lab, "x"), 0);
    talk_free(&talk);
}

static void applied__delay__answer_is_late_effect_is_not(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at applied do delay(3s)");
    ask_put(lab, &talk, "a");
    assert_true(lab_has(lab, "a"));
    lab_pass(lab, 3 * SECOND_US - 1);
    assert_false(talk.is_ended);
    lab_pass(lab, 1);
    assert_talk_ok(&talk);
    assert_int_equal(((Etcdserverpb__PutResponse *)talk.messages[0])->header->revision, 2);
    talk_free(&talk);
}

/* The client's deadline comes first: applied, and the client has an error. */
static void applied__delay_beyond_the_deadline__is_applied_but_failed(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    lab_arm(lab, "x: on {op: etcd-put} at applied do delay(10s)");
    request.key = bytes_of("a");
    talk_open_with(lab, &talk, PUT, NULL, 0, rt_loop_now_us(lab->loop) + SECOND_US);
    talk_say(&talk, &request.base);
    talk_close(&talk);
    lab_pass(lab, 20 * SECOND_US);
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_DEADLINE_EXCEEDED);
    assert_true(lab_has(lab, "a"));
    assert_int_equal(counts_of(lab, "etcd-put").waiting, 0);
    talk_free(&talk);
}

static void applied__status__is_an_error_after_the_effect(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab,
            "x: on {op: etcd-put} at applied do status(14, \"etcdserver: request timed out\")");
    ask_put(lab, &talk, "a");
    assert_talk_failed(&talk, GRPC_UNAVAILABLE, "etcdserver: request timed out");
    assert_true(lab_has(lab, "a"));
    talk_free(&talk);
}

static void applied__restart_kept__effect_survives(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put, key: a} at applied do 1*restart(kept)");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    assert_true(fakeetcd_server_is_running(lab->server));
    assert_true(lab_has(lab, "a"));
    assert_true(lab_saw(lab, "etcd-1.restarted"));
    talk_free(&talk);
}

struct spoilt {
    const char *action;
    int32_t code; /* -1: any but OK */
};

/* The codes are those that gRPC's HTTP mapping gives. */
static void applied__spoilt_answers__are_errors_of_the_client(void **state)
{
    static const struct spoilt rows[] = {
        {"no-status", -1},
        {"content-type", -1},
        {"http-status(502)", GRPC_UNAVAILABLE},
        {"http-status(503)", GRPC_UNAVAILABLE},
        {"http-status(401)", GRPC_UNAUTHENTICATED},
        {"bad-prefix", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lab lab;
        struct talk talk;
        char rule[100];
        lab_start(&lab, NULL);
        snprintf(rule, sizeof(rule), "x: on {op: etcd-put} at applied do 1*%s", rows[i].action);
        lab_arm(&lab, rule);
        ask_put(&lab, &talk, "a");
        lab_pass(&lab, 5 * SECOND_US);
        assert_true(lab_has(&lab, "a"));
        if (!talk.is_ended || (rows[i].code >= 0 && talk.code != rows[i].code) ||
            talk.code == GRPC_OK) {
            fail_msg("%s: ended %d, code %d, text %s", rows[i].action, talk.is_ended, talk.code,
                     talk.text);
        }
        talk_free(&talk);
        (void)lab_put(&lab, "b", "the next one is whole");
        lab_stop(&lab);
    }
}

static void applied__garbage__message_does_not_parse(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at applied do 1*garbage");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.raw_count, 1);
    assert_int_equal(talk.message_count, 0);
    talk_free(&talk);
}

static void applied__drip__answer_takes_its_time(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    (void)lab_put(lab, "warm", "1"); /* the connection is open */
    lab_arm(lab, "x: on {op: etcd-put} at applied do 1*drip(10ms)");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 200 * MS_US);
    assert_false(talk.is_ended);
    lab_pass(lab, 10 * SECOND_US);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

/* ---- bytes of the reply ---- */

static void reply_byte__truncate__connection_ends_inside_the_answer(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at reply.byte 12 do 1*truncate");
    ask_put(lab, &talk, "a");
    lab_pass(lab, SECOND_US);
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    assert_true(lab_has(lab, "a"));
    talk_free(&talk);
}

static void reply_byte__corrupt__first_header_byte_breaks_the_frame(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at reply.header do 1*corrupt");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 30 * SECOND_US);
    assert_int_equal(lab_fired(lab, "x"), 1);
    assert_true(!talk.is_ended || talk.code != GRPC_OK);
    talk_free(&talk);
}

/* ---- connections ---- */

static void connect__refuse__then_lets_in(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: at connect do 1*refuse");
    ask_put(lab, &talk, "a");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    talk_free(&talk);
    (void)lab_put(lab, "a", "1");
}

static void connect__stall_that_ends__goes_on(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {client: client-1} at connect do 1*stall(2s)");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 2 * SECOND_US - 1);
    assert_false(talk.is_ended);
    lab_pass(lab, 1);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

static void greeting__delay__goes_on_later(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: at greeting do 1*delay(700ms)");
    ask_put(lab, &talk, "a");
    lab_pass(lab, 700 * MS_US - 1);
    assert_false(talk.is_ended);
    lab_pass(lab, 1);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

static void greeting__hold_window__large_request_never_arrives(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    static uint8_t large[1400 * 1024];

    lab_arm(lab, "x: at greeting do 1*hold-window");
    request.key = bytes_of("a");
    request.value = (ProtobufCBinaryData){sizeof(large), large};
    lab_ask(lab, &talk, PUT, &request.base);
    lab_pass(lab, 60 * SECOND_US);
    assert_int_equal(lab_fired(lab, "x"), 1);
    assert_false(lab_has(lab, "a"));
    assert_false(talk.is_ended);
    talk_free(&talk);
}

/* ---- order between faults and events ---- */

static void rule__after_an_event_of_the_server__is_armed_by_it(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-put} at request do status(ABORTED) after etcd-1.lease-expired");
    lab_grant(lab, 5, 2);
    (void)lab_put(lab, "a", "1");
    lab_pass(lab, 2 * SECOND_US);
    ask_put(lab, &talk, "a");
    assert_int_equal(talk.code, GRPC_ABORTED);
    talk_free(&talk);
}

static void operations__of_the_fault_domain__are_the_methods_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < fakeetcd_method_count(); i++) {
        assert_string_equal(fakeetcd_fault_domain.operations[i].word, fakeetcd_methods[i].word);
    }
    assert_null(fakeetcd_fault_domain.operations[fakeetcd_method_count()].word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_CASE(request__status__is_answered_and_nothing_applied),
        LAB_CASE(request__key_of_another__is_left_alone),
        LAB_CASE(request__txn__is_matched_by_each_of_its_keys),
        LAB_CASE(request__drop_request__is_lost_and_nothing_applied),
        LAB_CASE(request__delay__is_applied_exactly_that_much_later),
        LAB_CASE(request__hold__waits_for_its_event),
        LAB_CASE(request__held_and_cancelled__is_gone),
        LAB_CASE(request__rst__ends_every_call_of_the_connection),
        LAB_CASE(request__fin__ends_the_connection),
        LAB_CASE(request__goaway__ends_the_connection_with_its_error),
        LAB_CASE(request__rst_stream__ends_this_call_only),
        LAB_CASE(request__stall_that_ends__is_applied_afterwards),
        LAB_CASE(request__stall_for_ever__another_connection_works),
        LAB_CASE(request__kill__server_is_dead_until_started),
        LAB_CASE(request__nth__only_the_second_is_struck),
        LAB_CASE(request__client_and_etcd__are_conditions),
        LAB_CASE(applied__drop_reply__is_applied_and_never_answered),
        LAB_CASE(applied__refusal__is_not_asked),
        LAB_CASE(applied__delay__answer_is_late_effect_is_not),
        LAB_CASE(applied__delay_beyond_the_deadline__is_applied_but_failed),
        LAB_CASE(applied__status__is_an_error_after_the_effect),
        LAB_CASE(applied__restart_kept__effect_survives),
        cmocka_unit_test(applied__spoilt_answers__are_errors_of_the_client),
        LAB_CASE(applied__garbage__message_does_not_parse),
        LAB_CASE(applied__drip__answer_takes_its_time),
        LAB_CASE(reply_byte__truncate__connection_ends_inside_the_answer),
        LAB_CASE(reply_byte__corrupt__first_header_byte_breaks_the_frame),
        LAB_CASE(connect__refuse__then_lets_in),
        LAB_CASE(connect__stall_that_ends__goes_on),
        LAB_CASE(greeting__delay__goes_on_later),
        LAB_CASE(greeting__hold_window__large_request_never_arrives),
        LAB_CASE(rule__after_an_event_of_the_server__is_armed_by_it),
        cmocka_unit_test(operations__of_the_fault_domain__are_the_methods_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
