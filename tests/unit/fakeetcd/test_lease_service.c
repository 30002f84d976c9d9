/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

/* Leases as clients see them: the service Lease on the server's lease clock, and its faults. */

static Etcdserverpb__LeaseKeepAliveResponse *beat(struct talk *stream, int64_t lease)
{
    Etcdserverpb__LeaseKeepAliveRequest request = ETCDSERVERPB__LEASE_KEEP_ALIVE_REQUEST__INIT;
    size_t before = stream->message_count;
    request.id = lease;
    talk_say(stream, &request.base);
    lab_settle(stream->lab);
    return stream->message_count == before
               ? NULL
               : (Etcdserverpb__LeaseKeepAliveResponse *)stream->messages[before];
}

static void ask_grant(struct lab *lab, struct talk *talk, int64_t lease, int64_t ttl_s)
{
    Etcdserverpb__LeaseGrantRequest request = ETCDSERVERPB__LEASE_GRANT_REQUEST__INIT;
    request.id = lease;
    request.ttl = ttl_s;
    lab_ask(lab, talk, LEASE_PATH("LeaseGrant"), &request.base);
}

static int64_t ttl_of(struct lab *lab, int64_t lease, int64_t *out_granted_s)
{
    Etcdserverpb__LeaseTimeToLiveRequest request = ETCDSERVERPB__LEASE_TIME_TO_LIVE_REQUEST__INIT;
    struct talk talk;
    request.id = lease;
    lab_ask(lab, &talk, LEASE_PATH("LeaseTimeToLive"), &request.base);
    assert_talk_ok(&talk);
    const Etcdserverpb__LeaseTimeToLiveResponse *answer =
        (Etcdserverpb__LeaseTimeToLiveResponse *)talk.messages[0];
    int64_t ttl_s = answer->ttl;
    if (out_granted_s != NULL) {
        *out_granted_s = answer->grantedttl;
    }
    talk_free(&talk);
    return ttl_s;
}

/* ---- granting ---- */

static void grant__small_ttls__are_raised_to_two_seconds(void **state)
{
    static const int64_t ttls[] = {1, 0, -7};
    struct lab *lab = *state;

    for (size_t i = 0; i < 3; i++) {
        struct talk talk;
        ask_grant(lab, &talk, 0, ttls[i]);
        assert_talk_ok(&talk);
        const Etcdserverpb__LeaseGrantResponse *answer =
            (Etcdserverpb__LeaseGrantResponse *)talk.messages[0];
        assert_int_equal(answer->ttl, 2);
        assert_true(answer->id > 0);
        assert_int_equal(answer->header->revision, 1);
        talk_free(&talk);
    }
}

static void grant__what_cannot_be__is_refused(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    ask_grant(lab, &talk, 1, INT64_C(9000000001));
    assert_talk_failed(&talk, GRPC_OUT_OF_RANGE, "etcdserver: too large lease TTL");
    talk_free(&talk);
    lab_grant(lab, 1, 10);
    ask_grant(lab, &talk, 1, 10);
    assert_talk_failed(&talk, GRPC_FAILED_PRECONDITION, "etcdserver: lease already exists");
    talk_free(&talk);
}

/* ---- the end of a lease ---- */

static void expiry__at_the_ttl__all_keys_in_one_revision_by_key(void **state)
{
    struct lab *lab = *state;
    struct talk watch;

    lab_grant(lab, 5, 60);
    (void)lab_put_with(lab, "c", "1", 5);
    (void)lab_put_with(lab, "a", "1", 5);
    (void)lab_put_with(lab, "b", "1", 5);
    talk_open(lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "a", "z", 0);
    lab_pass(lab, 60 * SECOND_US - 1);
    assert_true(lab_has(lab, "a"));
    lab_pass(lab, 1);
    assert_false(lab_has(lab, "a"));
    assert_int_equal(lab_revision(lab), 5);
    assert_int_equal(watch.message_count, 2);
    assert_int_equal(watch_said(&watch, 1)->n_events, 3);
    assert_bytes(watch_said(&watch, 1)->events[0]->kv->key, "a");
    assert_bytes(watch_said(&watch, 1)->events[2]->kv->key, "c");
    assert_true(lab_saw(lab, "etcd-1.lease-expired"));
    talk_free(&watch);
}

static void run_fast(struct fakeetcd_options *options)
{
    options->time_scale = 60;
}

static void expiry__faster_clock__comes_so_much_earlier(void **state)
{
    struct lab lab;
    (void)state;
    lab_start(&lab, run_fast);
    lab_grant(&lab, 5, 60);
    (void)lab_put_with(&lab, "a", "1", 5);
    lab_pass(&lab, 999 * MS_US);
    assert_true(lab_has(&lab, "a"));
    lab_pass(&lab, 2 * MS_US);
    assert_false(lab_has(&lab, "a"));
    lab_stop(&lab);
}

static void put__with_a_lease_that_is_gone__is_refused(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    lab_grant(lab, 5, 2);
    lab_pass(lab, 2 * SECOND_US);
    request.key = bytes_of("a");
    request.lease = 5;
    lab_ask(lab, &talk, KV_PATH("Put"), &request.base);
    assert_talk_failed(&talk, GRPC_NOT_FOUND, "etcdserver: requested lease not found");
    talk_free(&talk);
}

static void put_again__moves_and_detaches_the_key(void **state)
{
    struct lab *lab = *state;

    lab_grant(lab, 5, 10);
    lab_grant(lab, 6, 20);
    (void)lab_put_with(lab, "moved", "1", 5);
    (void)lab_put_with(lab, "freed", "1", 5);
    (void)lab_put_with(lab, "moved", "2", 6);
    (void)lab_put(lab, "freed", "2");
    lab_pass(lab, 10 * SECOND_US);
    assert_true(lab_has(lab, "moved"));
    assert_true(lab_has(lab, "freed"));
    lab_pass(lab, 10 * SECOND_US);
    assert_false(lab_has(lab, "moved"));
    assert_true(lab_has(lab, "freed"));
}

static void revoke__unknown__is_refused_known_deletes(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__LeaseRevokeRequest request = ETCDSERVERPB__LEASE_REVOKE_REQUEST__INIT;

    request.id = 5;
    lab_ask(lab, &talk, LEASE_PATH("LeaseRevoke"), &request.base);
    assert_talk_failed(&talk, GRPC_NOT_FOUND, "etcdserver: requested lease not found");
    talk_free(&talk);
    lab_grant(lab, 5, 10);
    (void)lab_put_with(lab, "a", "1", 5);
    lab_ask(lab, &talk, LEASE_PATH("LeaseRevoke"), &request.base);
    assert_talk_ok(&talk);
    assert_int_equal(((Etcdserverpb__LeaseRevokeResponse *)talk.messages[0])->header->revision, 3);
    assert_false(lab_has(lab, "a"));
    talk_free(&talk);
}

/* ---- looking ---- */

static void time_to_live__counts_down_in_whole_seconds(void **state)
{
    struct lab *lab = *state;
    int64_t granted_s;

    assert_int_equal(ttl_of(lab, 5, &granted_s), -1);
    assert_int_equal(granted_s, 0);
    lab_grant(lab, 5, 10);
    lab_pass(lab, 2500 * MS_US);
    assert_int_equal(ttl_of(lab, 5, &granted_s), 7);
    assert_int_equal(granted_s, 10);
}

static void time_to_live__keys__are_listed_when_asked_for(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__LeaseTimeToLiveRequest request = ETCDSERVERPB__LEASE_TIME_TO_LIVE_REQUEST__INIT;

    lab_grant(lab, 5, 10);
    (void)lab_put_with(lab, "b", "1", 5);
    (void)lab_put_with(lab, "a", "1", 5);
    request.id = 5;
    request.keys = true;
    lab_ask(lab, &talk, LEASE_PATH("LeaseTimeToLive"), &request.base);
    assert_talk_ok(&talk);
    const Etcdserverpb__LeaseTimeToLiveResponse *answer =
        (Etcdserverpb__LeaseTimeToLiveResponse *)talk.messages[0];
    assert_int_equal(answer->n_keys, 2);
    assert_bytes(answer->keys[0], "a");
    assert_bytes(answer->keys[1], "b");
    talk_free(&talk);
}

static void leases__lists_them_all(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__LeaseLeasesRequest request = ETCDSERVERPB__LEASE_LEASES_REQUEST__INIT;

    lab_grant(lab, 9, 10);
    lab_grant(lab, 5, 10);
    lab_ask(lab, &talk, LEASE_PATH("LeaseLeases"), &request.base);
    assert_talk_ok(&talk);
    assert_int_equal(((Etcdserverpb__LeaseLeasesResponse *)talk.messages[0])->n_leases, 2);
    talk_free(&talk);
}

/* ---- keepalive ---- */

static void keepalive__renews__unknown_is_ttl_zero_and_the_stream_stays(void **state)
{
    struct lab *lab = *state;
    struct talk stream;

    lab_grant(lab, 5, 10);
    talk_open(lab, &stream, LEASE_PATH("LeaseKeepAlive"), NULL);
    lab_pass(lab, 8 * SECOND_US);
    assert_int_equal(beat(&stream, 5)->ttl, 10);
    lab_pass(lab, 8 * SECOND_US);
    assert_int_equal(ttl_of(lab, 5, NULL), 2);
    assert_int_equal(beat(&stream, 77)->ttl, 0);
    assert_int_equal(beat(&stream, 77)->id, 77);
    lab_pass(lab, 2 * SECOND_US);
    assert_int_equal(beat(&stream, 5)->ttl, 0);
    assert_false(stream.is_ended);
    talk_free(&stream);
}

static void keepalive__stream_closed__revokes_nothing(void **state)
{
    struct lab *lab = *state;
    struct talk stream;

    lab_grant(lab, 5, 10);
    talk_open(lab, &stream, LEASE_PATH("LeaseKeepAlive"), NULL);
    (void)beat(&stream, 5);
    talk_close(&stream);
    lab_settle(lab);
    assert_true(stream.is_ended);
    assert_int_equal(stream.code, GRPC_OK);
    assert_int_equal(ttl_of(lab, 5, NULL), 10);
    talk_free(&stream);
}

/* ---- faults ---- */

static void fault__mute__keepalive_is_neither_answered_nor_counted(void **state)
{
    struct lab *lab = *state;
    struct talk stream;

    lab_arm(lab, "x: on {op: etcd-lease-keepalive, key: \"/datasystem/*\"} at lease do mute");
    lab_grant(lab, 5, 10);
    lab_grant(lab, 6, 10);
    (void)lab_put_with(lab, "/datasystem/cluster/w", "1", 5);
    talk_open(lab, &stream, LEASE_PATH("LeaseKeepAlive"), NULL);
    lab_pass(lab, 5 * SECOND_US);
    assert_null(beat(&stream, 5));
    assert_non_null(beat(&stream, 6));
    lab_pass(lab, 5 * SECOND_US);
    assert_false(lab_has(lab, "/datasystem/cluster/w"));
    talk_free(&stream);
}

static void fault__ttl_zero__the_client_believes_it_lost(void **state)
{
    struct lab *lab = *state;
    struct talk stream;

    lab_arm(lab, "x: on {op: etcd-lease-keepalive} at lease do 1*ttl-zero");
    lab_grant(lab, 5, 10);
    talk_open(lab, &stream, LEASE_PATH("LeaseKeepAlive"), NULL);
    assert_int_equal(beat(&stream, 5)->ttl, 0);
    assert_int_equal(beat(&stream, 5)->ttl, 10);
    talk_free(&stream);
}

static void fault__shorten__it_ends_earlier_than_told(void **state)
{
    struct lab *lab = *state;

    lab_arm(lab, "x: on {op: etcd-lease-grant} at lease do 1*shorten(3s)");
    lab_grant(lab, 5, 60);
    (void)lab_put_with(lab, "a", "1", 5);
    lab_pass(lab, 3 * SECOND_US - 1);
    assert_true(lab_has(lab, "a"));
    lab_pass(lab, 1);
    assert_false(lab_has(lab, "a"));
}

static void fault__suppress__the_expiry_does_not_happen(void **state)
{
    struct lab *lab = *state;

    lab_arm(lab, "x: on {key: a} at lease do 1*suppress");
    lab_grant(lab, 5, 10);
    (void)lab_put_with(lab, "a", "1", 5);
    lab_pass(lab, 10 * SECOND_US);
    assert_true(lab_has(lab, "a"));
    lab_pass(lab, 10 * SECOND_US);
    assert_false(lab_has(lab, "a"));
}

static void fault__expire_lease__of_this_key_at_this_event(void **state)
{
    struct lab *lab = *state;

    lab_grant(lab, 5, 60);
    (void)lab_put_with(lab, "a", "1", 5);
    assert_int_equal(fakeetcd_server_expire_lease_of(lab->server, rt_slice_text("none")),
                     FAKEETCD_E_LEASE_NOT_FOUND);
    assert_int_equal(fakeetcd_server_expire_lease_of(lab->server, rt_slice_text("a")), FAKEETCD_OK);
    assert_false(lab_has(lab, "a"));
    assert_true(lab_saw(lab, "etcd-1.lease-expired"));
}

/* Its end would be a write. Seen of both versions; what is asked of it meanwhile runs below 0. */
static void lease__due_while_corrupt__ends_when_the_alarm_is_disarmed(void **state)
{
    struct lab *lab = *state;
    struct talk stream;
    int64_t granted_s;

    lab_grant(lab, 5, 5);
    (void)lab_put_with(lab, "a", "1", 5);
    fakeetcd_server_set(lab->server, FAKEETCD_CORRUPTED, true);
    lab_pass(lab, 9 * SECOND_US);
    assert_true(lab_has(lab, "a"));
    assert_int_equal(ttl_of(lab, 5, &granted_s), -4);
    talk_open(lab, &stream, LEASE_PATH("LeaseKeepAlive"), NULL);
    assert_null(beat(&stream, 5)); /* waits for its end */
    fakeetcd_server_set(lab->server, FAKEETCD_CORRUPTED, false);
    lab_settle(lab);
    assert_false(lab_has(lab, "a"));
    assert_int_equal(beat(&stream, 5)->ttl, 0);
    talk_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_CASE(lease__due_while_corrupt__ends_when_the_alarm_is_disarmed),
        LAB_CASE(grant__small_ttls__are_raised_to_two_seconds),
        LAB_CASE(grant__what_cannot_be__is_refused),
        LAB_CASE(expiry__at_the_ttl__all_keys_in_one_revision_by_key),
        cmocka_unit_test(expiry__faster_clock__comes_so_much_earlier),
        LAB_CASE(put__with_a_lease_that_is_gone__is_refused),
        LAB_CASE(put_again__moves_and_detaches_the_key),
        LAB_CASE(revoke__unknown__is_refused_known_deletes),
        LAB_CASE(time_to_live__counts_down_in_whole_seconds),
        LAB_CASE(time_to_live__keys__are_listed_when_asked_for),
        LAB_CASE(leases__lists_them_all),
        LAB_CASE(keepalive__renews__unknown_is_ttl_zero_and_the_stream_stays),
        LAB_CASE(keepalive__stream_closed__revokes_nothing),
        LAB_CASE(fault__mute__keepalive_is_neither_answered_nor_counted),
        LAB_CASE(fault__ttl_zero__the_client_believes_it_lost),
        LAB_CASE(fault__shorten__it_ends_earlier_than_told),
        LAB_CASE(fault__suppress__the_expiry_does_not_happen),
        LAB_CASE(fault__expire_lease__of_this_key_at_this_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
