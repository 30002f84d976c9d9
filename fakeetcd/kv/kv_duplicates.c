/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/store/key_index.h"

#include <bsd/sys/tree.h>

/*
 * No branch of a transaction may put a key twice, or put one that it deletes; nested branches
 * count, though the two branches of one nested transaction may put the same key.
 *
 * As in etcd a branch is looked at in this order: its own deletions, then its nested transactions
 * one after the other, then its own puts; a put is compared with what was collected before it. So
 * a nested transaction that deletes what an earlier one puts is accepted.
 *
 * Puts are a tree by key, deletions a tree of intervals that do not overlap: n log n, whatever the
 * peer sends.
 */
struct put_key {
    RB_ENTRY(put_key) tree;
    struct rt_slice key;
};
RB_HEAD(put_tree, put_key);

/* A place between keys: right before `key`, or right behind it, or behind all of them. */
struct border {
    struct rt_slice key;
    enum { BEFORE, BEHIND, AT_THE_END } where;
};

struct deletion {
    RB_ENTRY(deletion) tree;
    struct border begin;
    struct border end;
};
RB_HEAD(deletion_tree, deletion);

struct branch {
    struct put_tree puts;
    struct deletion_tree deletions;
};

static int compare_borders(const struct border *a, const struct border *b);
static int compare_puts(const struct put_key *a, const struct put_key *b);
static int compare_deletions(const struct deletion *a, const struct deletion *b);
#define UNUSED __attribute__((unused)) static
RB_GENERATE_INTERNAL(put_tree, put_key, tree, compare_puts, UNUSED)
RB_GENERATE_INTERNAL(deletion_tree, deletion, tree, compare_deletions, UNUSED)

static enum fakeetcd_error collect(struct fakeetcd_server *server,
                                   Etcdserverpb__RequestOp *const *ops, size_t count,
                                   struct branch *branch);
static enum fakeetcd_error collect_nested(struct fakeetcd_server *server,
                                          const Etcdserverpb__TxnRequest *txn,
                                          struct branch *branch);
static enum fakeetcd_error add_deletion(struct fakeetcd_server *server, struct branch *branch,
                                        const Etcdserverpb__DeleteRangeRequest *request);
static enum fakeetcd_error add_put(struct fakeetcd_server *server, struct branch *branch,
                                   struct rt_slice key);
static bool is_deleted(struct branch *branch, struct rt_slice key);
static void insert_deletion(struct branch *branch, struct deletion *deletion);
static void take_deletions(struct branch *branch, struct branch *from);

enum fakeetcd_error fakeetcd__check_duplicates(struct fakeetcd_server *server,
                                               Etcdserverpb__RequestOp *const *ops, size_t count)
{
    struct branch branch = {RB_INITIALIZER(&branch.puts), RB_INITIALIZER(&branch.deletions)};
    return collect(server, ops, count, &branch);
}

static enum fakeetcd_error collect(struct fakeetcd_server *server,
                                   Etcdserverpb__RequestOp *const *ops, size_t count,
                                   struct branch *branch)
{
    enum fakeetcd_error error = FAKEETCD_OK;
    for (size_t i = 0; error == FAKEETCD_OK && i < count; i++) {
        if (ops[i]->request_case == ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_DELETE_RANGE) {
            error = add_deletion(server, branch, ops[i]->request_delete_range);
        }
    }
    for (size_t i = 0; error == FAKEETCD_OK && i < count; i++) {
        if (ops[i]->request_case == ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN) {
            error = collect_nested(server, ops[i]->request_txn, branch);
        }
    }
    for (size_t i = 0; error == FAKEETCD_OK && i < count; i++) {
        if (ops[i]->request_case == ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT) {
            error = add_put(server, branch, pb_slice(ops[i]->request_put->key));
        }
    }
    return error;
}

/* Each branch meets what was there before the other was put beside it. */
static enum fakeetcd_error collect_nested(struct fakeetcd_server *server,
                                          const Etcdserverpb__TxnRequest *txn,
                                          struct branch *branch)
{
    struct branch yes = {RB_INITIALIZER(&yes.puts), RB_INITIALIZER(&yes.deletions)};
    struct branch no = {RB_INITIALIZER(&no.puts), RB_INITIALIZER(&no.deletions)};
    struct put_key *put;
    struct put_key *next;
    enum fakeetcd_error error = collect(server, txn->success, txn->n_success, &yes);
    if (error == FAKEETCD_OK) {
        error = collect(server, txn->failure, txn->n_failure, &no);
    }
    if (error != FAKEETCD_OK) {
        return error;
    }
    RB_FOREACH(put, put_tree, &no.puts)
    {
        if (RB_FIND(put_tree, &branch->puts, put) != NULL || is_deleted(branch, put->key)) {
            return FAKEETCD_E_DUPLICATE_KEY;
        }
    }
    RB_FOREACH_SAFE(put, put_tree, &yes.puts, next)
    {
        RB_REMOVE(put_tree, &yes.puts, put);
        if (RB_INSERT(put_tree, &branch->puts, put) != NULL || is_deleted(branch, put->key)) {
            return FAKEETCD_E_DUPLICATE_KEY;
        }
    }
    RB_FOREACH_SAFE(put, put_tree, &no.puts, next)
    {
        RB_REMOVE(put_tree, &no.puts, put);
        (void)RB_INSERT(put_tree, &branch->puts, put); /* there already: by the other branch */
    }
    take_deletions(branch, &yes); /* for what comes behind; the other branch never met them */
    take_deletions(branch, &no);
    return FAKEETCD_OK;
}

static enum fakeetcd_error add_put(struct fakeetcd_server *server, struct branch *branch,
                                   struct rt_slice key)
{
    struct put_key *put = pb_arena_array(&server->arena, 1, sizeof(*put));
    if (put == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    put->key = key;
    if (RB_INSERT(put_tree, &branch->puts, put) != NULL || is_deleted(branch, key)) {
        return FAKEETCD_E_DUPLICATE_KEY;
    }
    return FAKEETCD_OK;
}

/* ---- deleted intervals ---- */

static enum fakeetcd_error add_deletion(struct fakeetcd_server *server, struct branch *branch,
                                        const Etcdserverpb__DeleteRangeRequest *request)
{
    const struct fakeetcd_interval interval = {pb_slice(request->key),
                                               pb_slice(request->range_end)};
    if (fakeetcd_interval_is_empty(&interval)) {
        return FAKEETCD_OK;
    }
    struct deletion *deletion = pb_arena_array(&server->arena, 1, sizeof(*deletion));
    if (deletion == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    deletion->begin = (struct border){interval.key, BEFORE};
    if (interval.end.len_bytes == 0) {
        deletion->end = (struct border){interval.key, BEHIND};
    } else if (fakeetcd_interval_is_endless(&interval)) {
        deletion->end = (struct border){interval.end, AT_THE_END};
    } else {
        deletion->end = (struct border){interval.end, BEFORE};
    }
    insert_deletion(branch, deletion);
    return FAKEETCD_OK;
}

/* Swallows those it touches. */
static void insert_deletion(struct branch *branch, struct deletion *deletion)
{
    struct deletion *behind = RB_NFIND(deletion_tree, &branch->deletions, deletion);
    struct deletion *before = behind == NULL ? RB_MAX(deletion_tree, &branch->deletions)
                                             : RB_PREV(deletion_tree, &branch->deletions, behind);
    if (before != NULL && compare_borders(&before->end, &deletion->begin) >= 0) {
        RB_REMOVE(deletion_tree, &branch->deletions, before);
        deletion->begin = before->begin;
        if (compare_borders(&before->end, &deletion->end) > 0) {
            deletion->end = before->end;
        }
    }
    while (behind != NULL && compare_borders(&behind->begin, &deletion->end) <= 0) {
        struct deletion *next = RB_NEXT(deletion_tree, &branch->deletions, behind);
        RB_REMOVE(deletion_tree, &branch->deletions, behind);
        if (compare_borders(&behind->end, &deletion->end) > 0) {
            deletion->end = behind->end;
        }
        behind = next;
    }
    (void)RB_INSERT(deletion_tree, &branch->deletions, deletion);
}

static void take_deletions(struct branch *branch, struct branch *from)
{
    struct deletion *deletion;
    struct deletion *next;
    RB_FOREACH_SAFE(deletion, deletion_tree, &from->deletions, next)
    {
        RB_REMOVE(deletion_tree, &from->deletions, deletion);
        insert_deletion(branch, deletion);
    }
}

static bool is_deleted(struct branch *branch, struct rt_slice key)
{
    struct deletion wanted = {.begin = {key, BEHIND}};
    struct deletion *behind = RB_NFIND(deletion_tree, &branch->deletions, &wanted);
    const struct deletion *before = behind == NULL
                                        ? RB_MAX(deletion_tree, &branch->deletions)
                                        : RB_PREV(deletion_tree, &branch->deletions, behind);
    return before != NULL && compare_borders(&before->end, &wanted.begin) >= 0;
}

/* ---- order ---- */

static int compare_borders(const struct border *a, const struct border *b)
{
    if (a->where == AT_THE_END || b->where == AT_THE_END) {
        return (a->where == AT_THE_END) - (b->where == AT_THE_END);
    }
    int order = fakeetcd__compare(a->key, b->key);
    return order != 0 ? order : (int)a->where - (int)b->where;
}

static int compare_puts(const struct put_key *a, const struct put_key *b)
{
    return fakeetcd__compare(a->key, b->key);
}

static int compare_deletions(const struct deletion *a, const struct deletion *b)
{
    return compare_borders(&a->begin, &b->begin);
}
