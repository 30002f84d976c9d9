/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/call_later.h"
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/request/fault_points.h"
#include "fakeetcd/watch/watch_service.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The state of a server over its lives, its disk, and its leases' clock. */

#define US_PER_S        UINT64_C(1000000)
#define EVENT_KEY_BYTES 256

/* The first key of a lease, as it is told: the lease's own are gone with it. */
struct event_key {
    size_t len_bytes;
    uint8_t bytes[EVENT_KEY_BYTES];
};

static enum rt_status make_state(struct fakeetcd_server *server);
static void drop_state(struct fakeetcd_server *server);
static uint64_t new_id(struct fakeetcd_server *server);
static void on_commit(void *arg);
static void on_lease_due(void *arg);
static bool is_suppressed(struct fakeetcd_server *server, int64_t id);
static bool take_first_key(void *arg, struct rt_slice key);
static bool erase(const char *path);

void fakeetcd__state_init(struct fakeetcd_server *server)
{
    struct rt_loop *loop = server->environment.loop;
    rt_task_init(&server->commit_task, loop, on_commit, server);
    rt_timer_init(&server->lease_timer, loop, on_lease_due, server);
}

enum rt_status fakeetcd__state_open(struct fakeetcd_server *server, char *out_error,
                                    size_t error_bytes)
{
    struct fakeetcd_data_dir_report report = {0};
    server->lease_clock = (struct fakeetcd__lease_clock){
        .origin_us = fakeetcd__now_us(server),
        .scale = server->options.time_scale > 0 ? server->options.time_scale : 1.0,
    };
    enum rt_status status = make_state(server);
    if (status != RT_OK) {
        snprintf(out_error, error_bytes, "%s", rt_status_text(status));
        return status;
    }
    if (server->options.data_dir != NULL) {
        status = fakeetcd_data_dir_open(server->options.data_dir, &server->state,
                                        fakeetcd__lease_now_us(server), &server->data_dir, &report,
                                        out_error, error_bytes);
        if (status != RT_OK) {
            return status;
        }
        if (server->options.is_unsynced) {
            fakeetcd_data_dir_leave_unsynced(server->data_dir);
        }
        if (report.torn_bytes > 0) {
            char text[96];
            snprintf(text, sizeof(text), "a torn tail of %llu bytes is forgotten",
                     (unsigned long long)report.torn_bytes);
            fakeetcd__record_state(server, "data-dir", text);
        }
    }
    server->leader_id = server->state.member_id;
    fakeetcd__lease_arm(server);
    return RT_OK;
}

/* A first start: term 2, as a new etcd has after its election. What a data-dir knows replaces it.
 */
static enum rt_status make_state(struct fakeetcd_server *server)
{
    struct fakeetcd_state *state = &server->state;
    *state = (struct fakeetcd_state){.raft_term = 2, .raft_index = 4};
    state->cluster_id = new_id(server);
    state->member_id = new_id(server);
    enum rt_status status = fakeetcd_store_create(&state->store);
    if (status == RT_OK) {
        status =
            fakeetcd_leases_create(state->store, fakeetcd__lease_floor_s(server), &state->leases);
    }
    if (status == RT_OK) {
        status = fakeetcd_auth_create(&server->ids, server->options.token_ttl_us, &state->auth);
    }
    if (status == RT_OK) {
        status = fakeetcd_hub_create(state->store, &server->hub);
    }
    if (status == RT_OK) {
        status = fakeetcd_members_copy(&server->first_members, &state->members);
    }
    if (status == RT_OK) {
        fakeetcd_store_forget_tombstones(
            state->store, fakeetcd__has_quirk(server, FAKEETCD_QUIRK_TOMBSTONE_MISSED));
        fakeetcd_auth_take_any_interval(
            state->auth, fakeetcd__has_quirk(server, FAKEETCD_QUIRK_GRANT_UNCHECKED));
        fakeetcd__watch_attach(server);
    } else {
        drop_state(server);
    }
    return status;
}

static void drop_state(struct fakeetcd_server *server)
{
    struct fakeetcd_state *state = &server->state;
    fakeetcd_data_dir_close(server->data_dir);
    server->data_dir = NULL;
    if (server->hub != NULL) {
        fakeetcd_hub_destroy(server->hub);
    }
    server->hub = NULL;
    if (state->leases != NULL) {
        fakeetcd_leases_destroy(state->leases);
    }
    if (state->auth != NULL) {
        fakeetcd_auth_destroy(state->auth);
    }
    if (state->store != NULL) {
        fakeetcd_store_destroy(state->store);
    }
    fakeetcd_members_clear(&state->members);
    *state = (struct fakeetcd_state){0};
}

void fakeetcd__state_close(struct fakeetcd_server *server)
{
    drop_state(server);
}

/* Ids are never 0, and fit etcdctl's hexadecimal columns. */
static uint64_t new_id(struct fakeetcd_server *server)
{
    uint64_t id = rt_random_u64(&server->ids);
    return id == 0 ? 1 : id;
}

/* ceil(1.5 election time-outs): etcd's smallest TTL. */
int64_t fakeetcd__lease_floor_s(const struct fakeetcd_server *server)
{
    uint64_t floor_us = server->options.election_timeout_us * 3 / 2;
    return (int64_t)((floor_us + US_PER_S - 1) / US_PER_S);
}

/* ---- over a death ---- */

/* What a process loses when it dies although its state is kept. */
void fakeetcd__state_stop(struct fakeetcd_server *server)
{
    server->is_uncommitted = false; /* what is not on disk was never answered */
    fakeetcd_auth_expire_tokens(server->state.auth);
    fakeetcd__lease_clock_stop(server);
}

/* With a data-dir it is read back, as by a new process. */
enum rt_status fakeetcd__state_restart(struct fakeetcd_server *server, bool is_kept,
                                       char *out_error, size_t error_bytes)
{
    if (is_kept && server->options.data_dir == NULL) {
        server->state.raft_term++;
        server->leader_id = server->state.member_id;
        fakeetcd__lease_clock_start(server);
        return RT_OK;
    }
    drop_state(server);
    if (!is_kept && server->options.data_dir != NULL && !erase(server->options.data_dir)) {
        snprintf(out_error, error_bytes, "%s cannot be emptied", server->options.data_dir);
        return RT_E_IO;
    }
    enum rt_status status = fakeetcd__state_open(server, out_error, error_bytes);
    return status == RT_OK ? fakeetcd__members_init(server) : status;
}

/* Only the files in it: what a data-dir consists of. */
static bool erase(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    bool is_done = dir != NULL;
    while (is_done && (entry = readdir(dir)) != NULL) {
        bool is_special = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        is_done = is_special || unlinkat(dirfd(dir), entry->d_name, 0) == 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return is_done;
}

/* ---- disk ---- */

/* Several requests of one turn of the loop share one fdatasync: their answers wait for it. */
void fakeetcd__changed(struct fakeetcd_server *server)
{
    if (server->data_dir != NULL && !server->is_uncommitted) {
        server->is_uncommitted = true;
        rt_task_schedule(&server->commit_task);
    }
}

static void on_commit(void *arg)
{
    struct fakeetcd_server *server = arg;
    if (fakeetcd_data_dir_commit(server->data_dir) != RT_OK) {
        /* etcd panics when its disk fails: nothing that was not written is ever answered. */
        fakeetcd__record_state(server, "data-dir", "cannot be written: the server dies");
        fakeetcd_server_kill(server);
        return;
    }
    server->is_uncommitted = false;
    while (!TAILQ_EMPTY(&server->committing)) {
        struct fakeetcd__later *later = TAILQ_FIRST(&server->committing);
        TAILQ_REMOVE(&server->committing, later, committing);
        later->is_committing = false;
        fakeetcd__go_on_out(later->call);
        if (server->is_uncommitted) {
            return; /* the rest waits for the next one */
        }
    }
}

/* ---- leases ---- */

uint64_t fakeetcd__lease_now_us(const struct fakeetcd_server *server)
{
    const struct fakeetcd__lease_clock *clock = &server->lease_clock;
    if (clock->is_stopped) {
        return clock->base_us;
    }
    uint64_t passed_us = fakeetcd__now_us(server) - clock->origin_us;
    return clock->base_us +
           (clock->scale == 1.0 ? passed_us : (uint64_t)((double)passed_us * clock->scale));
}

void fakeetcd__lease_clock_stop(struct fakeetcd_server *server)
{
    server->lease_clock.base_us = fakeetcd__lease_now_us(server);
    server->lease_clock.is_stopped = true;
    rt_timer_disarm(&server->lease_timer);
}

/* A new leader gives every lease its full TTL again. */
void fakeetcd__lease_clock_start(struct fakeetcd_server *server)
{
    if (server->lease_clock.is_stopped) {
        server->lease_clock.is_stopped = false;
        server->lease_clock.origin_us = fakeetcd__now_us(server);
    }
    fakeetcd_leases_refill(server->state.leases, fakeetcd__lease_now_us(server));
    fakeetcd__lease_arm(server);
}

void fakeetcd__lease_arm(struct fakeetcd_server *server)
{
    uint64_t next_us = fakeetcd_leases_next_us(server->state.leases);
    uint64_t now_us = fakeetcd__lease_now_us(server);
    if (next_us == RT_NEVER || server->lease_clock.is_stopped || server->is_frozen ||
        fakeetcd_server_is(server, FAKEETCD_CORRUPTED)) {
        rt_timer_disarm(&server->lease_timer);
        return;
    }
    uint64_t left_us = next_us > now_us ? next_us - now_us : 0;
    if (server->lease_clock.scale != 1.0) {
        left_us = (uint64_t)((double)left_us / server->lease_clock.scale) + 1;
    }
    uint64_t deadline_us = fakeetcd__now_us(server) + left_us;
    if (!rt_timer_is_armed(&server->lease_timer) ||
        server->lease_timer.deadline_us != deadline_us) {
        fakeetcd__arm_after(server, &server->lease_timer, left_us);
    }
}

/* In the order of their expiry; one that a fault keeps alive is given a full TTL. */
static void on_lease_due(void *arg)
{
    struct fakeetcd_server *server = arg;
    int64_t id;
    fakeetcd__enter(server);
    while ((id = fakeetcd_leases_due(server->state.leases, fakeetcd__lease_now_us(server))) != 0) {
        if (!is_suppressed(server, id)) {
            server->counts.leases_expired++;
            (void)fakeetcd__lease_end(server, id, "lease-expired");
        }
    }
    fakeetcd__leave(server);
    fakeetcd__lease_arm(server);
}

static bool is_suppressed(struct fakeetcd_server *server, int64_t id)
{
    const struct fault_action *action = fakeetcd__ask_lease(server, NULL, id);
    uint64_t now_us = fakeetcd__lease_now_us(server);
    struct fakeetcd_lease_info info;
    if (action == NULL || action->kind != FAULT_SUPPRESS ||
        !fakeetcd_lease_find(server->state.leases, id, &info)) {
        return false;
    }
    uint64_t delay_us = (uint64_t)info.granted_ttl_s * US_PER_S;
    return fakeetcd_lease_set_expiry(server->state.leases, id, now_us + delay_us);
}

enum fakeetcd_error fakeetcd__lease_end(struct fakeetcd_server *server, int64_t id,
                                        const char *event)
{
    struct event_key key = {.len_bytes = 0};
    fakeetcd_lease_keys(server->state.leases, id, take_first_key, &key);
    enum fakeetcd_error error = fakeetcd_lease_revoke(server->state.leases, id);
    if (error != FAKEETCD_OK) {
        return error;
    }
    server->state.raft_index++;
    if (server->data_dir != NULL) {
        fakeetcd_data_dir_lease_gone(server->data_dir, id);
    }
    fakeetcd__changed(server);
    fakeetcd__lease_arm(server);
    fakeetcd__event(server, event, rt_slice_of(key.bytes, key.len_bytes), "");
    return FAKEETCD_OK;
}

static bool take_first_key(void *arg, struct rt_slice key)
{
    struct event_key *taken = arg;
    taken->len_bytes = key.len_bytes > sizeof(taken->bytes) ? sizeof(taken->bytes) : key.len_bytes;
    memcpy(taken->bytes, key.data, taken->len_bytes);
    return false;
}

int64_t fakeetcd__new_lease_id(struct fakeetcd_server *server)
{
    struct fakeetcd_lease_info info;
    int64_t id;
    do {
        id = (int64_t)(rt_random_u64(&server->ids) & INT64_MAX);
    } while (id == 0 || fakeetcd_lease_find(server->state.leases, id, &info));
    return id;
}
