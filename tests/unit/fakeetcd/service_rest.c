/* SPDX-License-Identifier: Apache-2.0 */
#include "service_world.h"

#include "wire/proto/grpc_health.pb-c.h"

#include <openssl/evp.h>

/*
 * Maintenance, Cluster and Health through gRPC, in simulation. Codes and texts are those that
 * etcd 3.4.23 was seen to give, and for 3.5 those of its tables of errors.
 */

/* ---- status ---- */

static Etcdserverpb__StatusResponse *status_of(struct service_world *fx)
{
    (void)service_ask_empty(fx, MAINTENANCE "Status");
    return service_answer(fx, &etcdserverpb__status_response__descriptor);
}

static void status__new_server__says_version_size_and_leader(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");
    Etcdserverpb__StatusResponse *status = status_of(fx);

    (void)state;
    assert_bytes(status->version, "3.5.30");
    assert_true(status->dbsize > 0);
    assert_true(status->leader != 0);
    assert_int_equal(status->leader, status->header->member_id);
    assert_int_equal(status->header->revision, 1);
    assert_int_equal(status->raftterm, status->header->raft_term);
    assert_int_equal(status->n_errors, 0);
    etcdserverpb__status_response__free_unpacked(status, NULL);
    service_stop(fx);
}

static void status__no_leader__says_so_at_once(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    fakeetcd_server_set(fx->lab.server, FAKEETCD_LEADERLESS, true);
    uint64_t before_us = rt_loop_now_us(fx->lab.loop);
    Etcdserverpb__StatusResponse *status = status_of(fx);
    assert_int_equal(rt_loop_now_us(fx->lab.loop), before_us);
    assert_int_equal(status->leader, 0);
    assert_int_equal(status->n_errors, 1);
    assert_bytes(status->errors[0], "etcdserver: no leader");
    etcdserverpb__status_response__free_unpacked(status, NULL);
    service_stop(fx);
}

/* ---- alarms ---- */

static Etcdserverpb__AlarmResponse *alarm_do(struct service_world *fx,
                                             Etcdserverpb__AlarmRequest__AlarmAction action,
                                             uint64_t member, Etcdserverpb__AlarmType type)
{
    Etcdserverpb__AlarmRequest request = ETCDSERVERPB__ALARM_REQUEST__INIT;

    request.action = action;
    request.memberid = member;
    request.alarm = type;
    (void)service_ask(fx, MAINTENANCE "Alarm", &request.base);
    return service_answer(fx, &etcdserverpb__alarm_response__descriptor);
}
#define GET   ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__GET
#define RAISE ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__ACTIVATE
#define LOWER ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__DEACTIVATE

static size_t alarm_count(struct service_world *fx, Etcdserverpb__AlarmRequest__AlarmAction action,
                          uint64_t member, Etcdserverpb__AlarmType type)
{
    Etcdserverpb__AlarmResponse *response = alarm_do(fx, action, member, type);
    size_t count = response->n_alarms;

    etcdserverpb__alarm_response__free_unpacked(response, NULL);
    return count;
}

static void alarm__no_space_raised__refuses_puts_until_lowered(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");
    uint64_t id = fakeetcd_server_state(fx->lab.server)->member_id;
    char expected[64];

    (void)state;
    assert_int_equal(alarm_count(fx, GET, 0, ETCDSERVERPB__ALARM_TYPE__NONE), 0);
    assert_int_equal(alarm_count(fx, RAISE, id, ETCDSERVERPB__ALARM_TYPE__NOSPACE), 1);
    assert_int_equal(alarm_count(fx, GET, 0, ETCDSERVERPB__ALARM_TYPE__NONE), 1);
    assert_int_equal(alarm_count(fx, GET, 0, ETCDSERVERPB__ALARM_TYPE__CORRUPT), 0);
    (void)service_put(fx, "a");
    assert_service_refused(fx, 8, "etcdserver: mvcc: database space exceeded");
    Etcdserverpb__StatusResponse *status = status_of(fx);
    assert_int_equal(status->n_errors, 1);
    (void)snprintf(expected, sizeof(expected), "memberID:%llu alarm:NOSPACE ",
                   (unsigned long long)id);
    assert_bytes(status->errors[0], expected);
    etcdserverpb__status_response__free_unpacked(status, NULL);
    assert_int_equal(alarm_count(fx, LOWER, id + 1, ETCDSERVERPB__ALARM_TYPE__NOSPACE), 0);
    assert_int_equal(alarm_count(fx, LOWER, id, ETCDSERVERPB__ALARM_TYPE__NOSPACE), 1);
    assert_int_equal(alarm_count(fx, LOWER, id, ETCDSERVERPB__ALARM_TYPE__NOSPACE), 0);
    assert_int_equal(service_put(fx, "a"), 0);
    service_stop(fx);
}

static void alarm__corrupt_raised__refuses_puts(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");
    uint64_t id = fakeetcd_server_state(fx->lab.server)->member_id;

    (void)state;
    assert_int_equal(alarm_count(fx, RAISE, id, ETCDSERVERPB__ALARM_TYPE__CORRUPT), 1);
    (void)service_put(fx, "a");
    assert_service_refused(fx, 15, "etcdserver: corrupt cluster");
    service_stop(fx);
}

static void alarm__header__is_left_out_by_3_4(void **state)
{
    static const char *const profiles[] = {"etcd-3.4", "etcd-3.5"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct service_world *fx = service_start(profiles[i]);
        Etcdserverpb__AlarmResponse *response =
            alarm_do(fx, GET, 0, ETCDSERVERPB__ALARM_TYPE__NONE);
        assert_int_equal(response->header != NULL, i == 1);
        etcdserverpb__alarm_response__free_unpacked(response, NULL);
        service_stop(fx);
    }
}

/* ---- hashes ---- */

static int32_t hash_kv(struct service_world *fx, int64_t revision)
{
    Etcdserverpb__HashKVRequest request = ETCDSERVERPB__HASH_KVREQUEST__INIT;

    request.revision = revision;
    return service_ask(fx, MAINTENANCE "HashKV", &request.base);
}

static int64_t compact_revision_of_hash(struct service_world *fx)
{
    Etcdserverpb__HashKVResponse *response =
        service_answer(fx, &etcdserverpb__hash_kvresponse__descriptor);
    int64_t revision = response->compact_revision;

    etcdserverpb__hash_kvresponse__free_unpacked(response, NULL);
    return revision;
}

static void hash_kv__revisions__are_those_kept_and_no_later_ones(void **state)
{
    static const char *const profiles[] = {"etcd-3.4", "etcd-3.5"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct service_world *fx = service_start(profiles[i]);
        for (int k = 0; k < 5; k++) {
            assert_int_equal(service_put(fx, "a"), 0); /* revisions 2 to 6 */
        }
        assert_int_equal(hash_kv(fx, 0), 0);
        assert_int_equal(compact_revision_of_hash(fx), -1);
        assert_int_equal(fakeetcd_server_compact(fx->lab.server, 3), FAKEETCD_OK);
        (void)hash_kv(fx, 2);
        assert_service_refused(fx, 11, "etcdserver: mvcc: required revision has been compacted");
        assert_int_equal(hash_kv(fx, 3), i == 0 ? 11 : 0);
        assert_int_equal(hash_kv(fx, 4), 0);
        assert_int_equal(compact_revision_of_hash(fx), 3);
        (void)hash_kv(fx, 7);
        assert_service_refused(fx, 11, "etcdserver: mvcc: required revision is a future revision");
        service_stop(fx);
    }
}

/* ---- snapshot ---- */

static void snapshot__of_a_store__is_pieces_and_their_digest(void **state)
{
    static uint8_t value[30000];
    struct service_world *fx = service_start("etcd-3.5");
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint8_t expected[32];
    size_t total_bytes = 0;

    (void)state;
    put.key = bytes_of("k");
    put.value = (ProtobufCBinaryData){.len = sizeof(value), .data = value};
    assert_int_equal(service_ask(fx, KV "Put", &put.base), 0);
    assert_int_equal(service_ask_empty(fx, MAINTENANCE "Snapshot"), 0);
    assert_int_equal(fx->talk.message_count, 3);
    assert_int_equal(EVP_DigestInit_ex(digest, EVP_sha256(), NULL), 1);
    for (size_t i = 0; i < 3; i++) {
        const Etcdserverpb__SnapshotResponse *piece =
            (Etcdserverpb__SnapshotResponse *)fx->talk.messages[i];
        if (i < 2) {
            total_bytes += piece->blob.len;
            assert_int_equal(piece->remaining_bytes > 0, i == 0);
            assert_true(i > 0 || piece->blob.len == 32768);
            assert_int_equal(EVP_DigestUpdate(digest, piece->blob.data, piece->blob.len), 1);
        } else {
            assert_int_equal(EVP_DigestFinal_ex(digest, expected, NULL), 1);
            assert_int_equal(piece->blob.len, sizeof(expected));
            assert_memory_equal(piece->blob.data, expected, sizeof(expected));
        }
    }
    assert_int_equal(total_bytes % 512, 0); /* so clients know that a digest is behind it */
    EVP_MD_CTX_free(digest);
    service_stop(fx);
}

/* ---- leader and downgrade ---- */

static void move_leader__nobody_to_take_it__is_a_bad_transferee(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");
    Etcdserverpb__MoveLeaderRequest request = ETCDSERVERPB__MOVE_LEADER_REQUEST__INIT;

    (void)state;
    request.targetid = 5;
    (void)service_ask(fx, MAINTENANCE "MoveLeader", &request.base);
    assert_service_refused(fx, 9, "etcdserver: bad leader transferee");
    request.targetid = fakeetcd_server_state(fx->lab.server)->member_id;
    assert_int_equal(service_ask(fx, MAINTENANCE "MoveLeader", &request.base), 0);
    assert_null(((Etcdserverpb__MoveLeaderResponse *)fx->talk.messages[0])->header);
    fakeetcd_server_set(fx->lab.server, FAKEETCD_LEADERLESS, true);
    (void)service_ask(fx, MAINTENANCE "MoveLeader", &request.base);
    assert_service_refused(fx, 9, "etcdserver: not leader");
    service_stop(fx);
}

static int32_t downgrade(struct service_world *fx,
                         Etcdserverpb__DowngradeRequest__DowngradeAction action,
                         const char *version)
{
    Etcdserverpb__DowngradeRequest request = ETCDSERVERPB__DOWNGRADE_REQUEST__INIT;

    request.action = action;
    request.version = bytes_of(version);
    return service_ask(fx, MAINTENANCE "Downgrade", &request.base);
}
#define VALIDATE ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__VALIDATE
#define ENABLE   ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__ENABLE
#define CANCEL   ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__CANCEL

static void downgrade__each_wrong_use__has_its_text(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    (void)downgrade(fx, VALIDATE, "3.x");
    assert_service_refused(fx, 3, "etcdserver: wrong downgrade target version format");
    (void)downgrade(fx, VALIDATE, "3.3.0");
    assert_service_refused(fx, 3, "etcdserver: invalid downgrade target version");
    (void)downgrade(fx, CANCEL, "");
    assert_service_refused(fx, 9, "etcdserver: no inflight downgrade job");
    assert_int_equal(downgrade(fx, VALIDATE, "3.4"), 0);
    assert_int_equal(downgrade(fx, ENABLE, "3.4.0"), 0);
    (void)downgrade(fx, ENABLE, "3.4.0");
    assert_service_refused(fx, 9, "etcdserver: cluster has a downgrade job in progress");
    assert_int_equal(downgrade(fx, CANCEL, ""), 0);
    service_stop(fx);
}

static void downgrade__etcd_3_4__does_not_know_it(void **state)
{
    struct service_world *fx = service_start("etcd-3.4");

    (void)state;
    (void)downgrade(fx, VALIDATE, "3.3");
    assert_service_refused(fx, 12, "unknown method Downgrade for service etcdserverpb.Maintenance");
    service_stop(fx);
}

/* ---- members ---- */

static int32_t member_add(struct service_world *fx, const char *url, bool is_learner)
{
    Etcdserverpb__MemberAddRequest request = ETCDSERVERPB__MEMBER_ADD_REQUEST__INIT;
    ProtobufCBinaryData urls[1] = {bytes_of(url)};

    request.n_peerurls = 1;
    request.peerurls = urls;
    request.islearner = is_learner;
    return service_ask(fx, CLUSTER "MemberAdd", &request.base);
}

static uint64_t added_id(struct service_world *fx)
{
    Etcdserverpb__MemberAddResponse *response =
        service_answer(fx, &etcdserverpb__member_add_response__descriptor);
    uint64_t id = response->member->id;

    assert_int_equal(response->header->revision, 0);
    etcdserverpb__member_add_response__free_unpacked(response, NULL);
    return id;
}

static int32_t member_remove(struct service_world *fx, uint64_t id)
{
    Etcdserverpb__MemberRemoveRequest request = ETCDSERVERPB__MEMBER_REMOVE_REQUEST__INIT;

    request.id = id;
    return service_ask(fx, CLUSTER "MemberRemove", &request.base);
}

static int32_t member_promote(struct service_world *fx, uint64_t id)
{
    Etcdserverpb__MemberPromoteRequest request = ETCDSERVERPB__MEMBER_PROMOTE_REQUEST__INIT;

    request.id = id;
    return service_ask(fx, CLUSTER "MemberPromote", &request.base);
}

static void member_list__one_member__has_no_revision_in_its_header(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    assert_int_equal(service_put(fx, "a"), 0);
    (void)service_ask_empty(fx, CLUSTER "MemberList");
    Etcdserverpb__MemberListResponse *list =
        service_answer(fx, &etcdserverpb__member_list_response__descriptor);
    assert_int_equal(list->header->revision, 0);
    assert_true(list->header->raft_term >= 2);
    assert_int_equal(list->n_members, 1);
    assert_int_equal(list->members[0]->id, list->header->member_id);
    assert_bytes(list->members[0]->name, "etcd-1");
    assert_int_equal(list->members[0]->n_clienturls, 1);
    assert_bytes(list->members[0]->clienturls[0], "http://10.0.2.1:2379");
    etcdserverpb__member_list_response__free_unpacked(list, NULL);
    service_stop(fx);
}

static void member_add__addresses_that_are_none__are_refused(void **state)
{
    static const char *const urls[] = {
        "", "a:1", "http://a", "http://a:1/x", "http://a:b", "ftp://a:1", "http://a:1,http://b:1"};
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        (void)member_add(fx, urls[i], false);
        assert_service_refused(fx, 3, "etcdserver: given member URLs are invalid");
    }
    (void)service_ask_empty(fx, CLUSTER "MemberAdd");
    assert_service_refused(fx, 3, "etcdserver: given member URLs are invalid");
    (void)member_add(fx, "http://localhost:2380", false);
    assert_service_refused(fx, 9, "etcdserver: Peer URLs already exists");
    service_stop(fx);
}

static void member_add__learner__is_one_only_and_not_ready(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    assert_int_equal(member_add(fx, "http://10.0.0.2:2380", true), 0);
    uint64_t id = added_id(fx);
    (void)member_add(fx, "http://10.0.0.3:2380", true);
    assert_service_refused(fx, 9, "etcdserver: too many learner members in cluster");
    (void)member_promote(fx, id);
    assert_service_refused(
        fx, 9, "etcdserver: can only promote a learner member which is in sync with leader");
    assert_int_equal(member_remove(fx, id), 0);
    (void)member_remove(fx, id);
    assert_service_refused(fx, 5, "etcdserver: member not found");
    service_stop(fx);
}

static void member_add__second_voter_not_started__blocks_a_third(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");

    (void)state;
    assert_int_equal(member_add(fx, "http://10.0.0.2:2380", false), 0);
    (void)member_add(fx, "http://10.0.0.3:2380", false);
    assert_service_refused(fx, 9,
                           "etcdserver: re-configuration failed due to not enough started members");
    service_stop(fx);
}

static void member_remove__the_only_one__is_refused(void **state)
{
    struct service_world *fx = service_start("etcd-3.4");
    uint64_t id = fakeetcd_server_state(fx->lab.server)->member_id;

    (void)state;
    (void)member_remove(fx, id);
    assert_service_refused(fx, 2,
                           "etcdserver: re-configuration failed due to not enough started members");
    (void)member_promote(fx, id);
    assert_service_refused(fx, 9, "etcdserver: can only promote a learner member");
    (void)member_promote(fx, 5);
    assert_service_refused(fx, 5, "etcdserver: member not found");
    service_stop(fx);
}

static void member_update__learner__votes_afterwards(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");
    Etcdserverpb__MemberUpdateRequest request = ETCDSERVERPB__MEMBER_UPDATE_REQUEST__INIT;
    ProtobufCBinaryData urls[1] = {bytes_of("http://10.0.0.9:1")};

    (void)state;
    request.n_peerurls = 1;
    request.peerurls = urls;
    (void)service_ask(fx, CLUSTER "MemberUpdate", &request.base);
    assert_service_refused(fx, 5, "etcdserver: member not found");
    assert_int_equal(member_add(fx, "http://10.0.0.2:2380", true), 0);
    request.id = added_id(fx);
    (void)service_ask(fx, CLUSTER "MemberUpdate", &request.base);
    Etcdserverpb__MemberUpdateResponse *response =
        service_answer(fx, &etcdserverpb__member_update_response__descriptor);
    assert_int_equal(response->n_members, 2);
    assert_true(response->members[0]->id < response->members[1]->id);
    for (size_t i = 0; i < 2; i++) {
        assert_false(response->members[i]->islearner);
        if (response->members[i]->id == request.id) {
            assert_bytes(response->members[i]->peerurls[0], "http://10.0.0.9:1");
        }
    }
    etcdserverpb__member_update_response__free_unpacked(response, NULL);
    service_stop(fx);
}

/* ---- health ---- */

static void health__check__knows_the_server_and_no_service(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

    (void)state;
    (void)service_ask(fx, "/grpc.health.v1.Health/Check", &request.base);
    Grpc__Health__V1__HealthCheckResponse *response =
        service_answer(fx, &grpc__health__v1__health_check_response__descriptor);
    assert_int_equal(response->status, 1); /* SERVING */
    grpc__health__v1__health_check_response__free_unpacked(response, NULL);
    request.service = bytes_of("etcdserverpb.KV");
    (void)service_ask(fx, "/grpc.health.v1.Health/Check", &request.base);
    assert_service_refused(fx, 5, "unknown service");
    service_stop(fx);
}

static void health__watch__says_one_thing_and_stays_open(void **state)
{
    struct service_world *fx = service_start("etcd-3.5");
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

    (void)state;
    service_send_to(fx, "/grpc.health.v1.Health/Watch", &request.base);
    lab_pass(&fx->lab, PATIENCE_US / 2);
    assert_int_equal(fx->talk.message_count, 1);
    assert_false(fx->talk.is_ended);
    service_stop(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__new_server__says_version_size_and_leader),
        cmocka_unit_test(status__no_leader__says_so_at_once),
        cmocka_unit_test(alarm__no_space_raised__refuses_puts_until_lowered),
        cmocka_unit_test(alarm__corrupt_raised__refuses_puts),
        cmocka_unit_test(alarm__header__is_left_out_by_3_4),
        cmocka_unit_test(hash_kv__revisions__are_those_kept_and_no_later_ones),
        cmocka_unit_test(snapshot__of_a_store__is_pieces_and_their_digest),
        cmocka_unit_test(move_leader__nobody_to_take_it__is_a_bad_transferee),
        cmocka_unit_test(downgrade__each_wrong_use__has_its_text),
        cmocka_unit_test(downgrade__etcd_3_4__does_not_know_it),
        cmocka_unit_test(member_list__one_member__has_no_revision_in_its_header),
        cmocka_unit_test(member_add__addresses_that_are_none__are_refused),
        cmocka_unit_test(member_add__learner__is_one_only_and_not_ready),
        cmocka_unit_test(member_add__second_voter_not_started__blocks_a_third),
        cmocka_unit_test(member_remove__the_only_one__is_refused),
        cmocka_unit_test(member_update__learner__votes_afterwards),
        cmocka_unit_test(health__check__knows_the_server_and_no_service),
        cmocka_unit_test(health__watch__says_one_thing_and_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
