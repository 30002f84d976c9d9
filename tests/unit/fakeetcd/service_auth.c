/* SPDX-License-Identifier: Apache-2.0 */
#include "service_world.h"

/*
 * Auth through gRPC, in simulation. Codes and texts are those that etcd 3.4.23 was seen to give,
 * and for 3.5 those of its tables of errors.
 */

static int32_t user_add(struct service_world *fx, const char *name, const char *password)
{
    Etcdserverpb__AuthUserAddRequest request = ETCDSERVERPB__AUTH_USER_ADD_REQUEST__INIT;

    request.name = bytes_of(name);
    request.password = bytes_of(password);
    return service_ask(fx, AUTH "UserAdd", &request.base);
}

static int32_t user_grant(struct service_world *fx, const char *user, const char *role)
{
    Etcdserverpb__AuthUserGrantRoleRequest request =
        ETCDSERVERPB__AUTH_USER_GRANT_ROLE_REQUEST__INIT;

    request.user = bytes_of(user);
    request.role = bytes_of(role);
    return service_ask(fx, AUTH "UserGrantRole", &request.base);
}

static int32_t user_get(struct service_world *fx, const char *name)
{
    Etcdserverpb__AuthUserGetRequest request = ETCDSERVERPB__AUTH_USER_GET_REQUEST__INIT;

    request.name = bytes_of(name);
    return service_ask(fx, AUTH "UserGet", &request.base);
}

static int32_t role_get(struct service_world *fx, const char *role)
{
    Etcdserverpb__AuthRoleGetRequest request = ETCDSERVERPB__AUTH_ROLE_GET_REQUEST__INIT;

    request.role = bytes_of(role);
    return service_ask(fx, AUTH "RoleGet", &request.base);
}

static void log_in(struct service_world *fx, const char *name, const char *password)
{
    Etcdserverpb__AuthenticateRequest request = ETCDSERVERPB__AUTHENTICATE_REQUEST__INIT;

    fx->lab.token = NULL;
    request.name = bytes_of(name);
    request.password = bytes_of(password);
    (void)service_ask(fx, AUTH "Authenticate", &request.base);
    Etcdserverpb__AuthenticateResponse *response =
        service_answer(fx, &etcdserverpb__authenticate_response__descriptor);
    assert_true(response->token.len > 17 && response->token.len < sizeof(fx->token_text));
    memcpy(fx->token_text, response->token.data, response->token.len);
    fx->token_text[response->token.len] = '\0';
    fx->lab.token = fx->token_text;
    etcdserverpb__authenticate_response__free_unpacked(response, NULL);
}

/* root, and u who may read and write [a, b) by the role ra. */
static struct service_world *start_with_auth(const char *profile)
{
    struct service_world *fx = service_start(profile);
    Etcdserverpb__AuthRoleAddRequest role = ETCDSERVERPB__AUTH_ROLE_ADD_REQUEST__INIT;
    Etcdserverpb__AuthRoleGrantPermissionRequest grant =
        ETCDSERVERPB__AUTH_ROLE_GRANT_PERMISSION_REQUEST__INIT;
    Authpb__Permission permission = AUTHPB__PERMISSION__INIT;

    role.name = bytes_of("ra");
    grant.name = bytes_of("ra");
    grant.perm = &permission;
    permission.permtype = AUTHPB__PERMISSION__TYPE__READWRITE;
    permission.key = bytes_of("a");
    permission.range_end = bytes_of("b");
    assert_int_equal(user_add(fx, "root", "r"), 0);
    assert_int_equal(user_grant(fx, "root", "root"), 0);
    assert_int_equal(user_add(fx, "u", "u"), 0);
    assert_int_equal(service_ask(fx, AUTH "RoleAdd", &role.base), 0);
    assert_int_equal(service_ask(fx, AUTH "RoleGrantPermission", &grant.base), 0);
    assert_int_equal(user_grant(fx, "u", "ra"), 0);
    assert_int_equal(service_ask_empty(fx, AUTH "AuthEnable"), 0);
    return fx;
}

static void auth_enable__without_root__is_refused(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    (void)service_ask_empty(fx, AUTH "AuthEnable");
    assert_service_refused(fx, 9, "etcdserver: root user does not exist");
    assert_int_equal(user_add(fx, "root", "r"), 0);
    (void)service_ask_empty(fx, AUTH "AuthEnable");
    assert_service_refused(fx, 9, "etcdserver: root user does not have root role");
    (void)user_add(fx, "root", "r");
    assert_service_refused(fx, 9, "etcdserver: user name already exists");
    (void)user_add(fx, "", "r");
    assert_service_refused(fx, 3, "etcdserver: user name is empty");
    (void)service_ask_empty(fx, AUTH "Authenticate");
    assert_service_refused(fx, 9, "etcdserver: authentication is not enabled");
    service_stop(fx);
}

static void auth__root_only__refuses_a_user_and_nobody(void **state)
{
    static const char *const paths[] = {AUTH "UserList", AUTH "RoleList", AUTH "AuthDisable",
                                        AUTH "AuthStatus", CLUSTER "MemberRemove"};
    struct service_world *fx = start_with_auth("etcd-3.5");

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        fx->lab.token = NULL;
        (void)service_ask_empty(fx, paths[i]);
        assert_service_refused(fx, 3, "etcdserver: user name is empty");
        fx->lab.token = "junk.1";
        (void)service_ask_empty(fx, paths[i]);
        assert_service_refused(fx, 16, "etcdserver: invalid auth token");
        log_in(fx, "u", "u");
        (void)service_ask_empty(fx, paths[i]);
        assert_service_refused(fx, 7, "etcdserver: permission denied");
    }
    service_stop(fx);
}

static void auth__maintenance_of_root__is_refused_in_the_words_of_the_store(void **state)
{
    static const char *const paths[] = {MAINTENANCE "Defragment", MAINTENANCE "Hash",
                                        MAINTENANCE "HashKV", MAINTENANCE "Snapshot"};
    struct service_world *fx = start_with_auth("etcd-3.4");

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        fx->lab.token = NULL;
        (void)service_ask_empty(fx, paths[i]);
        assert_service_refused(fx, 2, "auth: user name is empty");
        fx->lab.token = "junk.1";
        (void)service_ask_empty(fx, paths[i]);
        assert_service_refused(fx, 2, "auth: invalid auth token");
        log_in(fx, "u", "u");
        (void)service_ask_empty(fx, paths[i]);
        assert_service_refused(fx, 2, "auth: permission denied");
        log_in(fx, "root", "r");
        assert_int_equal(service_ask_empty(fx, paths[i]), 0);
    }
    service_stop(fx);
}

static void auth__what_no_key_is_asked_for__is_open_in_3_4_only(void **state)
{
    static const struct {
        const char *path;
        bool is_for_root; /* since 3.5.28 */
    } CASES[] = {
        {MAINTENANCE "Alarm", false},
        {CLUSTER "MemberList", false},
        {"/etcdserverpb.Lease/LeaseLeases", false},
        {MAINTENANCE "Status", true},
    };
    struct service_world *fx = start_with_auth("etcd-3.4");

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        assert_int_equal(service_ask_empty(fx, CASES[i].path), 0);
    }
    service_stop(fx);
    fx = start_with_auth("etcd-3.5");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        fx->lab.token = NULL;
        (void)service_ask_empty(fx, CASES[i].path);
        assert_service_refused(fx, 3, "etcdserver: user name is empty");
        log_in(fx, "u", "u");
        (void)service_ask_empty(fx, CASES[i].path);
        assert_service_refused(fx, CASES[i].is_for_root ? 7 : 0,
                               CASES[i].is_for_root ? "etcdserver: permission denied" : "");
    }
    service_stop(fx);
}

/* What 3.4.23 says with auth off to a client that sends a token; 3.5 does not look at it. */
static void token__auth_off__is_refused_by_3_4_only(void **state)
{
    static const char *const open[] = {LEASE "LeaseLeases", LEASE "LeaseTimeToLive",
                                       CLUSTER "MemberList", MAINTENANCE "Status"};
    static const char *const refused[] = {KV "Compact",           KV "Txn",
                                          AUTH "RoleList",        LEASE "LeaseGrant",
                                          LEASE "LeaseRevoke",    CLUSTER "MemberAdd",
                                          CLUSTER "MemberRemove", CLUSTER "MemberUpdate",
                                          AUTH "AuthEnable",      AUTH "AuthDisable",
                                          AUTH "UserAdd",         AUTH "UserGet",
                                          AUTH "UserList",        AUTH "UserDelete",
                                          AUTH "RoleGet",         AUTH "UserChangePassword"};
    static const char *const raw[] = {MAINTENANCE "Alarm", MAINTENANCE "Hash", MAINTENANCE "HashKV",
                                      MAINTENANCE "Defragment", MAINTENANCE "Snapshot"};
    static const char *const recipes[] = {"/v3lockpb.Lock/Lock", "/v3electionpb.Election/Campaign",
                                          "/v3electionpb.Election/Leader"};
    struct service_world *fx = service_start("etcd-3.4");

    (void)state;
    fx->lab.token = "rubbish";
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        assert_int_equal(service_ask_empty(fx, open[i]), 0);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        (void)service_ask_empty(fx, refused[i]);
        assert_service_refused(fx, 16, "etcdserver: invalid auth token");
    }
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
        (void)service_ask_empty(fx, raw[i]);
        assert_service_refused(fx, 2, "auth: invalid auth token");
    }
    for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
        (void)service_ask_empty(fx, recipes[i]);
        assert_service_refused(fx, 2, "etcdserver: invalid auth token");
    }
    assert_int_equal(service_put(fx, "a"), 16);
    (void)service_ask_empty(fx, KV "Put"); /* the shape is looked at first */
    assert_service_refused(fx, 3, "etcdserver: key is not provided");
    (void)service_ask_empty(fx, AUTH "Authenticate");
    assert_service_refused(fx, 9, "etcdserver: authentication is not enabled");
    (void)service_ask_empty(fx, LEASE "LeaseLeases"); /* no session is left */
    Etcdserverpb__LeaseLeasesResponse *leases =
        service_answer(fx, &etcdserverpb__lease_leases_response__descriptor);
    assert_int_equal(leases->n_leases, 0);
    etcdserverpb__lease_leases_response__free_unpacked(leases, NULL);
    fx->lab.token = NULL;
    assert_int_equal(service_put(fx, "a"), 0);
    service_stop(fx);
    fx = service_start("etcd-3.5");
    fx->lab.token = "rubbish";
    assert_int_equal(service_put(fx, "a"), 0);
    assert_int_equal(service_ask_empty(fx, AUTH "UserList"), 0);
    assert_int_equal(service_ask_empty(fx, MAINTENANCE "Alarm"), 0);
    service_stop(fx);
}

/* Seen: 3.4.23 names the keys of a lease to anybody. */
static void auth__keys_of_a_lease_without_token__are_told_by_3_4_only(void **state)
{
    Etcdserverpb__LeaseGrantRequest grant = ETCDSERVERPB__LEASE_GRANT_REQUEST__INIT;
    Etcdserverpb__LeaseTimeToLiveRequest look = ETCDSERVERPB__LEASE_TIME_TO_LIVE_REQUEST__INIT;
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    static const char *const profiles[] = {"etcd-3.4", "etcd-3.5"};

    (void)state;
    put.key = bytes_of("a");
    grant.id = look.id = put.lease = 7;
    grant.ttl = 60;
    look.keys = true;
    for (size_t i = 0; i < 2; i++) {
        struct service_world *fx = start_with_auth(profiles[i]);
        log_in(fx, "root", "r");
        assert_int_equal(service_ask(fx, LEASE "LeaseGrant", &grant.base), 0);
        assert_int_equal(service_ask(fx, KV "Put", &put.base), 0);
        fx->lab.token = NULL;
        assert_int_equal(service_ask(fx, LEASE "LeaseTimeToLive", &look.base), i == 0 ? 0 : 3);
        service_stop(fx);
    }
}

/* A compaction, and an alarm that is set, are for root since 3.5.28; 3.4 asks for no user. */
static void auth__what_changes_more_than_keys__is_for_root_since_3_5_28(void **state)
{
    Etcdserverpb__CompactionRequest compact = ETCDSERVERPB__COMPACTION_REQUEST__INIT;
    Etcdserverpb__AlarmRequest alarm = ETCDSERVERPB__ALARM_REQUEST__INIT;
    struct service_world *fx = start_with_auth("etcd-3.4");

    (void)state;
    compact.revision = 1;
    alarm.action = ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__ACTIVATE;
    alarm.alarm = ETCDSERVERPB__ALARM_TYPE__NOSPACE;
    log_in(fx, "u", "u");
    assert_int_equal(service_ask(fx, KV "Compact", &compact.base), 0);
    assert_int_equal(service_ask(fx, MAINTENANCE "Alarm", &alarm.base), 0);
    service_stop(fx);
    fx = start_with_auth("etcd-3.5");
    log_in(fx, "u", "u");
    (void)service_ask(fx, KV "Compact", &compact.base);
    assert_service_refused(fx, 7, "etcdserver: permission denied");
    (void)service_ask(fx, MAINTENANCE "Alarm", &alarm.base);
    assert_service_refused(fx, 7, "etcdserver: permission denied");
    log_in(fx, "root", "r");
    assert_int_equal(service_ask(fx, KV "Compact", &compact.base), 0);
    service_stop(fx);
}

/* root hangs a key, which u may not touch, on lease 7. */
static void hang_foreign_key(struct service_world *fx)
{
    Etcdserverpb__LeaseGrantRequest lease = ETCDSERVERPB__LEASE_GRANT_REQUEST__INIT;
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;

    log_in(fx, "root", "r");
    lease.id = 7;
    lease.ttl = 60;
    assert_int_equal(service_ask(fx, "/etcdserverpb.Lease/LeaseGrant", &lease.base), 0);
    put.key = bytes_of("foreign");
    put.lease = 7;
    assert_int_equal(service_ask(fx, KV "Put", &put.base), 0);
}

static void auth__a_lease_with_foreign_keys__may_be_looked_at_in_3_4_only(void **state)
{
    Etcdserverpb__LeaseTimeToLiveRequest look = ETCDSERVERPB__LEASE_TIME_TO_LIVE_REQUEST__INIT;
    Etcdserverpb__LeaseKeepAliveRequest renew = ETCDSERVERPB__LEASE_KEEP_ALIVE_REQUEST__INIT;
    struct service_world *fx = start_with_auth("etcd-3.4");

    (void)state;
    look.id = 7;
    look.keys = true;
    renew.id = 7;
    hang_foreign_key(fx);
    fx->lab.token = NULL;
    assert_int_equal(service_ask(fx, "/etcdserverpb.Lease/LeaseTimeToLive", &look.base), 0);
    service_stop(fx);
    fx = start_with_auth("etcd-3.5");
    hang_foreign_key(fx);
    log_in(fx, "u", "u");
    (void)service_ask(fx, "/etcdserverpb.Lease/LeaseTimeToLive", &look.base);
    assert_service_refused(fx, 7, "etcdserver: permission denied");
    (void)service_ask_empty(fx, "/etcdserverpb.Lease/LeaseLeases");
    assert_service_refused(fx, 7, "etcdserver: permission denied");
    (void)service_ask(fx, "/etcdserverpb.Lease/LeaseKeepAlive", &renew.base);
    assert_service_refused(fx, 7, "etcdserver: permission denied");
    service_stop(fx);
}

/* 3.4.23 looks at the operations of the outer transaction only. */
static void auth__a_nested_transaction__needs_no_permission_in_3_4(void **state)
{
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    Etcdserverpb__RequestOp inner_op = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__RequestOp outer_op = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__TxnRequest inner = ETCDSERVERPB__TXN_REQUEST__INIT;
    Etcdserverpb__TxnRequest outer = ETCDSERVERPB__TXN_REQUEST__INIT;
    Etcdserverpb__RequestOp *inner_ops[] = {&inner_op};
    Etcdserverpb__RequestOp *outer_ops[] = {&outer_op};
    static const char *const profiles[] = {"etcd-3.4", "etcd-3.5"};

    (void)state;
    put.key = bytes_of("foreign");
    inner_op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
    inner_op.request_put = &put;
    inner.success = inner_ops;
    inner.n_success = 1;
    outer_op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN;
    outer_op.request_txn = &inner;
    outer.success = outer_ops;
    outer.n_success = 1;
    for (size_t i = 0; i < 2; i++) {
        struct service_world *fx = start_with_auth(profiles[i]);
        log_in(fx, "u", "u");
        (void)service_ask(fx, KV "Txn", &outer.base);
        assert_service_refused(fx, i == 0 ? 0 : 7, i == 0 ? "" : "etcdserver: permission denied");
        service_stop(fx);
    }
}

static void auth__alarm_with_a_bad_token__is_told_raw_by_3_4(void **state)
{
    struct service_world *fx = start_with_auth("etcd-3.4");

    (void)state;
    fx->lab.token = "rubbish";
    (void)service_ask_empty(fx, MAINTENANCE "Alarm");
    assert_service_refused(fx, 2, "auth: invalid auth token");
    service_stop(fx);
    fx = start_with_auth("etcd-3.5");
    fx->lab.token = "rubbish";
    (void)service_ask_empty(fx, MAINTENANCE "Alarm");
    assert_service_refused(fx, 16, "etcdserver: invalid auth token");
    service_stop(fx);
}

static void auth__a_user__sees_itself_and_its_roles(void **state)
{
    struct service_world *fx = start_with_auth("etcd-3.5");

    (void)state;
    log_in(fx, "u", "u");
    (void)user_get(fx, "u");
    Etcdserverpb__AuthUserGetResponse *user =
        service_answer(fx, &etcdserverpb__auth_user_get_response__descriptor);
    assert_int_equal(user->n_roles, 1);
    assert_bytes(user->roles[0], "ra");
    etcdserverpb__auth_user_get_response__free_unpacked(user, NULL);
    (void)role_get(fx, "ra");
    Etcdserverpb__AuthRoleGetResponse *role =
        service_answer(fx, &etcdserverpb__auth_role_get_response__descriptor);
    assert_int_equal(role->n_perm, 1);
    assert_int_equal(role->perm[0]->permtype, AUTHPB__PERMISSION__TYPE__READWRITE);
    assert_bytes(role->perm[0]->key, "a");
    assert_bytes(role->perm[0]->range_end, "b");
    etcdserverpb__auth_role_get_response__free_unpacked(role, NULL);
    (void)user_get(fx, "root");
    assert_service_refused(fx, 7, "etcdserver: permission denied");
    (void)role_get(fx, "root");
    assert_service_refused(fx, 7, "etcdserver: permission denied");
    log_in(fx, "root", "r");
    (void)user_get(fx, "zz");
    assert_service_refused(fx, 9, "etcdserver: user name not found");
    service_stop(fx);
}

static void auth__changed__leaves_the_revision_of_keys_alone(void **state)
{
    struct service_world *fx = start_with_auth("etcd-3.5");

    (void)state;
    log_in(fx, "root", "r");
    (void)service_ask_empty(fx, AUTH "AuthStatus");
    Etcdserverpb__AuthStatusResponse *status =
        service_answer(fx, &etcdserverpb__auth_status_response__descriptor);
    assert_true(status->enabled);
    assert_int_equal(status->header->revision, 1);
    uint64_t before = status->authrevision;
    etcdserverpb__auth_status_response__free_unpacked(status, NULL);
    assert_int_equal(user_add(fx, "v", "v"), 0);
    (void)service_ask_empty(fx, AUTH "AuthStatus");
    status = service_answer(fx, &etcdserverpb__auth_status_response__descriptor);
    assert_int_equal(status->authrevision, before + 1);
    assert_int_equal(status->header->revision, 1);
    etcdserverpb__auth_status_response__free_unpacked(status, NULL);
    service_stop(fx);
}

static void authenticate__wrong_or_impossible__is_refused(void **state)
{
    struct service_world *fx = start_with_auth("etcd-3.5");
    Etcdserverpb__AuthenticateRequest request = ETCDSERVERPB__AUTHENTICATE_REQUEST__INIT;
    Etcdserverpb__AuthUserAddRequest add = ETCDSERVERPB__AUTH_USER_ADD_REQUEST__INIT;
    Authpb__UserAddOptions options = AUTHPB__USER_ADD_OPTIONS__INIT;
    static const char *const names[] = {"u", "zz"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        request.name = bytes_of(names[i]);
        request.password = bytes_of("wrong");
        (void)service_ask(fx, AUTH "Authenticate", &request.base);
        assert_service_refused(fx, 3,
                               "etcdserver: authentication failed, invalid user ID or password");
    }
    log_in(fx, "root", "r");
    options.no_password = true;
    add.name = bytes_of("n");
    add.options = &options;
    assert_int_equal(service_ask(fx, AUTH "UserAdd", &add.base), 0);
    request.name = bytes_of("n");
    (void)service_ask(fx, AUTH "Authenticate", &request.base);
    assert_service_refused(fx, 2,
                           "auth: authentication failed, password was given for no password user");
    service_stop(fx);
}

static void role_grant__no_permission_given__is_refused(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    (void)service_ask_empty(fx, AUTH "RoleGrantPermission");
    assert_service_refused(fx, 3, "etcdserver: permission not given");
    (void)service_ask_empty(fx, AUTH "RoleAdd");
    assert_service_refused(fx, 3, "etcdserver: role name is empty");
    service_stop(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auth_enable__without_root__is_refused),
        cmocka_unit_test(auth__root_only__refuses_a_user_and_nobody),
        cmocka_unit_test(auth__maintenance_of_root__is_refused_in_the_words_of_the_store),
        cmocka_unit_test(token__auth_off__is_refused_by_3_4_only),
        cmocka_unit_test(auth__keys_of_a_lease_without_token__are_told_by_3_4_only),
        cmocka_unit_test(auth__alarm_with_a_bad_token__is_told_raw_by_3_4),
        cmocka_unit_test(auth__what_no_key_is_asked_for__is_open_in_3_4_only),
        cmocka_unit_test(auth__what_changes_more_than_keys__is_for_root_since_3_5_28),
        cmocka_unit_test(auth__a_lease_with_foreign_keys__may_be_looked_at_in_3_4_only),
        cmocka_unit_test(auth__a_nested_transaction__needs_no_permission_in_3_4),
        cmocka_unit_test(auth__a_user__sees_itself_and_its_roles),
        cmocka_unit_test(auth__changed__leaves_the_revision_of_keys_alone),
        cmocka_unit_test(authenticate__wrong_or_impossible__is_refused),
        cmocka_unit_test(role_grant__no_permission_given__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
