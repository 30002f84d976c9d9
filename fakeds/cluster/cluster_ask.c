/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

#include <stdlib.h>

/*
 * One question to a peer:
 *
 *   ask --gRPC--> response --pieces of the value--> end --> asked
 *    `--oneself: a task --> serve --> answered ------------^
 */
struct fakeds__ask {
    struct fakeds__cluster *cluster;
    struct fakeds__link *link;
    fakeds__asked_fn *done;
    void *arg;
    struct grpc_request *grpc; /* NULL: to oneself, or over */
    DsPeer__Request *own;      /* to oneself, until it is served */
    struct rt_task own_task;
    DsPeer__Response *response;
    struct rt_blob_builder value;
    bool is_spoilt;
    TAILQ_ENTRY(fakeds__ask) others;
};

static bool send_request(struct fakeds__ask *ask, DsPeer__Request *request, uint64_t deadline_us);
static bool copy_request(struct fakeds__ask *ask, const DsPeer__Request *request);
static void on_own(void *arg);
static void on_message(void *arg, struct rt_slice message);
static void take_piece(struct fakeds__ask *ask, struct rt_slice piece);
static void on_end(void *arg, const struct grpc_outcome *outcome);
static void finish(struct fakeds__ask *ask, int32_t code, struct rt_blob *value);
static void free_ask(struct fakeds__ask *ask);

enum { HELD_COUNT = 256 }; /* in one question */
#define CONNECT_TIMEOUT_US (UINT64_C(3) * 1000000)
#define TELL_US            (UINT64_C(5) * 1000000)

static const struct grpc_request_handler HANDLER = {.on_message = on_message, .on_end = on_end};

struct fakeds__ask *fakeds__ask(struct fakeds__cluster *cluster, struct fakeds__link *link,
                                DsPeer__Request *request, uint64_t deadline_us,
                                fakeds__asked_fn *done, void *arg)
{
    struct fakeds__ask *ask = calloc(1, sizeof(*ask));
    if (ask == NULL) {
        return NULL;
    }
    ask->cluster = cluster;
    ask->link = link;
    ask->done = done;
    ask->arg = arg;
    request->from = pb_bytes(rt_slice_text(cluster->worker->address));
    rt_task_init(&ask->own_task, cluster->worker->environment.loop, on_own, ask);
    TAILQ_INSERT_TAIL(&cluster->asks, ask, others);
    bool is_sent =
        link->is_self ? copy_request(ask, request) : send_request(ask, request, deadline_us);
    if (!is_sent) {
        free_ask(ask);
        return NULL;
    }
    return ask;
}

static bool send_request(struct fakeds__ask *ask, DsPeer__Request *request, uint64_t deadline_us)
{
    struct fakeds_worker *worker = ask->cluster->worker;
    struct fakeds__link *link = ask->link;
    struct grpc_channel_options options = {.name = worker->options.name,
                                           .address = link->address,
                                           .connect_timeout_us = CONNECT_TIMEOUT_US};
    if (link->channel == NULL &&
        grpc_channel_create(worker->environment.loop, worker->environment.network, &options,
                            &link->channel) != RT_OK) {
        return false;
    }
    if (grpc_request_start(link->channel, FAKEDS__PEER_PATH, NULL, 0, deadline_us, &HANDLER, ask,
                           &ask->grpc) != RT_OK) {
        return false;
    }
    uint8_t *room = grpc_request_reserve(ask->grpc, ds_peer__request__get_packed_size(request));
    if (room == NULL) {
        return false;
    }
    ds_peer__request__pack(request, room);
    grpc_request_half_close(ask->grpc);
    return true;
}

/* Through bytes, so that what is served is the server's in either case. */
static bool copy_request(struct fakeds__ask *ask, const DsPeer__Request *request)
{
    size_t len_bytes = ds_peer__request__get_packed_size(request);
    uint8_t *packed = malloc(len_bytes + 1);
    if (packed == NULL) {
        return false;
    }
    ds_peer__request__pack(request, packed);
    ask->own = ds_peer__request__unpack(NULL, len_bytes, packed);
    free(packed);
    if (ask->own != NULL) {
        rt_task_schedule(&ask->own_task);
    }
    return ask->own != NULL;
}

static void on_own(void *arg)
{
    struct fakeds__ask *ask = arg;
    DsPeer__Request *request = ask->own;
    ask->own = NULL;
    fakeds__serve(ask->cluster, request, NULL, ask);
}

void fakeds__ask_answered(struct fakeds__ask *ask, const DsPeer__Response *response)
{
    fakeds__asked_fn *done = ask->done;
    void *arg = ask->arg;
    free_ask(ask);
    if (done != NULL) {
        done(arg, GRPC_OK, response, NULL);
    }
}

static void on_message(void *arg, struct rt_slice message)
{
    struct fakeds__ask *ask = arg;
    if (ask->response != NULL) {
        take_piece(ask, message);
        return;
    }
    ask->response = ds_peer__response__unpack(NULL, message.len_bytes, message.data);
    ask->is_spoilt = ask->response == NULL;
    if (ask->response != NULL && ask->response->n_objects == 1) {
        rt_blob_builder_init(&ask->value, ask->response->objects[0]->size_bytes);
    }
}

/* The one copy of a value that moves between workers: out of the frames of HTTP/2. */
static void take_piece(struct fakeds__ask *ask, struct rt_slice piece)
{
    while (piece.len_bytes > 0 && !ask->is_spoilt) {
        uint8_t *room;
        size_t room_bytes;
        if (rt_blob_builder_is_full(&ask->value) ||
            rt_blob_builder_space(&ask->value, &room, &room_bytes) != RT_OK) {
            ask->is_spoilt = true;
            return;
        }
        size_t here_bytes = room_bytes < piece.len_bytes ? room_bytes : piece.len_bytes;
        memcpy(room, piece.data, here_bytes);
        rt_blob_builder_commit(&ask->value, here_bytes);
        piece = rt_slice_of(piece.data + here_bytes, piece.len_bytes - here_bytes);
    }
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct fakeds__ask *ask = arg;
    struct rt_blob *value = NULL;
    int32_t code = outcome->code;
    ask->grpc = NULL;
    if (code == GRPC_OK && (ask->response == NULL || ask->is_spoilt)) {
        code = GRPC_INTERNAL;
    }
    if (code == GRPC_OK && ask->value.filled_bytes > 0 && rt_blob_builder_is_full(&ask->value)) {
        value = rt_blob_builder_finish(&ask->value);
    }
    finish(ask, code, value);
}

static void finish(struct fakeds__ask *ask, int32_t code, struct rt_blob *value)
{
    fakeds__asked_fn *done = ask->done;
    void *arg = ask->arg;
    DsPeer__Response *response = ask->response;
    ask->response = NULL;
    free_ask(ask);
    if (done != NULL) {
        done(arg, code, code == GRPC_OK ? response : NULL, value);
    }
    rt_blob_release(value);
    if (response != NULL) {
        ds_peer__response__free_unpacked(response, NULL);
    }
}

void fakeds__ask_cancel(struct fakeds__ask *ask)
{
    free_ask(ask);
}

static void free_ask(struct fakeds__ask *ask)
{
    TAILQ_REMOVE(&ask->cluster->asks, ask, others);
    rt_task_cancel(&ask->own_task);
    if (ask->grpc != NULL) {
        grpc_request_cancel(ask->grpc);
    }
    if (ask->own != NULL) {
        ds_peer__request__free_unpacked(ask->own, NULL);
    }
    if (ask->response != NULL) {
        ds_peer__response__free_unpacked(ask->response, NULL);
    }
    rt_blob_builder_fini(&ask->value);
    free(ask);
}

void fakeds__tell(struct fakeds__cluster *cluster, struct fakeds__link *link,
                  DsPeer__Request__Kind kind, const DsPeer__Object *object)
{
    DsPeer__Request request = DS_PEER__REQUEST__INIT;
    DsPeer__Object copied = *object;
    DsPeer__Object *objects[] = {&copied};
    request.kind = kind;
    request.objects = objects;
    request.n_objects = 1;
    (void)fakeds__ask(cluster, link, &request,
                      rt_loop_now_us(cluster->worker->environment.loop) + TELL_US, NULL, NULL);
}

/* ---- about what is here --------------------------------------------------------------------- */

size_t fakeds__ask_about_held(struct fakeds__cluster *cluster, struct fakeds__link *link,
                              DsPeer__Request__Kind kind, fakeds__choose_fn *choose,
                              uint64_t deadline_us, fakeds__asked_fn *done, void *arg)
{
    DsPeer__Object *objects = calloc(HELD_COUNT, sizeof(*objects));
    DsPeer__Object **pointers = calloc(HELD_COUNT, sizeof(DsPeer__Object *));
    DsPeer__Request request = DS_PEER__REQUEST__INIT;
    uint64_t now_us = fakeds__now_us(cluster->worker);
    size_t asked_count = 0;
    struct fakeds__object *object;
    struct fakeds__object *next;
    request.kind = kind;
    request.objects = pointers;
    RT_TABLE_EACH(object, next, cluster->worker->store.objects)
    {
        if (objects == NULL || pointers == NULL || !choose(cluster, link, object->key)) {
            continue;
        }
        pointers[request.n_objects] = &objects[request.n_objects];
        fakeds__describe(object, now_us, &objects[request.n_objects++]);
        if (request.n_objects == HELD_COUNT) {
            asked_count += fakeds__ask(cluster, link, &request, deadline_us, done, arg) != NULL;
            request.n_objects = 0;
        }
    }
    if (request.n_objects > 0) {
        asked_count += fakeds__ask(cluster, link, &request, deadline_us, done, arg) != NULL;
    }
    free(objects);
    free(pointers);
    return asked_count;
}

void fakeds__describe(const struct fakeds__object *object, uint64_t now_us, DsPeer__Object *out)
{
    ds_peer__object__init(out);
    out->key = pb_bytes(object->key);
    out->is_found = true;
    out->write_mode = object->content->write_mode;
    out->consistency = object->content->consistency;
    out->cache_type = object->content->cache_type;
    out->version_us = object->content->version_us;
    out->size_bytes = object->content->size_bytes;
    out->ttl_us = object->expires_us == RT_NEVER ? 0
                  : object->expires_us > now_us  ? object->expires_us - now_us
                                                 : 1;
}
