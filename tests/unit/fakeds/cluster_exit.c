/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_parties.h"

#include "fakeds/cluster/cluster_view.h"
#include "wire/protobuf_bytes.h"

#include <stdio.h>

/* A worker that hands over before it leaves: what the real one was seen to write, in its order. */
#define MS         UINT64_C(1000)
#define TALE_BYTES 1024

static void leave(struct fixture *fx, size_t index)
{
    fakeds_worker_leave(fx->parties[index].worker, on_left, &fx->parties[index]);
}

static void start_two(struct fixture *fx)
{
    fx->options.etcd.is_exit_lossless = true;
    start(fx, 0);
    start(fx, 1);
    until(fx, 10 * SECOND);
}

static const DsRing__WorkerPb *worker_in(const DsRing__HashRingPb *ring, const char *address)
{
    for (size_t i = 0; i < ring->n_workers; i++) {
        if (rt_slice_is_text(pb_slice(ring->workers[i]->address), address)) {
            return ring->workers[i]->worker;
        }
    }
    return NULL;
}

/* "active", "active, to go", "leaving with 4 for 1" (tokens, receivers), "leaving bare", "gone". */
static void describe(const struct fixture *fx, const char *address, char out_text[64])
{
    static const char *const STATES[] = {"initial", "joining", "active", "leaving"};
    DsRing__HashRingPb *ring = ring_of(fx);
    const DsRing__WorkerPb *worker = worker_in(ring, address);
    if (worker == NULL) {
        snprintf(out_text, 64, "gone");
    } else if (worker->state != DS_RING__WORKER_PB__STATE__LEAVING) {
        snprintf(out_text, 64, "%s%s", STATES[worker->state],
                 worker->need_scale_down ? ", to go" : "");
    } else if (worker->n_hash_tokens == 0) {
        snprintf(out_text, 64, "leaving bare");
    } else {
        snprintf(out_text, 64, "leaving with %zu for %zu", worker->n_hash_tokens,
                 ring->n_add_node_info);
    }
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

/* Each state of worker `index` + 1 in the ring, a line each, until it has left. */
static void watch_exit(struct fixture *fx, size_t index, char out_tale[TALE_BYTES])
{
    char address[32];
    char last[64] = "";
    out_tale[0] = '\0';
    snprintf(address, sizeof(address), "10.0.1.%zu:31501", index + 1);
    for (int i = 0; i < 400000 && !fx->parties[index].is_left; i++) {
        char now[64];
        until(fx, rt_loop_now_us(fx->loop) + MS);
        describe(fx, address, now);
        if (strcmp(now, last) != 0) {
            size_t at = strlen(out_tale);
            snprintf(out_tale + at, TALE_BYTES - at, "%s\n", now);
            snprintf(last, sizeof(last), "%s", now);
        }
    }
    assert_true(fx->parties[index].is_left);
}

static void exit__of_two__goes_through_the_real_workers_states(void **state)
{
    struct fixture *fx = *state;
    char tale[TALE_BYTES];
    char text[128];
    start_two(fx);
    unsigned long long time_ns = time_of(fx, KEY_1);
    leave(fx, 0);
    settle(fx);
    assert_string_equal(state_of(fx, KEY_1, text), "exiting");
    assert_int_equal(time_of(fx, KEY_1), time_ns); /* the number of the start stays */
    uint64_t began_us = rt_loop_now_us(fx->loop);
    watch_exit(fx, 0, tale);
    assert_string_equal(tale, "active\nactive, to go\nleaving with 4 for 1\nleaving bare\ngone\n");
    assert_null(mini_etcd_find(&fx->etcd, KEY_1));
    assert_in_range(rt_loop_now_us(fx->loop) - began_us, 2 * SECOND, 3300 * MS);
    assert_int_equal(mini_etcd_count(&fx->etcd, "LeaseRevoke"), 0);
    assert_non_null(strstr(fx->events, "worker-1.exiting@"));
    assert_non_null(strstr(fx->events, "worker-1.handed-over@"));
}

/* Ends of ranges are its tokens, each begins at the token before; the UUID has one of its own. */
static void ranges__go_from_the_token_before_to_the_next_worker(void **state)
{
    struct fixture *fx = *state;
    char now[64] = "";
    start_two(fx);
    leave(fx, 0);
    while (strncmp(now, "leaving with", 12) != 0) {
        until(fx, rt_loop_now_us(fx->loop) + MS);
        describe(fx, "10.0.1.1:31501", now);
    }
    DsRing__HashRingPb *ring = ring_of(fx);
    const DsRing__WorkerPb *leaver = worker_in(ring, "10.0.1.1:31501");
    const DsRing__WorkerPb *heir = worker_in(ring, "10.0.1.2:31501");
    assert_true(leaver->need_scale_down);
    assert_int_equal(ring->n_add_node_info, 1);
    assert_int_equal(ring->n_del_node_info, 0);
    assert_true(rt_slice_is_text(pb_slice(ring->add_node_info[0]->address), "10.0.1.2:31501"));
    const DsRing__ChangeNodePb *change = ring->add_node_info[0]->change;
    assert_int_equal(change->n_changed_ranges, 5);
    for (size_t i = 0; i < 4; i++) {
        const DsRing__ChangedRange *range = change->changed_ranges[i];
        bool begins_at_heir = false;
        for (size_t j = 0; j < heir->n_hash_tokens; j++) {
            begins_at_heir |= range->from == heir->hash_tokens[j];
        }
        assert_true(begins_at_heir); /* the two alternate */
        assert_int_equal(range->end, leaver->hash_tokens[i]);
        assert_true(range->lost_all_range);
        assert_false(range->finished);
        assert_true(rt_slice_is_text(pb_slice(range->worker), "10.0.1.1:31501"));
    }
    uint32_t hash = fakeds__key_hash(pb_slice(leaver->worker_uuid));
    assert_int_equal(change->changed_ranges[4]->from, hash);
    assert_int_equal(change->changed_ranges[4]->end, hash);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

static void ring__behind_it__names_who_answers_for_its_uuid(void **state)
{
    struct fixture *fx = *state;
    char tale[TALE_BYTES];
    start_two(fx);
    leave(fx, 0);
    watch_exit(fx, 0, tale);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 1);
    assert_int_equal(ring->n_add_node_info, 0);
    assert_int_equal(ring->n_key_with_worker_id_meta_map, 1);
    assert_int_equal(ring->n_update_worker_map, 1);
    const DsRing__MetaEntry *meta = ring->key_with_worker_id_meta_map[0];
    const DsRing__UpdatedEntry *updated = ring->update_worker_map[0];
    assert_true(rt_slice_is_text(pb_slice(meta->address), "10.0.1.2:31501"));
    assert_int_equal(meta->worker_uuid.len, 36);
    assert_true(rt_slice_is_text(pb_slice(updated->address), "10.0.1.1:31501"));
    assert_true(
        rt_slice_equal(pb_slice(updated->worker->worker_uuid), pb_slice(meta->worker_uuid)));
    assert_true(updated->worker->time_us > 0);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

static void exit__of_the_only_worker__deletes_its_key_at_once(void **state)
{
    struct fixture *fx = *state;
    char now[64];
    fx->options.etcd.is_exit_lossless = true;
    start(fx, 0);
    until(fx, 10 * SECOND);
    leave(fx, 0);
    settle(fx);
    assert_true(fx->parties[0].is_left);
    describe(fx, "10.0.1.1:31501", now);
    assert_string_equal(now, "active");
    assert_int_equal(mini_etcd_count(&fx->etcd, ";exiting"), 0);
}

static void exit__without_the_mode__deletes_its_key_at_once(void **state)
{
    struct fixture *fx = *state;
    start_two(fx);
    fx->options.etcd.is_exit_lossless = false;
    start(fx, 2);
    until(fx, 20 * SECOND);
    leave(fx, 2);
    settle(fx);
    assert_true(fx->parties[2].is_left);
}

static void exit__while_somebody_joins__waits_for_them(void **state)
{
    struct fixture *fx = *state;
    char tale[TALE_BYTES];
    char now[64] = "";
    start_two(fx);
    start(fx, 2);
    while (strcmp(now, "initial") != 0) {
        until(fx, rt_loop_now_us(fx->loop) + MS);
        describe(fx, "10.0.1.3:31501", now);
    }
    leave(fx, 0);
    do {
        until(fx, rt_loop_now_us(fx->loop) + MS);
        describe(fx, "10.0.1.1:31501", tale);
        assert_null(strstr(tale, "leaving"));
        describe(fx, "10.0.1.3:31501", now);
    } while (strcmp(now, "active") != 0);
    watch_exit(fx, 0, tale);
    assert_string_equal(tale, "active, to go\nleaving with 4 for 2\nleaving bare\ngone\n");
}

static void exit__of_two_at_once__one_behind_the_other(void **state)
{
    struct fixture *fx = *state;
    char tale[TALE_BYTES];
    char now[64];
    start_two(fx);
    start(fx, 2);
    until(fx, 20 * SECOND);
    leave(fx, 0);
    leave(fx, 1);
    for (int i = 0; i < 20000 && !(fx->parties[0].is_left && fx->parties[1].is_left); i++) {
        until(fx, rt_loop_now_us(fx->loop) + MS);
        describe(fx, "10.0.1.1:31501", tale);
        describe(fx, "10.0.1.2:31501", now);
        assert_false(strstr(tale, "leaving") != NULL && strstr(now, "leaving") != NULL);
    }
    assert_true(fx->parties[0].is_left && fx->parties[1].is_left);
    DsRing__HashRingPb *ring = ring_of(fx);
    assert_int_equal(ring->n_workers, 1);
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

static void exit__that_loses_every_race_for_the_ring__ends_after_the_lease_time(void **state)
{
    struct fixture *fx = *state;
    start_two(fx);
    fx->etcd.is_compare_lost = true;
    uint64_t began_us = rt_loop_now_us(fx->loop);
    leave(fx, 0);
    until(fx, began_us + 59 * SECOND);
    assert_false(fx->parties[0].is_left);
    until(fx, began_us + 65 * SECOND);
    assert_true(fx->parties[0].is_left);
    assert_null(mini_etcd_find(&fx->etcd, KEY_1));
}

static void exit__while_etcd_is_down__ends_after_twice_the_lease_time(void **state)
{
    struct fixture *fx = *state;
    start_two(fx);
    mini_etcd_kill(&fx->etcd);
    uint64_t began_us = rt_loop_now_us(fx->loop);
    leave(fx, 0);
    until(fx, began_us + 119 * SECOND); /* for `exiting`, then for the key */
    assert_false(fx->parties[0].is_left);
    until(fx, began_us + 123 * SECOND);
    assert_true(fx->parties[0].is_left);
}

static void exit__refused_by_etcd_at_first__goes_on(void **state)
{
    struct fixture *fx = *state;
    char tale[TALE_BYTES];
    start_two(fx);
    fx->etcd.fail_path = "/etcdserverpb.KV/Put";
    fx->etcd.fail_times = 1;
    fx->etcd.fail_code = 8;
    fx->etcd.fail_text = "etcdserver: mvcc: database space exceeded";
    leave(fx, 0);
    watch_exit(fx, 0, tale);
    assert_non_null(strstr(tale, "gone"));
}

static void exit__of_a_worker_that_the_ring_does_not_know__still_ends(void **state)
{
    struct fixture *fx = *state;
    start_two(fx);
    mini_etcd_delete(&fx->etcd, "/datasystem/ring/");
    leave(fx, 0);
    until(fx, rt_loop_now_us(fx->loop) + 10 * SECOND);
    assert_true(fx->parties[0].is_left);
}

static void worker__killed_on_its_way_out__leaves_nothing_behind(void **state)
{
    struct fixture *fx = *state;
    start_two(fx);
    for (uint64_t ms = 0; ms < 2000; ms += 250) { /* in every step of it */
        leave(fx, 0);
        until(fx, rt_loop_now_us(fx->loop) + ms * MS);
        fakeds_worker_kill(fx->parties[0].worker);
        until(fx, rt_loop_now_us(fx->loop) + 400 * SECOND);
        fx->parties[0].is_left = false;
        assert_int_equal(fakeds_worker_start(fx->parties[0].worker, false, 0), RT_OK);
        until(fx, rt_loop_now_us(fx->loop) + 20 * SECOND);
        assert_true(fakeds_worker_is_running(fx->parties[0].worker));
        char now[64];
        describe(fx, "10.0.1.1:31501", now);
        assert_string_equal(now, "active");
        DsRing__HashRingPb *ring = ring_of(fx);
        assert_int_equal(ring->n_add_node_info, 0);
        assert_true(ring->n_update_worker_map <= 1); /* one entry a worker */
        ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exit__of_two__goes_through_the_real_workers_states),
        TEST(ranges__go_from_the_token_before_to_the_next_worker),
        TEST(ring__behind_it__names_who_answers_for_its_uuid),
        TEST(exit__of_the_only_worker__deletes_its_key_at_once),
        TEST(exit__without_the_mode__deletes_its_key_at_once),
        TEST(exit__while_somebody_joins__waits_for_them),
        TEST(exit__of_two_at_once__one_behind_the_other),
        TEST(exit__that_loses_every_race_for_the_ring__ends_after_the_lease_time),
        TEST(exit__while_etcd_is_down__ends_after_twice_the_lease_time),
        TEST(exit__refused_by_etcd_at_first__goes_on),
        TEST(exit__of_a_worker_that_the_ring_does_not_know__still_ends),
        TEST(worker__killed_on_its_way_out__leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
