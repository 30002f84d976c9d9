/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/server/server_internal.h"

#include <stdio.h>

/* Looking at a server, and the small things that all its files use. */

#define EVENT_BYTES 128

uint64_t fakeetcd__now_us(const struct fakeetcd_server *server)
{
    return rt_loop_now_us(server->environment.loop);
}

bool fakeetcd__has_quirk(const struct fakeetcd_server *server, enum fakeetcd_quirk quirk)
{
    return (server->profile->quirks & (uint32_t)quirk) != 0;
}

uint64_t fakeetcd__request_timeout_us(const struct fakeetcd_server *server)
{
    return UINT64_C(5000000) + 2 * server->options.election_timeout_us;
}

void fakeetcd__event(struct fakeetcd_server *server, const char *what, struct rt_slice key,
                     const char *detail)
{
    char name[EVENT_BYTES];
    snprintf(name, sizeof(name), "%s.%s", server->options.name, what);
    struct rt_record record = {
        .kind = RT_REC_EVENT,
        .actor = server->options.name,
        .subject = name,
        .key = key,
        .detail = detail,
    };
    rt_journal_append(server->environment.journal, &record);
    fault_event(server->environment.faults, name);
}

void fakeetcd__record_state(struct fakeetcd_server *server, const char *subject, const char *detail)
{
    struct rt_record record = {
        .kind = RT_REC_STATE,
        .actor = server->options.name,
        .subject = subject,
        .detail = detail,
    };
    rt_journal_append(server->environment.journal, &record);
}

void fakeetcd__arm_after(struct fakeetcd_server *server, struct rt_timer *timer, uint64_t delay_us)
{
    if (rt_timer_arm_after(timer, delay_us) != RT_OK) {
        fakeetcd__record_state(server, "timer", rt_status_text(RT_E_NOMEM));
    }
}

void fakeetcd__enter(struct fakeetcd_server *server)
{
    if (server->depth++ == 0) {
        pb_arena_reset(&server->arena);
    }
}

void fakeetcd__leave(struct fakeetcd_server *server)
{
    server->depth--;
}

/* ---- public ---- */

const char *fakeetcd_server_name(const struct fakeetcd_server *server)
{
    return server->options.name;
}

const char *fakeetcd_server_address(const struct fakeetcd_server *server)
{
    return server->options.address_count == 0 ? "" : server->addresses[0];
}

struct fakeetcd_gateway *fakeetcd_server_gateway(const struct fakeetcd_server *server)
{
    return server->gateway;
}

const struct fakeetcd_state *fakeetcd_server_state(const struct fakeetcd_server *server)
{
    return &server->state;
}

uint64_t fakeetcd_server_handled(const struct fakeetcd_server *server,
                                 const struct fakeetcd_method *method, int32_t code)
{
    return code < 0 || code >= FAKEETCD__CODES
               ? 0
               : server->handled[fakeetcd__method_index(method)][code];
}

bool fakeetcd_server_op_counts(const struct fakeetcd_server *server, const char *word,
                               struct fakeetcd_op_counts *out_counts)
{
    for (size_t i = 0; i < fakeetcd_method_count(); i++) {
        if (strcmp(fakeetcd_methods[i].word, word) == 0) {
            *out_counts = server->ops[i];
            out_counts->waiting = out_counts->arrived - out_counts->answered - out_counts->eaten;
            return true;
        }
    }
    return false;
}

void fakeetcd_server_counts(const struct fakeetcd_server *server,
                            struct fakeetcd_counts *out_counts)
{
    *out_counts = server->counts;
    out_counts->connections = fakeetcd__connection_count(server);
    out_counts->watchers = server->hub == NULL ? 0 : fakeetcd_hub_watcher_count(server->hub);
    out_counts->leases =
        server->state.leases == NULL ? 0 : fakeetcd_lease_count(server->state.leases);
}
