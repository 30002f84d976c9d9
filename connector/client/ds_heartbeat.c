/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heartbeats, and what follows from them:
 *
 *   good --interval--> good ...            start id changed, client removed --> register again
 *   failed --0, 500, 1000, 5000 ms, cyclic--> again; the dead time over since the first failed one
 *                                             was sent --> lost
 *   lost --a good one--> healed
 *
 * The real client looks at its dead time only before it sends. An attempt and a pause that would
 * last beyond the end of that time are cut to it, so it is noticed there, or, when the end came in
 * the middle of an attempt, after the pause that follows.
 */
#include "connector/client/ds_internal.h"

#define MS_US            UINT64_C(1000)
#define S_US             UINT64_C(1000000)
#define DEFAULT_DEAD_S   15
#define SHORTEST_US      (3000 * MS_US)
#define LONGEST_US       (30000 * MS_US)
#define RPC_LONGEST_US   (60000 * MS_US)
#define RECONCILE_US     (5 * S_US)
#define TOLD_MS          60000 /* MetaPb.timeout of calls that set none */
#define RECONCILE_RPC_US (5 * S_US)

static void on_next(void *arg);
static void look_at_dead_time(struct ds_client *client);
static void on_reconcile(void *arg);
static void on_heartbeat_done(void *arg, const struct ds_result *result);
static void on_reconcile_done(void *arg, const struct ds_result *result);

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void ds__heartbeat_init(struct ds_client *client)
{
    struct ds__heartbeat *heartbeat = &client->heartbeat;

    *heartbeat = (struct ds__heartbeat){.is_lost = false};
    rt_timer_init(&heartbeat->next, client->environment.loop, on_next, client);
    rt_timer_init(&heartbeat->reconcile, client->environment.loop, on_reconcile, client);
}

/* The interval: a fifth of the dead time, at least 3 s, at most 30 s, and at most a fifth of the
 * reconnect wait. The real worker's 60 s and 5 s give one second. */
void ds__heartbeat_configure(struct ds_client *client, uint64_t dead_s, uint64_t reconnect_wait_s)
{
    struct ds__heartbeat *heartbeat = &client->heartbeat;
    const uint64_t sane_s = 86400;

    dead_s = smaller(dead_s, sane_s);
    reconnect_wait_s = smaller(reconnect_wait_s, sane_s);
    uint64_t fifth_us = dead_s * S_US / 5;
    uint64_t interval_us = smaller(fifth_us > SHORTEST_US ? fifth_us : SHORTEST_US, LONGEST_US);
    if (reconnect_wait_s > 0) {
        interval_us = smaller(interval_us, reconnect_wait_s * S_US / 5);
    }
    heartbeat->interval_us = interval_us;
    heartbeat->rpc_timeout_us = smaller(client->connect_us, RPC_LONGEST_US);
    if (dead_s > 0) {
        heartbeat->rpc_timeout_us = smaller(heartbeat->rpc_timeout_us, dead_s * S_US / 3);
    }
    heartbeat->dead_us = (dead_s > 0 ? dead_s : DEFAULT_DEAD_S) * S_US;

    /* The data connection's own liveness: a quarter of T, and as many misses as fit into 0.9 T. */
    uint64_t liveness_ms = smaller(heartbeat->dead_us, client->request_us) / MS_US;
    uint64_t beat_ms = liveness_ms / 4;
    beat_ms = beat_ms < 500 ? 500 : smaller(beat_ms, 30000);
    uint64_t rest_ms = liveness_ms > beat_ms ? liveness_ms - beat_ms : 0;
    uint64_t misses = (rest_ms > liveness_ms * 9 / 10 ? rest_ms : liveness_ms * 9 / 10) / beat_ms;
    ds__channel_set_liveness(&client->data, beat_ms, (uint32_t)(misses < 3 ? 3 : misses));
}

/* 0: the dead time is over. */
static uint64_t until_dead_us(const struct ds_client *client)
{
    uint64_t now_us = ds__now_us(client);

    return client->heartbeat.dead_at_us > now_us ? client->heartbeat.dead_at_us - now_us : 0;
}

static void send_heartbeat(struct ds_client *client)
{
    struct ds__heartbeat *heartbeat = &client->heartbeat;
    struct ds__call *call = ds__call_new(client, DSRPC_OP_HEARTBEAT, on_heartbeat_done, client);

    if (call == NULL) {
        (void)!rt_timer_arm_after(&heartbeat->next, heartbeat->interval_us);
        return;
    }
    if (heartbeat->failure_count == 0) {
        heartbeat->dead_at_us = ds__now_us(client) + heartbeat->dead_us;
    }
    uint64_t left_us = until_dead_us(client);
    uint64_t timeout_us =
        left_us > 0 ? smaller(left_us, heartbeat->rpc_timeout_us) : heartbeat->rpc_timeout_us;
    call->is_housekeeping = true;
    call->told_ms = TOLD_MS;
    ds__call_start(call, timeout_us, timeout_us);
}

/* The first heartbeat is part of init, which waits for it. */
void ds__heartbeat_start(struct ds_client *client)
{
    client->heartbeat.failure_count = 0;
    client->heartbeat.is_first_good = false;
    client->heartbeat.is_reconciling = false;
    client->heartbeat.has_worker_left = false;
    send_heartbeat(client);
}

void ds__heartbeat_resume(struct ds_client *client)
{
    client->heartbeat.has_worker_left = false;
    send_heartbeat(client);
}

void ds__heartbeat_stop(struct ds_client *client)
{
    rt_timer_disarm(&client->heartbeat.next);
    rt_timer_disarm(&client->heartbeat.reconcile);
}

static void on_next(void *arg)
{
    struct ds_client *client = arg;

    ds__enter(client);
    look_at_dead_time(client);
    send_heartbeat(client);
    (void)ds__leave(client);
}

static void on_good(struct ds_client *client)
{
    struct ds__heartbeat *heartbeat = &client->heartbeat;

    heartbeat->failure_count = 0;
    if (heartbeat->is_lost) {
        heartbeat->is_lost = false;
        ds__journal_state(client, "healed");
    }
    if (!heartbeat->is_first_good) {
        heartbeat->is_first_good = true;
        (void)!rt_timer_arm_after(&heartbeat->reconcile, RECONCILE_US);
        ds__init_first_heartbeat(client, true);
    }
    if (client->is_destroyed || client->phase != DS__READY) {
        return;
    }
    if (heartbeat->has_worker_left) {
        ds__register_again(client);
    } else {
        (void)!rt_timer_arm_after(&heartbeat->next, heartbeat->interval_us);
    }
}

static void on_bad(struct ds_client *client)
{
    static const uint64_t pauses_us[] = {0, 500 * MS_US, 1000 * MS_US, 5000 * MS_US};
    struct ds__heartbeat *heartbeat = &client->heartbeat;
    uint64_t pause_us = pauses_us[heartbeat->failure_count++ % 4];
    uint64_t left_us = until_dead_us(client);

    (void)!rt_timer_arm_after(&heartbeat->next,
                              left_us > 0 ? smaller(left_us, pause_us) : pause_us);
}

/* The worker answers heartbeats and does not take us back: the next one will say so again. Not a
 * failed heartbeat, so the pauses are not for it: theirs begins with none. */
void ds__heartbeat_retry(struct ds_client *client)
{
    (void)!rt_timer_arm_after(&client->heartbeat.next, client->heartbeat.interval_us);
}

static void on_heartbeat_done(void *arg, const struct ds_result *result)
{
    struct ds_client *client = arg;

    if (client->phase != DS__READY && client->phase != DS__INITIALISING) {
        return;
    }
    if (result->status.code == K_OK) {
        on_good(client);
    } else {
        on_bad(client);
    }
}

/* From here on every call fails at once, until a heartbeat gets through. */
static void look_at_dead_time(struct ds_client *client)
{
    struct ds__heartbeat *heartbeat = &client->heartbeat;

    if (heartbeat->failure_count > 0 && !heartbeat->is_lost && until_dead_us(client) == 0) {
        heartbeat->is_lost = true;
        ds__journal_state(client, "lost");
    }
}

/* Without shared memory there is nothing to reconcile; the real client asks all the same. */
static void on_reconcile(void *arg)
{
    struct ds_client *client = arg;
    struct ds__heartbeat *heartbeat = &client->heartbeat;

    ds__enter(client);
    (void)!rt_timer_arm_after(&heartbeat->reconcile, RECONCILE_US);
    if (!heartbeat->is_reconciling && !heartbeat->is_lost) {
        struct ds__call *call = ds__call_new(client, DSRPC_OP_RECONCILE, on_reconcile_done, client);
        if (call != NULL) {
            call->is_housekeeping = true;
            heartbeat->is_reconciling = true;
            ds__call_start(call, RECONCILE_RPC_US, RECONCILE_RPC_US);
        }
    }
    (void)ds__leave(client);
}

static void on_reconcile_done(void *arg, const struct ds_result *result)
{
    struct ds_client *client = arg;

    (void)result; /* an error is only logged by the real client */
    client->heartbeat.is_reconciling = false;
}
