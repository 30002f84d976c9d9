/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

#include "fakeds/request/dispatch.h"

#include <stdlib.h>

/*
 *   pull --> PULL of the holder --> store a copy, wake who waits --> HOLD to the owner
 *    ^              |
 *    '--- 5 ms -----'  not there (yet): its owner knew of it before it was stored; three times
 */
struct fakeds__pull {
    struct fakeds__cluster *cluster;
    struct fakeds__link *holder;
    struct fakeds__ask *ask;
    fakeds__pulled_fn *done;
    void *arg;
    uint64_t deadline_us;
    unsigned tries;
    struct rt_timer timer;
    TAILQ_ENTRY(fakeds__pull) others;
    size_t key_bytes;
    uint8_t key[];
};

static void ask(void *arg);
static void on_answer(void *arg, int32_t code, const DsPeer__Response *response,
                      struct rt_blob *value);
static int32_t store_copy(struct fakeds__pull *pull, const DsPeer__Object *told,
                          struct rt_blob *value);
static void tell_owner(struct fakeds__pull *pull, const DsPeer__Object *told);
static void end(struct fakeds__pull *pull, int32_t code);

enum { TRY_LIMIT = 3 };
#define TRY_US UINT64_C(5000)

struct fakeds__pull *fakeds__pull(struct fakeds__cluster *cluster, struct fakeds__link *holder,
                                  struct rt_slice key, uint64_t deadline_us,
                                  fakeds__pulled_fn *done, void *arg)
{
    struct rt_loop *loop = cluster->worker->environment.loop;
    struct fakeds__pull *pull = calloc(1, sizeof(*pull) + key.len_bytes);
    if (pull == NULL) {
        return NULL;
    }
    pull->cluster = cluster;
    pull->holder = holder;
    pull->done = done;
    pull->arg = arg;
    pull->deadline_us = deadline_us;
    pull->key_bytes = key.len_bytes;
    memcpy(pull->key, key.data, key.len_bytes);
    rt_timer_init(&pull->timer, loop, ask, pull);
    if (rt_timer_arm(&pull->timer, rt_loop_now_us(loop)) != RT_OK) {
        free(pull);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&cluster->pulls, pull, others);
    return pull;
}

static struct rt_slice key_of(const struct fakeds__pull *pull)
{
    return rt_slice_of(pull->key, pull->key_bytes);
}

static void ask(void *arg)
{
    struct fakeds__pull *pull = arg;
    DsPeer__Request request = DS_PEER__REQUEST__INIT;
    DsPeer__Object object = DS_PEER__OBJECT__INIT;
    DsPeer__Object *objects[] = {&object};
    if (fakeds__store_find(&pull->cluster->worker->store, key_of(pull)) != NULL) {
        end(pull, K_OK); /* it has come meanwhile */
        return;
    }
    if (pull->holder->is_self) {
        end(pull, K_NOT_FOUND);
        return;
    }
    object.key = pb_bytes(key_of(pull));
    request.kind = DS_PEER__REQUEST__KIND__PULL;
    request.objects = objects;
    request.n_objects = 1;
    pull->ask =
        fakeds__ask(pull->cluster, pull->holder, &request, pull->deadline_us, on_answer, pull);
    if (pull->ask == NULL) {
        end(pull, K_OUT_OF_MEMORY);
    }
}

static void on_answer(void *arg, int32_t code, const DsPeer__Response *response,
                      struct rt_blob *value)
{
    struct fakeds__pull *pull = arg;
    pull->ask = NULL;
    if (code != GRPC_OK) {
        end(pull, K_RPC_UNAVAILABLE);
        return;
    }
    if (response->code == K_OK && response->n_objects == 1 && value != NULL) {
        end(pull, store_copy(pull, response->objects[0], value));
        return;
    }
    if (++pull->tries < TRY_LIMIT && rt_timer_arm_after(&pull->timer, TRY_US) == RT_OK) {
        return;
    }
    end(pull, K_NOT_FOUND);
}

static int32_t store_copy(struct fakeds__pull *pull, const DsPeer__Object *told,
                          struct rt_blob *value)
{
    struct fakeds_worker *worker = pull->cluster->worker;
    struct fakeds__object *object = fakeds__store_find(&worker->store, key_of(pull));
    struct zmtp_frame part = {.blob = value, .bytes = rt_blob_slice(value)};
    uint64_t now_us = fakeds__now_us(worker);
    if (object != NULL && object->content->version_us >= told->version_us) {
        return K_OK;
    }
    if (!fakeds__store_has_room(&worker->store, fakeds__class_bytes(part.bytes.len_bytes))) {
        fakeds__evict_for(worker, fakeds__class_bytes(part.bytes.len_bytes));
        return K_OUT_OF_MEMORY;
    }
    struct fakeds__content *content = fakeds__content_create(&part, 1);
    if (content == NULL) {
        return K_OUT_OF_MEMORY;
    }
    content->write_mode = told->write_mode;
    content->consistency = told->consistency;
    content->cache_type = told->cache_type;
    content->version_us = told->version_us;
    if (fakeds__store_put(&worker->store, key_of(pull), content, &object) != RT_OK) {
        fakeds__content_release(content);
        return K_OUT_OF_MEMORY;
    }
    fakeds__store_set_expiry(&worker->store, object,
                             told->ttl_us == 0 ? RT_NEVER : now_us + told->ttl_us);
    fakeds__arm_scan(worker);
    tell_owner(pull, told);
    fakeds__evict_if_full(worker);
    fakeds__fresh_memory(worker);
    fakeds__notify(worker, key_of(pull), content);
    return K_OK;
}

static void tell_owner(struct fakeds__pull *pull, const DsPeer__Object *told)
{
    struct fakeds__link *owner = fakeds__link_owner(pull->cluster, key_of(pull));
    DsPeer__Object object = *told;
    object.key = pb_bytes(key_of(pull));
    object.holder = pb_bytes(rt_slice_text(pull->holder->address));
    object.is_found = true;
    if (owner != NULL) {
        fakeds__tell(pull->cluster, owner, DS_PEER__REQUEST__KIND__HOLD, &object);
    }
}

static void end(struct fakeds__pull *pull, int32_t code)
{
    fakeds__pulled_fn *done = pull->done;
    void *arg = pull->arg;
    fakeds__pull_cancel(pull);
    if (done != NULL) {
        done(arg, code);
    }
}

void fakeds__pull_cancel(struct fakeds__pull *pull)
{
    TAILQ_REMOVE(&pull->cluster->pulls, pull, others);
    rt_timer_disarm(&pull->timer);
    if (pull->ask != NULL) {
        fakeds__ask_cancel(pull->ask);
    }
    free(pull);
}
