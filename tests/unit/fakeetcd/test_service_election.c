/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include "fakeetcd/disk/data_dir.h"
#include "wire/proto/etcd_election.pb-c.h"

/* What the Election service of etcd 3.4.23 was seen to do. */

static void campaign(struct lab *lab, struct talk *talk, const char *name, int64_t lease,
                     const char *value)
{
    V3electionpb__CampaignRequest request = V3ELECTIONPB__CAMPAIGN_REQUEST__INIT;

    request.name = bytes_of(name);
    request.lease = lease;
    request.value = bytes_of(value);
    lab_ask(lab, talk, "/v3electionpb.Election/Campaign", &request.base);
}

static void leader(struct lab *lab, struct talk *talk, const char *name)
{
    V3electionpb__LeaderRequest request = V3ELECTIONPB__LEADER_REQUEST__INIT;

    request.name = bytes_of(name);
    lab_ask(lab, talk, "/v3electionpb.Election/Leader", &request.base);
}

static void observe(struct lab *lab, struct talk *talk, const char *name)
{
    V3electionpb__LeaderRequest request = V3ELECTIONPB__LEADER_REQUEST__INIT;

    request.name = bytes_of(name);
    lab_ask(lab, talk, "/v3electionpb.Election/Observe", &request.base);
}

static void proclaim(struct lab *lab, struct talk *talk, V3electionpb__LeaderKey *key,
                     const char *value)
{
    V3electionpb__ProclaimRequest request = V3ELECTIONPB__PROCLAIM_REQUEST__INIT;

    request.leader = key;
    request.value = bytes_of(value);
    lab_ask(lab, talk, "/v3electionpb.Election/Proclaim", &request.base);
}

static void resign(struct lab *lab, struct talk *talk, V3electionpb__LeaderKey *key)
{
    V3electionpb__ResignRequest request = V3ELECTIONPB__RESIGN_REQUEST__INIT;

    request.leader = key;
    lab_ask(lab, talk, "/v3electionpb.Election/Resign", &request.base);
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

static void assert_failed(struct talk *talk, const char *text)
{
    assert_true(talk->is_ended);
    assert_string_equal(talk->text, text);
    assert_int_equal(talk->code, GRPC_UNKNOWN);
    talk_free(talk);
}

static void assert_ok(struct talk *talk)
{
    assert_true(talk->is_ended);
    assert_string_equal(talk->text, "");
    assert_int_equal(talk->code, GRPC_OK);
    assert_int_equal(talk->message_count, 1);
}

static const V3electionpb__CampaignResponse *elected(struct talk *talk)
{
    assert_ok(talk);
    return (const V3electionpb__CampaignResponse *)talk->messages[0];
}

static const V3electionpb__LeaderResponse *seen(const struct talk *talk, size_t index)
{
    assert_true(index < talk->message_count);
    return (const V3electionpb__LeaderResponse *)talk->messages[index];
}

static void campaign__nobody_there__leads_at_once(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_grant(lab, 4, 30);
    campaign(lab, &talk, "e", 4, "v4");
    const V3electionpb__CampaignResponse *response = elected(&talk);
    assert_bytes(response->leader->name, "e");
    assert_bytes(response->leader->key, "e/4");
    assert_int_equal(response->leader->rev, 2);
    assert_int_equal(response->leader->lease, 4);
    assert_int_equal(response->header->revision, 2);
    talk_free(&talk);
}

static void campaign__again_with_another_value__proclaims_it(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_grant(lab, 4, 30);
    campaign(lab, &talk, "e", 4, "v4");
    talk_free(&talk);
    campaign(lab, &talk, "e", 4, "v44");
    assert_int_equal(elected(&talk)->leader->rev, 2);
    assert_int_equal(elected(&talk)->header->revision, 2);
    talk_free(&talk);
    leader(lab, &talk, "e");
    assert_ok(&talk);
    assert_bytes(seen(&talk, 0)->kv->value, "v44");
    assert_int_equal(seen(&talk, 0)->kv->mod_revision, 3);
    assert_int_equal(seen(&talk, 0)->kv->version, 2);
    talk_free(&talk);
}

static void campaign__somebody_leads__waits_and_answers_with_the_header_of_its_entry(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;
    struct talk done;

    lab_grant(lab, 4, 30);
    lab_grant(lab, 5, 30);
    campaign(lab, &first, "e", 4, "v4");
    campaign(lab, &second, "e", 5, "v5");
    lab_put_directly(lab, "other", "1");
    assert_false(second.is_ended);
    V3electionpb__LeaderKey key = leader_key("e/4", 2, 4);
    resign(lab, &done, &key);
    assert_ok(&done);
    assert_bytes(elected(&second)->leader->key, "e/5");
    assert_int_equal(elected(&second)->leader->rev, 3);
    assert_int_equal(elected(&second)->header->revision, 3);
    talk_free(&first);
    talk_free(&second);
    talk_free(&done);
}

static void campaign__its_lease_ends_while_it_waits__wins_all_the_same(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 4, 30);
    lab_grant(lab, 5, 30);
    campaign(lab, &first, "e", 4, "v4");
    campaign(lab, &second, "e", 5, "v5");
    lab_revoke(lab, 5);
    assert_false(second.is_ended);
    lab_revoke(lab, 4);
    assert_bytes(elected(&second)->leader->key, "e/5");
    talk_free(&first);
    talk_free(&second);
}

static void campaign__cancelled__its_key_goes(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 4, 30);
    lab_grant(lab, 5, 30);
    campaign(lab, &first, "e", 4, "v4");
    campaign(lab, &second, "e", 5, "v5");
    assert_true(lab_has(lab, "e/5"));
    talk_cancel(&second);
    lab_settle(lab);
    assert_false(lab_has(lab, "e/5"));
    assert_true(lab_has(lab, "e/4"));
    talk_free(&first);
}

static void campaign__a_lease_that_is_none__fails_with_code_2(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    campaign(lab, &talk, "e", 777, "v");
    assert_failed(&talk, "etcdserver: requested lease not found");
}

static void leader__nobody__fails(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    leader(lab, &talk, "e");
    assert_failed(&talk, "election: no leader");
}

static void leader__keys_of_one_revision__is_the_first_by_name(void **state)
{
    struct lab *lab = *state;
    Etcdserverpb__TxnRequest txn = ETCDSERVERPB__TXN_REQUEST__INIT;
    Etcdserverpb__RequestOp ops[2] = {ETCDSERVERPB__REQUEST_OP__INIT,
                                      ETCDSERVERPB__REQUEST_OP__INIT};
    Etcdserverpb__PutRequest puts[2] = {ETCDSERVERPB__PUT_REQUEST__INIT,
                                        ETCDSERVERPB__PUT_REQUEST__INIT};
    Etcdserverpb__RequestOp *pointers[] = {&ops[0], &ops[1]};
    struct talk talk;

    puts[0].key = bytes_of("two/b");
    puts[1].key = bytes_of("two/a");
    for (size_t i = 0; i < 2; i++) {
        ops[i].request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
        ops[i].request_put = &puts[i];
    }
    txn.n_success = 2;
    txn.success = pointers;
    lab_ask(lab, &talk, "/etcdserverpb.KV/Txn", &txn.base);
    assert_ok(&talk);
    talk_free(&talk);
    leader(lab, &talk, "two");
    assert_ok(&talk);
    assert_bytes(seen(&talk, 0)->kv->key, "two/a");
    talk_free(&talk);
}

static void proclaim__by_the_leader__changes_the_value_and_keeps_the_lease(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    V3electionpb__LeaderKey key = leader_key("e/4", 2, 4);

    lab_grant(lab, 4, 30);
    campaign(lab, &talk, "e", 4, "one");
    talk_free(&talk);
    proclaim(lab, &talk, &key, "two");
    assert_ok(&talk);
    assert_int_equal(((V3electionpb__ProclaimResponse *)talk.messages[0])->header->revision, 3);
    talk_free(&talk);
    leader(lab, &talk, "e");
    assert_bytes(seen(&talk, 0)->kv->value, "two");
    assert_int_equal(seen(&talk, 0)->kv->lease, 4);
    talk_free(&talk);
}

static void proclaim__with_the_revision_of_somebody_else__is_refused(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    V3electionpb__LeaderKey key = leader_key("e/4", 1, 4);

    lab_grant(lab, 4, 30);
    campaign(lab, &talk, "e", 4, "one");
    talk_free(&talk);
    proclaim(lab, &talk, &key, "two");
    assert_failed(&talk, "election: not leader");
    resign(lab, &talk, &key);
    assert_ok(&talk);
    assert_true(lab_has(lab, "e/4"));
    talk_free(&talk);
}

static void proclaim_and_resign__without_a_leader_key__are_refused(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    V3electionpb__LeaderKey empty = V3ELECTIONPB__LEADER_KEY__INIT;

    proclaim(lab, &talk, NULL, "v");
    assert_failed(&talk, "\"leader\" field must be provided");
    resign(lab, &talk, NULL);
    assert_failed(&talk, "\"leader\" field must be provided");
    proclaim(lab, &talk, &empty, "v");
    assert_failed(&talk, "etcdserver: key is not provided");
    resign(lab, &talk, &empty);
    assert_failed(&talk, "etcdserver: key is not provided");
}

static void
observe__from_nobody_to_the_second_leader__tells_each_and_what_it_proclaims(void **state)
{
    struct lab *lab = *state;
    struct talk observer;
    struct talk first;
    struct talk second;
    struct talk done;
    V3electionpb__LeaderKey key = leader_key("e/4", 2, 4);

    lab_grant(lab, 4, 30);
    lab_grant(lab, 5, 30);
    observe(lab, &observer, "e");
    assert_int_equal(observer.message_count, 0);
    campaign(lab, &first, "e", 4, "one");
    assert_int_equal(observer.message_count, 1);
    campaign(lab, &second, "e", 5, "next");
    assert_int_equal(observer.message_count, 1);
    proclaim(lab, &done, &key, "two");
    talk_free(&done);
    assert_int_equal(observer.message_count, 2);
    resign(lab, &done, &key);
    talk_free(&done);
    assert_int_equal(observer.message_count, 3);
    assert_bytes(seen(&observer, 0)->kv->value, "one");
    assert_int_equal(seen(&observer, 0)->header->revision, 2);
    assert_bytes(seen(&observer, 1)->kv->value, "two");
    assert_int_equal(seen(&observer, 1)->header->revision, 4);
    assert_bytes(seen(&observer, 2)->kv->key, "e/5");
    assert_int_equal(seen(&observer, 2)->kv->create_revision, 3);
    assert_int_equal(seen(&observer, 2)->header->revision, 5);
    assert_false(observer.is_ended);
    talk_free(&observer);
    talk_free(&first);
    talk_free(&second);
}

static void observe__somebody_leads__is_told_at_once(void **state)
{
    struct lab *lab = *state;
    struct talk observer;
    struct talk first;

    lab_grant(lab, 4, 30);
    campaign(lab, &first, "e", 4, "one");
    lab_put_directly(lab, "other", "1");
    observe(lab, &observer, "e");
    assert_int_equal(observer.message_count, 1);
    assert_bytes(seen(&observer, 0)->kv->key, "e/4");
    assert_int_equal(seen(&observer, 0)->header->revision, 3);
    talk_free(&observer);
    talk_free(&first);
}

static void observe__the_leader_goes_and_nobody_follows__waits_for_the_next(void **state)
{
    struct lab *lab = *state;
    struct talk observer;

    lab_put_directly(lab, "e/x", "1");
    observe(lab, &observer, "e");
    lab_delete_directly(lab, "e/x");
    assert_int_equal(observer.message_count, 1);
    lab_put_directly(lab, "e/y", "2");
    assert_int_equal(observer.message_count, 2);
    assert_bytes(seen(&observer, 1)->kv->key, "e/y");
    lab_put_directly(lab, "e/x", "3");
    assert_int_equal(observer.message_count, 2);
    talk_free(&observer);
}

static void observe__the_server_dies__ends_and_leaves_nothing(void **state)
{
    struct lab *lab = *state;
    struct talk observer;

    lab_put_directly(lab, "e/x", "1");
    observe(lab, &observer, "e");
    fakeetcd_server_kill(lab->server);
    lab_settle(lab);
    assert_true(observer.is_ended);
    assert_int_equal(observer.code, GRPC_UNAVAILABLE);
    assert_int_equal(fakeetcd_server_start(lab->server, false), RT_OK);
    talk_free(&observer);
    observe(lab, &observer, "e");
    assert_int_equal(observer.message_count, 0);
    talk_free(&observer);
}

/* ---- with auth on ---- */

/* User u may read and write below "q", and its token goes along from now on. */
static void enable_auth(struct lab *lab)
{
    static char token[FAKEETCD_TOKEN_BYTES];
    const struct fakeetcd_state *server_state = fakeetcd_server_state(lab->server);
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
    assert_int_equal(fakeetcd_auth_authenticate(auth, user, user, rt_loop_now_us(lab->loop), token),
                     FAKEETCD_OK);
    lab->token = token;
}

static void campaign__somebody_leads_with_auth_on__waits_and_its_key_outlives_the_call(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 4, 30);
    lab_grant(lab, 5, 30);
    enable_auth(lab);
    campaign(lab, &first, "q", 4, "v4");
    campaign(lab, &second, "q", 5, "v5");
    (void)elected(&first);
    assert_false(second.is_ended);
    talk_cancel(&second);
    lab_settle(lab);
    assert_true(lab_has(lab, "q/5"));
    talk_free(&first);
}

static void campaign_and_leader__a_name_that_the_user_may_not_touch__are_refused(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    lab_grant(lab, 4, 30);
    enable_auth(lab);
    campaign(lab, &talk, "w", 4, "v");
    assert_failed(&talk, "etcdserver: permission denied");
    leader(lab, &talk, "w");
    assert_failed(&talk, "etcdserver: permission denied");
    lab->token = NULL;
    campaign(lab, &talk, "q", 4, "v");
    assert_failed(&talk, "etcdserver: user name is empty");
    assert_false(lab_has(lab, "q/4"));
}

static void observe__with_auth_on__tells_who_may_read_and_ends_for_others(void **state)
{
    struct lab *lab = *state;
    struct talk observer;
    struct talk other;

    lab_put_directly(lab, "q/x", "1");
    enable_auth(lab);
    observe(lab, &observer, "q");
    lab_put_directly(lab, "q/x", "2");
    assert_int_equal(observer.message_count, 2);
    assert_false(observer.is_ended);
    observe(lab, &other, "w");
    assert_true(other.is_ended);
    assert_int_equal(other.code, GRPC_OK);
    assert_int_equal(other.message_count, 0);
    talk_free(&observer);
    talk_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_CASE(campaign__nobody_there__leads_at_once),
        LAB_CASE(campaign__again_with_another_value__proclaims_it),
        LAB_CASE(campaign__somebody_leads__waits_and_answers_with_the_header_of_its_entry),
        LAB_CASE(campaign__its_lease_ends_while_it_waits__wins_all_the_same),
        LAB_CASE(campaign__cancelled__its_key_goes),
        LAB_CASE(campaign__a_lease_that_is_none__fails_with_code_2),
        LAB_CASE(leader__nobody__fails),
        LAB_CASE(leader__keys_of_one_revision__is_the_first_by_name),
        LAB_CASE(proclaim__by_the_leader__changes_the_value_and_keeps_the_lease),
        LAB_CASE(proclaim__with_the_revision_of_somebody_else__is_refused),
        LAB_CASE(proclaim_and_resign__without_a_leader_key__are_refused),
        LAB_CASE(observe__from_nobody_to_the_second_leader__tells_each_and_what_it_proclaims),
        LAB_CASE(observe__somebody_leads__is_told_at_once),
        LAB_CASE(observe__the_leader_goes_and_nobody_follows__waits_for_the_next),
        LAB_CASE(observe__the_server_dies__ends_and_leaves_nothing),
        LAB_CASE(campaign__somebody_leads_with_auth_on__waits_and_its_key_outlives_the_call),
        LAB_CASE(campaign_and_leader__a_name_that_the_user_may_not_touch__are_refused),
        LAB_CASE(observe__with_auth_on__tells_who_may_read_and_ends_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
