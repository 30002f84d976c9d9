/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_H
#define FAKEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A fake Datasystem worker inside your test program: it listens on a free port of 127.0.0.1,
 * lives on a thread of its own, and speaks the real wire, so that any client can talk to it.
 *
 *   struct fakeds *fake;
 *   char why[256];
 *   fakeds_start(NULL, &fake);
 *   fakeds_arm(fake, "lost: on {op: set} at applied do 1*drop-reply", why, sizeof(why));
 *   ... your client talks to fakeds_address(fake) ...
 *   assert(fakeds_fired(fake, "lost") == 1 && fakeds_requests(fake, "set") == 2);
 *   fakeds_stop(fake);
 *
 * Every function may be called from any thread, except that nothing may run beside fakeds_stop().
 * Operations are called set, get, exist, delete, expire, mset, health, heartbeat, register, ...
 */
struct fakeds;

enum fakeds_status {
    FAKEDS_OK = 0,
    FAKEDS_NO_MEMORY = 1,
    FAKEDS_INVALID = 2,   /* a rule, an address or a word that is none */
    FAKEDS_BUSY = 3,      /* the port is taken */
    FAKEDS_NOT_FOUND = 4, /* no such rule or key */
    FAKEDS_FAILED = 5     /* the system refused */
};

struct fakeds_config {
    uint16_t port; /* 0: a free one */
    uint32_t shared_memory_mb;
    uint32_t client_dead_timeout_s;
    uint32_t client_reconnect_wait_s; /* a fifth of it is the clients' heartbeat interval */
    uint32_t not_ready_ms;            /* "Worker not ready" so long after the start */
    uint64_t seed;                    /* of identifiers and of chances in rules */
};
void fakeds_config_init(struct fakeds_config *config); /* as the real worker, port 0, seed 1 */

/* Listens when this returns. `config` NULL: the values above. */
enum fakeds_status fakeds_start(const struct fakeds_config *config, struct fakeds **out_fake);
void fakeds_stop(struct fakeds *fake); /* NULL: nothing happens */

const char *fakeds_address(const struct fakeds *fake); /* "127.0.0.1:40123" */
uint16_t fakeds_port(const struct fakeds *fake);

/* ---- faults ------------------------------------------------------------------------------- */

/* One rule as text: `id: on {op: ..., key: "..."} at <point> do <trigger>`. `out_why` gets one line
 * when it is refused, NUL-terminated. */
enum fakeds_status fakeds_arm(struct fakeds *fake, const char *rule, char *out_why,
                              size_t why_bytes);
enum fakeds_status fakeds_disarm(struct fakeds *fake, const char *rule_id);
uint64_t fakeds_fired(struct fakeds *fake, const char *rule_id); /* 0 also for unknown rules */

/* Lets rules go on that hold or come after `event`. */
void fakeds_signal(struct fakeds *fake, const char *event);

/* The worker dies as by SIGKILL, and comes back on the same port with a new start id. */
void fakeds_kill(struct fakeds *fake);
enum fakeds_status fakeds_restart(struct fakeds *fake, bool is_state_kept, uint32_t not_ready_ms);

/* ---- what it saw -------------------------------------------------------------------------- */

uint64_t fakeds_requests(struct fakeds *fake, const char *operation); /* that arrived */
uint64_t fakeds_applied(struct fakeds *fake, const char *operation);  /* that reached the store */

/* Copies at most `capacity_bytes` of the value under `key`; *out_size_bytes is all of it. */
enum fakeds_status fakeds_peek(struct fakeds *fake, const char *key, void *out_value,
                               size_t capacity_bytes, size_t *out_size_bytes);
enum fakeds_status fakeds_evict(struct fakeds *fake, const char *key);

#endif
