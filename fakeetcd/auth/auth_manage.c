/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users, roles and grants, as etcd's management calls change them. A change that happened is a new
 * auth revision; one that changed nothing is not.
 */
#include "fakeetcd/auth/auth_internal.h"

#include <stdlib.h>

static int compare_names(struct fakeetcd__named *a, struct fakeetcd__named *b)
{
    return fakeetcd__compare(a->name, b->name);
}

static int compare_grants(struct fakeetcd__grant *a, struct fakeetcd__grant *b)
{
    int order = fakeetcd__compare(a->key, b->key);
    return order != 0 ? order : (a->serial > b->serial) - (a->serial < b->serial);
}

#define UNUSED __attribute__((unused)) static
RB_GENERATE_INTERNAL(fakeetcd__names, fakeetcd__named, entry, compare_names, UNUSED)
RB_GENERATE_INTERNAL(fakeetcd__grants, fakeetcd__grant, entry, compare_grants, UNUSED)

/* ---- names ---- */

struct fakeetcd__named *fakeetcd__named_find(const struct fakeetcd__names *names,
                                             struct rt_slice name)
{
    struct fakeetcd__named wanted = {.name = name};

    return RB_FIND(fakeetcd__names, (struct fakeetcd__names *)names, &wanted);
}

struct fakeetcd__named *fakeetcd__named_make(struct fakeetcd__names *names, struct rt_slice name,
                                             size_t struct_bytes)
{
    struct fakeetcd__named *named = calloc(1, struct_bytes + name.len_bytes);

    if (named == NULL) {
        return NULL;
    }
    uint8_t *bytes = (uint8_t *)named + struct_bytes;
    if (name.len_bytes > 0) {
        memcpy(bytes, name.data, name.len_bytes);
    }
    named->name = rt_slice_of(bytes, name.len_bytes);
    (void)RB_INSERT(fakeetcd__names, names, named);
    return named;
}

void fakeetcd__named_remove(struct fakeetcd__names *names, struct fakeetcd__named *named)
{
    (void)RB_REMOVE(fakeetcd__names, names, named);
    free(named);
}

struct fakeetcd__named *fakeetcd__named_first(const struct fakeetcd__names *names)
{
    return RB_MIN(fakeetcd__names, (struct fakeetcd__names *)names);
}

struct fakeetcd__named *fakeetcd__named_next(const struct fakeetcd__named *named)
{
    return RB_NEXT(fakeetcd__names, NULL, (struct fakeetcd__named *)named);
}

struct fakeetcd__user *fakeetcd__user_find(const struct fakeetcd_auth *auth, struct rt_slice name)
{
    return (struct fakeetcd__user *)fakeetcd__named_find(&auth->users, name);
}

struct fakeetcd__role *fakeetcd__role_find(const struct fakeetcd_auth *auth, struct rt_slice name)
{
    return (struct fakeetcd__role *)fakeetcd__named_find(&auth->roles, name);
}

void fakeetcd__user_free(struct fakeetcd_auth *auth, struct fakeetcd__user *user)
{
    struct fakeetcd__named *role = NULL;

    fakeetcd__tokens_drop(auth, user);
    while ((role = fakeetcd__named_first(&user->roles)) != NULL) {
        fakeetcd__named_remove(&user->roles, role);
    }
    free(user->readable.items);
    free(user->writable.items);
    fakeetcd__named_remove(&auth->users, &user->named);
}

void fakeetcd__role_free(struct fakeetcd_auth *auth, struct fakeetcd__role *role)
{
    struct fakeetcd__grant *grant = NULL;

    while ((grant = RB_MIN(fakeetcd__grants, &role->grants)) != NULL) {
        (void)RB_REMOVE(fakeetcd__grants, &role->grants, grant);
        free(grant);
    }
    fakeetcd__named_remove(&auth->roles, &role->named);
}

void fakeetcd__auth_forget_all(struct fakeetcd_auth *auth)
{
    struct fakeetcd__named *named = NULL;

    while ((named = fakeetcd__named_first(&auth->users)) != NULL) {
        fakeetcd__user_free(auth, (struct fakeetcd__user *)named);
    }
    while ((named = fakeetcd__named_first(&auth->roles)) != NULL) {
        fakeetcd__role_free(auth, (struct fakeetcd__role *)named);
    }
}

static enum fakeetcd_error changed(struct fakeetcd_auth *auth)
{
    auth->revision++;
    return FAKEETCD_OK;
}

/* ---- users ---- */

static bool set_password(struct fakeetcd_auth *auth, struct fakeetcd__user *user,
                         struct rt_slice password)
{
    uint64_t salt[FAKEETCD__SALT_BYTES / sizeof(uint64_t)];
    uint8_t digest[FAKEETCD__DIGEST_BYTES];

    for (size_t i = 0; i < sizeof(salt) / sizeof(*salt); i++) {
        salt[i] = rt_random_u64(auth->random);
    }
    if (!fakeetcd__password_digest(password, (const uint8_t *)salt, digest)) {
        return false;
    }
    memcpy(user->salt, salt, sizeof(user->salt));
    memcpy(user->digest, digest, sizeof(user->digest));
    return true;
}

enum fakeetcd_error fakeetcd_user_add(struct fakeetcd_auth *auth, struct rt_slice user,
                                      struct rt_slice password, bool is_without_password)
{
    if (user.len_bytes == 0) {
        return FAKEETCD_E_USER_EMPTY;
    }
    if (fakeetcd__user_find(auth, user) != NULL) {
        return FAKEETCD_E_USER_EXISTS;
    }
    struct fakeetcd__user *added =
        (struct fakeetcd__user *)fakeetcd__named_make(&auth->users, user, sizeof(*added));
    if (added == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    RB_INIT(&added->roles);
    added->is_without_password = is_without_password;
    if (!is_without_password && !set_password(auth, added, password)) {
        fakeetcd__user_free(auth, added);
        return FAKEETCD_E_NOMEM;
    }
    return changed(auth);
}

enum fakeetcd_error fakeetcd_user_delete(struct fakeetcd_auth *auth, struct rt_slice user)
{
    struct fakeetcd__user *found = fakeetcd__user_find(auth, user);

    if (auth->is_enabled && rt_slice_is_text(user, FAKEETCD__ROOT)) {
        return FAKEETCD_E_INVALID_AUTH_MGMT;
    }
    if (found == NULL) {
        return FAKEETCD_E_USER_NOT_FOUND;
    }
    fakeetcd__user_free(auth, found);
    return changed(auth);
}

/* A user without a password stays without. */
enum fakeetcd_error fakeetcd_user_password(struct fakeetcd_auth *auth, struct rt_slice user,
                                           struct rt_slice password)
{
    struct fakeetcd__user *found = fakeetcd__user_find(auth, user);

    if (found == NULL) {
        return FAKEETCD_E_USER_NOT_FOUND;
    }
    if (!found->is_without_password && !set_password(auth, found, password)) {
        return FAKEETCD_E_NOMEM;
    }
    fakeetcd__tokens_drop(auth, found);
    return changed(auth);
}

/* The role root can be granted without having been added. */
enum fakeetcd_error fakeetcd_user_grant(struct fakeetcd_auth *auth, struct rt_slice user,
                                        struct rt_slice role)
{
    struct fakeetcd__user *found = fakeetcd__user_find(auth, user);

    if (found == NULL) {
        return FAKEETCD_E_USER_NOT_FOUND;
    }
    if (!rt_slice_is_text(role, FAKEETCD__ROOT) && fakeetcd__role_find(auth, role) == NULL) {
        return FAKEETCD_E_ROLE_NOT_FOUND;
    }
    if (fakeetcd__named_find(&found->roles, role) != NULL) {
        return FAKEETCD_OK;
    }
    if (fakeetcd__named_make(&found->roles, role, sizeof(struct fakeetcd__named)) == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    return changed(auth);
}

enum fakeetcd_error fakeetcd_user_revoke(struct fakeetcd_auth *auth, struct rt_slice user,
                                         struct rt_slice role)
{
    struct fakeetcd__user *found = fakeetcd__user_find(auth, user);

    if (auth->is_enabled && rt_slice_is_text(user, FAKEETCD__ROOT) &&
        rt_slice_is_text(role, FAKEETCD__ROOT)) {
        return FAKEETCD_E_INVALID_AUTH_MGMT;
    }
    if (found == NULL) {
        return FAKEETCD_E_USER_NOT_FOUND;
    }
    struct fakeetcd__named *granted = fakeetcd__named_find(&found->roles, role);
    if (granted == NULL) {
        return FAKEETCD_E_ROLE_NOT_GRANTED;
    }
    fakeetcd__named_remove(&found->roles, granted);
    return changed(auth);
}

/* ---- roles ---- */

enum fakeetcd_error fakeetcd_role_add(struct fakeetcd_auth *auth, struct rt_slice role)
{
    if (role.len_bytes == 0) {
        return FAKEETCD_E_ROLE_EMPTY;
    }
    if (fakeetcd__role_find(auth, role) != NULL) {
        return FAKEETCD_E_ROLE_EXISTS;
    }
    struct fakeetcd__role *added =
        (struct fakeetcd__role *)fakeetcd__named_make(&auth->roles, role, sizeof(*added));
    if (added == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    RB_INIT(&added->grants);
    return changed(auth);
}

/* Whoever had it loses it; tokens stay. */
enum fakeetcd_error fakeetcd_role_delete(struct fakeetcd_auth *auth, struct rt_slice role)
{
    struct fakeetcd__role *found = fakeetcd__role_find(auth, role);

    if (auth->is_enabled && rt_slice_is_text(role, FAKEETCD__ROOT)) {
        return FAKEETCD_E_INVALID_AUTH_MGMT;
    }
    if (found == NULL) {
        return FAKEETCD_E_ROLE_NOT_FOUND;
    }
    for (struct fakeetcd__named *named = fakeetcd__named_first(&auth->users); named != NULL;
         named = fakeetcd__named_next(named)) {
        struct fakeetcd__user *user = (struct fakeetcd__user *)named;
        struct fakeetcd__named *granted = fakeetcd__named_find(&user->roles, role);
        if (granted != NULL) {
            fakeetcd__named_remove(&user->roles, granted);
        }
    }
    fakeetcd__role_free(auth, found);
    return changed(auth);
}

struct fakeetcd__grant *fakeetcd__grant_first(const struct fakeetcd__role *role)
{
    return RB_MIN(fakeetcd__grants, (struct fakeetcd__grants *)&role->grants);
}

struct fakeetcd__grant *fakeetcd__grant_next(struct fakeetcd__grant *grant)
{
    return RB_NEXT(fakeetcd__grants, NULL, grant);
}

/* The key has a zero byte behind it, so that the bound of a single key needs no bytes of its own.
 */
static struct fakeetcd__grant *make_grant(const struct fakeetcd_permission *permission)
{
    struct rt_slice key = permission->interval.key;
    struct rt_slice end = permission->interval.end;
    struct fakeetcd__grant *grant = calloc(1, sizeof(*grant) + key.len_bytes + 1 + end.len_bytes);

    if (grant == NULL) {
        return NULL;
    }
    uint8_t *end_bytes = grant->bytes + key.len_bytes + 1;
    if (key.len_bytes > 0) {
        memcpy(grant->bytes, key.data, key.len_bytes);
    }
    if (end.len_bytes > 0) {
        memcpy(end_bytes, end.data, end.len_bytes);
    }
    grant->access = permission->access;
    grant->key = rt_slice_of(grant->bytes, key.len_bytes);
    grant->end = rt_slice_of(end_bytes, end.len_bytes);
    grant->bound = end.len_bytes > 0 ? grant->end : rt_slice_of(grant->bytes, key.len_bytes + 1);
    grant->is_unbounded = fakeetcd_interval_is_endless(&permission->interval);
    return grant;
}

static bool is_of(const struct fakeetcd__grant *grant, const struct fakeetcd_interval *interval);

void fakeetcd_auth_take_any_interval(struct fakeetcd_auth *auth, bool is_taken)
{
    auth->is_any_interval_taken = is_taken;
}

/* etcd looks at the first permission of that key only: one of another end in front of the equal one
 * makes a second equal one. */
enum fakeetcd_error fakeetcd_role_grant(struct fakeetcd_auth *auth, struct rt_slice role,
                                        const struct fakeetcd_permission *permission)
{
    struct fakeetcd__role *found = fakeetcd__role_find(auth, role);
    struct fakeetcd__grant wanted = {.key = permission->interval.key};

    if (!auth->is_any_interval_taken && (permission->interval.key.len_bytes == 0 ||
                                         fakeetcd_interval_is_empty(&permission->interval))) {
        return FAKEETCD_E_INVALID_AUTH_MGMT;
    }
    if (found == NULL) {
        return FAKEETCD_E_ROLE_NOT_FOUND;
    }
    struct fakeetcd__grant *first = RB_NFIND(fakeetcd__grants, &found->grants, &wanted);
    if (first != NULL && is_of(first, &permission->interval)) {
        first->access = permission->access;
        return changed(auth);
    }
    enum fakeetcd_error error = fakeetcd__grant_add(auth, found, permission);
    return error == FAKEETCD_OK ? changed(auth) : error;
}

enum fakeetcd_error fakeetcd__grant_add(struct fakeetcd_auth *auth, struct fakeetcd__role *role,
                                        const struct fakeetcd_permission *permission)
{
    struct fakeetcd__grant *grant = make_grant(permission);

    if (grant == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    grant->serial = ++auth->grant_serial;
    (void)RB_INSERT(fakeetcd__grants, &role->grants, grant);
    role->grant_count++;
    return FAKEETCD_OK;
}

static bool is_of(const struct fakeetcd__grant *grant, const struct fakeetcd_interval *interval)
{
    return rt_slice_equal(grant->key, interval->key) && rt_slice_equal(grant->end, interval->end);
}

/* All that are of this interval: there may be several. */
enum fakeetcd_error fakeetcd_role_revoke(struct fakeetcd_auth *auth, struct rt_slice role,
                                         const struct fakeetcd_interval *interval)
{
    struct fakeetcd__role *found = fakeetcd__role_find(auth, role);
    struct fakeetcd__grant wanted = {.key = interval->key};

    if (found == NULL) {
        return FAKEETCD_E_ROLE_NOT_FOUND;
    }
    size_t count = found->grant_count;
    struct fakeetcd__grant *grant = RB_NFIND(fakeetcd__grants, &found->grants, &wanted);
    while (grant != NULL && rt_slice_equal(grant->key, interval->key)) {
        struct fakeetcd__grant *next = fakeetcd__grant_next(grant);
        if (is_of(grant, interval)) {
            (void)RB_REMOVE(fakeetcd__grants, &found->grants, grant);
            free(grant);
            found->grant_count--;
        }
        grant = next;
    }
    return found->grant_count < count ? changed(auth) : FAKEETCD_E_PERMISSION_NOT_GRANTED;
}

/* ---- looking at them ---- */

static void walk(const struct fakeetcd__names *names, fakeetcd_name_fn *visit, void *arg)
{
    for (const struct fakeetcd__named *named = fakeetcd__named_first(names); named != NULL;
         named = fakeetcd__named_next(named)) {
        visit(arg, named->name);
    }
}

void fakeetcd_users_walk(const struct fakeetcd_auth *auth, fakeetcd_name_fn *visit, void *arg)
{
    walk(&auth->users, visit, arg);
}

void fakeetcd_roles_walk(const struct fakeetcd_auth *auth, fakeetcd_name_fn *visit, void *arg)
{
    walk(&auth->roles, visit, arg);
}

enum fakeetcd_error fakeetcd_user_roles(const struct fakeetcd_auth *auth, struct rt_slice user,
                                        fakeetcd_name_fn *visit, void *arg)
{
    const struct fakeetcd__user *found = fakeetcd__user_find(auth, user);

    if (found == NULL) {
        return FAKEETCD_E_USER_NOT_FOUND;
    }
    walk(&found->roles, visit, arg);
    return FAKEETCD_OK;
}

enum fakeetcd_error fakeetcd_role_permissions(const struct fakeetcd_auth *auth,
                                              struct rt_slice role, fakeetcd_permission_fn *visit,
                                              void *arg)
{
    const struct fakeetcd__role *found = fakeetcd__role_find(auth, role);

    if (found == NULL) {
        return FAKEETCD_E_ROLE_NOT_FOUND;
    }
    for (struct fakeetcd__grant *grant = fakeetcd__grant_first(found); grant != NULL;
         grant = fakeetcd__grant_next(grant)) {
        struct fakeetcd_permission permission = {
            .access = grant->access, .interval = {.key = grant->key, .end = grant->end}};
        visit(arg, &permission);
    }
    return FAKEETCD_OK;
}
