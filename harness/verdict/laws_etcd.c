/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The laws of etcds. Each server numbers its calls from 1, also over its restarts; so a call is
 * known by its server and its number, and journal and counters can be held against each other.
 */
#include "harness/verdict/laws.h"

#include "fakeetcd/request/call.h"

#include <inttypes.h>
#include <stdlib.h>

struct etcd_call_marks {
    unsigned arrived_count;
    unsigned ended_count; /* answered, or eaten */
};

static void check_etcd(struct scn_judge *judge, const struct scn_etcd *etcd,
                       struct etcd_call_marks *marks, size_t mark_count);
static void note_records(const struct scn_judge *judge, const char *server,
                         struct etcd_call_marks *marks, size_t mark_count);
static uint64_t count_waiting(const struct scn_etcd *etcd);

void scn__laws_check_etcds(struct scn_judge *judge)
{
    /* Every call has a record of its arrival, so no number is larger. */
    size_t mark_count = scn_recorder_count(judge->world->recorder) + 1;

    for (size_t i = 0; i < judge->world->etcd_count; i++) {
        struct etcd_call_marks *marks = calloc(mark_count, sizeof(*marks));
        if (marks == NULL) {
            return;
        }
        check_etcd(judge, &judge->world->etcds[i], marks, mark_count);
        free(marks);
    }
}

static void check_etcd(struct scn_judge *judge, const struct scn_etcd *etcd,
                       struct etcd_call_marks *marks, size_t mark_count)
{
    const char *server = etcd->spec->name.text;
    uint64_t open_count = 0;
    uint64_t waiting_count = count_waiting(etcd);

    note_records(judge, server, marks, mark_count);
    for (size_t id = 0; id < mark_count; id++) {
        open_count += marks[id].arrived_count - marks[id].ended_count;
        if (marks[id].arrived_count <= 1 && marks[id].ended_count <= marks[id].arrived_count) {
            continue;
        }
        struct scn_finding *finding =
            scn__law_broken(judge, "a call of etcd arrives once and ends at most once");
        scn_finding_actual(finding, "call #%zx of %s arrived %u times and ended %u times", id,
                           server, marks[id].arrived_count, marks[id].ended_count);
        return;
    }
    if (open_count != waiting_count) {
        struct scn_finding *finding =
            scn__law_broken(judge, "etcd's calls that arrived are answered, eaten or waiting");
        scn_finding_expected(finding, "%" PRIu64 " waiting at %s", open_count, server);
        scn_finding_actual(finding, "%" PRIu64, waiting_count);
    }
}

static void note_records(const struct scn_judge *judge, const char *server,
                         struct etcd_call_marks *marks, size_t mark_count)
{
    const struct scn_recorder *recorder = judge->world->recorder;

    for (size_t i = 0; i < scn_recorder_count(recorder); i++) {
        const struct rt_record *record = scn_recorder_at(recorder, i);
        if (record->id >= mark_count || strcmp(record->actor, server) != 0) {
            continue;
        }
        marks[record->id].arrived_count += record->kind == RT_REC_RPC_ARRIVED;
        marks[record->id].ended_count +=
            record->kind == RT_REC_RPC_ANSWERED || record->kind == RT_REC_RPC_EATEN;
    }
}

static uint64_t count_waiting(const struct scn_etcd *etcd)
{
    uint64_t waiting_count = 0;

    for (size_t i = 0; i < fakeetcd_method_count(); i++) {
        struct fakeetcd_op_counts counts = {0};
        (void)fakeetcd_server_op_counts(etcd->fake, fakeetcd_methods[i].word, &counts);
        waiting_count += counts.waiting;
    }
    return waiting_count;
}
