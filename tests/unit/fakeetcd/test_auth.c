/* SPDX-License-Identifier: Apache-2.0 */
/* What etcd 3.4.23 answers to etcdctl, question by question, and what newer ones differ in. */
#include "fakeetcd/auth/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define TTL_US   UINT64_C(300000000)
#define ANYTHING "\0"

struct fixture {
    struct fakeetcd_auth *auth;
    struct rt_random random;
    char token[FAKEETCD_TOKEN_BYTES];
};

static struct rt_slice text(const char *bytes)
{
    return rt_slice_text(bytes);
}

static struct fakeetcd_interval range(const char *key, const char *end)
{
    struct fakeetcd_interval interval = {.key = text(key), .end = text(end)};
    return interval;
}

static struct fakeetcd_interval from(const char *key)
{
    struct fakeetcd_interval interval = {.key = text(key), .end = rt_slice_of(ANYTHING, 1)};
    return interval;
}

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    rt_random_init(&fx->random, 7, "auth");
    assert_int_equal(fakeetcd_auth_create(&fx->random, TTL_US, &fx->auth), RT_OK);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    fakeetcd_auth_destroy(fx->auth);
    free(fx);
    return 0;
}

static void grant(struct fixture *fx, const char *role, enum fakeetcd_access access,
                  struct fakeetcd_interval interval)
{
    const struct fakeetcd_permission permission = {.access = access, .interval = interval};
    assert_int_equal(fakeetcd_role_grant(fx->auth, text(role), &permission), FAKEETCD_OK);
}

/* root, and u with roles r and s */
static void enable(struct fixture *fx)
{
    assert_int_equal(fakeetcd_user_add(fx->auth, text("root"), text("pw"), false), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_grant(fx->auth, text("root"), text("root")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_add(fx->auth, text("u"), text("u"), false), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_add(fx->auth, text("r")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_add(fx->auth, text("s")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_grant(fx->auth, text("u"), text("s")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_grant(fx->auth, text("u"), text("r")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_enable(fx->auth), FAKEETCD_OK);
}

static void log_in(struct fixture *fx, const char *user, const char *password, uint64_t now_us)
{
    assert_int_equal(
        fakeetcd_auth_authenticate(fx->auth, text(user), text(password), now_us, fx->token),
        FAKEETCD_OK);
}

static enum fakeetcd_error check(struct fixture *fx, const char *user, enum fakeetcd_access access,
                                 struct fakeetcd_interval interval)
{
    struct fakeetcd_identity identity;

    assert_int_equal(fakeetcd_auth_identify_name(fx->auth, text(user), &identity), FAKEETCD_OK);
    return fakeetcd_auth_check(fx->auth, &identity, access, &interval);
}

static void enable__without_root__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(fakeetcd_auth_enable(fx->auth), FAKEETCD_E_ROOT_USER_NOT_EXIST);
    assert_int_equal(fakeetcd_user_add(fx->auth, text("root"), text("pw"), false), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_enable(fx->auth), FAKEETCD_E_ROOT_ROLE_NOT_EXIST);
    assert_int_equal(fakeetcd_user_grant(fx->auth, text("root"), text("root")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_enable(fx->auth), FAKEETCD_OK);
    assert_true(fakeetcd_auth_is_enabled(fx->auth));
}

static void disabled__everybody__may_do_everything(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(check(fx, "nobody", FAKEETCD_READWRITE, from("a")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_authenticate(fx->auth, text("root"), text("pw"), 0, fx->token),
                     FAKEETCD_E_AUTH_NOT_ENABLED);
}

static void authenticate__wrong__says_what_etcd_says(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(fakeetcd_user_add(fx->auth, text("np"), text(""), true), FAKEETCD_OK);
    enable(fx);
    assert_int_equal(fakeetcd_auth_authenticate(fx->auth, text("u"), text("w"), 0, fx->token),
                     FAKEETCD_E_AUTH_FAILED);
    assert_int_equal(fakeetcd_auth_authenticate(fx->auth, text("no"), text("u"), 0, fx->token),
                     FAKEETCD_E_AUTH_FAILED);
    assert_int_equal(fakeetcd_auth_authenticate(fx->auth, text("np"), text(""), 0, fx->token),
                     FAKEETCD_E_NO_PASSWORD_USER);
}

static void token__16_letters_a_dot_a_number(void **state)
{
    struct fixture *fx = *state;
    unsigned long long number = 0;
    char rest = '\0';

    enable(fx);
    log_in(fx, "u", "u", 0);
    assert_int_equal(strspn(fx->token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"), 16);
    assert_int_equal(sscanf(fx->token + 16, ".%llu%c", &number, &rest), 1);
}

static void token__lives_5_minutes_after_its_last_use_not_longer(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_identity identity;

    enable(fx);
    log_in(fx, "u", "u", 10);
    assert_int_equal(fakeetcd_auth_identify(fx->auth, text(fx->token), 10 + TTL_US - 1, &identity),
                     FAKEETCD_OK);
    assert_true(identity.is_known && rt_slice_is_text(identity.user, "u"));
    assert_int_equal(
        fakeetcd_auth_identify(fx->auth, text(fx->token), 10 + 2 * TTL_US - 2, &identity),
        FAKEETCD_OK);
    assert_int_equal(
        fakeetcd_auth_identify(fx->auth, text(fx->token), 10 + 3 * TTL_US - 2, &identity),
        FAKEETCD_E_INVALID_TOKEN);
}

static void token__none__is_nobody_rubbish__is_refused(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_identity identity;
    const struct fakeetcd_interval everything = from("a");

    enable(fx);
    assert_int_equal(fakeetcd_auth_identify(fx->auth, text(""), 0, &identity), FAKEETCD_OK);
    assert_false(identity.is_known);
    assert_int_equal(fakeetcd_auth_check(fx->auth, &identity, FAKEETCD_READ, &everything),
                     FAKEETCD_E_USER_EMPTY);
    assert_int_equal(fakeetcd_auth_check_root(fx->auth, &identity), FAKEETCD_E_USER_EMPTY);
    assert_int_equal(fakeetcd_auth_identify(fx->auth, text("rubbish"), 0, &identity),
                     FAKEETCD_E_INVALID_TOKEN);
}

static void token__user_changed__is_dead(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_identity identity;

    enable(fx);
    log_in(fx, "u", "u", 0);
    assert_int_equal(fakeetcd_user_password(fx->auth, text("u"), text("new")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_identify(fx->auth, text(fx->token), 0, &identity),
                     FAKEETCD_E_INVALID_TOKEN);
    log_in(fx, "u", "new", 0);
    assert_int_equal(fakeetcd_user_delete(fx->auth, text("u")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_identify(fx->auth, text(fx->token), 0, &identity),
                     FAKEETCD_E_INVALID_TOKEN);
}

static void token__role_of_its_user_deleted__lives_on(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_identity identity;

    enable(fx);
    log_in(fx, "u", "u", 0);
    assert_int_equal(fakeetcd_role_delete(fx->auth, text("r")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_identify(fx->auth, text(fx->token), 0, &identity), FAKEETCD_OK);
    assert_true(identity.is_known);
}

static void permission__union_of_grants__covers_what_lies_in_it(void **state)
{
    struct fixture *fx = *state;

    enable(fx);
    grant(fx, "r", FAKEETCD_READ, range("a", ""));
    grant(fx, "r", FAKEETCD_WRITE, range("a", "b"));
    grant(fx, "r", FAKEETCD_READ, range("b", "c"));
    grant(fx, "r", FAKEETCD_READWRITE, range("k", ""));
    grant(fx, "s", FAKEETCD_READ, range("c", "d"));
    grant(fx, "s", FAKEETCD_READ, range("w", "x"));
    grant(fx, "s", FAKEETCD_READ, from("x"));
    const struct {
        enum fakeetcd_access access;
        struct fakeetcd_interval interval;
        bool is_allowed;
    } cases[] = {
        {FAKEETCD_READ, range("a", ""), true},      {FAKEETCD_READ, range("ab", ""), false},
        {FAKEETCD_READ, range("a", "c"), false},    {FAKEETCD_READ, range("b", "d"), true},
        {FAKEETCD_READ, range("b", "da"), false},   {FAKEETCD_READ, range("d", ""), false},
        {FAKEETCD_WRITE, range("a", ""), true},     {FAKEETCD_WRITE, range("b", ""), false},
        {FAKEETCD_WRITE, range("a", "b"), true},    {FAKEETCD_READWRITE, range("k", ""), true},
        {FAKEETCD_READWRITE, range("a", ""), true}, {FAKEETCD_READWRITE, range("b", ""), false},
        {FAKEETCD_READ, range("k", "k0"), false},   {FAKEETCD_READ, from("w"), true},
        {FAKEETCD_READ, from("v"), false},          {FAKEETCD_READ, range("w", "zz"), true},
        {FAKEETCD_READ, range("v", "zz"), false},   {FAKEETCD_WRITE, from("x"), false},
        {FAKEETCD_READ, range("", ""), false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum fakeetcd_error error = check(fx, "u", cases[i].access, cases[i].interval);
        if (error != (cases[i].is_allowed ? FAKEETCD_OK : FAKEETCD_E_PERMISSION_DENIED)) {
            fail_msg("case %zu: error %d", i, (int)error);
        }
    }
    assert_int_equal(check(fx, "root", FAKEETCD_READWRITE, from("\x01")), FAKEETCD_OK);
    assert_int_equal(check(fx, "nobody", FAKEETCD_READ, range("a", "")),
                     FAKEETCD_E_PERMISSION_DENIED);
}

static void permission__changed__holds_from_then_on(void **state)
{
    struct fixture *fx = *state;
    const struct fakeetcd_interval key = range("a", "");

    enable(fx);
    assert_int_equal(check(fx, "u", FAKEETCD_READ, key), FAKEETCD_E_PERMISSION_DENIED);
    grant(fx, "r", FAKEETCD_READ, key);
    assert_int_equal(check(fx, "u", FAKEETCD_READ, key), FAKEETCD_OK);
    grant(fx, "r", FAKEETCD_WRITE, key); /* instead of, not as well as */
    assert_int_equal(check(fx, "u", FAKEETCD_READ, key), FAKEETCD_E_PERMISSION_DENIED);
    assert_int_equal(check(fx, "u", FAKEETCD_WRITE, key), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_revoke(fx->auth, text("r"), &key), FAKEETCD_OK);
    assert_int_equal(check(fx, "u", FAKEETCD_WRITE, key), FAKEETCD_E_PERMISSION_DENIED);
    assert_int_equal(fakeetcd_role_revoke(fx->auth, text("r"), &key),
                     FAKEETCD_E_PERMISSION_NOT_GRANTED);
}

static void identity__older_than_a_change__is_refused(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_identity identity;
    const struct fakeetcd_interval key = range("a", "");

    enable(fx);
    grant(fx, "r", FAKEETCD_READ, key);
    log_in(fx, "u", "u", 0);
    assert_int_equal(fakeetcd_auth_identify(fx->auth, text(fx->token), 0, &identity), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_check(fx->auth, &identity, FAKEETCD_READ, &key), FAKEETCD_OK);
    grant(fx, "s", FAKEETCD_READ, key);
    assert_int_equal(fakeetcd_auth_check(fx->auth, &identity, FAKEETCD_READ, &key),
                     FAKEETCD_E_AUTH_OLD_REVISION);
}

static void interval__without_keys__is_refused_unless_as_3_4(void **state)
{
    struct fixture *fx = *state;
    const struct fakeetcd_permission inverted = {.interval = range("b", "a")};
    const struct fakeetcd_permission empty = {.interval = range("", "")};

    assert_int_equal(fakeetcd_role_add(fx->auth, text("r")), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_grant(fx->auth, text("r"), &inverted),
                     FAKEETCD_E_INVALID_AUTH_MGMT);
    assert_int_equal(fakeetcd_role_grant(fx->auth, text("r"), &empty),
                     FAKEETCD_E_INVALID_AUTH_MGMT);
    fakeetcd_auth_take_any_interval(fx->auth, true);
    assert_int_equal(fakeetcd_role_grant(fx->auth, text("r"), &inverted), FAKEETCD_OK);
}

static void management__wrong__says_what_etcd_says(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_auth *auth = fx->auth;

    enable(fx);
    uint64_t revision = fakeetcd_auth_revision(auth);
    assert_int_equal(fakeetcd_user_add(auth, text(""), text(""), false), FAKEETCD_E_USER_EMPTY);
    assert_int_equal(fakeetcd_user_add(auth, text("u"), text(""), false), FAKEETCD_E_USER_EXISTS);
    assert_int_equal(fakeetcd_user_delete(auth, text("no")), FAKEETCD_E_USER_NOT_FOUND);
    assert_int_equal(fakeetcd_user_delete(auth, text("root")), FAKEETCD_E_INVALID_AUTH_MGMT);
    assert_int_equal(fakeetcd_user_password(auth, text("no"), text("")), FAKEETCD_E_USER_NOT_FOUND);
    assert_int_equal(fakeetcd_user_grant(auth, text("u"), text("no")), FAKEETCD_E_ROLE_NOT_FOUND);
    assert_int_equal(fakeetcd_user_grant(auth, text("no"), text("r")), FAKEETCD_E_USER_NOT_FOUND);
    assert_int_equal(fakeetcd_user_grant(auth, text("u"), text("r")), FAKEETCD_OK); /* had it */
    assert_int_equal(fakeetcd_user_revoke(auth, text("u"), text("no")),
                     FAKEETCD_E_ROLE_NOT_GRANTED);
    assert_int_equal(fakeetcd_user_revoke(auth, text("root"), text("root")),
                     FAKEETCD_E_INVALID_AUTH_MGMT);
    assert_int_equal(fakeetcd_role_add(auth, text("")), FAKEETCD_E_ROLE_EMPTY);
    assert_int_equal(fakeetcd_role_add(auth, text("r")), FAKEETCD_E_ROLE_EXISTS);
    assert_int_equal(fakeetcd_role_delete(auth, text("no")), FAKEETCD_E_ROLE_NOT_FOUND);
    assert_int_equal(fakeetcd_role_delete(auth, text("root")), FAKEETCD_E_INVALID_AUTH_MGMT);
    assert_int_equal(fakeetcd_auth_revision(auth), revision);
}

static void append_name(void *arg, struct rt_slice name)
{
    char *list = arg;
    size_t len_bytes = strlen(list);

    (void)snprintf(list + len_bytes, 64 - len_bytes, "%.*s ", (int)name.len_bytes,
                   (const char *)name.data);
}

static void append_key(void *arg, const struct fakeetcd_permission *permission)
{
    append_name(arg, permission->interval.key);
}

static void lists__added_in_any_order__are_sorted(void **state)
{
    struct fixture *fx = *state;
    char users[64] = "";
    char roles[64] = "";
    char of_u[64] = "";
    char keys[64] = "";

    enable(fx);
    grant(fx, "r", FAKEETCD_READ, range("k", ""));
    grant(fx, "r", FAKEETCD_READ, range("b", "c"));
    fakeetcd_users_walk(fx->auth, append_name, users);
    fakeetcd_roles_walk(fx->auth, append_name, roles);
    assert_int_equal(fakeetcd_user_roles(fx->auth, text("u"), append_name, of_u), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_permissions(fx->auth, text("r"), append_key, keys), FAKEETCD_OK);
    assert_string_equal(users, "root u ");
    assert_string_equal(roles, "r s "); /* the role root need not be there */
    assert_string_equal(of_u, "r s ");
    assert_string_equal(keys, "b k ");
    assert_int_equal(fakeetcd_user_roles(fx->auth, text("no"), append_name, of_u),
                     FAKEETCD_E_USER_NOT_FOUND);
    assert_int_equal(fakeetcd_role_permissions(fx->auth, text("root"), append_key, keys),
                     FAKEETCD_E_ROLE_NOT_FOUND);
}

static void append_end(void *arg, const struct fakeetcd_permission *permission)
{
    char *ends = arg;
    (void)strncat(ends, "-", 2);
    (void)strncat(ends, (const char *)permission->interval.end.data,
                  permission->interval.end.len_bytes);
}

/* In the order they were given; only the first of a key is ever changed in place. */
static void permission__of_a_key_with_several_ends__is_kept_and_doubled_as_by_etcd(void **state)
{
    struct fixture *fx = *state;
    const struct fakeetcd_interval doubled = range("a", "b");
    char ends[32] = "";

    enable(fx);
    grant(fx, "r", FAKEETCD_READ, range("a", "c"));
    grant(fx, "r", FAKEETCD_READ, doubled);
    grant(fx, "r", FAKEETCD_WRITE, doubled); /* as well as, not instead of */
    grant(fx, "r", FAKEETCD_READWRITE, range("a", "c"));
    grant(fx, "r", FAKEETCD_READ, range("0", "1"));
    assert_int_equal(fakeetcd_role_permissions(fx->auth, text("r"), append_end, ends), FAKEETCD_OK);
    assert_string_equal(ends, "-1-c-b-b");
    assert_int_equal(fakeetcd_role_revoke(fx->auth, text("r"), &doubled), FAKEETCD_OK);
    ends[0] = '\0';
    assert_int_equal(fakeetcd_role_permissions(fx->auth, text("r"), append_end, ends), FAKEETCD_OK);
    assert_string_equal(ends, "-1-c");
}

int main(void)
{
#define AUTH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        AUTH_TEST(enable__without_root__is_refused),
        AUTH_TEST(disabled__everybody__may_do_everything),
        AUTH_TEST(authenticate__wrong__says_what_etcd_says),
        AUTH_TEST(token__16_letters_a_dot_a_number),
        AUTH_TEST(token__lives_5_minutes_after_its_last_use_not_longer),
        AUTH_TEST(token__none__is_nobody_rubbish__is_refused),
        AUTH_TEST(token__user_changed__is_dead),
        AUTH_TEST(token__role_of_its_user_deleted__lives_on),
        AUTH_TEST(permission__of_a_key_with_several_ends__is_kept_and_doubled_as_by_etcd),
        AUTH_TEST(permission__union_of_grants__covers_what_lies_in_it),
        AUTH_TEST(permission__changed__holds_from_then_on),
        AUTH_TEST(identity__older_than_a_change__is_refused),
        AUTH_TEST(interval__without_keys__is_refused_unless_as_3_4),
        AUTH_TEST(management__wrong__says_what_etcd_says),
        AUTH_TEST(lists__added_in_any_order__are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
