/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_AUTH_AUTH_INTERNAL_H
#define FAKEETCD_AUTH_AUTH_INTERNAL_H

#include "fakeetcd/auth/auth.h"
#include "fakeetcd/store/key_index.h"
#include "runtime/table.h"

#include <bsd/sys/queue.h>

#define FAKEETCD__SALT_BYTES   16
#define FAKEETCD__DIGEST_BYTES 32

/* What users, roles and the roles of a user have in common: a name, and their order by it. The
 * first member of each, so that one tree and one way of looking up serve all three. */
struct fakeetcd__named {
    RB_ENTRY(fakeetcd__named) entry;
    struct rt_slice name; /* behind the struct that this begins */
};
RB_HEAD(fakeetcd__names, fakeetcd__named);

/* One permission; `bound` is the end in a form that compares: exclusive, a single key's is the key
 * and a zero byte. */
struct fakeetcd__grant {
    RB_ENTRY(fakeetcd__grant) entry; /* by key, then as they were given */
    uint64_t serial;                 /* from 1 on */
    enum fakeetcd_access access;
    struct rt_slice key;
    struct rt_slice end; /* as it was given */
    struct rt_slice bound;
    bool is_unbounded;
    uint8_t bytes[];
};
RB_HEAD(fakeetcd__grants, fakeetcd__grant);

struct fakeetcd__role {
    struct fakeetcd__named named;
    struct fakeetcd__grants grants;
    size_t grant_count;
};

/* A part of what a user may reach: disjoint, in order. Borrows from the grants. */
struct fakeetcd__reach {
    struct rt_slice key;
    struct rt_slice bound;
    bool is_unbounded;
};

struct fakeetcd__reaches {
    struct fakeetcd__reach *items;
    size_t count;
};

struct fakeetcd__user {
    struct fakeetcd__named named;
    bool is_without_password;
    uint8_t salt[FAKEETCD__SALT_BYTES];
    uint8_t digest[FAKEETCD__DIGEST_BYTES];
    struct fakeetcd__names roles; /* plain names: roles may come and go */
    /* Made from the roles when first asked for; stale once the auth revision has moved on. */
    uint64_t reach_revision; /* 0: never made */
    bool is_root;
    struct fakeetcd__reaches readable;
    struct fakeetcd__reaches writable;
};

struct fakeetcd__token {
    TAILQ_ENTRY(fakeetcd__token) entry; /* by last use, the oldest first */
    UT_hash_handle hh;
    struct fakeetcd__user *user;
    uint64_t used_us;
    size_t len_bytes;
    char text[FAKEETCD_TOKEN_BYTES];
};
TAILQ_HEAD(fakeetcd__tokens, fakeetcd__token);

struct fakeetcd_auth {
    struct rt_random *random;
    uint64_t token_ttl_us;
    bool is_enabled;
    bool is_any_interval_taken; /* as etcd 3.4 does */
    uint64_t revision;
    uint64_t token_serial;
    uint64_t grant_serial;
    struct fakeetcd__names users;
    struct fakeetcd__names roles;
    struct fakeetcd__tokens tokens;
    struct fakeetcd__token *token_table;
};

#define FAKEETCD__ROOT "root" /* both the user and the role */

/* Names: NULL when it is not there; `make` allocates `struct_bytes` with the name behind it. */
struct fakeetcd__named *fakeetcd__named_find(const struct fakeetcd__names *names,
                                             struct rt_slice name);
struct fakeetcd__named *fakeetcd__named_make(struct fakeetcd__names *names, struct rt_slice name,
                                             size_t struct_bytes);
void fakeetcd__named_remove(struct fakeetcd__names *names, struct fakeetcd__named *named);
struct fakeetcd__named *fakeetcd__named_first(const struct fakeetcd__names *names);
struct fakeetcd__named *fakeetcd__named_next(const struct fakeetcd__named *named);

struct fakeetcd__user *fakeetcd__user_find(const struct fakeetcd_auth *auth, struct rt_slice name);
struct fakeetcd__role *fakeetcd__role_find(const struct fakeetcd_auth *auth, struct rt_slice name);

/* As fakeetcd_role_grant, always one more; nothing is checked. */
enum fakeetcd_error fakeetcd__grant_add(struct fakeetcd_auth *auth, struct fakeetcd__role *role,
                                        const struct fakeetcd_permission *permission);
struct fakeetcd__grant *fakeetcd__grant_first(const struct fakeetcd__role *role);
struct fakeetcd__grant *fakeetcd__grant_next(struct fakeetcd__grant *grant);

/* False: no digest could be made. */
bool fakeetcd__password_digest(struct rt_slice password, const uint8_t salt[FAKEETCD__SALT_BYTES],
                               uint8_t out_digest[FAKEETCD__DIGEST_BYTES]);

void fakeetcd__tokens_drop(struct fakeetcd_auth *auth, const struct fakeetcd__user *user);
void fakeetcd__user_free(struct fakeetcd_auth *auth, struct fakeetcd__user *user);
void fakeetcd__role_free(struct fakeetcd_auth *auth, struct fakeetcd__role *role);
void fakeetcd__auth_forget_all(struct fakeetcd_auth *auth); /* users and roles */

/* ---- for the data directory: all of it as bytes, without tokens ---- */

RT_NODISCARD enum rt_status fakeetcd__auth_save(const struct fakeetcd_auth *auth,
                                                uint8_t **out_bytes, size_t *out_len_bytes);
/* Replaces what there is. RT_E_MALFORMED: nothing certain is left of it. */
RT_NODISCARD enum rt_status fakeetcd__auth_load(struct fakeetcd_auth *auth, struct rt_slice bytes);

#endif
