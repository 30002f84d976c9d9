/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/server/server_internal.h"

/* Faults of the process, and what ends by itself after a while. */

static void on_doom(void *arg);
static void on_restart_due(void *arg);
static void on_leader_due(void *arg);
static void on_thaw_due(void *arg);
static void on_writable_due(void *arg);
static void on_leader_lost(void *arg);
static void say_refusal(struct fakeetcd_server *server, enum fault_action_kind kind,
                        enum fakeetcd_error error);
static void switch_on(struct fakeetcd_server *server, enum fakeetcd_switch which,
                      struct rt_timer *timer, const struct fault_action *action);

void fakeetcd__faults_init(struct fakeetcd_server *server)
{
    struct rt_loop *loop = server->environment.loop;
    rt_task_init(&server->doom_task, loop, on_doom, server);
    rt_timer_init(&server->restart_timer, loop, on_restart_due, server);
    rt_timer_init(&server->leader_timer, loop, on_leader_due, server);
    rt_timer_init(&server->freeze_timer, loop, on_thaw_due, server);
    rt_timer_init(&server->read_only_timer, loop, on_writable_due, server);
    rt_timer_init(&server->leader_lost_timer, loop, on_leader_lost, server);
}

void fakeetcd__faults_stop(struct fakeetcd_server *server)
{
    rt_timer_disarm(&server->restart_timer);
    rt_timer_disarm(&server->leader_timer);
    rt_timer_disarm(&server->freeze_timer);
    rt_timer_disarm(&server->read_only_timer);
    rt_timer_disarm(&server->leader_lost_timer);
    rt_task_cancel(&server->doom_task);
}

void fakeetcd_server_process(struct fakeetcd_server *server, const struct fault_action *action)
{
    switch (action->kind) {
    case FAULT_KILL:
    case FAULT_RESTART:
        fakeetcd__doom(server, action);
        break;
    case FAULT_FREEZE:
        switch_on(server, FAKEETCD_FROZEN, &server->freeze_timer, action);
        break;
    case FAULT_LOSE_LEADER:
        switch_on(server, FAKEETCD_LEADERLESS, &server->leader_timer, action);
        break;
    case FAULT_READ_ONLY:
        switch_on(server, FAKEETCD_READ_ONLY, &server->read_only_timer, action);
        break;
    case FAULT_NO_SPACE:
        fakeetcd_server_set(server, FAKEETCD_NO_SPACE, true);
        break;
    case FAULT_CORRUPT_ALARM:
        fakeetcd_server_set(server, FAKEETCD_CORRUPTED, true);
        break;
    case FAULT_COMPACT:
        say_refusal(
            server, action->kind,
            fakeetcd_server_compact(server, action->number != 0
                                                ? action->number
                                                : fakeetcd_store_revision(server->state.store)));
        break;
    case FAULT_RESTORE:
        say_refusal(server, action->kind, fakeetcd_server_restore(server, action->number));
        break;
    case FAULT_EXPIRE_LEASE:
        say_refusal(server, action->kind, fakeetcd_server_expire_lease_of(server, action->bytes));
        break;
    case FAULT_EXPIRE_TOKENS:
        fakeetcd_auth_expire_tokens(server->state.auth);
        fakeetcd__event(server, "tokens-expired", rt_slice_text(""), "");
        break;
    case FAULT_BUMP_TERM:
        fakeetcd_server_set(server, FAKEETCD_LEADERLESS, true);
        fakeetcd_server_set(server, FAKEETCD_LEADERLESS, false);
        break;
    default:
        break;
    }
}

/* The rule has fired; what it asked for cannot be done. */
static void say_refusal(struct fakeetcd_server *server, enum fault_action_kind kind,
                        enum fakeetcd_error error)
{
    if (error != FAKEETCD_OK) {
        fakeetcd__record_state(server, fault_action_word(kind), fakeetcd_error_text(error));
    }
}

/* ---- for a while ---- */

static void switch_on(struct fakeetcd_server *server, enum fakeetcd_switch which,
                      struct rt_timer *timer, const struct fault_action *action)
{
    fakeetcd_server_set(server, which, true);
    if (action->duration_us > 0) {
        fakeetcd__arm_after(server, timer, action->duration_us);
    }
}

static void on_leader_due(void *arg)
{
    fakeetcd_server_set(arg, FAKEETCD_LEADERLESS, false);
}

static void on_thaw_due(void *arg)
{
    fakeetcd_server_set(arg, FAKEETCD_FROZEN, false);
}

static void on_writable_due(void *arg)
{
    fakeetcd_server_set(arg, FAKEETCD_READ_ONLY, false);
}

static void on_leader_lost(void *arg)
{
    fakeetcd__connections_miss_leader(arg);
}

/* ---- death ---- */

void fakeetcd__doom(struct fakeetcd_server *server, const struct fault_action *action)
{
    if (server->doom == NULL) {
        server->doom = action;
        rt_task_schedule(&server->doom_task);
    }
}

/* With a duration it stays away that long. */
static void on_doom(void *arg)
{
    struct fakeetcd_server *server = arg;
    const struct fault_action *action = server->doom;
    server->doom = NULL;
    fakeetcd_server_kill(server);
    if (action->kind != FAULT_RESTART) {
        return;
    }
    server->is_restart_kept = action->is_state_kept;
    if (action->duration_us == 0 ||
        rt_timer_arm_after(&server->restart_timer, action->duration_us) != RT_OK) {
        on_restart_due(server);
    }
}

/* A port that cannot be opened again leaves it dead, which the journal says. */
static void on_restart_due(void *arg)
{
    struct fakeetcd_server *server = arg;
    enum rt_status status = fakeetcd_server_start(server, server->is_restart_kept);
    if (status != RT_OK) {
        fakeetcd__record_state(server, "server", rt_status_text(status));
    }
}
