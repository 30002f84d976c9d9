/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/store/key_index.h"

/*
 * A transaction, as etcd runs it:
 *
 *   1. all compares, nested ones too, against the state before it: which way it goes
 *   2. on that way: do leases, keys and revisions exist?
 *   3. the operations in order, each seeing what the earlier ones wrote
 *
 * Step 3 can still fail where an operation took away what a later one needs; then the whole write
 * is given up.
 */
struct path {
    struct fakeetcd_server *server;
    bool *is_yes; /* one for each transaction on the way, in the order they are met */
    size_t count;
    size_t capacity;
    size_t next; /* when it is walked again */
};

static enum fakeetcd_error choose(struct path *path, const Etcdserverpb__TxnRequest *txn);
static bool is_true(struct fakeetcd_server *server, const Etcdserverpb__Compare *compare);
static bool is_kv_true(const Etcdserverpb__Compare *compare, const struct fakeetcd_kv *kv);
static int compare_kv(const Etcdserverpb__Compare *compare, const struct fakeetcd_kv *kv);
static int sign(int64_t a, int64_t b);
static bool on_compare(void *arg, const struct fakeetcd_kv *kv);
typedef enum fakeetcd_error foresee_fn(struct fakeetcd_server *server,
                                       const Etcdserverpb__RequestOp *op);
static enum fakeetcd_error foresee(struct path *path, const Etcdserverpb__TxnRequest *txn,
                                   foresee_fn *look);
static foresee_fn foresee_put;
static foresee_fn foresee_range;
static enum fakeetcd_error run(struct path *path, const Etcdserverpb__TxnRequest *txn,
                               Etcdserverpb__TxnResponse *out_response);
static enum fakeetcd_error run_op(struct path *path, const Etcdserverpb__RequestOp *op,
                                  Etcdserverpb__ResponseOp *out_response);
static Etcdserverpb__ResponseHeader *revision_header(struct fakeetcd_server *server);

enum fakeetcd_error fakeetcd__apply_txn(struct fakeetcd_server *server,
                                        const Etcdserverpb__TxnRequest *request,
                                        Etcdserverpb__TxnResponse *out_response)
{
    struct path path = {.server = server};
    enum fakeetcd_error error = choose(&path, request);
    if (error == FAKEETCD_OK) {
        error = foresee(&path, request, foresee_put);
    }
    path.next = 0;
    if (error == FAKEETCD_OK) {
        error = foresee(&path, request, foresee_range);
    }
    path.next = 0;
    return error == FAKEETCD_OK ? run(&path, request, out_response) : error;
}

enum fakeetcd_error fakeetcd__run_txn(struct fakeetcd_server *server,
                                      const Etcdserverpb__TxnRequest *request,
                                      Etcdserverpb__TxnResponse *out_response)
{
    fakeetcd__begin_write(server);
    enum fakeetcd_error error = fakeetcd__apply_txn(server, request, out_response);
    return fakeetcd__end_write(server, error);
}

/* ---- 1. compares ---- */

static enum fakeetcd_error choose(struct path *path, const Etcdserverpb__TxnRequest *txn)
{
    bool is_yes = true;
    for (size_t i = 0; is_yes && i < txn->n_compare; i++) {
        is_yes = is_true(path->server, txn->compare[i]);
    }
    bool *grown = pb_arena_grow(&path->server->arena, path->is_yes, path->count, &path->capacity,
                                sizeof(*grown));
    if (grown == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    path->is_yes = grown;
    path->is_yes[path->count++] = is_yes;
    Etcdserverpb__RequestOp *const *ops = is_yes ? txn->success : txn->failure;
    size_t op_count = is_yes ? txn->n_success : txn->n_failure;
    enum fakeetcd_error error = FAKEETCD_OK;
    for (size_t i = 0; error == FAKEETCD_OK && i < op_count; i++) {
        if (ops[i]->request_case == ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN) {
            error = choose(path, ops[i]->request_txn);
        }
    }
    return error;
}

struct comparison {
    const Etcdserverpb__Compare *compare;
    bool has_any;
    bool is_true;
};

/* An absent key has zeros, but no value: a compare of values fails. */
static bool is_true(struct fakeetcd_server *server, const Etcdserverpb__Compare *compare)
{
    struct comparison comparison = {.compare = compare, .is_true = true};
    const struct fakeetcd_interval interval = {pb_slice(compare->key),
                                               pb_slice(compare->range_end)};
    struct fakeetcd_kv kv = {0};
    if (interval.end.len_bytes == 0) {
        comparison.has_any = fakeetcd_store_get(server->state.store, interval.key, 0, &kv);
        comparison.is_true = comparison.has_any && is_kv_true(compare, &kv);
    } else {
        fakeetcd_store_walk(server->state.store, &interval, 0, on_compare, &comparison);
    }
    if (comparison.has_any) {
        return comparison.is_true;
    }
    kv = (struct fakeetcd_kv){0};
    return compare->target != ETCDSERVERPB__COMPARE__COMPARE_TARGET__VALUE &&
           is_kv_true(compare, &kv);
}

static bool on_compare(void *arg, const struct fakeetcd_kv *kv)
{
    struct comparison *comparison = arg;
    comparison->has_any = true;
    comparison->is_true = is_kv_true(comparison->compare, kv);
    return comparison->is_true;
}

static bool is_kv_true(const Etcdserverpb__Compare *compare, const struct fakeetcd_kv *kv)
{
    int order = compare_kv(compare, kv);
    switch (compare->result) {
    case ETCDSERVERPB__COMPARE__COMPARE_RESULT__EQUAL:
        return order == 0;
    case ETCDSERVERPB__COMPARE__COMPARE_RESULT__NOT_EQUAL:
        return order != 0;
    case ETCDSERVERPB__COMPARE__COMPARE_RESULT__GREATER:
        return order > 0;
    case ETCDSERVERPB__COMPARE__COMPARE_RESULT__LESS:
        return order < 0;
    default:
        return true; /* as etcd: a relation that does not exist holds */
    }
}

/* A union that does not fit the target counts as zero. */
static int compare_kv(const Etcdserverpb__Compare *compare, const struct fakeetcd_kv *kv)
{
    Etcdserverpb__Compare__TargetUnionCase given = compare->target_union_case;
    struct rt_slice value = {0};
    switch (compare->target) {
    case ETCDSERVERPB__COMPARE__COMPARE_TARGET__VERSION:
        return sign(kv->version,
                    given == ETCDSERVERPB__COMPARE__TARGET_UNION_VERSION ? compare->version : 0);
    case ETCDSERVERPB__COMPARE__COMPARE_TARGET__CREATE:
        return sign(kv->create_revision,
                    given == ETCDSERVERPB__COMPARE__TARGET_UNION_CREATE_REVISION
                        ? compare->create_revision
                        : 0);
    case ETCDSERVERPB__COMPARE__COMPARE_TARGET__MOD:
        return sign(kv->mod_revision, given == ETCDSERVERPB__COMPARE__TARGET_UNION_MOD_REVISION
                                          ? compare->mod_revision
                                          : 0);
    case ETCDSERVERPB__COMPARE__COMPARE_TARGET__VALUE:
        if (given == ETCDSERVERPB__COMPARE__TARGET_UNION_VALUE) {
            value = pb_slice(compare->value);
        }
        return fakeetcd__compare(kv->value, value);
    case ETCDSERVERPB__COMPARE__COMPARE_TARGET__LEASE:
        return sign(kv->lease,
                    given == ETCDSERVERPB__COMPARE__TARGET_UNION_LEASE ? compare->lease : 0);
    default:
        return 0;
    }
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* ---- 2. what can be known before ---- */

/* Puts of the whole way first, then ranges, as in etcd: it decides which error is told. */
static enum fakeetcd_error foresee(struct path *path, const Etcdserverpb__TxnRequest *txn,
                                   foresee_fn *look)
{
    bool is_yes = path->is_yes[path->next++];
    Etcdserverpb__RequestOp *const *ops = is_yes ? txn->success : txn->failure;
    size_t op_count = is_yes ? txn->n_success : txn->n_failure;
    enum fakeetcd_error error = FAKEETCD_OK;
    for (size_t i = 0; error == FAKEETCD_OK && i < op_count; i++) {
        error = ops[i]->request_case == ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN
                    ? foresee(path, ops[i]->request_txn, look)
                    : look(path->server, ops[i]);
    }
    return error;
}

/* Outside a transaction a negative revision is the current one; here it is one of long ago. */
static enum fakeetcd_error foresee_range(struct fakeetcd_server *server,
                                         const Etcdserverpb__RequestOp *op)
{
    const struct fakeetcd_store *store = server->state.store;
    if (op->request_case != ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE) {
        return FAKEETCD_OK;
    }
    int64_t revision = op->request_range->revision;
    return revision < 0 && revision < fakeetcd_store_first(store)
               ? FAKEETCD_E_COMPACTED
               : fakeetcd_store_check_revision(store, revision);
}

static enum fakeetcd_error foresee_put(struct fakeetcd_server *server,
                                       const Etcdserverpb__RequestOp *op)
{
    const Etcdserverpb__PutRequest *request = op->request_put;
    struct fakeetcd_kv kv;
    if (op->request_case != ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT) {
        return FAKEETCD_OK;
    }
    struct fakeetcd_lease_info info;
    if ((request->ignore_value || request->ignore_lease) &&
        !fakeetcd_store_get(server->state.store, pb_slice(request->key), 0, &kv)) {
        return FAKEETCD_E_KEY_NOT_FOUND;
    }
    if (request->lease != 0 && !fakeetcd_lease_find(server->state.leases, request->lease, &info)) {
        return FAKEETCD_E_LEASE_NOT_FOUND;
    }
    return FAKEETCD_OK;
}

/* ---- 3. running ---- */

static enum fakeetcd_error run(struct path *path, const Etcdserverpb__TxnRequest *txn,
                               Etcdserverpb__TxnResponse *out_response)
{
    struct pb_arena *arena = &path->server->arena;
    bool is_yes = path->is_yes[path->next++];
    Etcdserverpb__RequestOp *const *ops = is_yes ? txn->success : txn->failure;
    size_t op_count = is_yes ? txn->n_success : txn->n_failure;
    Etcdserverpb__ResponseOp *responses = pb_arena_array(arena, op_count, sizeof(*responses));
    Etcdserverpb__ResponseOp **pointers =
        pb_arena_array(arena, op_count, sizeof(Etcdserverpb__ResponseOp *));
    enum fakeetcd_error error = FAKEETCD_OK;
    if (responses == NULL || pointers == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    for (size_t i = 0; error == FAKEETCD_OK && i < op_count; i++) {
        etcdserverpb__response_op__init(&responses[i]);
        pointers[i] = &responses[i];
        error = run_op(path, ops[i], &responses[i]);
    }
    out_response->succeeded = is_yes;
    out_response->n_responses = op_count;
    out_response->responses = pointers;
    return error;
}

#define NEW(server, type, name)                                                                    \
    type *name = pb_arena_take(&(server)->arena, sizeof(*name));                                   \
    if (name == NULL) {                                                                            \
        return FAKEETCD_E_NOMEM;                                                                   \
    }

static enum fakeetcd_error run_range(struct fakeetcd_server *server,
                                     const Etcdserverpb__RangeRequest *request,
                                     Etcdserverpb__ResponseOp *out_response)
{
    NEW(server, Etcdserverpb__RangeResponse, range)
    etcdserverpb__range_response__init(range);
    out_response->response_case = ETCDSERVERPB__RESPONSE_OP__RESPONSE_RESPONSE_RANGE;
    out_response->response_range = range;
    enum fakeetcd_error error = fakeetcd__apply_range(server, request, range);
    range->header = revision_header(server);
    return range->header == NULL ? FAKEETCD_E_NOMEM : error;
}

static enum fakeetcd_error run_put(struct fakeetcd_server *server,
                                   const Etcdserverpb__PutRequest *request,
                                   Etcdserverpb__ResponseOp *out_response)
{
    NEW(server, Etcdserverpb__PutResponse, put)
    etcdserverpb__put_response__init(put);
    out_response->response_case = ETCDSERVERPB__RESPONSE_OP__RESPONSE_RESPONSE_PUT;
    out_response->response_put = put;
    enum fakeetcd_error error = fakeetcd__apply_put(server, request, put);
    put->header = revision_header(server);
    return put->header == NULL ? FAKEETCD_E_NOMEM : error;
}

static enum fakeetcd_error run_delete(struct fakeetcd_server *server,
                                      const Etcdserverpb__DeleteRangeRequest *request,
                                      Etcdserverpb__ResponseOp *out_response)
{
    NEW(server, Etcdserverpb__DeleteRangeResponse, deletion)
    etcdserverpb__delete_range_response__init(deletion);
    out_response->response_case = ETCDSERVERPB__RESPONSE_OP__RESPONSE_RESPONSE_DELETE_RANGE;
    out_response->response_delete_range = deletion;
    enum fakeetcd_error error = fakeetcd__apply_delete(server, request, deletion);
    deletion->header = revision_header(server);
    return deletion->header == NULL ? FAKEETCD_E_NOMEM : error;
}

/* A nested transaction has an empty header. */
static enum fakeetcd_error run_nested(struct path *path, const Etcdserverpb__TxnRequest *request,
                                      Etcdserverpb__ResponseOp *out_response)
{
    NEW(path->server, Etcdserverpb__TxnResponse, nested)
    NEW(path->server, Etcdserverpb__ResponseHeader, header)
    etcdserverpb__txn_response__init(nested);
    etcdserverpb__response_header__init(header);
    nested->header = header;
    out_response->response_case = ETCDSERVERPB__RESPONSE_OP__RESPONSE_RESPONSE_TXN;
    out_response->response_txn = nested;
    return run(path, request, nested);
}

static enum fakeetcd_error run_op(struct path *path, const Etcdserverpb__RequestOp *op,
                                  Etcdserverpb__ResponseOp *out_response)
{
    switch (op->request_case) {
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE:
        return run_range(path->server, op->request_range, out_response);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT:
        return run_put(path->server, op->request_put, out_response);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_DELETE_RANGE:
        return run_delete(path->server, op->request_delete_range, out_response);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN:
        return run_nested(path, op->request_txn, out_response);
    default:
        return FAKEETCD_OK; /* refused by its shape */
    }
}

/* Inside a transaction a header says the revision only. */
static Etcdserverpb__ResponseHeader *revision_header(struct fakeetcd_server *server)
{
    Etcdserverpb__ResponseHeader *header = pb_arena_take(&server->arena, sizeof(*header));
    if (header != NULL) {
        etcdserverpb__response_header__init(header);
        header->revision = fakeetcd_store_revision(server->state.store);
    }
    return header;
}
