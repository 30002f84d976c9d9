/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/request/service_rest.h"

/*
 * The service Auth. Who may is the dispatcher's question, but for two methods: a user may look at
 * itself, and at the roles it has.
 *
 * A `hashedPassword` that comes from outside counts for nothing, as in etcd: its API makes the hash
 * from `password` and overwrites the field.
 */

static void finish_change(struct fakeetcd_call *call, enum fakeetcd_error error,
                          ProtobufCMessage *response, Etcdserverpb__ResponseHeader **field);
static enum fakeetcd_error asker_is_root(struct fakeetcd_call *call);

/* Names or permissions on their way into an answer: first counted, then given room and filled. */
struct listing {
    ProtobufCBinaryData *names;
    Authpb__Permission *permissions;
    Authpb__Permission **permission_list;
    size_t count;
};
static enum fakeetcd_error without_permission(const struct fakeetcd_call *call,
                                              struct rt_slice role);
static void pass_over(void *arg, const struct fakeetcd_permission *permission);
static void count_name(void *arg, struct rt_slice name);
static void take_name(void *arg, struct rt_slice name);
static void count_permission(void *arg, const struct fakeetcd_permission *permission);
static void take_permission(void *arg, const struct fakeetcd_permission *permission);
static bool make_room(struct fakeetcd_call *call, struct listing *listing);

struct role_search {
    struct rt_slice wanted;
    bool is_found;
};
static void look_for_role(void *arg, struct rt_slice name);

/* ---- on and off ---- */

void fakeetcd__on_auth_enable(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    Etcdserverpb__AuthEnableResponse response = ETCDSERVERPB__AUTH_ENABLE_RESPONSE__INIT;
    (void)message;
    finish_change(call, fakeetcd_auth_enable(call->server->state.auth), &response.base,
                  &response.header);
}

void fakeetcd__on_auth_disable(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    Etcdserverpb__AuthDisableResponse response = ETCDSERVERPB__AUTH_DISABLE_RESPONSE__INIT;
    (void)message;
    finish_change(call, fakeetcd_auth_disable(call->server->state.auth), &response.base,
                  &response.header);
}

void fakeetcd__on_auth_status(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const struct fakeetcd_auth *auth = call->server->state.auth;
    Etcdserverpb__AuthStatusResponse response = ETCDSERVERPB__AUTH_STATUS_RESPONSE__INIT;
    (void)message;
    response.enabled = fakeetcd_auth_is_enabled(auth);
    response.authrevision = fakeetcd_auth_revision(auth);
    fakeetcd__answer(call, &response.base, &response.header);
}

void fakeetcd__on_authenticate(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthenticateRequest *request =
        (const Etcdserverpb__AuthenticateRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__AuthenticateResponse response = ETCDSERVERPB__AUTHENTICATE_RESPONSE__INIT;
    char token[FAKEETCD_TOKEN_BYTES];
    enum fakeetcd_error error =
        fakeetcd_auth_authenticate(server->state.auth, pb_slice(request->name),
                                   pb_slice(request->password), fakeetcd__now_us(server), token);
    if (error == FAKEETCD_OK && fakeetcd__has_quirk(server, FAKEETCD_QUIRK_TOKEN_ALWAYS)) {
        error = fakeetcd__identify(call); /* of the token that came with it */
    }
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    server->state.raft_index++;
    response.token = pb_bytes(rt_slice_text(token));
    fakeetcd__answer(call, &response.base, &response.header);
}

/* ---- users ---- */

void fakeetcd__on_user_add(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthUserAddRequest *request =
        (const Etcdserverpb__AuthUserAddRequest *)message;
    Etcdserverpb__AuthUserAddResponse response = ETCDSERVERPB__AUTH_USER_ADD_RESPONSE__INIT;
    bool is_without_password = request->options != NULL && request->options->no_password;
    enum fakeetcd_error error = fakeetcd_user_add(call->server->state.auth, pb_slice(request->name),
                                                  pb_slice(request->password), is_without_password);
    finish_change(call, error, &response.base, &response.header);
}

/* Root, or the user itself: by that rule nobody may ask for the user without a name, who is not
 * found. */
void fakeetcd__on_user_get(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthUserGetRequest *request =
        (const Etcdserverpb__AuthUserGetRequest *)message;
    const struct fakeetcd_auth *auth = call->server->state.auth;
    struct rt_slice name = pb_slice(request->name);
    Etcdserverpb__AuthUserGetResponse response = ETCDSERVERPB__AUTH_USER_GET_RESPONSE__INIT;
    struct listing listing = {0};
    enum fakeetcd_error error = asker_is_root(call);
    bool is_refused = error == FAKEETCD_E_PERMISSION_DENIED || error == FAKEETCD_E_USER_EMPTY;
    if (is_refused && rt_slice_equal(call->identity.user, name)) {
        error = FAKEETCD_OK;
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd_user_roles(auth, name, count_name, &listing);
    }
    if (error == FAKEETCD_OK && !make_room(call, &listing)) {
        error = FAKEETCD_E_NOMEM;
    }
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    (void)fakeetcd_user_roles(auth, name, take_name, &listing);
    response.n_roles = listing.count;
    response.roles = listing.names;
    fakeetcd__answer(call, &response.base, &response.header);
}

void fakeetcd__on_user_list(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const struct fakeetcd_auth *auth = call->server->state.auth;
    Etcdserverpb__AuthUserListResponse response = ETCDSERVERPB__AUTH_USER_LIST_RESPONSE__INIT;
    struct listing listing = {0};
    (void)message;
    fakeetcd_users_walk(auth, count_name, &listing);
    if (!make_room(call, &listing)) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    fakeetcd_users_walk(auth, take_name, &listing);
    response.n_users = listing.count;
    response.users = listing.names;
    fakeetcd__answer(call, &response.base, &response.header);
}

void fakeetcd__on_user_delete(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthUserDeleteRequest *request =
        (const Etcdserverpb__AuthUserDeleteRequest *)message;
    Etcdserverpb__AuthUserDeleteResponse response = ETCDSERVERPB__AUTH_USER_DELETE_RESPONSE__INIT;
    finish_change(call, fakeetcd_user_delete(call->server->state.auth, pb_slice(request->name)),
                  &response.base, &response.header);
}

void fakeetcd__on_user_change_password(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthUserChangePasswordRequest *request =
        (const Etcdserverpb__AuthUserChangePasswordRequest *)message;
    Etcdserverpb__AuthUserChangePasswordResponse response =
        ETCDSERVERPB__AUTH_USER_CHANGE_PASSWORD_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd_user_password(
        call->server->state.auth, pb_slice(request->name), pb_slice(request->password));
    finish_change(call, error, &response.base, &response.header);
}

void fakeetcd__on_user_grant_role(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthUserGrantRoleRequest *request =
        (const Etcdserverpb__AuthUserGrantRoleRequest *)message;
    Etcdserverpb__AuthUserGrantRoleResponse response =
        ETCDSERVERPB__AUTH_USER_GRANT_ROLE_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd_user_grant(
        call->server->state.auth, pb_slice(request->user), pb_slice(request->role));
    finish_change(call, error, &response.base, &response.header);
}

void fakeetcd__on_user_revoke_role(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthUserRevokeRoleRequest *request =
        (const Etcdserverpb__AuthUserRevokeRoleRequest *)message;
    Etcdserverpb__AuthUserRevokeRoleResponse response =
        ETCDSERVERPB__AUTH_USER_REVOKE_ROLE_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd_user_revoke(
        call->server->state.auth, pb_slice(request->name), pb_slice(request->role));
    finish_change(call, error, &response.base, &response.header);
}

/* ---- roles ---- */

void fakeetcd__on_role_add(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthRoleAddRequest *request =
        (const Etcdserverpb__AuthRoleAddRequest *)message;
    Etcdserverpb__AuthRoleAddResponse response = ETCDSERVERPB__AUTH_ROLE_ADD_RESPONSE__INIT;
    finish_change(call, fakeetcd_role_add(call->server->state.auth, pb_slice(request->name)),
                  &response.base, &response.header);
}

/* Root, or a user who has the role. */
void fakeetcd__on_role_get(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthRoleGetRequest *request =
        (const Etcdserverpb__AuthRoleGetRequest *)message;
    const struct fakeetcd_auth *auth = call->server->state.auth;
    struct rt_slice role = pb_slice(request->role);
    Etcdserverpb__AuthRoleGetResponse response = ETCDSERVERPB__AUTH_ROLE_GET_RESPONSE__INIT;
    struct listing listing = {0};
    enum fakeetcd_error error = asker_is_root(call);
    if (error == FAKEETCD_E_PERMISSION_DENIED) {
        struct role_search search = {.wanted = role};
        (void)fakeetcd_user_roles(auth, call->identity.user, look_for_role, &search);
        error = search.is_found ? FAKEETCD_OK : error;
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd_role_permissions(auth, role, count_permission, &listing);
    }
    if (error == FAKEETCD_OK && !make_room(call, &listing)) {
        error = FAKEETCD_E_NOMEM;
    }
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    (void)fakeetcd_role_permissions(auth, role, take_permission, &listing);
    response.n_perm = listing.count;
    response.perm = listing.permission_list;
    fakeetcd__answer(call, &response.base, &response.header);
}

void fakeetcd__on_role_list(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const struct fakeetcd_auth *auth = call->server->state.auth;
    Etcdserverpb__AuthRoleListResponse response = ETCDSERVERPB__AUTH_ROLE_LIST_RESPONSE__INIT;
    struct listing listing = {0};
    (void)message;
    fakeetcd_roles_walk(auth, count_name, &listing);
    if (!make_room(call, &listing)) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    fakeetcd_roles_walk(auth, take_name, &listing);
    response.n_roles = listing.count;
    response.roles = listing.names;
    fakeetcd__answer(call, &response.base, &response.header);
}

void fakeetcd__on_role_delete(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthRoleDeleteRequest *request =
        (const Etcdserverpb__AuthRoleDeleteRequest *)message;
    Etcdserverpb__AuthRoleDeleteResponse response = ETCDSERVERPB__AUTH_ROLE_DELETE_RESPONSE__INIT;
    finish_change(call, fakeetcd_role_delete(call->server->state.auth, pb_slice(request->role)),
                  &response.base, &response.header);
}

/* etcd 3.4 looks for the role first (and would then die of what is missing). */
static enum fakeetcd_error without_permission(const struct fakeetcd_call *call,
                                              struct rt_slice role)
{
    if (fakeetcd__has_quirk(call->server, FAKEETCD_QUIRK_OLD_CODES) &&
        fakeetcd_role_permissions(call->server->state.auth, role, pass_over, NULL) ==
            FAKEETCD_E_ROLE_NOT_FOUND) {
        return FAKEETCD_E_ROLE_NOT_FOUND;
    }
    return FAKEETCD_E_PERMISSION_NOT_GIVEN;
}

static void pass_over(void *arg, const struct fakeetcd_permission *permission)
{
    (void)arg;
    (void)permission;
}

/* A kind of permission that etcd does not know gives nothing there; here it is refused. */
void fakeetcd__on_role_grant_permission(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthRoleGrantPermissionRequest *request =
        (const Etcdserverpb__AuthRoleGrantPermissionRequest *)message;
    Etcdserverpb__AuthRoleGrantPermissionResponse response =
        ETCDSERVERPB__AUTH_ROLE_GRANT_PERMISSION_RESPONSE__INIT;
    const Authpb__Permission *given = request->perm;
    if (given == NULL) {
        fakeetcd_call_fail(call, without_permission(call, pb_slice(request->name)));
        return;
    }
    struct fakeetcd_permission permission = {
        .interval = {pb_slice(given->key), pb_slice(given->range_end)}};
    switch (given->permtype) {
    case AUTHPB__PERMISSION__TYPE__READ:
        permission.access = FAKEETCD_READ;
        break;
    case AUTHPB__PERMISSION__TYPE__WRITE:
        permission.access = FAKEETCD_WRITE;
        break;
    case AUTHPB__PERMISSION__TYPE__READWRITE:
        permission.access = FAKEETCD_READWRITE;
        break;
    default:
        fakeetcd_call_fail(call, FAKEETCD_E_INVALID_AUTH_MGMT);
        return;
    }
    finish_change(
        call, fakeetcd_role_grant(call->server->state.auth, pb_slice(request->name), &permission),
        &response.base, &response.header);
}

void fakeetcd__on_role_revoke_permission(struct fakeetcd_call *call,
                                         const ProtobufCMessage *message)
{
    const Etcdserverpb__AuthRoleRevokePermissionRequest *request =
        (const Etcdserverpb__AuthRoleRevokePermissionRequest *)message;
    Etcdserverpb__AuthRoleRevokePermissionResponse response =
        ETCDSERVERPB__AUTH_ROLE_REVOKE_PERMISSION_RESPONSE__INIT;
    const struct fakeetcd_interval interval = {pb_slice(request->key),
                                               pb_slice(request->range_end)};
    enum fakeetcd_error error =
        fakeetcd_role_revoke(call->server->state.auth, pb_slice(request->role), &interval);
    finish_change(call, error, &response.base, &response.header);
}

/* ---- who asks ---- */

static enum fakeetcd_error asker_is_root(struct fakeetcd_call *call)
{
    const struct fakeetcd_auth *auth = call->server->state.auth;
    enum fakeetcd_error error = fakeetcd__identify(call);
    return error == FAKEETCD_OK && fakeetcd_auth_is_enabled(auth)
               ? fakeetcd_auth_check_root(auth, &call->identity)
               : error;
}

static void look_for_role(void *arg, struct rt_slice name)
{
    struct role_search *search = arg;
    search->is_found = search->is_found || rt_slice_equal(name, search->wanted);
}

/* ---- answers ---- */

/* A management call is a proposal, whether it changed something or not; what it changed is on the
 * disk before it is answered. */
static void finish_change(struct fakeetcd_call *call, enum fakeetcd_error error,
                          ProtobufCMessage *response, Etcdserverpb__ResponseHeader **field)
{
    struct fakeetcd_server *server = call->server;
    server->state.raft_index++;
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    if (server->data_dir != NULL) {
        fakeetcd_data_dir_auth_changed(server->data_dir);
    }
    fakeetcd__changed(server);
    fakeetcd__answer(call, response, field);
}

static void count_name(void *arg, struct rt_slice name)
{
    struct listing *listing = arg;
    (void)name;
    listing->count++;
}

static void take_name(void *arg, struct rt_slice name)
{
    struct listing *listing = arg;
    listing->names[listing->count++] = pb_bytes(name);
}

static void count_permission(void *arg, const struct fakeetcd_permission *permission)
{
    struct listing *listing = arg;
    (void)permission;
    listing->count++;
}

static void take_permission(void *arg, const struct fakeetcd_permission *permission)
{
    static const Authpb__Permission__Type types[] = {
        [FAKEETCD_READ] = AUTHPB__PERMISSION__TYPE__READ,
        [FAKEETCD_WRITE] = AUTHPB__PERMISSION__TYPE__WRITE,
        [FAKEETCD_READWRITE] = AUTHPB__PERMISSION__TYPE__READWRITE,
    };
    struct listing *listing = arg;
    Authpb__Permission *taken = &listing->permissions[listing->count];
    authpb__permission__init(taken);
    taken->permtype = types[permission->access];
    taken->key = pb_bytes(permission->interval.key);
    taken->range_end = pb_bytes(permission->interval.end);
    listing->permission_list[listing->count++] = taken;
}

/* For as many as were counted; the count begins again. */
static bool make_room(struct fakeetcd_call *call, struct listing *listing)
{
    struct pb_arena *arena = &call->server->arena;
    size_t count = listing->count == 0 ? 1 : listing->count;
    listing->names = pb_arena_array(arena, count, sizeof(*listing->names));
    listing->permissions = pb_arena_array(arena, count, sizeof(*listing->permissions));
    listing->permission_list = pb_arena_array(arena, count, sizeof(*listing->permission_list));
    listing->count = 0;
    return listing->names != NULL && listing->permissions != NULL &&
           listing->permission_list != NULL;
}
