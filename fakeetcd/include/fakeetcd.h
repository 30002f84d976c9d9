/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_H
#define FAKEETCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A fake etcd inside your test program: it listens on a free port of 127.0.0.1, lives on a thread
 * of its own, and speaks the real wire, so that any etcd client can talk to it.
 *
 *   struct fakeetcd *fake;
 *   char why[256];
 *   fakeetcd_start(NULL, &fake);
 *   fakeetcd_arm(fake, "lost: on {op: etcd-put} at applied do 1*drop-reply", why, sizeof(why));
 *   ... your client talks to fakeetcd_address(fake) ...
 *   assert(fakeetcd_fired(fake, "lost") == 1 && fakeetcd_requests(fake, "etcd-put") == 2);
 *   fakeetcd_stop(fake);
 *
 * Every function may be called from any thread, except that nothing may run beside fakeetcd_stop().
 * Operations are etcd's methods: etcd-put, etcd-range, etcd-txn, etcd-watch, etcd-lease-grant, ...
 */
struct fakeetcd;

enum fakeetcd_status {
    FAKEETCD_FINE = 0,
    FAKEETCD_NO_MEMORY = 1,
    FAKEETCD_INVALID = 2,   /* a rule, a profile, an address or a word that is none */
    FAKEETCD_BUSY = 3,      /* the port is taken */
    FAKEETCD_NOT_FOUND = 4, /* no such rule, key or lease */
    FAKEETCD_FAILED = 5     /* the system refused */
};

struct fakeetcd_config {
    uint16_t port;       /* 0: a free one */
    const char *profile; /* "etcd-3.4" or "etcd-3.5" */
    double time_scale;   /* leases run so many times faster */
    uint64_t seed;       /* of identifiers and of chances in rules */
};
void fakeetcd_config_init(struct fakeetcd_config *config); /* port 0, etcd-3.5, 1, 1 */

/* Listens when this returns. `config` NULL: the values above. */
enum fakeetcd_status fakeetcd_start(const struct fakeetcd_config *config,
                                    struct fakeetcd **out_fake);
void fakeetcd_stop(struct fakeetcd *fake); /* NULL: nothing happens */

const char *fakeetcd_address(const struct fakeetcd *fake); /* "127.0.0.1:40123" */
uint16_t fakeetcd_port(const struct fakeetcd *fake);

/* ---- faults ------------------------------------------------------------------------------- */

/* One rule as text: `id: on {op: ..., key: "..."} at <point> do <trigger>`. `out_why` gets one line
 * when it is refused, NUL-terminated. */
enum fakeetcd_status fakeetcd_arm(struct fakeetcd *fake, const char *rule, char *out_why,
                                  size_t why_bytes);
enum fakeetcd_status fakeetcd_disarm(struct fakeetcd *fake, const char *rule_id);
uint64_t fakeetcd_fired(struct fakeetcd *fake, const char *rule_id); /* 0 also for unknown rules */

/* Lets rules go on that hold or come after `event`. */
void fakeetcd_signal(struct fakeetcd *fake, const char *event);

/* It dies as by SIGKILL, and comes back on the same port. */
void fakeetcd_kill(struct fakeetcd *fake);
enum fakeetcd_status fakeetcd_restart(struct fakeetcd *fake, bool is_state_kept);

/* The lease of this key expires now. */
enum fakeetcd_status fakeetcd_expire_lease(struct fakeetcd *fake, const char *key);

/* ---- what it saw -------------------------------------------------------------------------- */

uint64_t fakeetcd_requests(struct fakeetcd *fake, const char *operation); /* that arrived */
uint64_t fakeetcd_applied(struct fakeetcd *fake, const char *operation);  /* that were applied */
int64_t fakeetcd_revision(struct fakeetcd *fake);

/* Copies at most `capacity_bytes` of the value under `key`; *out_size_bytes is all of it. */
enum fakeetcd_status fakeetcd_peek(struct fakeetcd *fake, const char *key, void *out_value,
                                   size_t capacity_bytes, size_t *out_size_bytes);
enum fakeetcd_status fakeetcd_poke(struct fakeetcd *fake, const char *key, const void *value,
                                   size_t size_bytes);

#endif
