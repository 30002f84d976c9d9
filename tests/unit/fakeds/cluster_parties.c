/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_parties.h"

#include <stdio.h>
#include <stdlib.h>

static void on_record(void *arg, const struct rt_record *record)
{
    struct fixture *fx = arg;
    size_t at = strlen(fx->events);
    if (record->kind == RT_REC_EVENT) {
        snprintf(fx->events + at, sizeof(fx->events) - at, "%s@%llu\n", record->subject,
                 (unsigned long long)record->time_us);
    }
}

int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    assert_int_equal(rt_journal_create(fx->loop, 64, &fx->journal), RT_OK);
    assert_int_equal(rt_journal_attach(fx->journal, on_record, fx), RT_OK);
    mini_etcd_init(&fx->etcd, fx->loop, fx->network);
    mini_etcd_listen(&fx->etcd, ETCD);
    fakeds_options_init(&fx->options);
    fx->options.etcd.address = ETCD;
    *state = fx;
    return 0;
}

void settle(struct fixture *fx)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop));
    (void)status;
}

int tear_down(void **state)
{
    struct fixture *fx = *state;
    for (size_t i = 0; i < WORKERS; i++) {
        fakeds_worker_destroy(fx->parties[i].worker);
    }
    mini_etcd_fini(&fx->etcd);
    settle(fx);
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_journal_destroy(fx->journal);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    free(fx);
    return 0;
}

void until(struct fixture *fx, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, time_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

static void on_started(void *arg, const char *failure)
{
    struct party *party = arg;
    party->started_us = rt_loop_now_us(party->fx->loop);
    if (failure == NULL) {
        party->started_count++;
    } else {
        party->failed_count++;
        snprintf(party->failure, sizeof(party->failure), "%s", failure);
    }
}

void start(struct fixture *fx, size_t index)
{
    char name[32];
    char address[32];
    struct party *party = &fx->parties[index];
    struct fakeds_environment environment = {
        .loop = fx->loop, .network = fx->network, .journal = fx->journal, .seed = 7};
    snprintf(name, sizeof(name), "worker-%zu", index + 1);
    snprintf(address, sizeof(address), "10.0.1.%zu:31501", index + 1);
    fx->options.name = name;
    fx->options.address = address;
    party->fx = fx;
    assert_int_equal(fakeds_worker_create(&environment, &fx->options, &party->worker), RT_OK);
    fakeds_worker_on_started(party->worker, on_started, party);
}

const char *state_of(const struct fixture *fx, const char *key, char out_text[128])
{
    const struct mini_key *found = mini_etcd_find(&fx->etcd, key);
    const uint8_t *semicolon = found == NULL ? NULL : memchr(found->value, ';', found->value_bytes);
    if (semicolon == NULL) {
        return "";
    }
    snprintf(out_text, 128, "%.*s", (int)(found->value + found->value_bytes - semicolon - 1),
             (const char *)semicolon + 1);
    return out_text;
}

unsigned long long time_of(const struct fixture *fx, const char *key)
{
    const struct mini_key *found = mini_etcd_find(&fx->etcd, key);
    char text[32] = "";
    assert_non_null(found);
    memcpy(text, found->value,
           found->value_bytes < sizeof(text) ? found->value_bytes : sizeof(text) - 1);
    return strtoull(text, NULL, 10);
}

DsRing__HashRingPb *ring_of(const struct fixture *fx)
{
    const struct mini_key *key = mini_etcd_find(&fx->etcd, "/datasystem/ring/");
    assert_non_null(key);
    DsRing__HashRingPb *ring = ds_ring__hash_ring_pb__unpack(NULL, key->value_bytes, key->value);
    assert_non_null(ring);
    return ring;
}

void on_left(void *arg)
{
    ((struct party *)arg)->is_left = true;
}
