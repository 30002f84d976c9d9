/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <string.h>

static void on_record(void *arg, const struct rt_record *record);

void world_options(struct fakeds_options *options)
{
    fakeds_options_init(options);
    options->shared_memory_bytes = (uint64_t)64 << 20;
    options->address = "10.0.1.1:31501";
}

void world_create(struct world *world, const struct fakeds_options *options)
{
    struct fakeds_options usual;
    world_options(&usual);
    *world = (struct world){0};
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &world->loop), RT_OK);
    assert_int_equal(rt_network_create(world->loop, &world->network), RT_OK);
    assert_int_equal(rt_journal_create(world->loop, 16, &world->journal), RT_OK);
    assert_int_equal(rt_journal_attach(world->journal, on_record, world), RT_OK);
    assert_int_equal(fault_engine_create(world->loop, world->journal, 1, &world->faults), RT_OK);
    assert_int_equal(fault_engine_register(world->faults, &fakeds_fault_domain), RT_OK);
    struct fakeds_environment environment = {.loop = world->loop,
                                             .network = world->network,
                                             .journal = world->journal,
                                             .faults = world->faults,
                                             .seed = 1};
    assert_int_equal(
        fakeds_worker_create(&environment, options == NULL ? &usual : options, &world->worker),
        RT_OK);
}

static void on_record(void *arg, const struct rt_record *record)
{
    struct world *world = arg;
    if (record->kind == RT_REC_RPC_EATEN) {
        world->eaten_count++;
        snprintf(world->last_cause, sizeof(world->last_cause), "%s", record->cause);
    }
    if (record->kind == RT_REC_CONNECTION && strstr(record->detail, "malformed") != NULL) {
        world->malformed_count++;
    }
    if (record->kind == RT_REC_EVENT) {
        size_t used_bytes = strlen(world->events);
        snprintf(world->events + used_bytes, sizeof(world->events) - used_bytes, "%s ",
                 record->subject);
    }
}

void world_destroy(struct world *world)
{
    fakeds_worker_destroy(world->worker);
    fault_engine_destroy(world->faults);
    enum rt_status status = rt_loop_run(world->loop, NULL, NULL, RT_NEVER);
    assert_int_equal(status, RT_E_IDLE); /* no timer and no task is left */
    assert_int_equal(rt_network_live_count(world->network), 0);
    rt_network_destroy(world->network);
    rt_journal_destroy(world->journal);
    rt_loop_destroy(world->loop);
    assert_int_equal(rt_blob_live_count(), 0);
}

void run_for(struct world *world, uint64_t duration_us)
{
    uint64_t deadline_us = rt_loop_now_us(world->loop) + duration_us;
    enum rt_status status = rt_loop_run(world->loop, NULL, NULL, deadline_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

void arm(struct world *world, const char *rule)
{
    char why[256] = "";
    enum rt_status status = fault_arm_text(world->faults, rule, why, sizeof(why));
    if (status != RT_OK) {
        fail_msg("%s: %s", rule, why);
    }
}

uint64_t fired(const struct world *world, const char *rule_id)
{
    for (size_t i = 0; i < fault_rule_count(world->faults); i++) {
        struct fault_rule_info info;
        fault_rule_info(world->faults, i, &info);
        if (strcmp(info.id, rule_id) == 0) {
            return info.fired;
        }
    }
    return 0;
}

struct fakeds_op_counts counts_of(const struct world *world, enum dsrpc_op op)
{
    struct fakeds_op_counts counts;
    fakeds_worker_op_counts(world->worker, op, &counts);
    /* The law of the header, whenever anybody looks. */
    assert_int_equal(counts.arrived, counts.answered + counts.eaten + counts.waiting);
    assert_true(counts.applied <= counts.arrived);
    return counts;
}
