/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

#include "fakeds/request/fault_points.h"
#include "wire/grpc/grpc_server.h"

#include <stdlib.h>

/*
 * What a peer asks. As the owner of keys: who holds them, and may they be stored, deleted, given a
 * time? As a holder: the value, please, or: forget it. As an heir: have what the leaver holds. A
 * question ends at once, but for a deletion (it waits for the holders), an inheritance (for the
 * values) and the one whether etcd can be written to.
 */
struct fakeds__serving {
    struct fakeds__cluster *cluster;
    DsPeer__Request *request;
    struct fakeds__link *from;
    struct grpc_call *call;  /* NULL: a question to oneself, or nobody waits any more */
    struct fakeds__ask *ask; /* NULL: a peer's */
    size_t pending_count;    /* holders that have not answered yet, and one */
    DsPeer__Response response;
    DsPeer__Object *objects; /* of the response */
    struct fakeds__content *content;
    struct fakeds__taking *takings; /* of TAKE, one for each object */
    TAILQ_ENTRY(fakeds__serving) others;
};

struct fakeds__taking {
    struct fakeds__serving *serving;
    size_t index;
};

static bool make_response(struct fakeds__serving *serving);
static void run(struct fakeds__serving *serving);
static void create_metadata(struct fakeds__serving *serving, size_t index);
static bool may_create(struct fakeds__serving *serving, size_t index,
                       const struct fakeds__entry *entry);
static void query(struct fakeds__serving *serving, size_t index);
static void hold(struct fakeds__serving *serving, size_t index);
static void expire(struct fakeds__serving *serving, size_t index);
static void delete_everywhere(struct fakeds__serving *serving);
static void on_dropped(void *arg, int32_t code, const DsPeer__Response *response,
                       struct rt_blob *value);
static void count_down(struct fakeds__serving *serving);
static void drop_here(struct fakeds__serving *serving, size_t index);
static void set_ttl_here(struct fakeds__serving *serving, size_t index);
static void notified(struct fakeds__serving *serving, size_t index);
static void find_value(struct fakeds__serving *serving);
static void take_over(struct fakeds__serving *serving);
static bool is_with_another(const struct fakeds__entry *entry, const struct fakeds__link *leaver);
static void on_taken(void *arg, int32_t code);
static void on_probed(void *arg, bool is_writable);
static void answer(struct fakeds__serving *serving);
static bool send_response(struct fakeds__serving *serving);
static bool send_value(struct grpc_call *call, const struct fakeds__content *content);
static void free_serving(struct fakeds__serving *serving);

#define PIECE_BYTES ((size_t)1024 * 1024)
#define TAKE_US     (UINT64_C(60) * 1000000)
#define DROP_US     (UINT64_C(3) * 1000000) /* a holder that does not answer is not waited for */

static uint64_t now_us(const struct fakeds__serving *serving)
{
    return rt_loop_now_us(serving->cluster->worker->environment.loop);
}

void fakeds__serve(struct fakeds__cluster *cluster, DsPeer__Request *request,
                   struct grpc_call *call, struct fakeds__ask *ask)
{
    struct fakeds__serving *serving = calloc(1, sizeof(*serving));
    struct fakeds__link *from = fakeds__link_of(cluster, pb_slice(request->from));
    if (serving == NULL || from == NULL) {
        goto no_memory;
    }
    *serving = (struct fakeds__serving){.cluster = cluster,
                                        .request = request,
                                        .from = from,
                                        .call = call,
                                        .ask = ask,
                                        .pending_count = 1};
    if (!make_response(serving)) {
        goto no_memory;
    }
    TAILQ_INSERT_TAIL(&cluster->servings, serving, others);
    run(serving);
    return;

no_memory:
    free(serving);
    ds_peer__request__free_unpacked(request, NULL);
    if (call != NULL) {
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
    } else {
        DsPeer__Response response = DS_PEER__RESPONSE__INIT;
        response.code = K_OUT_OF_MEMORY;
        fakeds__ask_answered(ask, &response);
    }
}

/* As many objects as were asked for, in the same order, none of them found. */
static bool make_response(struct fakeds__serving *serving)
{
    size_t count = serving->request->n_objects;
    ds_peer__response__init(&serving->response);
    serving->objects = calloc(count + 1, sizeof(*serving->objects));
    serving->response.objects = calloc(count + 1, sizeof(DsPeer__Object *));
    if (serving->objects == NULL || serving->response.objects == NULL) {
        free(serving->objects);
        free(serving->response.objects);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        ds_peer__object__init(&serving->objects[i]);
        serving->response.objects[i] = &serving->objects[i];
    }
    serving->response.n_objects = count;
    return true;
}

static void run(struct fakeds__serving *serving)
{
    static void (*const EACH[])(struct fakeds__serving * serving, size_t index) = {
        [DS_PEER__REQUEST__KIND__CREATE] = create_metadata,
        [DS_PEER__REQUEST__KIND__QUERY] = query,
        [DS_PEER__REQUEST__KIND__EXPIRE] = expire,
        [DS_PEER__REQUEST__KIND__HOLD] = hold,
        [DS_PEER__REQUEST__KIND__DROP] = drop_here,
        [DS_PEER__REQUEST__KIND__SET_TTL] = set_ttl_here,
        [DS_PEER__REQUEST__KIND__NOTIFY] = notified,
    };
    size_t kind = (size_t)serving->request->kind;
    if (kind == DS_PEER__REQUEST__KIND__DELETE) {
        delete_everywhere(serving);
        return;
    }
    if (kind == DS_PEER__REQUEST__KIND__TAKE) {
        take_over(serving);
        return;
    }
    if (kind == DS_PEER__REQUEST__KIND__CAN_WRITE) {
        if (fakeds__membership_probe(serving->cluster->membership, on_probed, serving) != RT_OK) {
            on_probed(serving, false);
        }
        return;
    }
    if (kind == DS_PEER__REQUEST__KIND__PULL) {
        find_value(serving);
    } else if (kind < sizeof(EACH) / sizeof(EACH[0]) && EACH[kind] != NULL) {
        for (size_t i = 0; i < serving->request->n_objects; i++) {
            EACH[kind](serving, i);
        }
    }
    answer(serving);
}

/* ---- as the owner --------------------------------------------------------------------------- */

static struct fakeds__entry *find(struct fakeds__serving *serving, size_t index)
{
    return fakeds__directory_find(&serving->cluster->directory,
                                  pb_slice(serving->request->objects[index]->key), now_us(serving));
}

static struct fakeds__meta meta_of(const struct fakeds__serving *serving,
                                   const DsPeer__Object *object)
{
    return (struct fakeds__meta){
        .write_mode = object->write_mode,
        .consistency = object->consistency,
        .cache_type = object->cache_type,
        .version_us = object->version_us,
        .size_bytes = object->size_bytes,
        .expires_us = object->ttl_us == 0 ? RT_NEVER : now_us(serving) + object->ttl_us};
}

static void fill(struct fakeds__serving *serving, size_t index, const struct fakeds__entry *entry)
{
    DsPeer__Object *object = &serving->objects[index];
    object->is_found = true;
    object->write_mode = entry->meta.write_mode;
    object->consistency = entry->meta.consistency;
    object->cache_type = entry->meta.cache_type;
    object->version_us = entry->meta.version_us;
    object->size_bytes = entry->meta.size_bytes;
    object->holder = pb_bytes(rt_slice_text(entry->holders[0]->address));
}

/* The moment that the metadata was made is the version, the same on every worker. What others hold
 * is forgotten by them soon, and who waits is told. */
static void create_metadata(struct fakeds__serving *serving, size_t index)
{
    struct fakeds__cluster *cluster = serving->cluster;
    const DsPeer__Object *asked = serving->request->objects[index];
    struct fakeds__meta meta = meta_of(serving, asked);
    struct fakeds__entry *entry = find(serving, index);
    if (entry != NULL && !may_create(serving, index, entry)) {
        return;
    }
    meta.version_us = fakeds__cluster_time_us(cluster);
    DsPeer__Object drop = DS_PEER__OBJECT__INIT;
    drop.key = asked->key;
    drop.version_us = meta.version_us;
    for (size_t i = 0; entry != NULL && i < entry->holder_count; i++) {
        if (entry->holders[i] != serving->from) {
            fakeds__tell(cluster, entry->holders[i], DS_PEER__REQUEST__KIND__DROP, &drop);
        }
    }
    entry = fakeds__directory_set(&cluster->directory, pb_slice(asked->key), &meta, serving->from);
    if (entry == NULL) {
        serving->response.code = K_OUT_OF_MEMORY;
        return;
    }
    serving->objects[index].version_us = meta.version_us;
    fakeds__tell_waiters(cluster, entry);
}

/* False: the answer says what is there. */
static bool may_create(struct fakeds__serving *serving, size_t index,
                       const struct fakeds__entry *entry)
{
    const DsPeer__Object *asked = serving->request->objects[index];
    bool has_same_mode = entry->meta.write_mode == asked->write_mode &&
                         entry->meta.consistency == asked->consistency &&
                         entry->meta.cache_type == asked->cache_type;
    switch (serving->request->rule) {
    case DS_PEER__REQUEST__RULE__SAME_MODE:
        if (has_same_mode) {
            return true;
        }
        break;
    case DS_PEER__REQUEST__RULE__IF_ABSENT:
    case DS_PEER__REQUEST__RULE__ALL_ABSENT:
        break;
    default:
        return true;
    }
    fill(serving, index, entry);
    return false;
}

static void query(struct fakeds__serving *serving, size_t index)
{
    struct fakeds__entry *entry = find(serving, index);
    uint64_t wait_us = serving->request->wait_us;
    if (entry != NULL) {
        fill(serving, index, entry);
        return;
    }
    if (wait_us > 0 &&
        fakeds__directory_await(&serving->cluster->directory,
                                pb_slice(serving->request->objects[index]->key), serving->from,
                                now_us(serving), now_us(serving) + wait_us) != RT_OK) {
        serving->response.code = K_OUT_OF_MEMORY;
    }
}

/* A copy; or what a worker has when the ring has changed; or that it has lost it. A copy of what
 * has been overwritten or deleted since is forgotten: nobody knew of it when the others were told.
 */
static void hold(struct fakeds__serving *serving, size_t index)
{
    struct fakeds__cluster *cluster = serving->cluster;
    const DsPeer__Object *object = serving->request->objects[index];
    struct fakeds__meta meta = meta_of(serving, object);
    struct fakeds__entry *entry = find(serving, index);
    if (!object->is_found) {
        if (entry != NULL && entry->meta.version_us == object->version_us) {
            fakeds__directory_drop(&cluster->directory, entry, serving->from);
        }
        return;
    }
    bool is_copy = object->holder.len > 0;
    if (entry == NULL ? is_copy : entry->meta.version_us > object->version_us) {
        DsPeer__Object drop = DS_PEER__OBJECT__INIT;
        drop.key = object->key;
        drop.version_us = object->version_us + 1;
        fakeds__tell(cluster, serving->from, DS_PEER__REQUEST__KIND__DROP, &drop);
        return;
    }
    if (fakeds__directory_add(&cluster->directory, pb_slice(object->key), &meta, serving->from,
                              &entry) == RT_OK) {
        fakeds__tell_waiters(cluster, entry);
    }
}

static void expire(struct fakeds__serving *serving, size_t index)
{
    struct fakeds__entry *entry = find(serving, index);
    uint64_t ttl_us = serving->request->objects[index]->ttl_us;
    if (entry == NULL) {
        return;
    }
    fill(serving, index, entry);
    if (ttl_us == 0) {
        return; /* an old time keeps running */
    }
    entry->meta.expires_us = now_us(serving) + ttl_us;
    for (size_t i = 0; i < entry->holder_count; i++) {
        fakeds__tell(serving->cluster, entry->holders[i], DS_PEER__REQUEST__KIND__SET_TTL,
                     serving->request->objects[index]);
    }
}

/* Synchronous: the answer comes when every holder has forgotten its copy, or could not be reached.
 */
static void delete_everywhere(struct fakeds__serving *serving)
{
    struct fakeds__cluster *cluster = serving->cluster;
    for (size_t i = 0; i < serving->request->n_objects; i++) {
        DsPeer__Request request = DS_PEER__REQUEST__INIT;
        DsPeer__Object object = DS_PEER__OBJECT__INIT;
        DsPeer__Object *objects[] = {&object};
        struct fakeds__entry *entry = find(serving, i);
        if (entry == NULL) {
            continue;
        }
        serving->objects[i].is_found = true;
        object.key = serving->request->objects[i]->key;
        request.kind = DS_PEER__REQUEST__KIND__DROP;
        request.objects = objects;
        request.n_objects = 1;
        for (size_t j = 0; j < entry->holder_count; j++) {
            if (entry->holders[j] != serving->from &&
                fakeds__ask(cluster, entry->holders[j], &request, now_us(serving) + DROP_US,
                            on_dropped, serving) != NULL) {
                serving->pending_count++;
            }
        }
        fakeds__directory_clear(&cluster->directory, entry);
    }
    count_down(serving);
}

static void on_dropped(void *arg, int32_t code, const DsPeer__Response *response,
                       struct rt_blob *value)
{
    (void)code;
    (void)response;
    (void)value;
    count_down(arg);
}

static void count_down(struct fakeds__serving *serving)
{
    if (--serving->pending_count == 0) {
        answer(serving);
    }
}

void fakeds__tell_waiters(struct fakeds__cluster *cluster, struct fakeds__entry *entry)
{
    uint64_t now = rt_loop_now_us(cluster->worker->environment.loop);
    struct fakeds__link *waiter;
    DsPeer__Object object = DS_PEER__OBJECT__INIT;
    object.key = pb_bytes(entry->key);
    object.version_us = entry->meta.version_us;
    object.holder = pb_bytes(rt_slice_text(entry->holders[0]->address));
    while ((waiter = fakeds__directory_next_waiter(entry, now)) != NULL) {
        if (waiter != entry->holders[0]) {
            fakeds__tell(cluster, waiter, DS_PEER__REQUEST__KIND__NOTIFY, &object);
        }
    }
}

/* ---- as a holder ---------------------------------------------------------------------------- */

static struct fakeds__object *find_here(struct fakeds__serving *serving, size_t index)
{
    return fakeds__store_find(&serving->cluster->worker->store,
                              pb_slice(serving->request->objects[index]->key));
}

/* Version 0: whatever it is. Else only what is older than the new value. */
static void drop_here(struct fakeds__serving *serving, size_t index)
{
    struct fakeds__object *object = find_here(serving, index);
    uint64_t version_us = serving->request->objects[index]->version_us;
    if (object != NULL && (version_us == 0 || object->content->version_us < version_us)) {
        fakeds__store_remove(&serving->cluster->worker->store, object);
    }
}

static void set_ttl_here(struct fakeds__serving *serving, size_t index)
{
    struct fakeds_worker *worker = serving->cluster->worker;
    struct fakeds__object *object = find_here(serving, index);
    if (object != NULL) {
        fakeds__store_set_expiry(&worker->store, object,
                                 now_us(serving) + serving->request->objects[index]->ttl_us);
        fakeds__arm_scan(worker);
    }
}

/* What somebody here waits for has come: it is pulled, and wakes them as a set here would. */
static void notified(struct fakeds__serving *serving, size_t index)
{
    struct fakeds__cluster *cluster = serving->cluster;
    const DsPeer__Object *object = serving->request->objects[index];
    struct rt_slice key = pb_slice(object->key);
    struct fakeds__link *holder = fakeds__link_of(cluster, pb_slice(object->holder));
    bool is_awaited = fakeds__waits_is_awaited(&cluster->worker->waits, key) ||
                      !TAILQ_EMPTY(&cluster->works); /* one that is about to wait */
    if (holder != NULL && is_awaited) {
        (void)fakeds__pull(cluster, holder, key, now_us(serving) + DROP_US, NULL, NULL);
    }
}

static void find_value(struct fakeds__serving *serving)
{
    struct fakeds__object *object = serving->request->n_objects == 1 ? find_here(serving, 0) : NULL;
    if (object == NULL) {
        serving->response.code = K_NOT_FOUND;
        return;
    }
    fakeds__describe(object, now_us(serving), &serving->objects[0]);
    serving->content = fakeds__content_retain(object->content);
}

/* The answer comes when each is here, or is known to be with somebody else, or cannot be had. */
static void take_over(struct fakeds__serving *serving)
{
    size_t count = serving->request->n_objects;
    serving->takings = calloc(count + 1, sizeof(*serving->takings));
    for (size_t i = 0; serving->takings != NULL && i < count; i++) {
        struct rt_slice key = pb_slice(serving->request->objects[i]->key);
        const struct fakeds__entry *entry = find(serving, i);
        serving->objects[i].key = pb_bytes(key);
        serving->takings[i] = (struct fakeds__taking){.serving = serving, .index = i};
        if (entry != NULL && is_with_another(entry, serving->from)) {
            serving->objects[i].is_found = true;
        } else if (fakeds__pull(serving->cluster, serving->from, key, now_us(serving) + TAKE_US,
                                on_taken, &serving->takings[i]) != NULL) {
            serving->pending_count++;
        }
    }
    count_down(serving);
}

static bool is_with_another(const struct fakeds__entry *entry, const struct fakeds__link *leaver)
{
    for (size_t i = 0; i < entry->holder_count; i++) {
        if (entry->holders[i] != leaver) {
            return true;
        }
    }
    return false;
}

static void on_taken(void *arg, int32_t code)
{
    const struct fakeds__taking *taking = arg;
    taking->serving->objects[taking->index].is_found = code == K_OK;
    count_down(taking->serving);
}

static void on_probed(void *arg, bool is_writable)
{
    struct fakeds__serving *serving = arg;
    serving->response.code = is_writable ? K_OK : K_KVSTORE_ERROR;
    answer(serving);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void answer(struct fakeds__serving *serving)
{
    TAILQ_REMOVE(&serving->cluster->servings, serving, others);
    if (serving->ask != NULL) {
        fakeds__ask_answered(serving->ask, &serving->response);
    } else if (serving->call != NULL) {
        bool is_sent = send_response(serving);
        grpc_call_finish(serving->call, is_sent ? GRPC_OK : GRPC_RESOURCE_EXHAUSTED,
                         is_sent ? "" : "out of memory");
    }
    free_serving(serving);
}

static bool send_response(struct fakeds__serving *serving)
{
    uint8_t *room =
        grpc_call_reserve(serving->call, ds_peer__response__get_packed_size(&serving->response));
    if (room == NULL) {
        return false;
    }
    ds_peer__response__pack(&serving->response, room);
    return serving->content == NULL || send_value(serving->call, serving->content);
}

static void release_whole(void *arg, void *data)
{
    (void)data;
    rt_blob_release(arg);
}

/* By reference, in pieces that the other side takes. */
static bool send_value(struct grpc_call *call, const struct fakeds__content *content)
{
    for (size_t i = 0; i < content->blob_count; i++) {
        struct rt_slice bytes = rt_blob_slice(content->blobs[i]);
        for (size_t at = 0; at < bytes.len_bytes; at += PIECE_BYTES) {
            size_t rest_bytes = bytes.len_bytes - at;
            struct rt_blob *piece =
                rt_blob_wrap((uint8_t *)(uintptr_t)bytes.data + at,
                             rest_bytes < PIECE_BYTES ? rest_bytes : PIECE_BYTES, release_whole,
                             content->blobs[i]);
            if (piece == NULL) {
                return false;
            }
            rt_blob_retain(content->blobs[i]);
            enum rt_status status = grpc_call_send_blob(call, piece);
            rt_blob_release(piece);
            if (status != RT_OK) {
                return false;
            }
        }
    }
    return true;
}

static void free_serving(struct fakeds__serving *serving)
{
    ds_peer__request__free_unpacked(serving->request, NULL);
    free(serving->objects);
    free(serving->takings);
    free(serving->response.objects);
    fakeds__content_release(serving->content);
    free(serving);
}

void fakeds__serve_gone(struct fakeds__cluster *cluster, const struct grpc_call *call)
{
    struct fakeds__serving *serving;
    TAILQ_FOREACH(serving, &cluster->servings, others)
    {
        if (serving->call == call) {
            serving->call = NULL;
        }
    }
}

void fakeds__serve_fini(struct fakeds__cluster *cluster)
{
    while (!TAILQ_EMPTY(&cluster->servings)) {
        struct fakeds__serving *serving = TAILQ_FIRST(&cluster->servings);
        TAILQ_REMOVE(&cluster->servings, serving, others);
        free_serving(serving);
    }
}
