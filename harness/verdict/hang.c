/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/verdict/hang.h"

#include "harness/calls/etcd_call.h"

#include <stdlib.h>

/* The last record that this actor wrote of one of these kinds; NULL: none. */
static const struct rt_record *last_of(const struct scn_recorder *recorder, const char *actor,
                                       enum rt_record_kind first, enum rt_record_kind last)
{
    for (size_t i = scn_recorder_count(recorder); i > 0; i--) {
        const struct rt_record *record = scn_recorder_at(recorder, i - 1);
        if (record->kind >= first && record->kind <= last && strcmp(record->actor, actor) == 0 &&
            !scn_record_is_housekeeping(record)) {
            return record;
        }
    }
    return NULL;
}

static void print_last(FILE *out, const struct scn_recorder *recorder, const char *actor,
                       const char *what, enum rt_record_kind first, enum rt_record_kind last)
{
    const struct rt_record *record = last_of(recorder, actor, first, last);

    if (record != NULL) {
        (void)fprintf(out, "\n      %s: ", what);
        scn_record_print(out, record);
    }
}

/* What each etcd did last, and the states that let calls wait. */
static void print_etcds(FILE *out, const struct scn_world *world, const struct scn_call *call)
{
    for (size_t i = 0; i < world->etcd_count; i++) {
        const struct fakeetcd_server *server = world->etcds[i].fake;
        const char *name = world->etcds[i].spec->name.text;
        char saw[160];
        char sent[160];
        (void)snprintf(saw, sizeof(saw), "%s saw last", name);
        (void)snprintf(sent, sizeof(sent), "%s sent last", name);
        print_last(out, world->recorder, name, saw, RT_REC_RPC_ARRIVED, RT_REC_RPC_APPLIED);
        print_last(out, world->recorder, name, sent, RT_REC_RPC_ANSWERED, RT_REC_RPC_ANSWERED);
        if (!fakeetcd_server_is_running(server)) {
            (void)fprintf(out, "\n      %s is down", name);
        }
        if (fakeetcd_server_is(server, FAKEETCD_FROZEN)) {
            (void)fprintf(out, "\n      %s is frozen", name);
        }
        if (fakeetcd_server_is(server, FAKEETCD_LEADERLESS)) {
            (void)fprintf(out, "\n      %s has no leader", name);
        }
    }
    if (call->etcd != NULL && call->step->arguments.etcd.every_us > 0) {
        (void)fprintf(out, "\n      it repeats its request until TTL 0: a step `end` can end it "
                           "before");
    }
}

void scn_report_hang(struct scn_judge *judge, const struct scn_call *call, enum rt_status why)
{
    struct scn_world *world = judge->world;
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *out = open_memstream(&text, &text_bytes);
    struct scn_finding *finding = scn_findings_add(
        judge->findings, SCN_FAIL,
        call->step == NULL ? call->party->spec->name.node : call->step->node,
        "%s%s%s of %s does not end",
        call->step == NULL ? "opening" : scn_step_word((enum scn_step_kind)call->step->kind),
        call->etcd == NULL ? "" : " ", call->etcd == NULL ? "" : call->step->arguments.etcd.call,
        call->etcd == NULL ? call->party->name : call->step->arguments.etcd.as);

    scn_finding_expected(finding, "an end, with or without success");
    scn_finding_actual(finding, "%s",
                       why == RT_E_IDLE ? "nothing is left that could happen"
                                        : "still waiting at the step's deadline");
    if (out == NULL) {
        return;
    }
    print_last(out, world->recorder, call->party->name, "the client sent last", RT_REC_RPC_SENT,
               RT_REC_RPC_SENT);
    for (size_t i = 0; i < world->worker_count; i++) {
        const char *name = fakeds_worker_name(world->workers[i].fake);
        print_last(out, world->recorder, name, "the worker saw last", RT_REC_RPC_ARRIVED,
                   RT_REC_RPC_APPLIED);
        print_last(out, world->recorder, name, "the worker sent last", RT_REC_RPC_ANSWERED,
                   RT_REC_RPC_ANSWERED);
    }
    print_etcds(out, world, call);
    for (size_t i = 0; i < fault_rule_count(world->faults); i++) {
        struct fault_rule_info info;
        fault_rule_info(world->faults, i, &info);
        if (info.holding > 0) {
            (void)fprintf(out, "\n      fault %s is holding %llu", info.id,
                          (unsigned long long)info.holding);
        }
    }
    (void)fclose(out);
    scn_finding_note(finding, "who did what last:%s", text);
    free(text);
    if (finding != NULL) {
        finding->record_index = scn_recorder_count(world->recorder);
        finding->time_us = scn_world_now_us(world);
    }
}
