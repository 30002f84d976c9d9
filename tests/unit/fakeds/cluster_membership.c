/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_parties.h"

#include <stdio.h>

/* How a worker takes its place in etcd and what it does when etcd is not there. Simulated time. */
/* ---- the start ------------------------------------------------------------------------------ */

/* Line by line what the capture of the real worker shows. */
static void worker__first_of_a_cluster__registers_in_the_real_workers_order(void **state)
{
    static const char EXPECTED[] =
        "Status\n"
        "Range /datasystem/cluster/ /datasystem/cluster0\n"
        "Range /datasystem/replica_group/ /datasystem/replica_group0 @1\n"
        "Watch\n"
        "Create /datasystem/replica_group/ ..ff @2\n"
        "Create /datasystem/cluster/ ..ff @2\n"
        "Create /datasystem/ring/ ..ff @2\n"
        "Range /datasystem/master_address\n"
        "Txn /datasystem/master_address version 0\n"
        "Range /datasystem/ring/10.0.2.1:2379\n"
        "Range /datasystem/ring/\n"
        "Txn /datasystem/ring/ version 0\n"
        "DeleteRange /datasystem/ring/10.0.2.1:2379\n"
        "LeaseGrant 60\n"
        "LeaseKeepAlive\n"
        "KeepAlive\n"
        "Put " KEY_1 " ;start\n"
        "Range /datasystem/ring/\n"
        "Txn /datasystem/ring/ version 1\n"
        "Put " KEY_1 " ;ready\n"
        "Range /datasystem/cluster/ /datasystem/cluster0\n";
    struct fixture *fx = *state;
    char text[128];
    start(fx, 0);
    until(fx, 4900000);
    assert_string_equal(state_of(fx, KEY_1, text), "start");
    assert_int_equal(fx->parties[0].started_count, 0);
    until(fx, 5900000);
    assert_string_equal(fx->etcd.log, EXPECTED);
    assert_string_equal(state_of(fx, KEY_1, text), "ready");
    assert_int_equal(fx->parties[0].started_count, 1);
    assert_in_range(fx->parties[0].started_us, 5 * SECOND, 5400000);
    assert_non_null(strstr(fx->events, "worker-1.ready@"));
    assert_int_equal(mini_etcd_find(&fx->etcd, KEY_1)->lease, 7001);
    const struct mini_key *master = mini_etcd_find(&fx->etcd, "/datasystem/master_address");
    assert_memory_equal(master->value, "10.0.1.1:31501", master->value_bytes);
    assert_int_equal(master->lease, 0);
}

/* The bytes that the real worker wrote, but for its address and uuid. */
static void ring__first_worker__has_the_real_tokens(void **state)
{
    static const uint32_t TOKENS[] = {0x3fffffff, 0x7ffffffe, 0xbffffffd, 0xfffffffc};
    struct fixture *fx = *state;
    start(fx, 0);
    until(fx, SECOND);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_false(ring->cluster_has_init);
    assert_int_equal(ring->workers[0]->worker->state, DS_RING__WORKER_PB__STATE__INITIAL);
    assert_int_equal(ring->workers[0]->worker->n_hash_tokens, 0);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
    until(fx, 6 * SECOND);
    ring = ring_of(fx);
    assert_true(ring->cluster_has_init);
    assert_int_equal(ring->n_workers, 1);
    assert_int_equal(ring->workers[0]->worker->worker_uuid.len, 36);
    assert_int_equal(ring->workers[0]->worker->state, DS_RING__WORKER_PB__STATE__ACTIVE);
    assert_int_equal(ring->workers[0]->worker->n_hash_tokens, 4);
    assert_memory_equal(ring->workers[0]->worker->hash_tokens, TOKENS, sizeof(TOKENS));
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

static void worker__second_of_a_ring__joins_in_1_to_3_s(void **state)
{
    struct fixture *fx = *state;
    char text[128];
    start(fx, 0);
    until(fx, 10 * SECOND);
    start(fx, 1);
    until(fx, 14 * SECOND);
    assert_string_equal(state_of(fx, KEY_2, text), "ready");
    assert_in_range(fx->parties[1].started_us, 11 * SECOND, 13 * SECOND);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 2);
    assert_int_equal(ring->workers[1]->worker->state, DS_RING__WORKER_PB__STATE__ACTIVE);
    assert_int_equal(ring->workers[1]->worker->n_hash_tokens, 4);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
    const struct mini_key *master = mini_etcd_find(&fx->etcd, "/datasystem/master_address");
    assert_memory_equal(master->value, "10.0.1.1:31501", master->value_bytes); /* still */
}

static void workers__three_at_once__share_one_ring(void **state)
{
    struct fixture *fx = *state;
    for (size_t i = 0; i < WORKERS; i++) {
        start(fx, i);
    }
    until(fx, 12 * SECOND);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_int_equal(ring->n_workers, WORKERS);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_int_equal(fx->parties[i].started_count, 1);
        assert_int_equal(ring->workers[i]->worker->state, DS_RING__WORKER_PB__STATE__ACTIVE);
        assert_int_equal(ring->workers[i]->worker->n_hash_tokens, 4);
    }
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

static void worker__cluster_name_host_and_version__are_in_keys_and_value(void **state)
{
    struct fixture *fx = *state;
    char text[128];
    fx->options.etcd.cluster_name = "blue";
    fx->options.etcd.host_id = "host-7";
    fx->options.etcd.version = "0.9.2";
    start(fx, 0);
    until(fx, 6 * SECOND);
    assert_string_equal(state_of(fx, "/blue" KEY_1, text), "ready;host-7;0.9.2");
    assert_non_null(mini_etcd_find(&fx->etcd, "/blue/datasystem/ring/"));
    assert_non_null(mini_etcd_find(&fx->etcd, "/blue/datasystem/master_address"));
}

static void worker__etcd_down_at_the_start__fails_with_the_real_workers_words(void **state)
{
    struct fixture *fx = *state;
    mini_etcd_kill(&fx->etcd);
    start(fx, 0);
    until(fx, SECOND);
    assert_int_equal(fx->parties[0].started_count, 0);
    assert_int_equal(fx->parties[0].failed_count, 1);
    assert_non_null(strstr(fx->parties[0].failure,
                           "The worker does not meet the conditions for starting when etcd fails"));
    assert_non_null(strstr(fx->parties[0].failure, "Connect to etcd failed"));
}

static void worker__ring_lost_to_others_ten_times__does_not_start(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_compare_lost = true;
    start(fx, 0);
    until(fx, 10 * SECOND);
    assert_int_equal(fx->parties[0].failed_count, 1);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Txn /datasystem/ring/"), 10);
}

static void worker__ring_that_does_not_parse__makes_it_anew(void **state)
{
    struct fixture *fx = *state;
    mini_etcd_put(&fx->etcd, "/datasystem/ring/", "\xff\xff\xff");
    start(fx, 0);
    until(fx, 7 * SECOND);
    assert_int_equal(fx->parties[0].started_count, 1);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 1);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

/* ---- the lease ------------------------------------------------------------------------------ */

static void keepalive__ttl_60__comes_each_15_s(void **state)
{
    struct fixture *fx = *state;
    start(fx, 0);
    until(fx, 61 * SECOND);
    assert_int_equal(mini_etcd_count(&fx->etcd, "\nKeepAlive\n"), 5); /* 0, 15, 30, 45, 60 s */
    assert_int_equal(mini_etcd_count(&fx->etcd, "LeaseGrant"), 1);
}

static void health_poll__ready__asks_once_a_second(void **state)
{
    struct fixture *fx = *state;
    start(fx, 0);
    until(fx, 10 * SECOND);
    unsigned before = mini_etcd_count(&fx->etcd, "Range /datasystem/cluster/");
    until(fx, 20 * SECOND);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Range /datasystem/cluster/") - before, 10);
}

static void worker__lease_expired_in_etcd__recovers_with_a_new_one(void **state)
{
    struct fixture *fx = *state;
    char text[128];
    start(fx, 0);
    until(fx, 16 * SECOND); /* the next keepalive comes at about 30 s */
    mini_etcd_expire(&fx->etcd, 7001);
    until(fx, 29 * SECOND);
    assert_null(mini_etcd_find(&fx->etcd, KEY_1));
    until(fx, 31 * SECOND);
    assert_non_null(strstr(fx->events, "worker-1.lease-lost@"));
    assert_int_equal(mini_etcd_count(&fx->etcd, "Put " KEY_1 " ;recover\n"), 1);
    assert_string_equal(state_of(fx, KEY_1, text), "ready");
    assert_int_equal(mini_etcd_find(&fx->etcd, KEY_1)->lease, 7002);
    assert_non_null(strstr(fx->events, "worker-1.recovered@"));
}

/* As in the capture: `ready` repeats the time of the `start` or `recover` before it. */
static void membership_value__start_then_ready__has_one_time_until_it_recovers(void **state)
{
    struct fixture *fx = *state;
    char text[128];
    start(fx, 0);
    until(fx, 4900000);
    assert_string_equal(state_of(fx, KEY_1, text), "start");
    unsigned long long started_ns = time_of(fx, KEY_1);
    until(fx, 5900000);
    assert_string_equal(state_of(fx, KEY_1, text), "ready");
    assert_true(time_of(fx, KEY_1) == started_ns);
    until(fx, 16 * SECOND);
    mini_etcd_expire(&fx->etcd, 7001);
    until(fx, 31 * SECOND);
    assert_string_equal(state_of(fx, KEY_1, text), "ready");
    assert_true(time_of(fx, KEY_1) > started_ns);
}

static void worker__etcd_gone_for_20_s__keeps_running_and_recovers(void **state)
{
    struct fixture *fx = *state;
    char text[128];
    start(fx, 0);
    until(fx, 10 * SECOND);
    mini_etcd_kill(&fx->etcd);
    until(fx, 30 * SECOND);
    assert_true(fakeds_worker_is_running(fx->parties[0].worker));
    mini_etcd_listen(&fx->etcd, ETCD);
    until(fx, 40 * SECOND);
    assert_string_equal(state_of(fx, KEY_1, text), "ready");
    assert_int_equal(mini_etcd_count(&fx->etcd, "LeaseGrant"), 2);
    assert_int_equal(mini_etcd_count(&fx->etcd, "\nWatch\n"), 2);
    assert_null(strstr(fx->events, "lease-expired"));
}

/* max(0.9 x 60, 60 - 5) = 55 s after the last answer. */
static void worker__keepalives_unanswered__thinks_itself_expired_after_55_s(void **state)
{
    struct fixture *fx = *state;
    start(fx, 0);
    until(fx, 20 * SECOND);
    fx->etcd.mute_path = "/etcdserverpb.Lease/LeaseKeepAlive";
    until(fx, 69 * SECOND);
    assert_null(strstr(fx->events, "lease-expired"));
    until(fx, 71 * SECOND);
    assert_non_null(strstr(fx->events, "worker-1.lease-expired@"));
}

/* ---- the end -------------------------------------------------------------------------------- */

static void worker__leaves__deletes_its_key_and_revokes_nothing(void **state)
{
    struct fixture *fx = *state;
    start(fx, 0);
    until(fx, 10 * SECOND);
    fakeds_worker_leave(fx->parties[0].worker, on_left, &fx->parties[0]);
    until(fx, 11 * SECOND);
    assert_true(fx->parties[0].is_left);
    assert_null(mini_etcd_find(&fx->etcd, KEY_1));
    assert_int_equal(mini_etcd_count(&fx->etcd, "DeleteRange " KEY_1), 1);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Revoke"), 0);
}

static void worker__leaves_while_etcd_is_down__gives_up_after_the_lease_time(void **state)
{
    struct fixture *fx = *state;
    start(fx, 0);
    until(fx, 10 * SECOND);
    mini_etcd_kill(&fx->etcd);
    fakeds_worker_leave(fx->parties[0].worker, on_left, &fx->parties[0]);
    until(fx, 69 * SECOND);
    assert_false(fx->parties[0].is_left);
    until(fx, 72 * SECOND);
    assert_true(fx->parties[0].is_left);
}

static void worker__killed__key_stays_until_the_lease_ends(void **state)
{
    struct fixture *fx = *state;
    start(fx, 0);
    until(fx, 10 * SECOND);
    fakeds_worker_kill(fx->parties[0].worker);
    until(fx, 59 * SECOND);
    assert_non_null(mini_etcd_find(&fx->etcd, KEY_1));
    until(fx, 76 * SECOND);
    assert_null(mini_etcd_find(&fx->etcd, KEY_1));
}

static void worker__started_again__is_back_in_the_ring_at_once(void **state)
{
    struct fixture *fx = *state;
    char text[128];
    start(fx, 0);
    until(fx, 10 * SECOND);
    fakeds_worker_kill(fx->parties[0].worker);
    until(fx, 12 * SECOND);
    assert_int_equal(fakeds_worker_start(fx->parties[0].worker, false, 0), RT_OK);
    until(fx, 13 * SECOND);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Put " KEY_1 " ;restart\n"), 1);
    assert_string_equal(state_of(fx, KEY_1, text), "ready");
    assert_int_equal(fx->parties[0].started_count, 2);
}

/* 60 s until the lease ends, 300 - 60 s more until the ring goes on without it. */
static void worker__gone_for_the_dead_time__is_taken_out_of_the_ring(void **state)
{
    struct fixture *fx = *state;
    start(fx, 0);
    start(fx, 1);
    until(fx, 20 * SECOND);
    fakeds_worker_kill(fx->parties[1].worker);
    until(fx, 300 * SECOND);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 2);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
    until(fx, 320 * SECOND);
    ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 1);
    assert_memory_equal(ring->workers[0]->address.data, "10.0.1.1:31501", 14);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

/* A DELETE counts only if etcd can be written to. */
static void worker__etcd_read_only__does_not_believe_that_a_peer_has_gone(void **state)
{
    struct fixture *fx = *state;
    fx->options.etcd.node_dead_timeout_s = 61;
    start(fx, 0);
    start(fx, 1);
    until(fx, 10 * SECOND);
    fx->etcd.fail_path = "/etcdserverpb.KV/Put";
    fx->etcd.fail_times = 100000;
    fx->etcd.fail_code = GRPC_RESOURCE_EXHAUSTED;
    fx->etcd.fail_text = "etcdserver: mvcc: database space exceeded";
    fakeds_worker_kill(fx->parties[1].worker);
    until(fx, 150 * SECOND);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 2);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
    fx->etcd.fail_times = 0;
    until(fx, 200 * SECOND);
    ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 1);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(worker__first_of_a_cluster__registers_in_the_real_workers_order),
        TEST(ring__first_worker__has_the_real_tokens),
        TEST(worker__second_of_a_ring__joins_in_1_to_3_s),
        TEST(workers__three_at_once__share_one_ring),
        TEST(worker__cluster_name_host_and_version__are_in_keys_and_value),
        TEST(worker__etcd_down_at_the_start__fails_with_the_real_workers_words),
        TEST(worker__ring_lost_to_others_ten_times__does_not_start),
        TEST(worker__ring_that_does_not_parse__makes_it_anew),
        TEST(keepalive__ttl_60__comes_each_15_s),
        TEST(membership_value__start_then_ready__has_one_time_until_it_recovers),
        TEST(health_poll__ready__asks_once_a_second),
        TEST(worker__lease_expired_in_etcd__recovers_with_a_new_one),
        TEST(worker__etcd_gone_for_20_s__keeps_running_and_recovers),
        TEST(worker__keepalives_unanswered__thinks_itself_expired_after_55_s),
        TEST(worker__leaves__deletes_its_key_and_revokes_nothing),
        TEST(worker__leaves_while_etcd_is_down__gives_up_after_the_lease_time),
        TEST(worker__killed__key_stays_until_the_lease_ends),
        TEST(worker__started_again__is_back_in_the_ring_at_once),
        TEST(worker__gone_for_the_dead_time__is_taken_out_of_the_ring),
        TEST(worker__etcd_read_only__does_not_believe_that_a_peer_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
