/* SPDX-License-Identifier: Apache-2.0 */
/* A member's disk: what comes back, what a torn or broken log does, what it costs. */
#include "fakeetcd/disk/data_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define PATH_BYTES 256
#define LOG_MAX    65536

struct member {
    struct fakeetcd_state state;
    struct rt_random random;
    struct fakeetcd_data_dir *dir;
    struct fakeetcd_data_dir_report report;
    char error[512];
};

struct fixture {
    char root[PATH_BYTES];
    char path[PATH_BYTES]; /* of the directory; not there at first */
    char log[PATH_BYTES + 8];
    struct member one;
    struct member two;
};

static struct rt_slice text(const char *bytes)
{
    return rt_slice_text(bytes);
}

static void make(struct member *member)
{
    *member = (struct member){.state = {.cluster_id = 11, .member_id = 12, .raft_term = 2}};
    rt_random_init(&member->random, 1, "data-dir");
    assert_int_equal(fakeetcd_store_create(&member->state.store), RT_OK);
    assert_int_equal(fakeetcd_leases_create(member->state.store, 2, &member->state.leases), RT_OK);
    assert_int_equal(fakeetcd_auth_create(&member->random, 1000, &member->state.auth), RT_OK);
}

static enum rt_status open_at(struct member *member, const char *path, uint64_t now_us)
{
    make(member);
    return fakeetcd_data_dir_open(path, &member->state, now_us, &member->dir, &member->report,
                                  member->error, sizeof(member->error));
}

static void drop(struct member *member)
{
    fakeetcd_data_dir_close(member->dir);
    fakeetcd_leases_destroy(member->state.leases);
    fakeetcd_store_destroy(member->state.store);
    fakeetcd_auth_destroy(member->state.auth);
    fakeetcd_members_clear(&member->state.members);
    *member = (struct member){0};
}

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    (void)snprintf(fx->root, sizeof(fx->root), "data-dir-XXXXXX");
    assert_non_null(mkdtemp(fx->root));
    (void)snprintf(fx->path, sizeof(fx->path), "%.100s/a/member", fx->root);
    (void)snprintf(fx->log, sizeof(fx->log), "%s/log", fx->path);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    char parent[PATH_BYTES];

    drop(&fx->one);
    drop(&fx->two);
    (void)unlink(fx->log);
    (void)snprintf(parent, sizeof(parent), "%.100s/a", fx->root);
    assert_int_equal(rmdir(fx->path), 0); /* nothing else was left in it */
    assert_int_equal(rmdir(parent), 0);
    assert_int_equal(rmdir(fx->root), 0);
    free(fx);
    return 0;
}

/* ---- what is written ---- */

static void put(struct member *member, const char *key, struct rt_slice value, int64_t lease)
{
    struct rt_blob *blob = rt_blob_copy(value);

    fakeetcd_write_begin(member->state.store);
    assert_int_equal(fakeetcd_write_put(member->state.store, text(key), value, blob, lease, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(member->state.store), FAKEETCD_OK);
    rt_blob_release(blob);
    member->state.raft_index++;
}

static void delete (struct member *member, const char *key)
{
    fakeetcd_write_begin(member->state.store);
    assert_true(fakeetcd_write_delete(member->state.store, text(key), NULL));
    assert_int_equal(fakeetcd_write_end(member->state.store), FAKEETCD_OK);
    member->state.raft_index++;
}

static void commit(struct member *member)
{
    assert_int_equal(fakeetcd_data_dir_commit(member->dir), RT_OK);
}

static void grant_lease(struct member *member, int64_t id, int64_t ttl_s)
{
    assert_int_equal(fakeetcd_lease_grant(member->state.leases, id, ttl_s, 0, NULL), FAKEETCD_OK);
    fakeetcd_data_dir_lease_granted(member->dir, id, ttl_s);
    commit(member);
}

static void revoke_lease(struct member *member, int64_t id)
{
    assert_int_equal(fakeetcd_lease_revoke(member->state.leases, id), FAKEETCD_OK);
    fakeetcd_data_dir_lease_gone(member->dir, id);
    commit(member);
}

static void compact(struct member *member, int64_t revision)
{
    assert_int_equal(fakeetcd_store_compact(member->state.store, revision), FAKEETCD_OK);
    fakeetcd_data_dir_compacted(member->dir, revision);
    commit(member);
}

static void change_auth(struct member *member)
{
    struct fakeetcd_auth *auth = member->state.auth;
    const struct fakeetcd_permission permission = {
        .access = FAKEETCD_READ, .interval = {.key = text("a"), .end = text("c")}};

    assert_int_equal(fakeetcd_user_add(auth, text("root"), text("pw"), false), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_add(auth, text("np"), text(""), true), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_grant(auth, text("root"), text("root")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_add(auth, text("r")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_grant(auth, text("r"), &permission), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_grant(auth, text("np"), text("r")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_enable(auth), FAKEETCD_OK);
    fakeetcd_data_dir_auth_changed(member->dir);
    commit(member);
}

/* One of everything, each committed alone. */
static void change_members(struct member *member)
{
    static const struct fakeetcd_member two[] = {
        {.id = 12,
         .name = "own",
         .peer_urls = "http://h:1,http://h:2",
         .client_urls = "http://h:3"},
        {.id = UINT64_MAX,
         .name = "",
         .peer_urls = "http://i:1",
         .client_urls = "",
         .is_learner = true},
    };

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fakeetcd_members_add(&member->state.members, &two[i]), RT_OK);
    }
    member->state.members.is_changed = true;
    fakeetcd_data_dir_cluster_changed(member->dir);
    commit(member);
    member->state.is_downgrading = true;
    fakeetcd_data_dir_cluster_changed(member->dir);
    commit(member);
}

static void live(struct member *member)
{
    char large[1000];

    memset(large, 'v', sizeof(large));
    put(member, "a", text("1"), 0);
    commit(member);
    grant_lease(member, 7, 60);
    grant_lease(member, 8, 90);
    put(member, "b", text("2"), 7);
    commit(member);
    put(member, "c", rt_slice_of(large, sizeof(large)), 8);
    commit(member);
    put(member, "a", text("3"), 0);
    commit(member);
    put(member, "d", text(""), 0);
    delete (member, "d");
    commit(member);
    compact(member, 5);
    put(member, "a", text("4"), 7);
    commit(member);
    revoke_lease(member, 8);
    change_auth(member);
    member->state.alarms = 2;
    fakeetcd_data_dir_alarms_changed(member->dir);
    commit(member);
    change_members(member);
}

/* ---- what is compared ---- */

static bool append_version(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                           size_t count)
{
    FILE *out = arg;

    for (size_t i = 0; i < count; i++) {
        const struct fakeetcd_kv *kv = &changes[i].kv;
        (void)fprintf(out, "%lld: %.*s=%.*s %lld %lld %lld %lld\n", (long long)revision,
                      (int)kv->key.len_bytes, (const char *)kv->key.data, (int)kv->value.len_bytes,
                      (const char *)kv->value.data, (long long)kv->create_revision,
                      (long long)kv->mod_revision, (long long)kv->version, (long long)kv->lease);
    }
    return true;
}

static bool append_key(void *arg, struct rt_slice key)
{
    (void)fprintf(arg, " %.*s", (int)key.len_bytes, (const char *)key.data);
    return true;
}

struct describing {
    FILE *out;
    const struct member *member;
};

static bool append_lease(void *arg, const struct fakeetcd_lease_info *info)
{
    const struct describing *describing = arg;

    (void)fprintf(describing->out, "lease %lld %lld:", (long long)info->id,
                  (long long)info->granted_ttl_s);
    fakeetcd_lease_keys(describing->member->state.leases, info->id, append_key, describing->out);
    (void)fprintf(describing->out, "\n");
    return true;
}

static void append_role(void *arg, struct rt_slice name)
{
    (void)fprintf(arg, " has %.*s\n", (int)name.len_bytes, (const char *)name.data);
}

static void append_user(void *arg, struct rt_slice name)
{
    const struct describing *describing = arg;

    (void)fprintf(describing->out, "user %.*s\n", (int)name.len_bytes, (const char *)name.data);
    assert_int_equal(
        fakeetcd_user_roles(describing->member->state.auth, name, append_role, describing->out),
        FAKEETCD_OK);
}

static void append_permission(void *arg, const struct fakeetcd_permission *permission)
{
    (void)fprintf(
        arg, "may %d %.*s to %.*s\n", (int)permission->access,
        (int)permission->interval.key.len_bytes, (const char *)permission->interval.key.data,
        (int)permission->interval.end.len_bytes, (const char *)permission->interval.end.data);
}

/* Everything that must survive, as text; to be freed. */
static char *describe(const struct member *member)
{
    const struct fakeetcd_state *state = &member->state;
    struct fakeetcd_store_counts counts;
    char *described = NULL;
    size_t len_bytes = 0;
    uint32_t hash = 0;
    FILE *out = open_memstream(&described, &len_bytes);
    struct describing describing = {.out = out, .member = member};

    assert_non_null(out);
    fakeetcd_store_counts(state->store, &counts);
    assert_int_equal(fakeetcd_store_hash(state->store, 0, &hash), FAKEETCD_OK);
    (void)fprintf(out, "revision %lld compacted %lld hash %x\n",
                  (long long)fakeetcd_store_revision(state->store),
                  (long long)fakeetcd_store_compacted(state->store), hash);
    (void)fprintf(out, "keys %llu versions %llu bytes %llu %llu\n", (unsigned long long)counts.keys,
                  (unsigned long long)counts.versions, (unsigned long long)counts.logical_bytes,
                  (unsigned long long)counts.in_use_bytes);
    fakeetcd_store_history(state->store, 1, fakeetcd_store_revision(state->store), append_version,
                           out);
    fakeetcd_leases_walk(state->leases, append_lease, &describing);
    (void)fprintf(out, "auth %d %llu\n", fakeetcd_auth_is_enabled(state->auth),
                  (unsigned long long)fakeetcd_auth_revision(state->auth));
    fakeetcd_users_walk(state->auth, append_user, &describing);
    (void)fakeetcd_role_permissions(state->auth, text("r"), append_permission, out);
    (void)fprintf(out, "ids %llu %llu index %llu alarms %u\n",
                  (unsigned long long)state->cluster_id, (unsigned long long)state->member_id,
                  (unsigned long long)state->raft_index, state->alarms);
    for (size_t i = 0; i < state->members.count; i++) {
        const struct fakeetcd_member *one = &state->members.items[i];
        (void)fprintf(out, "member %llu %s %s %s %d\n", (unsigned long long)one->id, one->name,
                      one->peer_urls, one->client_urls, one->is_learner);
    }
    (void)fprintf(out, "downgrading %d\n", state->is_downgrading);
    assert_int_equal(fclose(out), 0);
    return described;
}

static size_t read_log(const struct fixture *fx, uint8_t *bytes)
{
    FILE *in = fopen(fx->log, "rb");

    assert_non_null(in);
    size_t len_bytes = fread(bytes, 1, LOG_MAX, in);
    assert_int_equal(fclose(in), 0);
    return len_bytes;
}

static void write_log(const struct fixture *fx, const uint8_t *bytes, size_t len_bytes)
{
    FILE *out = fopen(fx->log, "wb");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len_bytes, out), len_bytes);
    assert_int_equal(fclose(out), 0);
}

static uint64_t log_bytes(const struct fixture *fx)
{
    struct stat about;

    assert_int_equal(stat(fx->log, &about), 0);
    return (uint64_t)about.st_size;
}

/* ---- coming back ---- */

static void open__nothing_there__is_new_and_keeps_what_it_was_given(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_true(fx->one.report.is_new);
    assert_int_equal(fx->one.state.raft_term, 2);
    assert_int_equal(fx->one.state.cluster_id, 11);
}

static void open__after_a_life__has_everything_again(void **state)
{
    struct fixture *fx = *state;
    char token[FAKEETCD_TOKEN_BYTES];
    struct fakeetcd_lease_info lease;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    live(&fx->one);
    char *before = describe(&fx->one);
    drop(&fx->one);
    for (uint64_t start = 1; start <= 2; start++) {
        assert_int_equal(open_at(&fx->one, fx->path, 500), RT_OK);
        char *after = describe(&fx->one);
        assert_string_equal(before, after);
        free(after);
        assert_false(fx->one.report.is_new);
        assert_int_equal(fx->one.report.torn_bytes, 0);
        assert_int_equal(fx->one.state.raft_term, 2 + start);
        assert_int_equal(
            fakeetcd_auth_authenticate(fx->one.state.auth, text("root"), text("pw"), 0, token),
            FAKEETCD_OK);
        assert_true(fakeetcd_lease_find(fx->one.state.leases, 7, &lease));
        assert_int_equal(lease.expires_us, 60000500); /* the full TTL again */
        drop(&fx->one);
    }
    free(before);
}

static void open__life_goes_on__as_if_it_had_never_stopped(void **state)
{
    struct fixture *fx = *state;
    char other[PATH_BYTES + 8];

    (void)snprintf(other, sizeof(other), "%s/other", fx->path);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    live(&fx->one);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(open_at(&fx->two, other, 0), RT_OK);
    live(&fx->two);
    for (int i = 0; i < 2; i++) {
        struct member *member = i == 0 ? &fx->one : &fx->two;
        put(member, "b", text("9"), 0);
        delete (member, "a");
        commit(member);
        compact(member, fakeetcd_store_revision(member->state.store) - 1);
    }
    char *stopped = describe(&fx->one);
    char *never_stopped = describe(&fx->two);
    assert_string_equal(stopped, never_stopped);
    free(stopped);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    stopped = describe(&fx->one);
    assert_string_equal(stopped, never_stopped);
    free(stopped);
    free(never_stopped);
    drop(&fx->two);
    char log[PATH_BYTES + 16];
    (void)snprintf(log, sizeof(log), "%s/log", other);
    assert_int_equal(unlink(log), 0);
    assert_int_equal(rmdir(other), 0);
}

static void compaction__at_0__is_accepted_once_over_a_restart_and_a_rewrite(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    put(&fx->one, "a", text("1"), 0);
    compact(&fx->one, 0);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(fakeetcd_store_compact(fx->one.state.store, 0), FAKEETCD_E_COMPACTED);
    assert_int_equal(fakeetcd_data_dir_replaced(fx->one.dir), RT_OK); /* a snapshot of the same */
    commit(&fx->one);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(fakeetcd_store_compact(fx->one.state.store, 0), FAKEETCD_E_COMPACTED);
    compact(&fx->one, 2);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(fakeetcd_store_compact(fx->one.state.store, 0), FAKEETCD_E_COMPACTED);
}

static void revision__that_changes_a_key_twice__comes_back(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    fakeetcd_write_begin(fx->one.state.store);
    assert_int_equal(fakeetcd_write_put(fx->one.state.store, text("a"), text("1"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_true(fakeetcd_write_delete(fx->one.state.store, text("a"), NULL));
    assert_int_equal(fakeetcd_write_put(fx->one.state.store, text("a"), text("2"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->one.state.store), FAKEETCD_OK);
    commit(&fx->one);
    for (int i = 0; i < 2; i++) {
        char *before = describe(&fx->one);
        drop(&fx->one);
        assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
        char *after = describe(&fx->one);
        assert_string_equal(before, after);
        free(before);
        free(after);
        if (i == 0) {
            compact(&fx->one, 2);
        }
    }
}

/* A list that requests never changed is as the options say, each time anew. */
static void members__never_changed__are_not_on_the_disk(void **state)
{
    static const struct fakeetcd_member own = {
        .id = 12, .name = "own", .peer_urls = "http://h:1", .client_urls = ""};
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(fakeetcd_members_add(&fx->one.state.members, &own), RT_OK);
    put(&fx->one, "a", text("1"), 0);
    commit(&fx->one);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(fx->one.state.members.count, 0);
}

static void members__changed__replace_those_of_the_options_also_in_a_rewritten_log(void **state)
{
    static const struct fakeetcd_member told = {
        .id = 1, .name = "told", .peer_urls = "http://t:1", .client_urls = ""};
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    change_members(&fx->one);
    for (int round = 0; round < 2; round++) {
        drop(&fx->one);
        make(&fx->one);
        assert_int_equal(fakeetcd_members_add(&fx->one.state.members, &told), RT_OK);
        assert_int_equal(fakeetcd_data_dir_open(fx->path, &fx->one.state, 0, &fx->one.dir,
                                                &fx->one.report, fx->one.error,
                                                sizeof(fx->one.error)),
                         RT_OK);
        assert_int_equal(fx->one.state.members.count, 2);
        assert_true(fx->one.state.members.is_changed);
        assert_string_equal(fx->one.state.members.items[0].name, "own");
        assert_true(fx->one.state.members.items[1].is_learner);
        assert_true(fx->one.state.is_downgrading);
        assert_int_equal(fakeetcd_data_dir_replaced(fx->one.dir), RT_OK);
        commit(&fx->one);
    }
}

static void commit__nothing_new__writes_nothing(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    uint64_t before = log_bytes(fx);
    fx->one.state.raft_index++;
    commit(&fx->one);
    assert_int_equal(log_bytes(fx), before);
    put(&fx->one, "a", text("1"), 0);
    assert_int_equal(log_bytes(fx), before);
    commit(&fx->one);
    assert_true(log_bytes(fx) > before);
}

static void close__uncommitted__is_forgotten(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    put(&fx->one, "a", text("1"), 0);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(fakeetcd_store_revision(fx->one.state.store), 1);
}

static void open__twice__the_second_is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(open_at(&fx->two, fx->path, 0), RT_E_BUSY);
    assert_non_null(strstr(fx->two.error, fx->path));
    drop(&fx->one);
    drop(&fx->two);
    assert_int_equal(open_at(&fx->two, fx->path, 0), RT_OK);
}

static void open__below_a_file__says_why_not(void **state)
{
    struct fixture *fx = *state;
    char below[PATH_BYTES + 32];

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    (void)snprintf(below, sizeof(below), "%s/more", fx->log);
    assert_int_equal(open_at(&fx->two, below, 0), RT_E_IO);
    assert_non_null(strstr(fx->two.error, "Not a directory"));
}

/* ---- damage ---- */

/* Cut anywhere, what comes back is what some commit left: never a part of one, never less than the
 * bytes allow. */
static void log__cut_at_any_byte__comes_back_as_of_a_commit(void **state)
{
    struct fixture *fx = *state;
    static uint8_t bytes[LOG_MAX];
    static uint8_t now[LOG_MAX];

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    size_t snapshot_bytes = (size_t)log_bytes(fx);
    live(&fx->one);
    drop(&fx->one);
    size_t len_bytes = read_log(fx, bytes);
    uint64_t records = 0;
    for (size_t cut = 0; cut < len_bytes; cut++) {
        write_log(fx, bytes, cut);
        enum rt_status status = open_at(&fx->one, fx->path, 0);
        assert_int_equal(status, cut < snapshot_bytes ? RT_E_MALFORMED : RT_OK);
        if (status == RT_OK) {
            assert_true(fx->one.report.records >= records);
            assert_true(fx->one.report.records <= records + 1);
            assert_true(cut == snapshot_bytes || (fx->one.report.torn_bytes == 0) ==
                                                     (fx->one.report.records == records + 1));
            records = fx->one.report.records;
            size_t good_bytes = cut - (size_t)fx->one.report.torn_bytes;
            assert_true(read_log(fx, now) > good_bytes); /* what was whole, and the new term */
            assert_memory_equal(now, bytes, good_bytes);
        } else {
            assert_non_null(strstr(fx->one.error, "offset"));
        }
        drop(&fx->one);
    }
    assert_true(records > 10);
}

/* No byte can change without being noticed; a torn end is forgiven, anything else is named. */
static void log__any_byte_changed__is_refused_or_the_last_commit_forgotten(void **state)
{
    struct fixture *fx = *state;
    static uint8_t bytes[LOG_MAX];
    char at[64];

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    live(&fx->one);
    size_t last_at = (size_t)log_bytes(fx);
    put(&fx->one, "z", text("last"), 0);
    commit(&fx->one);
    drop(&fx->one);
    size_t len_bytes = read_log(fx, bytes);
    for (size_t i = 0; i < len_bytes; i++) {
        bytes[i] ^= 0x40;
        write_log(fx, bytes, len_bytes);
        bool is_torn = i >= last_at + 12; /* the head of a frame has a CRC of its own */
        assert_int_equal(open_at(&fx->one, fx->path, 0), is_torn ? RT_OK : RT_E_MALFORMED);
        if (is_torn) {
            assert_int_equal(fx->one.report.torn_bytes, len_bytes - last_at);
        } else {
            (void)snprintf(at, sizeof(at), "offset %zu", i >= last_at ? last_at : (size_t)0);
            assert_non_null(strstr(fx->one.error, fx->log));
            assert_non_null(strstr(fx->one.error, i >= last_at ? at : "offset "));
        }
        drop(&fx->one);
        bytes[i] ^= 0x40;
    }
    write_log(fx, bytes, len_bytes);
}

static void log__zeros_at_its_end__are_torn(void **state)
{
    struct fixture *fx = *state;
    static uint8_t bytes[LOG_MAX];

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    live(&fx->one);
    drop(&fx->one);
    size_t len_bytes = read_log(fx, bytes);
    memset(bytes + len_bytes, 0, 4096);
    write_log(fx, bytes, len_bytes + 4096);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    assert_int_equal(fx->one.report.torn_bytes, 4096);
}

/* ---- growth ---- */

static void log__grown__is_written_anew_from_what_lives(void **state)
{
    struct fixture *fx = *state;
    const size_t value_bytes = (size_t)1 << 20;
    uint64_t written_bytes = 0;
    uint64_t largest_bytes = 0;
    char *value = malloc(value_bytes);

    memset(value, 'x', value_bytes);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    live(&fx->one);
    for (int i = 0; i < 24; i++) {
        put(&fx->one, "a", rt_slice_of(value, value_bytes), 0);
        commit(&fx->one);
        compact(&fx->one, fakeetcd_store_revision(fx->one.state.store));
        written_bytes += value_bytes;
        largest_bytes = log_bytes(fx) > largest_bytes ? log_bytes(fx) : largest_bytes;
    }
    free(value);
    assert_true(written_bytes == 24 * value_bytes);
    assert_true(largest_bytes < 11 * value_bytes); /* 4 times the snapshot and 4 MiB, and one */
    char *before = describe(&fx->one);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    char *after = describe(&fx->one);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void replaced__another_store__is_what_comes_back(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    put(&fx->one, "old", text("1"), 0);
    commit(&fx->one);
    fakeetcd_leases_destroy(fx->one.state.leases);
    fakeetcd_store_destroy(fx->one.state.store);
    assert_int_equal(fakeetcd_store_create(&fx->one.state.store), RT_OK);
    assert_int_equal(fakeetcd_leases_create(fx->one.state.store, 2, &fx->one.state.leases), RT_OK);
    assert_int_equal(fakeetcd_data_dir_replaced(fx->one.dir), RT_OK);
    commit(&fx->one);
    put(&fx->one, "new", text("2"), 0);
    commit(&fx->one);
    char *before = describe(&fx->one);
    drop(&fx->one);
    assert_int_equal(open_at(&fx->one, fx->path, 0), RT_OK);
    char *after = describe(&fx->one);
    assert_string_equal(before, after);
    assert_null(strstr(after, "old"));
    free(before);
    free(after);
}

int main(void)
{
#define DIR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DIR_TEST(open__nothing_there__is_new_and_keeps_what_it_was_given),
        DIR_TEST(open__after_a_life__has_everything_again),
        DIR_TEST(open__life_goes_on__as_if_it_had_never_stopped),
        DIR_TEST(compaction__at_0__is_accepted_once_over_a_restart_and_a_rewrite),
        DIR_TEST(revision__that_changes_a_key_twice__comes_back),
        DIR_TEST(members__never_changed__are_not_on_the_disk),
        DIR_TEST(members__changed__replace_those_of_the_options_also_in_a_rewritten_log),
        DIR_TEST(commit__nothing_new__writes_nothing),
        DIR_TEST(close__uncommitted__is_forgotten),
        DIR_TEST(open__twice__the_second_is_refused),
        DIR_TEST(open__below_a_file__says_why_not),
        DIR_TEST(log__cut_at_any_byte__comes_back_as_of_a_commit),
        DIR_TEST(log__any_byte_changed__is_refused_or_the_last_commit_forgotten),
        DIR_TEST(log__zeros_at_its_end__are_torn),
        DIR_TEST(log__grown__is_written_anew_from_what_lives),
        DIR_TEST(replaced__another_store__is_what_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
