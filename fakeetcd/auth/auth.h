/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_AUTH_AUTH_H
#define FAKEETCD_AUTH_AUTH_H

#include "fakeetcd/store/store.h"
#include "runtime/random.h"

/*
 * Users, roles, permissions and simple tokens. Time comes in as an argument. Passwords are kept as
 * salted PBKDF2 digests; nobody reads them back.
 */
struct fakeetcd_auth;

RT_NODISCARD enum rt_status fakeetcd_auth_create(struct rt_random *random, uint64_t token_ttl_us,
                                                 struct fakeetcd_auth **out_auth);
void fakeetcd_auth_destroy(struct fakeetcd_auth *auth);

bool fakeetcd_auth_is_enabled(const struct fakeetcd_auth *auth);
uint64_t fakeetcd_auth_revision(const struct fakeetcd_auth *auth);

/* Needs user root with role root. Tokens die with enabling and disabling. */
enum fakeetcd_error fakeetcd_auth_enable(struct fakeetcd_auth *auth);
enum fakeetcd_error fakeetcd_auth_disable(struct fakeetcd_auth *auth);

#define FAKEETCD_TOKEN_BYTES 64
/* 16 letters, a dot, a number. Lives token_ttl_us after its last use. */
enum fakeetcd_error fakeetcd_auth_authenticate(struct fakeetcd_auth *auth, struct rt_slice user,
                                               struct rt_slice password, uint64_t now_us,
                                               char out_token[FAKEETCD_TOKEN_BYTES]);

/* Who a request is from. `is_known` false: nobody said. */
struct fakeetcd_identity {
    bool is_known;
    struct rt_slice user; /* borrowed from the auth store until it changes */
    uint64_t auth_revision;
};
/* An unknown or expired token: FAKEETCD_E_INVALID_TOKEN. Prolongs the token's life. */
enum fakeetcd_error fakeetcd_auth_identify(struct fakeetcd_auth *auth, struct rt_slice token,
                                           uint64_t now_us, struct fakeetcd_identity *out_identity);
/* By the common name of a client certificate. */
enum fakeetcd_error fakeetcd_auth_identify_name(struct fakeetcd_auth *auth, struct rt_slice name,
                                                struct fakeetcd_identity *out_identity);

enum fakeetcd_access { FAKEETCD_READ, FAKEETCD_WRITE, FAKEETCD_READWRITE };

/* May this identity do that to the whole interval? Disabled: always. FAKEETCD_E_USER_EMPTY when
 * nobody is known, FAKEETCD_E_AUTH_OLD_REVISION, FAKEETCD_E_PERMISSION_DENIED. */
enum fakeetcd_error fakeetcd_auth_check(const struct fakeetcd_auth *auth,
                                        const struct fakeetcd_identity *identity,
                                        enum fakeetcd_access access,
                                        const struct fakeetcd_interval *interval);
/* Has the identity role root? FAKEETCD_E_USER_EMPTY, FAKEETCD_E_PERMISSION_DENIED. */
enum fakeetcd_error fakeetcd_auth_check_root(const struct fakeetcd_auth *auth,
                                             const struct fakeetcd_identity *identity);

/* What faults do. */
void fakeetcd_auth_expire_tokens(struct fakeetcd_auth *auth);

/* ---- management: one function a method; each success is a new auth revision ---- */

enum fakeetcd_error fakeetcd_user_add(struct fakeetcd_auth *auth, struct rt_slice user,
                                      struct rt_slice password, bool is_without_password);
enum fakeetcd_error fakeetcd_user_delete(struct fakeetcd_auth *auth, struct rt_slice user);
enum fakeetcd_error fakeetcd_user_password(struct fakeetcd_auth *auth, struct rt_slice user,
                                           struct rt_slice password);
enum fakeetcd_error fakeetcd_user_grant(struct fakeetcd_auth *auth, struct rt_slice user,
                                        struct rt_slice role);
enum fakeetcd_error fakeetcd_user_revoke(struct fakeetcd_auth *auth, struct rt_slice user,
                                         struct rt_slice role);
enum fakeetcd_error fakeetcd_role_add(struct fakeetcd_auth *auth, struct rt_slice role);
enum fakeetcd_error fakeetcd_role_delete(struct fakeetcd_auth *auth, struct rt_slice role);

struct fakeetcd_permission {
    enum fakeetcd_access access;
    struct fakeetcd_interval interval;
};
/* etcd 3.5 refuses an empty key and an interval without keys (FAKEETCD_E_INVALID_AUTH_MGMT); 3.4
 * takes them. */
void fakeetcd_auth_take_any_interval(struct fakeetcd_auth *auth, bool is_taken);
enum fakeetcd_error fakeetcd_role_grant(struct fakeetcd_auth *auth, struct rt_slice role,
                                        const struct fakeetcd_permission *permission);
enum fakeetcd_error fakeetcd_role_revoke(struct fakeetcd_auth *auth, struct rt_slice role,
                                         const struct fakeetcd_interval *interval);

/* Visitors, in the order etcd lists (by name; permissions by key, those of one key as they were
 * granted). */
typedef void fakeetcd_name_fn(void *arg, struct rt_slice name);
typedef void fakeetcd_permission_fn(void *arg, const struct fakeetcd_permission *permission);
void fakeetcd_users_walk(const struct fakeetcd_auth *auth, fakeetcd_name_fn *visit, void *arg);
void fakeetcd_roles_walk(const struct fakeetcd_auth *auth, fakeetcd_name_fn *visit, void *arg);
enum fakeetcd_error fakeetcd_user_roles(const struct fakeetcd_auth *auth, struct rt_slice user,
                                        fakeetcd_name_fn *visit, void *arg);
enum fakeetcd_error fakeetcd_role_permissions(const struct fakeetcd_auth *auth,
                                              struct rt_slice role, fakeetcd_permission_fn *visit,
                                              void *arg);

#endif
