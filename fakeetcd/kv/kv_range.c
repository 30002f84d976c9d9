/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/store/key_index.h"

#include <stdlib.h>

/*
 * Reading: filters and order first, the limit afterwards. Without filters and an order the walk
 * stops as soon as the limit has cut something; as in etcd also when another target than the key is
 * then sorted by.
 */
struct found {
    struct fakeetcd_kv kv;
    size_t position; /* decides between equals */
};

struct search {
    struct fakeetcd_server *server;
    const Etcdserverpb__RangeRequest *request;
    struct found *items;
    size_t count;
    size_t capacity;
    size_t stop_count; /* so many are enough; 0: all */
    bool is_failed;
};

static bool on_visit(void *arg, const struct fakeetcd_kv *kv);
static bool is_filtered(const Etcdserverpb__RangeRequest *request, const struct fakeetcd_kv *kv);
static bool has_filters(const Etcdserverpb__RangeRequest *request);
static bool is_sorted(const Etcdserverpb__RangeRequest *request);
static bool keep(struct search *search, const struct fakeetcd_kv *kv);
static void sort(struct search *search);
static int compare_numbers(int64_t a, int64_t b);
static enum fakeetcd_error find_one(struct search *search,
                                    Etcdserverpb__RangeResponse *out_response);
static enum fakeetcd_error write_found(struct search *search,
                                       Etcdserverpb__RangeResponse *out_response);

enum fakeetcd_error fakeetcd__apply_range(struct fakeetcd_server *server,
                                          const Etcdserverpb__RangeRequest *request,
                                          Etcdserverpb__RangeResponse *out_response)
{
    struct fakeetcd_store *store = server->state.store;
    struct search search = {.server = server, .request = request};
    const struct fakeetcd_interval interval = {pb_slice(request->key),
                                               pb_slice(request->range_end)};
    enum fakeetcd_error error = fakeetcd_store_check_revision(store, request->revision);
    if (error != FAKEETCD_OK) {
        return error;
    }
    if (interval.end.len_bytes == 0) {
        return find_one(&search, out_response);
    }
    out_response->count = (int64_t)fakeetcd_store_count(store, &interval, request->revision);
    if (request->count_only) {
        return FAKEETCD_OK;
    }
    if (request->limit > 0 && !has_filters(request) &&
        request->sort_order == ETCDSERVERPB__RANGE_REQUEST__SORT_ORDER__NONE) {
        search.stop_count = (size_t)request->limit + 1;
    }
    fakeetcd_store_walk(store, &interval, request->revision, on_visit, &search);
    if (search.is_failed) {
        return FAKEETCD_E_NOMEM;
    }
    if (is_sorted(request)) {
        sort(&search);
    }
    return write_found(&search, out_response);
}

static enum fakeetcd_error find_one(struct search *search,
                                    Etcdserverpb__RangeResponse *out_response)
{
    struct found found = {0};
    const Etcdserverpb__RangeRequest *request = search->request;
    if (!fakeetcd_store_get(search->server->state.store, pb_slice(request->key), request->revision,
                            &found.kv)) {
        return FAKEETCD_OK;
    }
    out_response->count = 1;
    if (request->count_only || is_filtered(request, &found.kv)) {
        return FAKEETCD_OK;
    }
    search->items = &found;
    search->count = 1;
    return write_found(search, out_response);
}

/* ---- collecting ---- */

static bool on_visit(void *arg, const struct fakeetcd_kv *kv)
{
    struct search *search = arg;
    if (!is_filtered(search->request, kv) && !keep(search, kv)) {
        search->is_failed = true;
        return false;
    }
    return search->stop_count == 0 || search->count < search->stop_count;
}

static bool keep(struct search *search, const struct fakeetcd_kv *kv)
{
    struct found *items = pb_arena_grow(&search->server->arena, search->items, search->count,
                                        &search->capacity, sizeof(*items));
    if (items == NULL) {
        return false;
    }
    search->items = items;
    search->items[search->count] = (struct found){.kv = *kv, .position = search->count};
    search->count++;
    return true;
}

static bool has_filters(const Etcdserverpb__RangeRequest *request)
{
    return request->min_mod_revision != 0 || request->max_mod_revision != 0 ||
           request->min_create_revision != 0 || request->max_create_revision != 0;
}

/* 0 is no limit. */
static bool is_filtered(const Etcdserverpb__RangeRequest *request, const struct fakeetcd_kv *kv)
{
    return (request->min_mod_revision != 0 && kv->mod_revision < request->min_mod_revision) ||
           (request->max_mod_revision != 0 && kv->mod_revision > request->max_mod_revision) ||
           (request->min_create_revision != 0 &&
            kv->create_revision < request->min_create_revision) ||
           (request->max_create_revision != 0 &&
            kv->create_revision > request->max_create_revision);
}

/* ---- order ---- */

/* Keys come in ascending order by themselves; another target without an order means ascending. */
static bool is_sorted(const Etcdserverpb__RangeRequest *request)
{
    return request->sort_order == ETCDSERVERPB__RANGE_REQUEST__SORT_ORDER__DESCEND ||
           request->sort_target != ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__KEY;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_found(const void *left, const void *right, void *arg)
{
    const struct found *a = left;
    const struct found *b = right;
    const Etcdserverpb__RangeRequest *request = arg;
    int order = 0;
    switch (request->sort_target) {
    case ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__KEY:
        order = fakeetcd__compare(a->kv.key, b->kv.key);
        break;
    case ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__VERSION:
        order = compare_numbers(a->kv.version, b->kv.version);
        break;
    case ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__CREATE:
        order = compare_numbers(a->kv.create_revision, b->kv.create_revision);
        break;
    case ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__MOD:
        order = compare_numbers(a->kv.mod_revision, b->kv.mod_revision);
        break;
    case ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__VALUE:
        order = fakeetcd__compare(a->kv.value, b->kv.value);
        break;
    default: /* 3.4 lets targets pass that do not exist, and leaves the order */
        break;
    }
    if (request->sort_order == ETCDSERVERPB__RANGE_REQUEST__SORT_ORDER__DESCEND) {
        order = -order;
    }
    return order != 0 ? order : (a->position > b->position) - (a->position < b->position);
}

static void sort(struct search *search)
{
    if (search->count > 0) {
        qsort_r(search->items, search->count, sizeof(*search->items), compare_found,
                (void *)(uintptr_t)search->request);
    }
}

/* ---- the answer ---- */

static enum fakeetcd_error write_found(struct search *search,
                                       Etcdserverpb__RangeResponse *out_response)
{
    const Etcdserverpb__RangeRequest *request = search->request;
    struct pb_arena *arena = &search->server->arena;
    size_t count = search->count;
    if (request->limit > 0 && (uint64_t)request->limit < count) {
        count = (size_t)request->limit;
        out_response->more = true;
    }
    if (count == 0) {
        return FAKEETCD_OK;
    }
    Mvccpb__KeyValue *kvs = pb_arena_take(arena, count * sizeof(*kvs));
    Mvccpb__KeyValue **pointers = pb_arena_take(arena, count * sizeof(Mvccpb__KeyValue *));
    if (kvs == NULL || pointers == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        fakeetcd__kv_fill(&search->items[i].kv, &kvs[i]);
        if (request->keys_only) {
            kvs[i].value = (ProtobufCBinaryData){0};
        }
        pointers[i] = &kvs[i];
    }
    out_response->n_kvs = count;
    out_response->kvs = pointers;
    return FAKEETCD_OK;
}
