/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include "wire/proto/etcd_election.pb-c.h"

#include <stdlib.h>
#include <unistd.h>

/* A server without a leader, frozen, full, corrupt, dead and back: the tables of outages. */

#define REQUEST_TIMEOUT_US (7 * SECOND_US) /* 5 s and two election time-outs */

static void ask_put(struct lab *lab, struct talk *talk, const char *key)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    request.key = bytes_of(key);
    request.value = bytes_of("v");
    lab_ask(lab, talk, KV_PATH("Put"), &request.base);
}

static void ask_get(struct lab *lab, struct talk *talk, const char *key, bool is_serializable)
{
    Etcdserverpb__RangeRequest request = ETCDSERVERPB__RANGE_REQUEST__INIT;
    request.key = bytes_of(key);
    request.serializable = is_serializable;
    lab_ask(lab, talk, KV_PATH("Range"), &request.base);
}

static void ask_status(struct lab *lab, struct talk *talk)
{
    Etcdserverpb__StatusRequest request = ETCDSERVERPB__STATUS_REQUEST__INIT;
    lab_ask(lab, talk, "/etcdserverpb.Maintenance/Status", &request.base);
}

static uint64_t term_of(struct lab *lab)
{
    return fakeetcd_server_state(lab->server)->raft_term;
}

static void use_3_4(struct fakeetcd_options *options)
{
    options->profile = fakeetcd_profile_find("etcd-3.4");
}

/* ---- no leader ---- */

static void leaderless__writes__fail_at_the_request_timeout(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    ask_put(lab, &talk, "a");
    lab_pass(lab, REQUEST_TIMEOUT_US - 1);
    assert_false(talk.is_ended);
    lab_pass(lab, 1);
    assert_talk_failed(&talk, GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
    assert_false(lab_has(lab, "a"));
    talk_free(&talk);
}

static void leaderless__writes_in_3_4__have_the_raw_code(void **state)
{
    struct lab lab;
    struct talk talk;
    (void)state;
    lab_start(&lab, use_3_4);
    fakeetcd_server_set(lab.server, FAKEETCD_LEADERLESS, true);
    ask_put(&lab, &talk, "a");
    lab_pass(&lab, REQUEST_TIMEOUT_US);
    assert_talk_failed(&talk, GRPC_UNKNOWN, "context deadline exceeded");
    talk_free(&talk);
    lab_stop(&lab);
}

static void leaderless__reads__fail_unless_serializable(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    (void)lab_put(lab, "a", "1");
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    ask_get(lab, &talk, "a", true);
    assert_talk_ok(&talk);
    talk_free(&talk);
    ask_get(lab, &talk, "a", false);
    lab_pass(lab, REQUEST_TIMEOUT_US);
    assert_talk_failed(&talk, GRPC_UNAVAILABLE, "etcdserver: request timed out");
    talk_free(&talk);
}

static void leaderless__keepalive__fails_with_no_leader(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__LeaseKeepAliveRequest beat = ETCDSERVERPB__LEASE_KEEP_ALIVE_REQUEST__INIT;

    lab_grant(lab, 5, 10);
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    talk_open(lab, &talk, LEASE_PATH("LeaseKeepAlive"), NULL);
    beat.id = 5;
    talk_say(&talk, &beat.base);
    lab_pass(lab, REQUEST_TIMEOUT_US);
    assert_talk_failed(&talk, GRPC_UNAVAILABLE, "etcdserver: no leader");
    talk_free(&talk);
}

static void leaderless__status__says_so_at_once(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    ask_status(lab, &talk);
    assert_talk_ok(&talk);
    const Etcdserverpb__StatusResponse *status = (Etcdserverpb__StatusResponse *)talk.messages[0];
    assert_int_equal(status->leader, 0);
    assert_int_equal(status->n_errors, 1);
    assert_bytes(status->errors[0], "etcdserver: no leader");
    talk_free(&talk);
}

/* One of those that go on takes its connection with it; those of another connection do not care.
 */
static void leaderless__first_that_goes_on_ends_others__the_rest_goes_on(void **state)
{
    enum { COUNT = 2000 };
    static struct talk talks[COUNT];
    struct lab *lab = *state;
    struct talk doomed[3];

    lab_arm(lab, "x: on {op: etcd-put, key: doomed} at applied do 1*rst");
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    for (size_t i = 0; i < 3; i++) {
        ask_put(lab, &doomed[i], i == 1 ? "doomed" : "bystander");
    }
    struct grpc_channel *first = lab->channel;
    lab->channel = lab_connect(lab, "client-2");
    for (size_t i = 0; i < COUNT; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%zu", i);
        ask_put(lab, &talks[i], key);
        assert_false(talks[i].is_ended);
    }
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, false);
    lab_settle(lab);
    assert_true(doomed[1].is_ended && doomed[1].code != GRPC_OK);
    assert_int_equal(lab_revision(lab), 1 + 3 + COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_talk_ok(&talks[i]);
        talk_free(&talks[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        talk_free(&doomed[i]);
    }
    grpc_channel_destroy(first);
}

/* 3.4 does not know the word; 3.5 waits for a leader only if the client says it. */
static void leaderless__member_list__waits_if_linearizable_and_not_3_4(void **state)
{
    static const struct {
        lab_options_fn *change;
        bool is_linearizable;
        bool is_waiting;
    } rows[] = {{use_3_4, true, false}, {NULL, false, false}, {NULL, true, true}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lab lab;
        struct talk talk;
        Etcdserverpb__MemberListRequest request = ETCDSERVERPB__MEMBER_LIST_REQUEST__INIT;
        request.linearizable = rows[i].is_linearizable;
        lab_start(&lab, rows[i].change);
        fakeetcd_server_set(lab.server, FAKEETCD_LEADERLESS, true);
        lab_ask(&lab, &talk, "/etcdserverpb.Cluster/MemberList", &request.base);
        assert_int_equal(talk.is_ended, !rows[i].is_waiting);
        if (rows[i].is_waiting) {
            lab_pass(&lab, REQUEST_TIMEOUT_US);
            assert_talk_failed(&talk, GRPC_UNAVAILABLE, "etcdserver: request timed out");
        } else {
            assert_talk_ok(&talk);
        }
        talk_free(&talk);
        lab_stop(&lab);
    }
}

static void leaderless__watch__is_created_and_silent(void **state)
{
    struct lab *lab = *state;
    struct talk plain;
    struct talk wanting;
    const struct grpc_metadata hasleader = {"hasleader", rt_slice_text("true")};

    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    talk_open(lab, &plain, WATCH_PATH, NULL);
    watch_prefix(&plain, "a", "", 0);
    assert_int_equal(plain.message_count, 1);
    talk_open_with(lab, &wanting, WATCH_PATH, &hasleader, 1, RT_NEVER);
    lab_settle(lab);
    assert_talk_failed(&wanting, GRPC_UNAVAILABLE, "etcdserver: no leader");
    lab_pass(lab, 60 * SECOND_US);
    assert_false(plain.is_ended);
    talk_free(&plain);
    talk_free(&wanting);
}

static void leaderless__open_streams_that_want_one__end_after_three_elections(void **state)
{
    struct lab *lab = *state;
    struct talk wanting;
    const struct grpc_metadata hasleader = {"hasleader", rt_slice_text("true")};

    talk_open_with(lab, &wanting, WATCH_PATH, &hasleader, 1, RT_NEVER);
    watch_prefix(&wanting, "a", "", 0);
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    lab_pass(lab, 3 * SECOND_US - 1);
    assert_false(wanting.is_ended);
    lab_pass(lab, 1);
    assert_true(wanting.is_ended);
    assert_int_equal(wanting.code, GRPC_UNAVAILABLE);
    assert_string_equal(wanting.text, "etcdserver: no leader");
    talk_free(&wanting);
}

static void leaderless__leases__stand_still_and_are_full_afterwards(void **state)
{
    struct lab *lab = *state;

    lab_grant(lab, 5, 20);
    (void)lab_put_with(lab, "a", "1", 5);
    lab_pass(lab, 13 * SECOND_US);
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    lab_pass(lab, 3600 * SECOND_US);
    assert_true(lab_has(lab, "a"));
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, false);
    lab_pass(lab, 20 * SECOND_US - 1);
    assert_true(lab_has(lab, "a"));
    lab_pass(lab, 1);
    assert_false(lab_has(lab, "a"));
}

static void leaderless__leader_comes_back__what_waited_goes_on(void **state)
{
    struct lab *lab = *state;
    struct talk put;
    struct talk get;
    uint64_t term = term_of(lab);

    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, true);
    ask_put(lab, &put, "a");
    ask_get(lab, &get, "a", false);
    lab_pass(lab, 2 * SECOND_US);
    fakeetcd_server_set(lab->server, FAKEETCD_LEADERLESS, false);
    lab_settle(lab);
    assert_talk_ok(&put);
    assert_talk_ok(&get);
    assert_int_equal(term_of(lab), term + 1);
    assert_true(lab_saw(lab, "etcd-1.leader-lost"));
    assert_true(lab_saw(lab, "etcd-1.leader-elected"));
    talk_free(&put);
    talk_free(&get);
}

static void rule__lose_leader_for_a_while__gives_it_back(void **state)
{
    struct lab *lab = *state;
    const struct fault_action action = {
        .kind = FAULT_LOSE_LEADER, .rule_id = "x", .text = "", .duration_us = 4 * SECOND_US};

    fakeetcd_server_process(lab->server, &action);
    assert_true(fakeetcd_server_is(lab->server, FAKEETCD_LEADERLESS));
    lab_pass(lab, 4 * SECOND_US);
    assert_false(fakeetcd_server_is(lab->server, FAKEETCD_LEADERLESS));
}

/* ---- frozen, read-only, full, corrupt ---- */

static void frozen__takes_bytes_and_answers_when_it_thaws(void **state)
{
    struct lab *lab = *state;
    struct talk open_before;
    struct talk put;
    struct talk fresh;

    talk_open(lab, &open_before, WATCH_PATH, NULL);
    watch_prefix(&open_before, "a", "", 0);
    fakeetcd_server_set(lab->server, FAKEETCD_FROZEN, true);
    ask_put(lab, &put, "a");
    struct grpc_channel *first = lab->channel;
    lab->channel = lab_connect(lab, "client-2");
    ask_put(lab, &fresh, "b");
    lab_pass(lab, 4 * SECOND_US);
    assert_false(put.is_ended);
    assert_false(fresh.is_ended);
    assert_false(lab_has(lab, "a"));
    fakeetcd_server_set(lab->server, FAKEETCD_FROZEN, false);
    lab_settle(lab);
    assert_talk_ok(&put);
    assert_talk_ok(&fresh);
    assert_int_equal(open_before.message_count, 2);
    talk_free(&open_before);
    talk_free(&put);
    talk_free(&fresh);
    grpc_channel_destroy(first);
}

/* A stopped process does not stop time: what is overdue happens when it goes on. */
static void frozen__leases__run_out_at_the_thaw(void **state)
{
    struct lab *lab = *state;

    lab_grant(lab, 5, 5);
    (void)lab_put_with(lab, "a", "1", 5);
    fakeetcd_server_set(lab->server, FAKEETCD_FROZEN, true);
    lab_pass(lab, 10 * SECOND_US);
    assert_true(lab_has(lab, "a"));
    fakeetcd_server_set(lab->server, FAKEETCD_FROZEN, false);
    lab_settle(lab);
    assert_false(lab_has(lab, "a"));
}

static void read_only__writes_fail_reads_and_watches_work(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    (void)lab_put(lab, "a", "1");
    fakeetcd_server_set(lab->server, FAKEETCD_READ_ONLY, true);
    ask_put(lab, &talk, "b");
    assert_talk_failed(&talk, GRPC_UNAVAILABLE, "etcdserver: request timed out");
    talk_free(&talk);
    ask_get(lab, &talk, "a", false);
    assert_talk_ok(&talk);
    talk_free(&talk);
    talk_open(lab, &talk, WATCH_PATH, NULL);
    watch_prefix(&talk, "a", "", 0);
    assert_int_equal(talk.message_count, 1);
    talk_free(&talk);
    fakeetcd_server_set(lab->server, FAKEETCD_READ_ONLY, false);
    (void)lab_put(lab, "b", "1");
}

static void small_quota(struct fakeetcd_options *options)
{
    options->quota_bytes = 8192;
}

static void quota__full__puts_fail_until_the_alarm_is_disarmed(void **state)
{
    struct lab lab;
    struct talk talk;
    static uint8_t value[9000];
    Etcdserverpb__PutRequest large = ETCDSERVERPB__PUT_REQUEST__INIT;
    Etcdserverpb__LeaseGrantRequest grant = ETCDSERVERPB__LEASE_GRANT_REQUEST__INIT;
    Etcdserverpb__AlarmRequest disarm = ETCDSERVERPB__ALARM_REQUEST__INIT;
    (void)state;
    lab_start(&lab, small_quota);
    (void)lab_put(&lab, "a", "1");
    large.key = bytes_of("b");
    large.value = (ProtobufCBinaryData){sizeof(value), value};
    lab_ask(&lab, &talk, KV_PATH("Put"), &large.base);
    assert_talk_failed(&talk, GRPC_RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded");
    talk_free(&talk);
    assert_true(lab_saw(&lab, "etcd-1.no-space"));
    ask_put(&lab, &talk, "c");
    assert_talk_failed(&talk, GRPC_RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded");
    talk_free(&talk);
    grant.ttl = 10;
    lab_ask(&lab, &talk, LEASE_PATH("LeaseGrant"), &grant.base);
    assert_int_equal(talk.code, GRPC_RESOURCE_EXHAUSTED);
    talk_free(&talk);
    lab_delete(&lab, "a");
    ask_put(&lab, &talk, "c");
    assert_int_equal(talk.code, GRPC_RESOURCE_EXHAUSTED);
    talk_free(&talk);
    disarm.action = ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__DEACTIVATE;
    disarm.memberid = fakeetcd_server_state(lab.server)->member_id;
    disarm.alarm = ETCDSERVERPB__ALARM_TYPE__NOSPACE;
    lab_ask(&lab, &talk, "/etcdserverpb.Maintenance/Alarm", &disarm.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
    (void)lab_put(&lab, "c", "1");
    lab_stop(&lab);
}

/* Both versions: only what is proposed is refused. */
static void corrupt__writes_fail_reads_work(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__RangeRequest range = ETCDSERVERPB__RANGE_REQUEST__INIT;
    Etcdserverpb__RequestOp op = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__RequestOp *ops[] = {&op};
    Etcdserverpb__TxnRequest txn = ETCDSERVERPB__TXN_REQUEST__INIT;
    V3electionpb__LeaderRequest leader = V3ELECTIONPB__LEADER_REQUEST__INIT;

    (void)lab_put(lab, "a", "1");
    fakeetcd_server_set(lab->server, FAKEETCD_CORRUPTED, true);
    ask_put(lab, &talk, "a");
    assert_talk_failed(&talk, GRPC_DATA_LOSS, "etcdserver: corrupt cluster");
    talk_free(&talk);
    ask_get(lab, &talk, "a", false);
    assert_talk_ok(&talk);
    assert_int_equal(((Etcdserverpb__RangeResponse *)talk.messages[0])->count, 1);
    talk_free(&talk);
    range.key = bytes_of("a");
    op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE;
    op.request_range = &range;
    txn.success = ops;
    txn.n_success = 1;
    lab_ask(lab, &talk, KV_PATH("Txn"), &txn.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
    lab_ask(lab, &talk, "/v3electionpb.Election/Leader", &leader.base);
    assert_talk_failed(&talk, GRPC_UNKNOWN, "election: no leader");
    talk_free(&talk);
}

/* ---- sizes and hostile requests ---- */

static void request__over_its_limit__two_refusals(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    static uint8_t value[2100 * 1024];
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    request.key = bytes_of("a");
    request.value = (ProtobufCBinaryData){1536 * 1024, value};
    lab_ask(lab, &talk, KV_PATH("Put"), &request.base);
    assert_talk_failed(&talk, GRPC_INVALID_ARGUMENT, "etcdserver: request is too large");
    talk_free(&talk);
    request.value.len = sizeof(value);
    lab_ask(lab, &talk, KV_PATH("Put"), &request.base);
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(talk.text, "grpc: received message larger than max ("));
    talk_free(&talk);
}

static void request__that_does_not_parse__is_refused_as_by_grpc(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    talk_open(lab, &talk, KV_PATH("Put"), NULL);
    talk_say_raw(&talk,
                 "\x0a\x7f"
                 "a",
                 3);
    talk_close(&talk);
    lab_settle(lab);
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_INTERNAL);
    assert_non_null(strstr(talk.text, "grpc: error unmarshalling request:"));
    talk_free(&talk);
}

/* A transaction in a transaction in a transaction ...: refused before anything recurses. */
static void request__nested_without_end__is_too_many_operations(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    enum { LEVELS = 100000 };
    uint8_t *bytes = malloc(LEVELS * 10);
    size_t at = LEVELS * 10;

    assert_non_null(bytes);
    for (size_t level = 0; level < LEVELS && at > 20; level++) {
        for (int field = 0; field < 2; field++) { /* success = RequestOp{txn = ...} */
            size_t len_bytes = LEVELS * 10 - at;
            uint8_t prefix[6];
            size_t used = 0;
            prefix[used++] = field == 0 ? 0x22 : 0x12;
            do {
                prefix[used++] = (uint8_t)((len_bytes & 0x7f) | (len_bytes > 0x7f ? 0x80 : 0));
                len_bytes >>= 7;
            } while (len_bytes > 0);
            at -= used;
            memcpy(bytes + at, prefix, used);
        }
    }
    talk_open(lab, &talk, KV_PATH("Txn"), NULL);
    talk_say_raw(&talk, bytes + at, LEVELS * 10 - at);
    talk_close(&talk);
    lab_settle(lab);
    assert_talk_failed(&talk, GRPC_INVALID_ARGUMENT,
                       "etcdserver: too many operations in txn request");
    free(bytes);
    talk_free(&talk);
}

static void method__unknown__has_etcds_texts(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    lab_ask(lab, &talk, KV_PATH("RangeStream"), &request.base);
    assert_talk_failed(&talk, GRPC_UNIMPLEMENTED,
                       "unknown method RangeStream for service etcdserverpb.KV");
    talk_free(&talk);
    lab_ask(lab, &talk, "/no.Such/Thing", &request.base);
    assert_talk_failed(&talk, GRPC_UNIMPLEMENTED, "unknown service no.Such");
    talk_free(&talk);
}

/* ---- death and return ---- */

static void restart__kept__same_data_next_term_full_leases(void **state)
{
    struct lab *lab = *state;
    uint64_t cluster_id;
    uint64_t term;

    lab_grant(lab, 5, 20);
    (void)lab_put_with(lab, "a", "1", 5);
    cluster_id = fakeetcd_server_state(lab->server)->cluster_id;
    term = term_of(lab);
    lab_pass(lab, 15 * SECOND_US);
    fakeetcd_server_kill(lab->server);
    assert_int_equal(fakeetcd_server_start(lab->server, true), RT_OK);
    assert_int_equal(lab_revision(lab), 2);
    assert_int_equal(fakeetcd_server_state(lab->server)->cluster_id, cluster_id);
    assert_int_equal(term_of(lab), term + 1);
    lab_pass(lab, 20 * SECOND_US - 1);
    assert_true(lab_has(lab, "a"));
    lab_pass(lab, 1);
    assert_false(lab_has(lab, "a"));
}

static void restart__lost__another_cluster_at_revision_one(void **state)
{
    struct lab *lab = *state;
    uint64_t cluster_id;

    (void)lab_put(lab, "a", "1");
    cluster_id = fakeetcd_server_state(lab->server)->cluster_id;
    fakeetcd_server_kill(lab->server);
    assert_int_equal(fakeetcd_server_start(lab->server, false), RT_OK);
    assert_int_equal(lab_revision(lab), 1);
    assert_false(lab_has(lab, "a"));
    assert_int_not_equal(fakeetcd_server_state(lab->server)->cluster_id, cluster_id);
    lab_settle(lab);
    (void)lab_put(lab, "b", "1");
}

static char data_dir[] = "/tmp/fakeetcd-test-XXXXXX";

static void on_disk(struct fakeetcd_options *options)
{
    options->data_dir = data_dir;
}

static void restart__with_a_data_dir__is_read_back(void **state)
{
    struct lab lab;
    (void)state;
    assert_non_null(mkdtemp(data_dir));
    lab_start(&lab, on_disk);
    lab_grant(&lab, 5, 60);
    (void)lab_put_with(&lab, "a", "1", 5);
    (void)lab_put(&lab, "b", "1");
    lab_delete(&lab, "b");
    uint64_t cluster_id = fakeetcd_server_state(lab.server)->cluster_id;
    uint64_t term = term_of(&lab);
    fakeetcd_server_kill(lab.server);
    assert_int_equal(fakeetcd_server_start(lab.server, true), RT_OK);
    assert_int_equal(lab_revision(&lab), 4);
    assert_true(lab_has(&lab, "a"));
    assert_false(lab_has(&lab, "b"));
    assert_int_equal(fakeetcd_server_state(lab.server)->cluster_id, cluster_id);
    assert_int_equal(term_of(&lab), term + 1);
    lab_pass(&lab, 60 * SECOND_US);
    assert_false(lab_has(&lab, "a"));
    (void)lab_put(&lab, "c", "1");
    int64_t revision = lab_revision(&lab);
    (void)lab_put(&lab, "c", "2");
    assert_int_equal(fakeetcd_server_restore(lab.server, revision), FAKEETCD_OK);
    lab_settle(&lab);
    (void)lab_put(&lab, "d", "1");
    fakeetcd_server_kill(lab.server);
    assert_int_equal(fakeetcd_server_start(lab.server, true), RT_OK);
    assert_int_equal(lab_revision(&lab), revision + 1);
    assert_true(lab_has(&lab, "d"));
    fakeetcd_server_kill(lab.server);
    assert_int_equal(fakeetcd_server_start(lab.server, false), RT_OK);
    assert_int_equal(lab_revision(&lab), 1);
    lab_stop(&lab);
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", data_dir);
    assert_int_equal(system(command), 0);
}

static void restore__goes_back_and_is_another_cluster(void **state)
{
    struct lab *lab = *state;
    struct talk watch;

    lab_grant(lab, 5, 10);
    (void)lab_put_with(lab, "a", "1", 5);
    (void)lab_put(lab, "b", "1");
    (void)lab_put(lab, "b", "2");
    uint64_t cluster_id = fakeetcd_server_state(lab->server)->cluster_id;
    talk_open(lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "b", "", 0);
    assert_int_equal(fakeetcd_server_restore(lab->server, 9), FAKEETCD_E_FUTURE_REVISION);
    assert_int_equal(fakeetcd_server_restore(lab->server, 2), FAKEETCD_OK);
    lab_settle(lab);
    assert_true(watch.is_ended);
    assert_int_equal(lab_revision(lab), 2);
    assert_true(lab_has(lab, "a"));
    assert_false(lab_has(lab, "b"));
    assert_int_not_equal(fakeetcd_server_state(lab->server)->cluster_id, cluster_id);
    assert_int_equal(lab_put(lab, "b", "again"), 3);
    lab_pass(lab, 10 * SECOND_US);
    assert_false(lab_has(lab, "a")); /* it still hangs on its lease */
    talk_free(&watch);
}

static void restore__nothing_left_by_a_compaction__is_an_empty_store(void **state)
{
    struct lab *lab = *state;

    (void)lab_put(lab, "a", "1");
    lab_delete(lab, "a");
    lab_compact(lab, 3);
    assert_int_equal(fakeetcd_server_restore(lab->server, 3), FAKEETCD_OK);
    lab_settle(lab);
    assert_int_equal(lab_revision(lab), 3);
    assert_false(lab_has(lab, "a"));
    assert_int_equal(lab_put(lab, "a", "again"), 4);
}

static void count_up(void *arg)
{
    (*(int *)arg)++;
}

static void drain__with_an_open_stream__ends_after_seven_seconds(void **state)
{
    struct lab *lab = *state;
    struct talk watch;
    int done = 0;

    talk_open(lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "a", "", 0);
    fakeetcd_server_drain(lab->server, count_up, &done);
    lab_pass(lab, 7 * SECOND_US - 1);
    assert_int_equal(done, 0);
    lab_pass(lab, 1);
    assert_int_equal(done, 1);
    assert_false(fakeetcd_server_is_running(lab->server));
    assert_true(watch.is_ended);
    talk_free(&watch);
}

static void drain__nobody_there__is_done_at_once(void **state)
{
    struct lab *lab = *state;
    int done = 0;

    fakeetcd_server_drain(lab->server, count_up, &done);
    lab_settle(lab);
    assert_int_equal(done, 1);
}

static void drain__3_4__drops_its_streams(void **state)
{
    struct lab lab;
    struct talk watch;
    int done = 0;
    (void)state;
    lab_start(&lab, use_3_4);
    talk_open(&lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "a", "", 0);
    fakeetcd_server_drain(lab.server, count_up, &done);
    lab_settle(&lab);
    assert_true(watch.is_ended);
    assert_int_equal(watch.code, GRPC_UNAVAILABLE);
    assert_int_equal(done, 1);
    talk_free(&watch);
    lab_stop(&lab);
}

static void event_table__has_every_event_that_happens(void **state)
{
    struct lab *lab = *state;

    fakeetcd_server_kill(lab->server);
    assert_int_equal(fakeetcd_server_start(lab->server, true), RT_OK);
    (void)lab_put(lab, "a", "1");
    lab_compact(lab, 2);
    char *events = strdup(lab->events);
    for (char *name = strtok(events, " "); name != NULL; name = strtok(NULL, " ")) {
        const char *word = strchr(name, '.') + 1;
        bool is_listed = false;
        for (size_t i = 0; fakeetcd_events[i] != NULL; i++) {
            is_listed = is_listed || strcmp(fakeetcd_events[i], word) == 0;
        }
        assert_true(is_listed);
    }
    free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_CASE(leaderless__writes__fail_at_the_request_timeout),
        cmocka_unit_test(leaderless__writes_in_3_4__have_the_raw_code),
        LAB_CASE(leaderless__reads__fail_unless_serializable),
        LAB_CASE(leaderless__keepalive__fails_with_no_leader),
        LAB_CASE(leaderless__status__says_so_at_once),
        LAB_CASE(leaderless__first_that_goes_on_ends_others__the_rest_goes_on),
        cmocka_unit_test(leaderless__member_list__waits_if_linearizable_and_not_3_4),
        LAB_CASE(leaderless__watch__is_created_and_silent),
        LAB_CASE(leaderless__open_streams_that_want_one__end_after_three_elections),
        LAB_CASE(leaderless__leases__stand_still_and_are_full_afterwards),
        LAB_CASE(leaderless__leader_comes_back__what_waited_goes_on),
        LAB_CASE(rule__lose_leader_for_a_while__gives_it_back),
        LAB_CASE(frozen__takes_bytes_and_answers_when_it_thaws),
        LAB_CASE(frozen__leases__run_out_at_the_thaw),
        LAB_CASE(read_only__writes_fail_reads_and_watches_work),
        cmocka_unit_test(quota__full__puts_fail_until_the_alarm_is_disarmed),
        LAB_CASE(corrupt__writes_fail_reads_work),
        LAB_CASE(request__over_its_limit__two_refusals),
        LAB_CASE(request__that_does_not_parse__is_refused_as_by_grpc),
        LAB_CASE(request__nested_without_end__is_too_many_operations),
        LAB_CASE(method__unknown__has_etcds_texts),
        LAB_CASE(restart__kept__same_data_next_term_full_leases),
        LAB_CASE(restart__lost__another_cluster_at_revision_one),
        cmocka_unit_test(restart__with_a_data_dir__is_read_back),
        LAB_CASE(restore__goes_back_and_is_another_cluster),
        LAB_CASE(restore__nothing_left_by_a_compaction__is_an_empty_store),
        LAB_CASE(drain__with_an_open_stream__ends_after_seven_seconds),
        LAB_CASE(drain__nobody_there__is_done_at_once),
        cmocka_unit_test(drain__3_4__drops_its_streams),
        LAB_CASE(event_table__has_every_event_that_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
