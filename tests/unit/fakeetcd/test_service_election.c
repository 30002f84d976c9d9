/* SPDX-License-Identifier: Apache-2.0 */
#include "etcd_world.h"

#include "fakeetcd/data_dir.h"
#include "wire/proto/etcd_election.pb-c.h"

/* What the Election service of etcd 3.4.23 was seen to do. */

static int setup(void **state)
{
    static struct world world;

    world_init(&world, "etcd-3.5");
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    return 0;
}

static void campaign(struct world *world, struct asked *asked, const char *name, int64_t lease,
                     const char *value)
{
    V3electionpb__CampaignRequest request = V3ELECTIONPB__CAMPAIGN_REQUEST__INIT;

    request.name = bytes_of(name);
    request.lease = lease;
    request.value = bytes_of(value);
    ask(world, asked, "/v3electionpb.Election/Campaign", &request.base,
        &v3electionpb__campaign_response__descriptor);
}

static void leader(struct world *world, struct asked *asked, const char *name)
{
    V3electionpb__LeaderRequest request = V3ELECTIONPB__LEADER_REQUEST__INIT;

    request.name = bytes_of(name);
    ask(world, asked, "/v3electionpb.Election/Leader", &request.base,
        &v3electionpb__leader_response__descriptor);
}

static void observe(struct world *world, struct asked *asked, const char *name)
{
    V3electionpb__LeaderRequest request = V3ELECTIONPB__LEADER_REQUEST__INIT;

    request.name = bytes_of(name);
    ask(world, asked, "/v3electionpb.Election/Observe", &request.base,
        &v3electionpb__leader_response__descriptor);
}

static void proclaim(struct world *world, struct asked *asked, V3electionpb__LeaderKey *key,
                     const char *value)
{
    V3electionpb__ProclaimRequest request = V3ELECTIONPB__PROCLAIM_REQUEST__INIT;

    request.leader = key;
    request.value = bytes_of(value);
    ask(world, asked, "/v3electionpb.Election/Proclaim", &request.base,
        &v3electionpb__proclaim_response__descriptor);
}

static void resign(struct world *world, struct asked *asked, V3electionpb__LeaderKey *key)
{
    V3electionpb__ResignRequest request = V3ELECTIONPB__RESIGN_REQUEST__INIT;

    request.leader = key;
    ask(world, asked, "/v3electionpb.Election/Resign", &request.base,
        &v3electionpb__resign_response__descriptor);
}

static V3electionpb__LeaderKey leader_key(const char *key, int64_t revision, int64_t lease)
{
    V3electionpb__LeaderKey leader_key = V3ELECTIONPB__LEADER_KEY__INIT;

    leader_key.name = bytes_of("e");
    leader_key.key = bytes_of(key);
    leader_key.rev = revision;
    leader_key.lease = lease;
    return leader_key;
}

static void assert_failed(struct asked *asked, const char *text)
{
    assert_true(asked->is_ended);
    assert_string_equal(asked->text, text);
    assert_int_equal(asked->code, GRPC_UNKNOWN);
    asked_free(asked);
}

static void assert_ok(struct asked *asked)
{
    assert_true(asked->is_ended);
    assert_string_equal(asked->text, "");
    assert_int_equal(asked->code, GRPC_OK);
    assert_int_equal(asked->message_count, 1);
}

static const V3electionpb__CampaignResponse *elected(struct asked *asked)
{
    assert_ok(asked);
    return (const V3electionpb__CampaignResponse *)asked->messages[0];
}

static const V3electionpb__LeaderResponse *seen(const struct asked *asked, size_t index)
{
    assert_true(index < asked->message_count);
    return (const V3electionpb__LeaderResponse *)asked->messages[index];
}

static void campaign__nobody_there__leads_at_once(void **state)
{
    struct world *world = *state;
    struct asked asked;

    grant(world, 4, 30);
    campaign(world, &asked, "e", 4, "v4");
    const V3electionpb__CampaignResponse *response = elected(&asked);
    assert_bytes(response->leader->name, "e");
    assert_bytes(response->leader->key, "e/4");
    assert_int_equal(response->leader->rev, 2);
    assert_int_equal(response->leader->lease, 4);
    assert_int_equal(response->header->revision, 2);
    asked_free(&asked);
}

static void campaign__again_with_another_value__proclaims_it(void **state)
{
    struct world *world = *state;
    struct asked asked;

    grant(world, 4, 30);
    campaign(world, &asked, "e", 4, "v4");
    asked_free(&asked);
    campaign(world, &asked, "e", 4, "v44");
    assert_int_equal(elected(&asked)->leader->rev, 2);
    assert_int_equal(elected(&asked)->header->revision, 2);
    asked_free(&asked);
    leader(world, &asked, "e");
    assert_ok(&asked);
    assert_bytes(seen(&asked, 0)->kv->value, "v44");
    assert_int_equal(seen(&asked, 0)->kv->mod_revision, 3);
    assert_int_equal(seen(&asked, 0)->kv->version, 2);
    asked_free(&asked);
}

static void campaign__somebody_leads__waits_and_answers_with_the_header_of_its_entry(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;
    struct asked done;

    grant(world, 4, 30);
    grant(world, 5, 30);
    campaign(world, &first, "e", 4, "v4");
    campaign(world, &second, "e", 5, "v5");
    put(world, "other", "1");
    assert_false(second.is_ended);
    V3electionpb__LeaderKey key = leader_key("e/4", 2, 4);
    resign(world, &done, &key);
    assert_ok(&done);
    assert_bytes(elected(&second)->leader->key, "e/5");
    assert_int_equal(elected(&second)->leader->rev, 3);
    assert_int_equal(elected(&second)->header->revision, 3);
    asked_free(&first);
    asked_free(&second);
    asked_free(&done);
}

static void campaign__its_lease_ends_while_it_waits__wins_all_the_same(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 4, 30);
    grant(world, 5, 30);
    campaign(world, &first, "e", 4, "v4");
    campaign(world, &second, "e", 5, "v5");
    revoke(world, 5);
    assert_false(second.is_ended);
    revoke(world, 4);
    assert_bytes(elected(&second)->leader->key, "e/5");
    asked_free(&first);
    asked_free(&second);
}

static void campaign__cancelled__its_key_goes(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 4, 30);
    grant(world, 5, 30);
    campaign(world, &first, "e", 4, "v4");
    campaign(world, &second, "e", 5, "v5");
    assert_true(has_key(world, "e/5"));
    ask_cancel(&second);
    world_settle(world);
    assert_false(has_key(world, "e/5"));
    assert_true(has_key(world, "e/4"));
    asked_free(&first);
}

static void campaign__a_lease_that_is_none__fails_with_code_2(void **state)
{
    struct world *world = *state;
    struct asked asked;

    campaign(world, &asked, "e", 777, "v");
    assert_failed(&asked, "etcdserver: requested lease not found");
}

static void leader__nobody__fails(void **state)
{
    struct world *world = *state;
    struct asked asked;

    leader(world, &asked, "e");
    assert_failed(&asked, "election: no leader");
}

static void leader__keys_of_one_revision__is_the_first_by_name(void **state)
{
    struct world *world = *state;
    Etcdserverpb__TxnRequest txn = ETCDSERVERPB__TXN_REQUEST__INIT;
    Etcdserverpb__RequestOp ops[2] = {ETCDSERVERPB__REQUEST_OP__INIT,
                                      ETCDSERVERPB__REQUEST_OP__INIT};
    Etcdserverpb__PutRequest puts[2] = {ETCDSERVERPB__PUT_REQUEST__INIT,
                                        ETCDSERVERPB__PUT_REQUEST__INIT};
    Etcdserverpb__RequestOp *pointers[] = {&ops[0], &ops[1]};
    struct asked asked;

    puts[0].key = bytes_of("two/b");
    puts[1].key = bytes_of("two/a");
    for (size_t i = 0; i < 2; i++) {
        ops[i].request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
        ops[i].request_put = &puts[i];
    }
    txn.n_success = 2;
    txn.success = pointers;
    ask(world, &asked, "/etcdserverpb.KV/Txn", &txn.base, &etcdserverpb__txn_response__descriptor);
    assert_ok(&asked);
    asked_free(&asked);
    leader(world, &asked, "two");
    assert_ok(&asked);
    assert_bytes(seen(&asked, 0)->kv->key, "two/a");
    asked_free(&asked);
}

static void proclaim__by_the_leader__changes_the_value_and_keeps_the_lease(void **state)
{
    struct world *world = *state;
    struct asked asked;
    V3electionpb__LeaderKey key = leader_key("e/4", 2, 4);

    grant(world, 4, 30);
    campaign(world, &asked, "e", 4, "one");
    asked_free(&asked);
    proclaim(world, &asked, &key, "two");
    assert_ok(&asked);
    assert_int_equal(((V3electionpb__ProclaimResponse *)asked.messages[0])->header->revision, 3);
    asked_free(&asked);
    leader(world, &asked, "e");
    assert_bytes(seen(&asked, 0)->kv->value, "two");
    assert_int_equal(seen(&asked, 0)->kv->lease, 4);
    asked_free(&asked);
}

static void proclaim__with_the_revision_of_somebody_else__is_refused(void **state)
{
    struct world *world = *state;
    struct asked asked;
    V3electionpb__LeaderKey key = leader_key("e/4", 1, 4);

    grant(world, 4, 30);
    campaign(world, &asked, "e", 4, "one");
    asked_free(&asked);
    proclaim(world, &asked, &key, "two");
    assert_failed(&asked, "election: not leader");
    resign(world, &asked, &key);
    assert_ok(&asked);
    assert_true(has_key(world, "e/4"));
    asked_free(&asked);
}

static void proclaim_and_resign__without_a_leader_key__are_refused(void **state)
{
    struct world *world = *state;
    struct asked asked;
    V3electionpb__LeaderKey empty = V3ELECTIONPB__LEADER_KEY__INIT;

    proclaim(world, &asked, NULL, "v");
    assert_failed(&asked, "\"leader\" field must be provided");
    resign(world, &asked, NULL);
    assert_failed(&asked, "\"leader\" field must be provided");
    proclaim(world, &asked, &empty, "v");
    assert_failed(&asked, "etcdserver: key is not provided");
    resign(world, &asked, &empty);
    assert_failed(&asked, "etcdserver: key is not provided");
}

static void
observe__from_nobody_to_the_second_leader__tells_each_and_what_it_proclaims(void **state)
{
    struct world *world = *state;
    struct asked observer;
    struct asked first;
    struct asked second;
    struct asked done;
    V3electionpb__LeaderKey key = leader_key("e/4", 2, 4);

    grant(world, 4, 30);
    grant(world, 5, 30);
    observe(world, &observer, "e");
    assert_int_equal(observer.message_count, 0);
    campaign(world, &first, "e", 4, "one");
    assert_int_equal(observer.message_count, 1);
    campaign(world, &second, "e", 5, "next");
    assert_int_equal(observer.message_count, 1);
    proclaim(world, &done, &key, "two");
    asked_free(&done);
    assert_int_equal(observer.message_count, 2);
    resign(world, &done, &key);
    asked_free(&done);
    assert_int_equal(observer.message_count, 3);
    assert_bytes(seen(&observer, 0)->kv->value, "one");
    assert_int_equal(seen(&observer, 0)->header->revision, 2);
    assert_bytes(seen(&observer, 1)->kv->value, "two");
    assert_int_equal(seen(&observer, 1)->header->revision, 4);
    assert_bytes(seen(&observer, 2)->kv->key, "e/5");
    assert_int_equal(seen(&observer, 2)->kv->create_revision, 3);
    assert_int_equal(seen(&observer, 2)->header->revision, 5);
    assert_false(observer.is_ended);
    asked_free(&observer);
    asked_free(&first);
    asked_free(&second);
}

static void observe__somebody_leads__is_told_at_once(void **state)
{
    struct world *world = *state;
    struct asked observer;
    struct asked first;

    grant(world, 4, 30);
    campaign(world, &first, "e", 4, "one");
    put(world, "other", "1");
    observe(world, &observer, "e");
    assert_int_equal(observer.message_count, 1);
    assert_bytes(seen(&observer, 0)->kv->key, "e/4");
    assert_int_equal(seen(&observer, 0)->header->revision, 3);
    asked_free(&observer);
    asked_free(&first);
}

static void observe__the_leader_goes_and_nobody_follows__waits_for_the_next(void **state)
{
    struct world *world = *state;
    struct asked observer;

    put(world, "e/x", "1");
    observe(world, &observer, "e");
    delete_key(world, "e/x");
    assert_int_equal(observer.message_count, 1);
    put(world, "e/y", "2");
    assert_int_equal(observer.message_count, 2);
    assert_bytes(seen(&observer, 1)->kv->key, "e/y");
    put(world, "e/x", "3");
    assert_int_equal(observer.message_count, 2);
    asked_free(&observer);
}

static void observe__the_server_dies__ends_and_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct asked observer;

    put(world, "e/x", "1");
    observe(world, &observer, "e");
    fakeetcd_server_kill(world->server);
    world_settle(world);
    assert_true(observer.is_ended);
    assert_int_equal(observer.code, GRPC_UNAVAILABLE);
    assert_int_equal(fakeetcd_server_start(world->server, false), RT_OK);
    asked_free(&observer);
    observe(world, &observer, "e");
    assert_int_equal(observer.message_count, 0);
    asked_free(&observer);
}

/* ---- with auth on ---- */

/* User u may read and write below "q", and its token goes along from now on. */
static void enable_auth(struct world *world)
{
    static char token[FAKEETCD_TOKEN_BYTES];
    const struct fakeetcd_state *server_state = fakeetcd_server_state(world->server);
    struct fakeetcd_auth *auth = server_state->auth;
    const struct rt_slice root = rt_slice_text("root");
    const struct rt_slice user = rt_slice_text("u");
    const struct fakeetcd_permission permission = {
        .access = FAKEETCD_READWRITE,
        .interval = {.key = rt_slice_text("q/"), .end = rt_slice_text("q0")}};

    assert_int_equal(fakeetcd_user_add(auth, root, root, false), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_add(auth, root), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_grant(auth, root, root), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_add(auth, user, user, false), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_add(auth, user), FAKEETCD_OK);
    assert_int_equal(fakeetcd_role_grant(auth, user, &permission), FAKEETCD_OK);
    assert_int_equal(fakeetcd_user_grant(auth, user, user), FAKEETCD_OK);
    assert_int_equal(fakeetcd_auth_enable(auth), FAKEETCD_OK);
    assert_int_equal(
        fakeetcd_auth_authenticate(auth, user, user, rt_loop_now_us(world->loop), token),
        FAKEETCD_OK);
    world->token = token;
}

static void campaign__somebody_leads_with_auth_on__waits_and_its_key_outlives_the_call(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 4, 30);
    grant(world, 5, 30);
    enable_auth(world);
    campaign(world, &first, "q", 4, "v4");
    campaign(world, &second, "q", 5, "v5");
    (void)elected(&first);
    assert_false(second.is_ended);
    ask_cancel(&second);
    world_settle(world);
    assert_true(has_key(world, "q/5"));
    asked_free(&first);
}

static void campaign_and_leader__a_name_that_the_user_may_not_touch__are_refused(void **state)
{
    struct world *world = *state;
    struct asked asked;

    grant(world, 4, 30);
    enable_auth(world);
    campaign(world, &asked, "w", 4, "v");
    assert_failed(&asked, "etcdserver: permission denied");
    leader(world, &asked, "w");
    assert_failed(&asked, "etcdserver: permission denied");
    world->token = NULL;
    campaign(world, &asked, "q", 4, "v");
    assert_failed(&asked, "etcdserver: user name is empty");
    assert_false(has_key(world, "q/4"));
}

static void observe__with_auth_on__tells_who_may_read_and_ends_for_others(void **state)
{
    struct world *world = *state;
    struct asked observer;
    struct asked other;

    put(world, "q/x", "1");
    enable_auth(world);
    observe(world, &observer, "q");
    put(world, "q/x", "2");
    assert_int_equal(observer.message_count, 2);
    assert_false(observer.is_ended);
    observe(world, &other, "w");
    assert_true(other.is_ended);
    assert_int_equal(other.code, GRPC_OK);
    assert_int_equal(other.message_count, 0);
    asked_free(&observer);
    asked_free(&other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(campaign__nobody_there__leads_at_once),
        CASE(campaign__again_with_another_value__proclaims_it),
        CASE(campaign__somebody_leads__waits_and_answers_with_the_header_of_its_entry),
        CASE(campaign__its_lease_ends_while_it_waits__wins_all_the_same),
        CASE(campaign__cancelled__its_key_goes),
        CASE(campaign__a_lease_that_is_none__fails_with_code_2),
        CASE(leader__nobody__fails),
        CASE(leader__keys_of_one_revision__is_the_first_by_name),
        CASE(proclaim__by_the_leader__changes_the_value_and_keeps_the_lease),
        CASE(proclaim__with_the_revision_of_somebody_else__is_refused),
        CASE(proclaim_and_resign__without_a_leader_key__are_refused),
        CASE(observe__from_nobody_to_the_second_leader__tells_each_and_what_it_proclaims),
        CASE(observe__somebody_leads__is_told_at_once),
        CASE(observe__the_leader_goes_and_nobody_follows__waits_for_the_next),
        CASE(observe__the_server_dies__ends_and_leaves_nothing),
        CASE(campaign__somebody_leads_with_auth_on__waits_and_its_key_outlives_the_call),
        CASE(campaign_and_leader__a_name_that_the_user_may_not_touch__are_refused),
        CASE(observe__with_auth_on__tells_who_may_read_and_ends_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
