/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_work.h"

#include "fakeds/cluster/cluster_internal.h"
#include "fakeds/operations/put.h"
#include "fakeds/request/dispatch.h"
#include "wire/proto/datasystem.pb-c.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 *   before --> ASKING the owners, one question each --> PULLING (get) --> call applied
 *                ^    | an owner or holder did not answer
 *                '----' 100 ms, until the call's time is over --> refused
 */
struct work_key {
    struct fakeds__link *owner; /* NULL: nothing to ask about this one */
    struct fakeds__link *holder;
    bool is_found;
    uint64_t size_bytes;
    uint64_t version_us;
};

struct fakeds__work {
    struct fakeds__cluster *cluster;
    struct fakeds__call *call;
    DsPeer__Request__Kind kind;
    DsPeer__Request__Rule rule;
    uint64_t ttl_us;
    struct work_part *parts; /* what is under way */
    size_t pending_count;
    bool is_done;
    bool is_pulled;
    bool is_unanswered;
    int32_t refusal; /* K_OK: none */
    char text[512];
    struct rt_timer retry_timer;
    TAILQ_ENTRY(fakeds__work) others;
    size_t key_count;
    struct work_key keys[];
};

/* A question to one owner, or the pull of one key. */
struct work_part {
    struct work_part *next;
    struct fakeds__work *work;
    struct fakeds__link *link;
    struct fakeds__ask *ask;
    struct fakeds__pull *pull;
    size_t index_count;
    size_t indices[]; /* of the keys asked about, in the order asked */
};

static bool plan(struct fakeds__work *work);
static bool plan_set(struct fakeds__work *work);
static bool plan_mset(struct fakeds__work *work);
static size_t choose_keys(struct fakeds__work *work, bool only_missing);
static void ask_owners(struct fakeds__work *work);
static bool ask_owner(struct fakeds__work *work, struct fakeds__link *link);
static bool send_part(struct work_part *part);
static void fill_object(const struct fakeds__work *work, size_t index, DsPeer__Object *object);
static uint64_t wait_us(const struct fakeds__work *work);
static void on_answer(void *arg, int32_t code, const DsPeer__Response *response,
                      struct rt_blob *value);
static void take_answer(struct work_part *part, const DsPeer__Response *response);
static void take_conflict(struct fakeds__work *work, size_t index, const DsPeer__Object *told);
static void part_ended(struct fakeds__work *work);
static void pull_values(struct fakeds__work *work);
static void on_pulled(void *arg, int32_t code);
static void no_answer(struct fakeds__work *work, const struct fakeds__link *link);
static void refuse(struct fakeds__work *work, int32_t code, const char *format, ...)
    RT_PRINTF(3, 4);
static void finish(struct fakeds__work *work);
static void on_retry(void *arg);
static void free_part(struct work_part *part);

#define RETRY_US  UINT64_C(100000)
#define LAST_US   UINT64_C(10000)
#define US_PER_S  UINT64_C(1000000)
#define US_PER_MS UINT64_C(1000)
#define NX_FOUND  (-1) /* a refusal that is none: the old value stays, and the set succeeds */

/* ---- which calls, and what for -------------------------------------------------------------- */

bool fakeds__cluster_before(struct fakeds__call *call)
{
    struct fakeds__cluster *cluster = call->worker->cluster;
    if (call->work != NULL) {
        return call->work->is_done;
    }
    if (call->key_count == 0 || fakeds__membership_view(cluster->membership)->token_count == 0) {
        return true;
    }
    struct fakeds__work *work = calloc(1, sizeof(*work) + call->key_count * sizeof(work->keys[0]));
    if (work == NULL) {
        fakeds__call_answer_no_memory(call);
        return false;
    }
    work->cluster = cluster;
    work->call = call;
    work->key_count = call->key_count;
    rt_timer_init(&work->retry_timer, call->worker->environment.loop, on_retry, work);
    if (!plan(work)) {
        free(work);
        return true;
    }
    if (cluster->is_isolated && work->kind != DS_PEER__REQUEST__KIND__QUERY) {
        free(work);
        fakeds__call_refuse(call, K_RUNTIME_ERROR,
                            "The worker has lost its lease in etcd, and its peers have not");
        return false;
    }
    if (!fakeds__call_keep(call)) {
        free(work);
        return false;
    }
    call->work = work;
    TAILQ_INSERT_TAIL(&cluster->works, work, others);
    ask_owners(work);
    return false;
}

/* False: nobody needs to be asked. What the operation would refuse is left to it. */
static bool plan(struct fakeds__work *work)
{
    struct fakeds__call *call = work->call;
    switch (call->op) {
    case DSRPC_OP_GET:
    case DSRPC_OP_EXIST:
    case DSRPC_OP_QUERY_SIZE:
        work->kind = DS_PEER__REQUEST__KIND__QUERY;
        return choose_keys(work, true) > 0;
    case DSRPC_OP_SET:
        return plan_set(work);
    case DSRPC_OP_MSET:
        return plan_mset(work);
    case DSRPC_OP_DELETE:
        work->kind = DS_PEER__REQUEST__KIND__DELETE;
        return choose_keys(work, false) > 0;
    case DSRPC_OP_EXPIRE:
        work->kind = DS_PEER__REQUEST__KIND__EXPIRE;
        work->ttl_us = ((const Ds__ExpireReq *)call->message)->ttl_second * US_PER_S;
        return choose_keys(work, false) > 0;
    default:
        return false;
    }
}

static bool plan_set(struct fakeds__work *work)
{
    const Ds__PublishReq *request = (const Ds__PublishReq *)work->call->message;
    const struct fakeds__object *old =
        fakeds__store_find(&work->call->worker->store, pb_slice(request->object_key));
    bool is_nx = request->existence == FAKEDS__EXISTENCE_NX;
    bool is_refused_here =
        request->object_key.len == 0 || request->shm_id.len > 0 || request->data_size == 0 ||
        request->data_size != work->call->request.payload.total_bytes ||
        fakeds__is_second_level(request->write_mode) ||
        (old != NULL && (is_nx || old->content->write_mode != request->write_mode ||
                         old->content->consistency != request->consistency_type ||
                         old->content->cache_type != request->cache_type));
    work->kind = DS_PEER__REQUEST__KIND__CREATE;
    work->rule = is_nx ? DS_PEER__REQUEST__RULE__IF_ABSENT : DS_PEER__REQUEST__RULE__SAME_MODE;
    work->ttl_us = request->ttl_second * US_PER_S;
    return !is_refused_here && choose_keys(work, false) > 0;
}

static bool plan_mset(struct fakeds__work *work)
{
    const Ds__MultiPublishReq *request = (const Ds__MultiPublishReq *)work->call->message;
    const struct fakeds__store *store = &work->call->worker->store;
    if (fakeds__is_second_level(request->write_mode) ||
        (!request->is_tx && request->existence == FAKEDS__EXISTENCE_NX)) {
        return false;
    }
    for (size_t i = 0; request->is_tx && i < work->key_count; i++) {
        if (fakeds__store_find(store, work->call->keys[i]) != NULL) {
            return false;
        }
    }
    work->kind = DS_PEER__REQUEST__KIND__CREATE;
    work->rule = request->is_tx ? DS_PEER__REQUEST__RULE__ALL_ABSENT : DS_PEER__REQUEST__RULE__ANY;
    work->ttl_us = request->ttl_second * US_PER_S;
    return choose_keys(work, false) > 0;
}

static size_t choose_keys(struct fakeds__work *work, bool only_missing)
{
    size_t count = 0;
    for (size_t i = 0; i < work->key_count; i++) {
        struct rt_slice key = work->call->keys[i];
        if (!only_missing || fakeds__store_find(&work->call->worker->store, key) == NULL) {
            work->keys[i].owner = fakeds__link_owner(work->cluster, key);
            count += work->keys[i].owner == NULL ? 0 : 1;
        }
    }
    return count;
}

/* ---- asking --------------------------------------------------------------------------------- */

/* Held open by one, so that the end comes once and last. */
static void ask_owners(struct fakeds__work *work)
{
    struct fakeds__link *link;
    struct fakeds__link *next;
    bool is_asked = true;
    work->pending_count = 1;
    work->is_unanswered = false;
    work->refusal = K_OK;
    RT_TABLE_EACH(link, next, work->cluster->links)
    {
        is_asked = is_asked && ask_owner(work, link);
    }
    if (!is_asked) {
        refuse(work, K_RUNTIME_ERROR, "fakeds has no memory");
    }
    part_ended(work);
}

static bool ask_owner(struct fakeds__work *work, struct fakeds__link *link)
{
    size_t count = 0;
    for (size_t i = 0; i < work->key_count; i++) {
        count += work->keys[i].owner == link ? 1 : 0;
    }
    if (count == 0) {
        return true;
    }
    if (!link->is_self && !fakeds__link_is_listed(work->cluster, link)) {
        no_answer(work, link);
        return true;
    }
    struct work_part *part = calloc(1, sizeof(*part) + count * sizeof(part->indices[0]));
    if (part == NULL) {
        return false;
    }
    part->work = work;
    part->link = link;
    part->next = work->parts;
    work->parts = part;
    for (size_t i = 0; i < work->key_count; i++) {
        if (work->keys[i].owner == link) {
            part->indices[part->index_count++] = i;
        }
    }
    return send_part(part);
}

static bool send_part(struct work_part *part)
{
    struct fakeds__work *work = part->work;
    DsPeer__Request request = DS_PEER__REQUEST__INIT;
    DsPeer__Object *objects = calloc(part->index_count, sizeof(*objects));
    DsPeer__Object **pointers = calloc(part->index_count, sizeof(DsPeer__Object *));
    if (objects != NULL && pointers != NULL) {
        for (size_t i = 0; i < part->index_count; i++) {
            fill_object(work, part->indices[i], &objects[i]);
            pointers[i] = &objects[i];
        }
        request.kind = work->kind;
        request.rule = work->rule;
        request.wait_us = wait_us(work);
        request.objects = pointers;
        request.n_objects = part->index_count;
        part->ask = fakeds__ask(work->cluster, part->link, &request, work->call->deadline_us,
                                on_answer, part);
    }
    free(objects);
    free(pointers);
    work->pending_count += part->ask == NULL ? 0 : 1;
    return part->ask != NULL;
}

static void fill_object(const struct fakeds__work *work, size_t index, DsPeer__Object *object)
{
    const struct fakeds__call *call = work->call;
    ds_peer__object__init(object);
    object->key = pb_bytes(call->keys[index]);
    object->ttl_us = work->ttl_us;
    if (call->op == DSRPC_OP_SET) {
        const Ds__PublishReq *request = (const Ds__PublishReq *)call->message;
        object->write_mode = request->write_mode;
        object->consistency = request->consistency_type;
        object->cache_type = request->cache_type;
        object->size_bytes = request->data_size;
    } else if (call->op == DSRPC_OP_MSET) {
        const Ds__MultiPublishReq *request = (const Ds__MultiPublishReq *)call->message;
        object->write_mode = request->write_mode;
        object->consistency = request->consistency_type;
        object->cache_type = request->cache_type;
        object->size_bytes = request->object_info[index]->data_size;
    }
}

/* How long an owner remembers who waits: min(S', 0.8 of what is left). What is set after that is
 * missed by a get on another worker (the subscription gap). */
static uint64_t wait_us(const struct fakeds__work *work)
{
    const struct fakeds__call *call = work->call;
    uint64_t now_us = fakeds__now_us(call->worker);
    if (call->op != DSRPC_OP_GET || now_us >= call->deadline_us) {
        return 0;
    }
    const Ds__GetReq *request = (const Ds__GetReq *)call->message;
    uint64_t rest_us = (call->deadline_us - now_us) / 10 * 8;
    uint64_t own_us = request->sub_timeout > 0 && request->n_read_offset_list == 0
                          ? (uint64_t)request->sub_timeout * US_PER_MS
                          : 0;
    return own_us < rest_us ? own_us : rest_us;
}

/* ---- answers -------------------------------------------------------------------------------- */

static void on_answer(void *arg, int32_t code, const DsPeer__Response *response,
                      struct rt_blob *value)
{
    struct work_part *part = arg;
    struct fakeds__work *work = part->work;
    (void)value;
    part->ask = NULL;
    if (code != GRPC_OK || response->n_objects != part->index_count) {
        no_answer(work, part->link);
    } else if (response->code != K_OK) {
        refuse(work, response->code, "Worker %s cannot: code %d", part->link->address,
               (int)response->code);
    } else {
        take_answer(part, response);
    }
    part_ended(work);
}

static void take_answer(struct work_part *part, const DsPeer__Response *response)
{
    struct fakeds__work *work = part->work;
    for (size_t i = 0; i < part->index_count; i++) {
        const DsPeer__Object *told = response->objects[i];
        struct work_key *key = &work->keys[part->indices[i]];
        key->is_found = told->is_found;
        key->size_bytes = told->size_bytes;
        key->version_us = told->version_us;
        key->holder =
            told->holder.len == 0 ? NULL : fakeds__link_of(work->cluster, pb_slice(told->holder));
        if (work->kind == DS_PEER__REQUEST__KIND__CREATE && told->is_found) {
            take_conflict(work, part->indices[i], told);
        }
    }
}

static void take_conflict(struct fakeds__work *work, size_t index, const DsPeer__Object *told)
{
    DsPeer__Object asked;
    struct rt_slice key = work->call->keys[index];
    fill_object(work, index, &asked);
    switch (work->rule) {
    case DS_PEER__REQUEST__RULE__IF_ABSENT:
        refuse(work, NX_FOUND, "%s", "");
        break;
    case DS_PEER__REQUEST__RULE__ALL_ABSENT:
        refuse(work, K_OC_KEY_ALREADY_EXIST, "object[%.*s] already exist", (int)key.len_bytes,
               (const char *)key.data);
        break;
    default:
        refuse(work, K_INVALID, FAKEDS__TEXT_INCONSISTENT, asked.consistency, asked.write_mode,
               asked.cache_type, told->consistency, told->write_mode, told->cache_type);
        break;
    }
}

static void part_ended(struct fakeds__work *work)
{
    if (--work->pending_count > 0) {
        return;
    }
    while (work->parts != NULL) {
        struct work_part *part = work->parts;
        work->parts = part->next;
        free_part(part);
    }
    uint64_t now_us = fakeds__now_us(work->call->worker);
    if (work->is_unanswered && now_us + LAST_US < work->call->deadline_us) {
        uint64_t left_us = work->call->deadline_us - now_us - LAST_US;
        if (rt_timer_arm_after(&work->retry_timer, left_us < RETRY_US ? left_us : RETRY_US) ==
            RT_OK) {
            return;
        }
    }
    if (work->refusal == K_OK && work->call->op == DSRPC_OP_GET && !work->is_pulled) {
        work->is_pulled = true;
        pull_values(work);
        return;
    }
    finish(work);
}

/* What is found is asked for again as well: its holder may be another one by now. */
static void on_retry(void *arg)
{
    struct fakeds__work *work = arg;
    work->is_pulled = false;
    fakeds__fresh_memory(work->call->worker);
    work->call->message = NULL;
    if (!fakeds__call_parse(work->call)) {
        refuse(work, K_RUNTIME_ERROR, "fakeds has no memory");
        finish(work);
        return;
    }
    ask_owners(work);
}

/* ---- values --------------------------------------------------------------------------------- */

static void pull_values(struct fakeds__work *work)
{
    work->pending_count = 1;
    work->is_unanswered = false;
    for (size_t i = 0; i < work->key_count; i++) {
        struct fakeds__link *holder = work->keys[i].is_found ? work->keys[i].holder : NULL;
        if (holder == NULL || holder->is_self) {
            continue; /* absent; or it was here, and has been evicted */
        }
        if (!fakeds__link_is_listed(work->cluster, holder)) {
            if (fakeds__link_is_in_ring(work->cluster, holder)) {
                no_answer(work, holder);
            }
            continue; /* out of the ring: what only it had is gone */
        }
        struct work_part *part = calloc(1, sizeof(*part) + sizeof(part->indices[0]));
        if (part == NULL) {
            refuse(work, K_RUNTIME_ERROR, "fakeds has no memory");
            break;
        }
        part->work = work;
        part->link = holder;
        part->next = work->parts;
        work->parts = part;
        part->pull = fakeds__pull(work->cluster, holder, work->call->keys[i],
                                  work->call->deadline_us, on_pulled, part);
        work->pending_count += part->pull == NULL ? 0 : 1;
    }
    part_ended(work);
}

/* Not found: its holder has lost it since. */
static void on_pulled(void *arg, int32_t code)
{
    struct work_part *part = arg;
    struct fakeds__work *work = part->work;
    part->pull = NULL;
    if (code == K_RPC_UNAVAILABLE) {
        no_answer(work, part->link);
    } else if (code == K_OUT_OF_MEMORY) {
        refuse(work, K_OUT_OF_MEMORY, "%s", dsrpc_code_text(K_OUT_OF_MEMORY));
    }
    part_ended(work);
}

/* ---- the end -------------------------------------------------------------------------------- */

/*
 * A worker that has lost its lease is known to be gone: told at once. One that is still listed is
 * tried again while there is time. exist counts as absent what it cannot learn.
 */
static void no_answer(struct fakeds__work *work, const struct fakeds__link *link)
{
    bool is_known_gone = !fakeds__link_is_listed(work->cluster, link);
    switch (work->call->op) {
    case DSRPC_OP_EXIST:
        return;
    case DSRPC_OP_GET:
    case DSRPC_OP_QUERY_SIZE:
        if (is_known_gone) {
            refuse(work, K_RUNTIME_ERROR, "Disconnected from remote node %s", link->address);
            return;
        }
        refuse(work, K_RPC_UNAVAILABLE,
               "[RPC_RECV_TIMEOUT] Rpc service for client %s has not responded within the allowed "
               "time.",
               link->address);
        break;
    case DSRPC_OP_DELETE:
    case DSRPC_OP_EXPIRE:
        if (!is_known_gone) {
            refuse(work, K_MASTER_TIMEOUT, "The master may timeout/dead");
            break;
        }
        refuse(work, K_MASTER_TIMEOUT, "Disconnected from remote node %s", link->address);
        return;
    default:
        if (is_known_gone) {
            refuse(work, K_MASTER_TIMEOUT, "Disconnected from remote node %s", link->address);
            return;
        }
        refuse(work, K_RUNTIME_ERROR, "RPC to worker %s failed", link->address);
        break;
    }
    work->is_unanswered = true;
}

static void refuse(struct fakeds__work *work, int32_t code, const char *format, ...)
{
    va_list arguments;
    if (work->refusal != K_OK) {
        return; /* the first reason */
    }
    work->refusal = code;
    va_start(arguments, format);
    vsnprintf(work->text, sizeof(work->text), format, arguments);
    va_end(arguments);
}

/* The only place a work ends by itself; it goes with its call. */
static void finish(struct fakeds__work *work)
{
    struct fakeds__call *call = work->call;
    work->is_done = true;
    if (work->refusal == K_OK) {
        fakeds__call_apply(call);
        return;
    }
    fakeds__fresh_memory(call->worker);
    if (work->refusal == NX_FOUND) {
        fakeds__call_answer_ok(call, NULL);
    } else {
        fakeds__call_refuse(call, work->refusal, "%s", work->text);
    }
}

static void free_part(struct work_part *part)
{
    if (part->ask != NULL) {
        fakeds__ask_cancel(part->ask);
    }
    if (part->pull != NULL) {
        fakeds__pull_cancel(part->pull);
    }
    free(part);
}

void fakeds__work_free(struct fakeds__work *work)
{
    if (work == NULL) {
        return;
    }
    TAILQ_REMOVE(&work->cluster->works, work, others);
    rt_timer_disarm(&work->retry_timer);
    while (work->parts != NULL) {
        struct work_part *part = work->parts;
        work->parts = part->next;
        free_part(part);
    }
    free(work);
}

bool fakeds__work_is_found(const struct fakeds__call *call, size_t index)
{
    return call->work != NULL && call->work->keys[index].is_found;
}

uint64_t fakeds__work_size(const struct fakeds__call *call, size_t index)
{
    return fakeds__work_is_found(call, index) ? call->work->keys[index].size_bytes : 0;
}

uint64_t fakeds__work_version(const struct fakeds__call *call, size_t index)
{
    return call->work == NULL ? 0 : call->work->keys[index].version_us;
}
