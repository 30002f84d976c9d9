/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The laws, one function each. They are told in terms of what was recorded and counted, never of
 * what the scenario expected.
 */
#include "harness/verdict/laws.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>

#include "connector/omni_serializer.h"
#include "runtime/table.h"

#define REASON_BYTES 256
#define GRACE_US     200000 /* on sockets: bytes that were still under way at the end */

static void check_callbacks(struct scn_judge *judge, const struct scn_call *calls);
static void check_deadlines(struct scn_judge *judge, const struct scn_call *calls);
static void check_metrics(struct scn_judge *judge);
static void check_puts(struct scn_judge *judge, const struct scn_call *calls);
static void check_values(struct scn_judge *judge, const struct scn_call *calls);
static void check_rpcs(struct scn_judge *judge, const struct scn_call *calls);

void scn_laws_check(struct scn_judge *judge, const struct scn_call *calls)
{
    check_callbacks(judge, calls);
    check_deadlines(judge, calls);
    check_metrics(judge);
    check_puts(judge, calls);
    check_values(judge, calls);
    check_rpcs(judge, calls);
    scn__laws_check_etcds(judge);
}

struct scn_finding *scn__law_broken(struct scn_judge *judge, const char *law)
{
    struct scn_finding *finding =
        scn_findings_add(judge->findings, SCN_FAIL, NULL, "law broken: %s", law);

    if (finding != NULL) {
        finding->record_index = scn_recorder_count(judge->world->recorder);
        finding->time_us = scn_world_now_us(judge->world);
    }
    return finding;
}

/* Whether a fault fired whose trigger names one of these actions. */
static bool has_fired(const struct scn_world *world, const char *const *actions)
{
    struct fault_rule_info info;

    for (size_t i = 0; i < fault_rule_count(world->faults); i++) {
        fault_rule_info(world->faults, i, &info);
        for (size_t k = 0; info.fired > 0 && actions[k] != NULL; k++) {
            if (strstr(info.trigger, actions[k]) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* ---- callbacks and counters ---- */

static void check_callbacks(struct scn_judge *judge, const struct scn_call *calls)
{
    for (const struct scn_call *call = calls; call != NULL; call = call->next) {
        if (call->done_count > 1) {
            struct scn_finding *finding = scn__law_broken(judge, "every call ends exactly once");
            scn_finding_expected(finding, "1 callback of %s", call->party->name);
            scn_finding_actual(finding, "%u", call->done_count);
        }
    }
}

static void check_deadlines(struct scn_judge *judge, const struct scn_call *calls)
{
    for (const struct scn_call *call = calls; call != NULL; call = call->next) {
        if (call->step == NULL || call->step->arguments.deadline_node == NULL ||
            !scn_call_is_done(call)) {
            continue;
        }
        const struct doc_range allowed = {.has_max = true,
                                          .max = (int64_t)call->step->arguments.deadline_us};
        if (!scn_is_duration_in(judge->world, &allowed, call->took_us)) {
            struct scn_finding *finding =
                scn__law_broken(judge, "a call never outlives its deadline");
            scn_finding_expected(finding, "at most %" PRIu64 " us", (uint64_t)allowed.max);
            scn_finding_actual(finding, "%s of %s took %" PRIu64 " us",
                               scn_step_word((enum scn_step_kind)call->step->kind),
                               call->party->name, call->took_us);
        }
    }
}

static void check_metrics(struct scn_judge *judge)
{
    for (size_t i = 0; i < judge->world->party_count; i++) {
        struct scn_party *party = &judge->world->parties[i];
        if (!party->is_connector || party->connector == NULL) {
            continue;
        }
        scn_party_refresh(party);
        const char *law = omni_metrics_broken_law(&party->metrics);
        if (law != NULL) {
            struct scn_finding *finding = scn__law_broken(judge, law);
            scn_finding_actual(finding, "counters of %s do not add up", party->name);
        }
    }
}

/* puts that were reported as successful <= sets that were applied */
static void check_puts(struct scn_judge *judge, const struct scn_call *calls)
{
    uint64_t succeeded = 0;
    uint64_t applied = 0;

    for (const struct scn_call *call = calls; call != NULL; call = call->next) {
        if (call->step != NULL && call->is_ok && scn_call_is_done(call)) {
            succeeded += call->step->kind == SCN_STEP_PUT || call->step->kind == SCN_STEP_SET;
        }
    }
    for (size_t i = 0; i < judge->world->worker_count; i++) {
        struct fakeds_op_counts counts;
        fakeds_worker_op_counts(judge->world->workers[i].fake, DSRPC_OP_SET, &counts);
        applied += counts.applied;
    }
    static const char *const actions[] = {"empty-list", "null", NULL};
    if (succeeded > applied && !has_fired(judge->world, actions)) {
        struct scn_finding *finding =
            scn__law_broken(judge, "puts that succeeded are at most the sets that were applied");
        scn_finding_expected(finding, "at most %" PRIu64, applied);
        scn_finding_actual(finding, "%" PRIu64, succeeded);
    }
}

/* ---- values ---- */

/* Under which key of the store a call works; `index` for calls of several keys. */
static void store_key(const struct scn_call *call, size_t index, char *out_text, size_t text_bytes)
{
    const struct scn_arguments *arguments = &call->step->arguments;

    if (call->step->kind == SCN_STEP_MSET) {
        (void)snprintf(out_text, text_bytes, "%s",
                       ((const struct scn_mset_entry *)arguments->entries.items)[index].key);
    } else if (call->party->is_connector) {
        (void)snprintf(out_text, text_bytes, "%s%s%s_%s", arguments->key,
                       call->party->spec->model == OMNI_POLLING ? "@" : ":",
                       call->party->spec->from_stage, call->party->spec->to_stage);
    } else if (call->step->kind == SCN_STEP_GET) {
        (void)snprintf(out_text, text_bytes, "%s",
                       ((const char *const *)arguments->keys.items)[index]);
    } else {
        (void)snprintf(out_text, text_bytes, "%s", arguments->key);
    }
}

static bool is_encoding_of(const struct omni_value *value, struct rt_slice bytes)
{
    struct omni_encoded encoded;
    struct omni_codec_error error;
    size_t at = 0;

    if (omni_encode(value, NULL, &encoded, &error) != RT_OK) {
        return false;
    }
    bool is_same = encoded.value.total_bytes == bytes.len_bytes;
    for (size_t i = 0; is_same && i < encoded.value.piece_count; i++) {
        struct rt_slice piece = encoded.value.pieces[i].bytes;
        is_same = rt_slice_equal(piece, rt_slice_of(bytes.data + at, piece.len_bytes));
        at += piece.len_bytes;
    }
    omni_encoded_fini(&encoded);
    return is_same;
}

/* Whether `call` tried to store exactly these bytes under `key`. */
static bool has_stored(const struct scn_call *call, const char *key, struct rt_slice bytes)
{
    struct scn_payloads *payloads = call->world->payloads;
    const struct scn_arguments *arguments = &call->step->arguments;
    const struct scn_mset_entry *entries = arguments->entries.items;
    size_t count = call->step->kind == SCN_STEP_MSET ? arguments->entries.count : 1;
    char stored_key[1024];

    for (size_t i = 0; i < count; i++) {
        store_key(call, i, stored_key, sizeof(stored_key));
        if (strcmp(stored_key, key) != 0) {
            continue;
        }
        if (call->party->is_connector) {
            if (is_encoding_of(scn_payload_value(payloads, arguments->data), bytes)) {
                return true;
            }
            continue;
        }
        const struct doc_node *node =
            call->step->kind == SCN_STEP_MSET ? entries[i].data : arguments->data;
        struct rt_blob *blob = scn_payload_raw(payloads, node);
        if (blob != NULL && rt_slice_equal(rt_blob_slice(blob), bytes)) {
            return true;
        }
    }
    return false;
}

static bool is_store(const struct scn_call *call)
{
    return call->step != NULL &&
           (call->step->kind == SCN_STEP_PUT || call->step->kind == SCN_STEP_SET ||
            call->step->kind == SCN_STEP_MSET);
}

static bool was_ever_stored(const struct scn_call *calls, const char *key, struct rt_slice bytes)
{
    for (const struct scn_call *call = calls; call != NULL; call = call->next) {
        if (is_store(call) && has_stored(call, key, bytes)) {
            return true;
        }
    }
    return false;
}

static void check_value(struct scn_judge *judge, const struct scn_call *calls,
                        const struct scn_call *get, size_t index)
{
    char key[1024];

    if (!get->values[index].is_present || get->values[index].blob == NULL) {
        return;
    }
    store_key(get, index, key, sizeof(key));
    if (!was_ever_stored(calls, key, rt_blob_slice(get->values[index].blob))) {
        struct scn_finding *finding =
            scn__law_broken(judge, "a get returns exactly what some set stored under that key");
        scn_finding_expected(finding, "bytes that were stored under %s", key);
        scn_finding_actual(finding, "%zu other bytes",
                           rt_blob_slice(get->values[index].blob).len_bytes);
    }
}

static void check_values(struct scn_judge *judge, const struct scn_call *calls)
{
    static const char *const corrupting[] = {"corrupt", "bytes", NULL};

    if (has_fired(judge->world, corrupting)) {
        return;
    }
    for (const struct scn_call *call = calls; call != NULL; call = call->next) {
        bool is_get = call->step != NULL && call->step->kind == SCN_STEP_GET;
        for (size_t i = 0; is_get && i < call->value_count; i++) {
            check_value(judge, calls, call, i);
        }
    }
}

/* ---- requests ---- */

/* What the journal says of one request. */
struct rpc {
    uint64_t id;
    const struct rt_record *sent;
    const struct rt_record *answered;
    unsigned arrived_count;
    unsigned received_count;
    unsigned eaten_count;
    UT_hash_handle hh;
};

struct rpc_laws {
    struct scn_judge *judge;
    struct rpc *rpcs;
    struct rpc *pool;
    size_t used;
    bool may_lose; /* something happened that loses bytes without anybody seeing which */
    uint64_t end_us;
};

static struct rpc *rpc_of(struct rpc_laws *laws, uint64_t id)
{
    struct rpc *rpc = NULL;
    enum rt_status status = RT_OK;

    RT_TABLE_FIND_U64(laws->rpcs, id, rpc);
    if (rpc == NULL) {
        rpc = &laws->pool[laws->used++];
        rpc->id = id;
        RT_TABLE_ADD_U64(laws->rpcs, rpc, id, &status);
    }
    return status == RT_OK ? rpc : NULL;
}

static void note_record(struct rpc_laws *laws, const struct rt_record *record)
{
    struct rpc *rpc = rpc_of(laws, record->id);

    if (rpc == NULL) {
        return;
    }
    switch (record->kind) {
    case RT_REC_RPC_SENT:
        rpc->sent = record;
        break;
    case RT_REC_RPC_ARRIVED:
        rpc->arrived_count++;
        break;
    case RT_REC_RPC_ANSWERED:
        rpc->answered = record;
        break;
    case RT_REC_RPC_RECEIVED:
    case RT_REC_RPC_LATE:
        rpc->received_count++;
        break;
    case RT_REC_RPC_EATEN:
        rpc->eaten_count++;
        break;
    default:
        break;
    }
}

/* Heartbeats of connections share one queue id: they are not requests in this sense. Calls of etcd
 * have numbers that mean something beside their server only, and laws of their own. */
static bool is_rpc_record(struct scn_world *world, const struct rt_record *record)
{
    return record->id != 0 && scn_world_etcd(world, record->actor) == NULL &&
           strcmp(record->subject, dsrpc_op_word(DSRPC_OP_ZMQ_HEARTBEAT)) != 0 &&
           record->kind >= RT_REC_RPC_SENT && record->kind <= RT_REC_RPC_EATEN;
}

static void check_rpc(struct rpc_laws *laws, const struct rpc *rpc)
{
    static const char *const doubling[] = {"duplicate", NULL};
    bool is_recent = rpc->sent != NULL && rpc->sent->time_us >= laws->end_us;
    bool is_answer_recent = rpc->answered != NULL && rpc->answered->time_us >= laws->end_us;
    const char *subject = rpc->sent != NULL ? rpc->sent->subject : "";

    if (rpc->sent != NULL && rpc->arrived_count == 0 && rpc->eaten_count == 0 && !laws->may_lose &&
        !is_recent) {
        struct scn_finding *finding = scn__law_broken(
            laws->judge, "a request that was sent arrives, or a fault owns its loss");
        scn_finding_actual(finding, "%s #%" PRIx64 " of %s never arrived", subject,
                           rpc->id & 0xffffff, rpc->sent->actor);
    }
    if (rpc->answered != NULL && rpc->received_count == 0 && rpc->eaten_count == 0 &&
        rpc->sent != NULL && !laws->may_lose && !is_answer_recent) {
        struct scn_finding *finding = scn__law_broken(
            laws->judge, "an answer that was sent is received, or a fault owns its loss");
        scn_finding_actual(finding, "the answer to %s #%" PRIx64 " was lost", subject,
                           rpc->id & 0xffffff);
    }
    if (rpc->arrived_count > 1 ||
        (rpc->received_count > 1 && !has_fired(laws->judge->world, doubling))) {
        struct scn_finding *finding =
            scn__law_broken(laws->judge, "one request, one answer; a fault owns every other one");
        scn_finding_actual(finding, "%s #%" PRIx64 " arrived %u times, was answered %u times",
                           subject, rpc->id & 0xffffff, rpc->arrived_count, rpc->received_count);
    }
}

/* Steps and parties that lose bytes without a fault. */
static bool loses_by_itself(const struct scn_world *world, const struct doc_list *list)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (steps[i].kind == SCN_STEP_KILL || steps[i].kind == SCN_STEP_RESTART ||
            steps[i].kind == SCN_STEP_LEAVE || steps[i].kind == SCN_STEP_CLOSE) {
            return true;
        }
    }
    for (size_t i = 0; i < world->party_count; i++) {
        if (world->parties[i].spec->worker != NULL &&
            strcmp(world->parties[i].spec->worker, "nobody") == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < world->worker_count; i++) {
        if (world->workers[i].spec->is_down) {
            return true;
        }
    }
    return false;
}

static void check_rpcs(struct scn_judge *judge, const struct scn_call *calls)
{
    static const char *const losing[] = {"rst",      "fin",     "cut",  "refuse",  "stall",
                                         "truncate", "corrupt", "kill", "restart", NULL};
    const struct scn_recorder *recorder = judge->world->recorder;
    size_t count = scn_recorder_count(recorder);
    uint64_t now_us = rt_loop_now_us(judge->world->loop);
    struct rpc_laws laws = {.judge = judge, .pool = calloc(count + 1, sizeof(struct rpc))};

    (void)calls;
    if (laws.pool == NULL) {
        return;
    }
    laws.may_lose = has_fired(judge->world, losing) ||
                    loses_by_itself(judge->world, &judge->world->scenario->steps);
    uint64_t grace_us = judge->world->mode == RT_LOOP_SOCKETS
                            ? GRACE_US
                            : 2 * judge->world->scenario->world.latency_us;
    laws.end_us = now_us > grace_us ? now_us - grace_us : 0;
    for (size_t i = 0; i < count; i++) {
        if (is_rpc_record(judge->world, scn_recorder_at(recorder, i))) {
            note_record(&laws, scn_recorder_at(recorder, i));
        }
    }
    struct rpc *rpc = NULL;
    struct rpc *next = NULL;
    RT_TABLE_EACH(rpc, next, laws.rpcs)
    {
        check_rpc(&laws, rpc);
    }
    RT_TABLE_FORGET(laws.rpcs);
    free(laws.pool);
}

/* ---- leftovers ---- */

static size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

void scn_leftovers_take(enum rt_loop_mode mode, struct scn_leftovers *out_leftovers)
{
    out_leftovers->blobs = rt_blob_live_count();
    out_leftovers->descriptors = mode == RT_LOOP_SOCKETS ? count_descriptors() : 0;
}

static void check_leftover(struct scn_findings *findings, const char *what, size_t before,
                           size_t after)
{
    if (before != after) {
        struct scn_finding *finding = scn_findings_add(
            findings, SCN_FAIL, NULL, "law broken: nothing is left when the world is gone");
        scn_finding_expected(finding, "%zu %s", before, what);
        scn_finding_actual(finding, "%zu", after);
    }
}

void scn_laws_check_leftovers(struct scn_findings *findings, enum rt_loop_mode mode,
                              const struct scn_leftovers *before)
{
    struct scn_leftovers after;

    scn_leftovers_take(mode, &after);
    check_leftover(findings, "buffers", before->blobs, after.blobs);
    check_leftover(findings, "descriptors", before->descriptors, after.descriptors);
}

void scn_laws_check_stopped(struct scn_judge *judge)
{
    if (judge->world->mode == RT_LOOP_SOCKETS) {
        return; /* closing connections linger there until their last bytes are out */
    }
    check_leftover(judge->findings, "streams and listeners", 0,
                   rt_network_live_count(judge->world->network));
}
