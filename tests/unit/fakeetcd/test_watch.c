/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

/* The table of watch semantics, row by row, and what faults do to a watch. */

static void say_create(struct talk *talk, Etcdserverpb__WatchCreateRequest *create)
{
    Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
    request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
    request.create_request = create;
    talk_say(talk, &request.base);
    lab_settle(talk->lab);
}

static void say_cancel(struct talk *talk, int64_t id)
{
    Etcdserverpb__WatchCancelRequest cancel = ETCDSERVERPB__WATCH_CANCEL_REQUEST__INIT;
    Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
    cancel.watch_id = id;
    request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CANCEL_REQUEST;
    request.cancel_request = &cancel;
    talk_say(talk, &request.base);
    lab_settle(talk->lab);
}

static void say_progress(struct talk *talk)
{
    Etcdserverpb__WatchProgressRequest progress = ETCDSERVERPB__WATCH_PROGRESS_REQUEST__INIT;
    Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
    request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_PROGRESS_REQUEST;
    request.progress_request = &progress;
    talk_say(talk, &request.base);
    lab_settle(talk->lab);
}

static void open_watch(struct lab *lab, struct talk *talk, const char *key, const char *end,
                       int64_t start)
{
    talk_open(lab, talk, WATCH_PATH, NULL);
    watch_prefix(talk, key, end, start);
}

/* ---- creation ---- */

static void create__is_told_at_once_with_the_current_revision(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    (void)lab_put(lab, "a", "1");
    open_watch(lab, &talk, "a", "", 0);
    watch_prefix(&talk, "b", "", 0);
    assert_int_equal(talk.message_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const Etcdserverpb__WatchResponse *said = watch_said(&talk, i);
        assert_true(said->created);
        assert_false(said->canceled);
        assert_int_equal(said->watch_id, i);
        assert_int_equal(said->header->revision, 2);
        assert_int_not_equal(said->header->cluster_id, 0);
        assert_int_equal(said->n_events, 0);
    }
    talk_free(&talk);
}

static void create__chosen_ids__are_honoured_and_passed_over(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;

    talk_open(lab, &talk, WATCH_PATH, NULL);
    create.key = bytes_of("a");
    create.watch_id = 1;
    say_create(&talk, &create);
    create.watch_id = 0;
    say_create(&talk, &create);
    say_create(&talk, &create);
    assert_int_equal(watch_said(&talk, 0)->watch_id, 1);
    assert_int_equal(watch_said(&talk, 1)->watch_id, 0);
    assert_int_equal(watch_said(&talk, 2)->watch_id, 2);
    create.watch_id = 1;
    say_create(&talk, &create);
    const Etcdserverpb__WatchResponse *refused = watch_said(&talk, 3);
    assert_true(refused->created);
    assert_true(refused->canceled);
    assert_int_equal(refused->watch_id, -1);
    assert_bytes(refused->cancel_reason, "mvcc: duplicate watch ID provided on the WatchStream");
    talk_free(&talk);
}

static void create__inverted_range__is_created_and_canceled_in_one(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    open_watch(lab, &talk, "b", "a", 0);
    const Etcdserverpb__WatchResponse *refused = watch_said(&talk, 0);
    assert_true(refused->created);
    assert_true(refused->canceled);
    assert_int_equal(refused->watch_id, -1);
    assert_bytes(refused->cancel_reason, "mvcc: watcher range is empty");
    assert_false(talk.is_ended);
    talk_free(&talk);
}

static void create__empty_key__is_the_first_key_there_is(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;

    talk_open(lab, &talk, WATCH_PATH, NULL);
    create.range_end = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "\0"};
    say_create(&talk, &create);
    (void)lab_put(lab, "anything", "1");
    assert_int_equal(talk.message_count, 2);
    assert_bytes(watch_said(&talk, 1)->events[0]->kv->key, "anything");
    talk_free(&talk);
}

static void use_3_4(struct fakeetcd_options *options)
{
    options->profile = fakeetcd_profile_find("etcd-3.4");
}

static void create__token_with_auth_off__is_refused_in_3_4_only(void **state)
{
    const struct grpc_metadata token = {"token", rt_slice_text("rubbish")};
    struct lab lab;
    struct talk talk;
    (void)state;
    lab_start(&lab, use_3_4);
    talk_open_with(&lab, &talk, WATCH_PATH, &token, 1, RT_NEVER);
    watch_prefix(&talk, "a", "", 0);
    assert_true(watch_said(&talk, 0)->canceled);
    assert_bytes(watch_said(&talk, 0)->cancel_reason,
                 "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token");
    talk_free(&talk);
    lab_stop(&lab);
    lab_start(&lab, NULL);
    talk_open_with(&lab, &talk, WATCH_PATH, &token, 1, RT_NEVER);
    watch_prefix(&talk, "a", "", 0);
    assert_false(watch_said(&talk, 0)->canceled);
    talk_free(&talk);
    lab_stop(&lab);
}

static void create__negative_start__is_refused_in_3_5_and_dies_in_3_4(void **state)
{
    struct lab lab;
    struct talk talk;
    (void)state;
    lab_start(&lab, NULL);
    open_watch(&lab, &talk, "a", "", -5);
    assert_true(watch_said(&talk, 0)->canceled);
    assert_int_equal(watch_said(&talk, 0)->watch_id, -1);
    assert_bytes(watch_said(&talk, 0)->cancel_reason, "mvcc: required revision has been compacted");
    talk_free(&talk);
    lab_stop(&lab);
    lab_start(&lab, use_3_4);
    open_watch(&lab, &talk, "a", "", -5);
    assert_int_equal(talk.message_count, 1);
    assert_true(watch_said(&talk, 0)->created);
    assert_false(watch_said(&talk, 0)->canceled);
    lab_pass(&lab, 100 * MS_US);
    assert_int_equal(talk.message_count, 2);
    assert_true(watch_said(&talk, 1)->canceled);
    assert_int_not_equal(watch_said(&talk, 1)->compact_revision, 0);
    talk_free(&talk);
    lab_stop(&lab);
}

/* ---- history and live events ---- */

static void start_in_the_past__history_comes_in_one_later_response(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    (void)lab_put(lab, "a", "1");
    (void)lab_put(lab, "a", "2");
    lab_delete(lab, "a");
    open_watch(lab, &talk, "a", "", 3);
    assert_int_equal(talk.message_count, 1);
    assert_true(watch_said(&talk, 0)->created);
    lab_pass(lab, 100 * MS_US);
    assert_int_equal(talk.message_count, 2);
    const Etcdserverpb__WatchResponse *history = watch_said(&talk, 1);
    assert_int_equal(history->n_events, 2);
    assert_int_equal(history->header->revision, 4);
    assert_int_equal(history->events[0]->type, MVCCPB__EVENT__EVENT_TYPE__PUT);
    assert_int_equal(history->events[0]->kv->mod_revision, 3);
    assert_int_equal(history->events[0]->kv->version, 2);
    assert_bytes(history->events[0]->kv->value, "2");
    assert_int_equal(history->events[1]->type, MVCCPB__EVENT__EVENT_TYPE__DELETE);
    assert_int_equal(history->events[1]->kv->mod_revision, 4);
    assert_int_equal(history->events[1]->kv->version, 0);
    assert_int_equal(history->events[1]->kv->value.len, 0);
    talk_free(&talk);
}

static void start_far_in_the_past__at_most_1000_revisions_a_response(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    size_t count = 0;

    for (int i = 0; i < 2500; i++) {
        assert_int_equal(
            fakeetcd_server_put(lab->server, rt_slice_text("a"), rt_slice_text("v"), 0),
            FAKEETCD_OK);
    }
    open_watch(lab, &talk, "a", "", 2);
    lab_pass(lab, 100 * MS_US);
    assert_int_equal(talk.message_count, 4);
    for (size_t i = 1; i < 4; i++) {
        const Etcdserverpb__WatchResponse *said = watch_said(&talk, i);
        assert_true(said->n_events <= 1000);
        for (size_t k = 0; k < said->n_events; k++) {
            assert_int_equal(said->events[k]->kv->mod_revision, 2 + (int64_t)count++);
        }
    }
    assert_int_equal(count, 2500);
    talk_free(&talk);
}

static void start_in_the_future__is_silent_until_then(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    open_watch(lab, &talk, "a", "", 4);
    (void)lab_put(lab, "a", "at 2");
    (void)lab_put(lab, "a", "at 3");
    lab_pass(lab, SECOND_US);
    assert_int_equal(talk.message_count, 1);
    (void)lab_put(lab, "a", "at 4");
    assert_int_equal(talk.message_count, 2);
    assert_bytes(watch_said(&talk, 1)->events[0]->kv->value, "at 4");
    talk_free(&talk);
}

static void transaction__all_its_events_for_a_watcher_are_one_response(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__PutRequest puts[2];
    Etcdserverpb__RequestOp ops[2];
    Etcdserverpb__RequestOp *pointers[2];
    Etcdserverpb__TxnRequest txn = ETCDSERVERPB__TXN_REQUEST__INIT;
    struct talk answer;

    open_watch(lab, &talk, "k", "l", 0);
    for (size_t i = 0; i < 2; i++) {
        etcdserverpb__put_request__init(&puts[i]);
        etcdserverpb__request_op__init(&ops[i]);
        puts[i].key = bytes_of(i == 0 ? "k1" : "k2");
        ops[i].request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
        ops[i].request_put = &puts[i];
        pointers[i] = &ops[i];
    }
    txn.n_success = 2;
    txn.success = pointers;
    lab_ask(lab, &answer, KV_PATH("Txn"), &txn.base);
    assert_talk_ok(&answer);
    assert_int_equal(talk.message_count, 2);
    assert_int_equal(watch_said(&talk, 1)->n_events, 2);
    assert_int_equal(watch_said(&talk, 1)->events[0]->kv->mod_revision, 2);
    assert_int_equal(watch_said(&talk, 1)->events[1]->kv->mod_revision, 2);
    talk_free(&answer);
    talk_free(&talk);
}

static void prev_kv__is_told_for_keys_that_were_there(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;

    talk_open(lab, &talk, WATCH_PATH, NULL);
    create.key = bytes_of("a");
    create.prev_kv = true;
    say_create(&talk, &create);
    (void)lab_put(lab, "a", "1");
    (void)lab_put(lab, "a", "2");
    lab_delete(lab, "a");
    assert_null(watch_said(&talk, 1)->events[0]->prev_kv);
    assert_bytes(watch_said(&talk, 2)->events[0]->prev_kv->value, "1");
    assert_bytes(watch_said(&talk, 3)->events[0]->prev_kv->value, "2");
    talk_free(&talk);
}

static void filters__a_response_with_nothing_left_is_not_sent(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
    Etcdserverpb__WatchCreateRequest__FilterType filter =
        ETCDSERVERPB__WATCH_CREATE_REQUEST__FILTER_TYPE__NOPUT;

    talk_open(lab, &talk, WATCH_PATH, NULL);
    create.key = bytes_of("a");
    create.filters = &filter;
    create.n_filters = 1;
    say_create(&talk, &create);
    (void)lab_put(lab, "a", "1");
    assert_int_equal(talk.message_count, 1);
    lab_delete(lab, "a");
    assert_int_equal(talk.message_count, 2);
    assert_int_equal(watch_said(&talk, 1)->events[0]->type, MVCCPB__EVENT__EVENT_TYPE__DELETE);
    talk_free(&talk);
}

static void small_requests(struct fakeetcd_options *options)
{
    options->max_request_bytes = 1000; /* the limit of a response is 512 KiB more */
}

static void fragment__a_large_history_is_split_and_says_so(void **state)
{
    struct lab lab;
    struct talk talk;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
    static uint8_t value[200 * 1024];
    size_t events = 0;
    (void)state;
    lab_start(&lab, small_requests);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(fakeetcd_server_put(lab.server, rt_slice_text("a"),
                                             rt_slice_of(value, sizeof(value)), 0),
                         FAKEETCD_OK);
    }
    talk_open(&lab, &talk, WATCH_PATH, NULL);
    create.key = bytes_of("a");
    create.start_revision = 2;
    create.fragment = true;
    say_create(&talk, &create);
    lab_pass(&lab, 100 * MS_US);
    assert_int_equal(talk.message_count, 4); /* two values fit into 513 KiB */
    for (size_t i = 1; i < talk.message_count; i++) {
        assert_int_equal(watch_said(&talk, i)->fragment, i + 1 < talk.message_count);
        events += watch_said(&talk, i)->n_events;
    }
    assert_int_equal(events, 6);
    talk_free(&talk);
    lab_stop(&lab);
}

/* ---- compaction ---- */

static void start_before_the_compaction__is_created_then_canceled(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    for (int i = 0; i < 5; i++) {
        (void)lab_put(lab, "a", "v");
    }
    lab_compact(lab, 5);
    open_watch(lab, &talk, "a", "", 3);
    assert_true(watch_said(&talk, 0)->created);
    assert_false(watch_said(&talk, 0)->canceled);
    lab_pass(lab, 100 * MS_US);
    assert_int_equal(talk.message_count, 2);
    const Etcdserverpb__WatchResponse *canceled = watch_said(&talk, 1);
    assert_true(canceled->canceled);
    assert_int_equal(canceled->compact_revision, 5);
    assert_int_equal(canceled->header->revision, 0);
    assert_int_equal(canceled->cancel_reason.len, 0);
    assert_false(talk.is_ended);
    talk_free(&talk);
}

static void start_at_the_compaction__is_fine(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    for (int i = 0; i < 5; i++) {
        (void)lab_put(lab, "a", "v");
    }
    lab_compact(lab, 5);
    open_watch(lab, &talk, "a", "", 5);
    lab_pass(lab, 100 * MS_US);
    assert_int_equal(talk.message_count, 2);
    assert_int_equal(watch_said(&talk, 1)->n_events, 2);
    talk_free(&talk);
}

/* ---- cancel and progress ---- */

static void cancel__is_answered_for_ids_there_are(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    open_watch(lab, &talk, "a", "", 0);
    say_cancel(&talk, 17);
    assert_int_equal(talk.message_count, 1);
    say_cancel(&talk, 0);
    assert_int_equal(talk.message_count, 2);
    assert_true(watch_said(&talk, 1)->canceled);
    assert_int_equal(watch_said(&talk, 1)->watch_id, 0);
    (void)lab_put(lab, "a", "1");
    assert_int_equal(talk.message_count, 2);
    talk_free(&talk);
}

static void progress_request__is_answered_only_when_all_are_synced(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    (void)lab_put(lab, "a", "1");
    (void)lab_put(lab, "a", "2");
    open_watch(lab, &talk, "a", "", 2);
    say_progress(&talk);
    assert_int_equal(talk.message_count, 1);
    lab_pass(lab, 100 * MS_US);
    assert_int_equal(talk.message_count, 2);
    say_progress(&talk);
    assert_int_equal(talk.message_count, 3);
    const Etcdserverpb__WatchResponse *said = watch_said(&talk, 2);
    assert_int_equal(said->watch_id, -1);
    assert_int_equal(said->header->revision, 3);
    assert_int_equal(said->header->cluster_id, 0);
    talk_free(&talk);
}

static void fast_progress(struct fakeetcd_options *options)
{
    options->progress_interval_us = 10 * SECOND_US;
}

static void progress_notify__comes_when_idle_only(void **state)
{
    struct lab lab;
    struct talk talk;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
    (void)state;
    lab_start(&lab, fast_progress);
    talk_open(&lab, &talk, WATCH_PATH, NULL);
    create.key = bytes_of("a");
    create.progress_notify = true;
    say_create(&talk, &create);
    (void)lab_put(&lab, "a", "1");
    lab_pass(&lab, 11 * SECOND_US);
    assert_int_equal(talk.message_count, 2); /* it was busy in this interval */
    lab_pass(&lab, 11 * SECOND_US);
    assert_int_equal(talk.message_count, 3);
    assert_int_equal(watch_said(&talk, 2)->n_events, 0);
    assert_int_equal(watch_said(&talk, 2)->watch_id, 0);
    assert_int_equal(watch_said(&talk, 2)->header->revision, 2);
    talk_free(&talk);
    lab_stop(&lab);
}

static void stream__cancelled_by_the_client__takes_its_watchers_with_it(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    struct fakeetcd_counts counts;

    open_watch(lab, &talk, "a", "", 0);
    watch_prefix(&talk, "b", "c", 0);
    fakeetcd_server_counts(lab->server, &counts);
    assert_int_equal(counts.watchers, 2);
    talk_free(&talk);
    lab_settle(lab);
    fakeetcd_server_counts(lab->server, &counts);
    assert_int_equal(counts.watchers, 0);
}

/* A client that has nothing more to say still hears. */
static void stream__half_closed__stays(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    open_watch(lab, &talk, "a", "", 0);
    talk_close(&talk);
    (void)lab_put(lab, "a", "1");
    assert_false(talk.is_ended);
    assert_int_equal(talk.message_count, 2);
    talk_free(&talk);
}

/* Nothing is lost to a client that does not read: it comes late, from history. */
static void slow_client__gets_everything_in_order(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    static uint8_t value[100 * 1024];
    int64_t next = 2;
    struct grpc_channel *other = lab_connect(lab, "client-2");

    talk_open(lab, &talk, WATCH_PATH, other);
    watch_prefix(&talk, "a", "", 0);
    for (int i = 0; i < 40; i++) { /* without the loop running: four times the mark */
        assert_int_equal(fakeetcd_server_put(lab->server, rt_slice_text("a"),
                                             rt_slice_of(value, sizeof(value)), 0),
                         FAKEETCD_OK);
    }
    lab_pass(lab, SECOND_US);
    assert_true(talk.message_count < 40);
    for (size_t i = 1; i < talk.message_count; i++) {
        const Etcdserverpb__WatchResponse *said = watch_said(&talk, i);
        for (size_t k = 0; k < said->n_events; k++) {
            assert_int_equal(said->events[k]->kv->mod_revision, next++);
        }
    }
    assert_int_equal(next, 42);
    talk_free(&talk);
    grpc_channel_destroy(other);
}

/* ---- faults ---- */

static void fault__suppress__leaves_a_gap(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-watch, key: a} at watch do 1*suppress");
    open_watch(lab, &talk, "a", "", 0);
    (void)lab_put(lab, "a", "lost");
    (void)lab_put(lab, "a", "seen");
    lab_pass(lab, SECOND_US);
    assert_int_equal(talk.message_count, 2);
    assert_bytes(watch_said(&talk, 1)->events[0]->kv->value, "seen");
    talk_free(&talk);
}

static void fault__duplicate__the_same_event_twice(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-watch} at watch do 1*duplicate");
    open_watch(lab, &talk, "a", "", 0);
    (void)lab_put(lab, "a", "1");
    assert_int_equal(talk.message_count, 3);
    assert_int_equal(watch_said(&talk, 1)->events[0]->kv->mod_revision, 2);
    assert_int_equal(watch_said(&talk, 2)->events[0]->kv->mod_revision, 2);
    talk_free(&talk);
}

static void fault__delay__late_but_whole_others_are_not_late(void **state)
{
    struct lab *lab = *state;
    struct talk slow;
    struct talk quick;

    lab_arm(lab, "x: on {op: etcd-watch, client: client-1} at watch do 1*delay(5s)");
    open_watch(lab, &slow, "a", "", 0);
    struct grpc_channel *other = lab_connect(lab, "client-2");
    talk_open(lab, &quick, WATCH_PATH, other);
    watch_prefix(&quick, "a", "", 0);
    (void)lab_put(lab, "a", "1");
    (void)lab_put(lab, "a", "2");
    assert_int_equal(quick.message_count, 3);
    lab_pass(lab, 5 * SECOND_US - 1);
    assert_int_equal(slow.message_count, 1);
    lab_pass(lab, 1);
    assert_int_equal(slow.message_count, 2);
    assert_int_equal(watch_said(&slow, 1)->n_events, 2);
    talk_free(&slow);
    talk_free(&quick);
    grpc_channel_destroy(other);
}

static void fault__cancel__with_and_without_a_compaction(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-watch} at watch do 1*cancel->1*cancel-compacted");
    open_watch(lab, &talk, "a", "", 0);
    (void)lab_put(lab, "a", "1");
    assert_true(watch_said(&talk, 1)->canceled);
    assert_int_equal(watch_said(&talk, 1)->compact_revision, 0);
    watch_prefix(&talk, "a", "", 0);
    (void)lab_put(lab, "a", "2");
    assert_int_equal(talk.message_count, 4);
    assert_true(watch_said(&talk, 3)->canceled);
    assert_int_equal(watch_said(&talk, 3)->compact_revision, 3);
    (void)lab_put(lab, "a", "3");
    assert_int_equal(talk.message_count, 4);
    talk_free(&talk);
}

/* A client that resumes behind this progress loses the event. */
static void fault__early_progress__comes_before_the_event_it_counts(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-watch} at watch do 1*early-progress");
    open_watch(lab, &talk, "a", "", 0);
    (void)lab_put(lab, "a", "1");
    assert_int_equal(talk.message_count, 3);
    assert_int_equal(watch_said(&talk, 1)->n_events, 0);
    assert_int_equal(watch_said(&talk, 1)->header->revision, 2);
    assert_int_equal(watch_said(&talk, 2)->n_events, 1);
    talk_free(&talk);
}

static void fault__status__ends_the_stream_with_it(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-watch} at watch do 1*status(OK)->1*status(UNAVAILABLE, "
                 "\"etcdserver: no leader\")");
    open_watch(lab, &talk, "a", "", 0);
    (void)lab_put(lab, "a", "1");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_OK);
    talk_free(&talk);
    open_watch(lab, &talk, "a", "", 0);
    (void)lab_put(lab, "a", "2");
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_UNAVAILABLE);
    assert_string_equal(talk.text, "etcdserver: no leader");
    talk_free(&talk);
}

static void fault__dropped_creation__is_never_created(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_arm(lab, "x: on {op: etcd-watch, key: a} at request do drop-request");
    open_watch(lab, &talk, "a", "", 0);
    watch_prefix(&talk, "b", "", 0);
    assert_int_equal(talk.message_count, 1);
    (void)lab_put(lab, "a", "1");
    (void)lab_put(lab, "b", "1");
    assert_int_equal(talk.message_count, 2);
    assert_bytes(watch_said(&talk, 1)->events[0]->kv->key, "b");
    talk_free(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_CASE(create__is_told_at_once_with_the_current_revision),
        LAB_CASE(create__chosen_ids__are_honoured_and_passed_over),
        LAB_CASE(create__inverted_range__is_created_and_canceled_in_one),
        LAB_CASE(create__empty_key__is_the_first_key_there_is),
        cmocka_unit_test(create__token_with_auth_off__is_refused_in_3_4_only),
        cmocka_unit_test(create__negative_start__is_refused_in_3_5_and_dies_in_3_4),
        LAB_CASE(start_in_the_past__history_comes_in_one_later_response),
        LAB_CASE(start_far_in_the_past__at_most_1000_revisions_a_response),
        LAB_CASE(start_in_the_future__is_silent_until_then),
        LAB_CASE(transaction__all_its_events_for_a_watcher_are_one_response),
        LAB_CASE(prev_kv__is_told_for_keys_that_were_there),
        LAB_CASE(filters__a_response_with_nothing_left_is_not_sent),
        cmocka_unit_test(fragment__a_large_history_is_split_and_says_so),
        LAB_CASE(start_before_the_compaction__is_created_then_canceled),
        LAB_CASE(start_at_the_compaction__is_fine),
        LAB_CASE(cancel__is_answered_for_ids_there_are),
        LAB_CASE(progress_request__is_answered_only_when_all_are_synced),
        cmocka_unit_test(progress_notify__comes_when_idle_only),
        LAB_CASE(stream__cancelled_by_the_client__takes_its_watchers_with_it),
        LAB_CASE(stream__half_closed__stays),
        LAB_CASE(slow_client__gets_everything_in_order),
        LAB_CASE(fault__suppress__leaves_a_gap),
        LAB_CASE(fault__duplicate__the_same_event_twice),
        LAB_CASE(fault__delay__late_but_whole_others_are_not_late),
        LAB_CASE(fault__cancel__with_and_without_a_compaction),
        LAB_CASE(fault__early_progress__comes_before_the_event_it_counts),
        LAB_CASE(fault__status__ends_the_stream_with_it),
        LAB_CASE(fault__dropped_creation__is_never_created),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
