/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <stdlib.h>
#include <unistd.h>

/* The list of members, and a downgrade, over the deaths of the one member that there is. */

#define CLUSTER_PATH(name) "/etcdserverpb.Cluster/" name
#define DOWNGRADE_PATH     "/etcdserverpb.Maintenance/Downgrade"
#define CANCEL             ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__CANCEL
#define ENABLE             ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__ENABLE

static char data_dir[] = "/tmp/fakeetcd-test-XXXXXX";
static const struct fakeetcd_member_options others[] = {
    {.name = "etcd-2", .peer_urls = "http://10.0.2.2:2380", .client_urls = "http://10.0.2.2:2379"},
    {.name = "etcd-3", .peer_urls = "http://10.0.2.3:2380", .client_urls = "http://10.0.2.3:2379"},
};

static void in_memory(struct fakeetcd_options *options)
{
    options->others = others;
    options->other_count = 2;
}

static void on_disk(struct fakeetcd_options *options)
{
    in_memory(options);
    options->data_dir = data_dir;
}

static void add_learner(struct lab *lab, const char *url)
{
    ProtobufCBinaryData urls[] = {bytes_of(url)};
    Etcdserverpb__MemberAddRequest add = ETCDSERVERPB__MEMBER_ADD_REQUEST__INIT;
    struct talk talk;
    add.peerurls = urls;
    add.n_peerurls = 1;
    add.islearner = true;
    lab_ask(lab, &talk, CLUSTER_PATH("MemberAdd"), &add.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

/* Removes etcd-2, moves etcd-3, adds a learner: one of each. */
static void change(struct lab *lab)
{
    const struct fakeetcd_members *members = &fakeetcd_server_state(lab->server)->members;
    ProtobufCBinaryData urls[] = {bytes_of("http://10.0.2.3:9999")};
    Etcdserverpb__MemberUpdateRequest update = ETCDSERVERPB__MEMBER_UPDATE_REQUEST__INIT;
    Etcdserverpb__MemberRemoveRequest removal = ETCDSERVERPB__MEMBER_REMOVE_REQUEST__INIT;
    struct talk talk;
    assert_int_equal(members->count, 3);
    removal.id = members->items[1].id;
    lab_ask(lab, &talk, CLUSTER_PATH("MemberRemove"), &removal.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
    update.id = members->items[1].id;
    update.peerurls = urls;
    update.n_peerurls = 1;
    lab_ask(lab, &talk, CLUSTER_PATH("MemberUpdate"), &update.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
    add_learner(lab, "http://10.0.2.4:2380");
}

static void assert_changed(struct lab *lab, uint64_t learner)
{
    struct talk talk;
    Etcdserverpb__MemberListRequest request = ETCDSERVERPB__MEMBER_LIST_REQUEST__INIT;
    size_t seen = 0;
    lab_ask(lab, &talk, CLUSTER_PATH("MemberList"), &request.base);
    assert_talk_ok(&talk);
    const Etcdserverpb__MemberListResponse *list =
        (Etcdserverpb__MemberListResponse *)talk.messages[0];
    assert_int_equal(list->n_members, 3);
    for (size_t i = 0; i < list->n_members; i++) {
        const Etcdserverpb__Member *member = list->members[i];
        if (member->islearner) {
            assert_int_equal(member->id, learner);
            assert_bytes(member->peerurls[0], "http://10.0.2.4:2380");
            seen++;
        } else if (rt_slice_is_text(rt_slice_of(member->name.data, member->name.len), "etcd-3")) {
            assert_bytes(member->peerurls[0], "http://10.0.2.3:9999");
            assert_bytes(member->clienturls[0], "http://10.0.2.3:2379");
            seen++;
        } else {
            assert_bytes(member->name, "etcd-1");
            assert_int_equal(member->id, fakeetcd_server_state(lab->server)->member_id);
        }
    }
    assert_int_equal(seen, 2);
    talk_free(&talk);
}

static int32_t ask_downgrade(struct lab *lab,
                             Etcdserverpb__DowngradeRequest__DowngradeAction action)
{
    struct talk talk;
    Etcdserverpb__DowngradeRequest request = ETCDSERVERPB__DOWNGRADE_REQUEST__INIT;
    request.action = action;
    request.version = bytes_of("3.4.0");
    lab_ask(lab, &talk, DOWNGRADE_PATH, &request.base);
    assert_true(talk.is_ended);
    int32_t code = talk.code;
    talk_free(&talk);
    return code;
}

static void restart(struct lab *lab, bool is_kept)
{
    fakeetcd_server_kill(lab->server);
    lab_settle(lab); /* the client has seen it */
    assert_int_equal(fakeetcd_server_start(lab->server, is_kept), RT_OK);
}

static void members__changed__survive_a_restart_and_go_with_the_state(void **state)
{
    static lab_options_fn *const changes[] = {in_memory, on_disk};
    (void)state;
    assert_non_null(mkdtemp(data_dir));
    for (size_t i = 0; i < 2; i++) {
        struct lab lab;
        lab_start(&lab, changes[i]);
        change(&lab);
        uint64_t learner = fakeetcd_server_state(lab.server)->members.items[2].id;
        assert_changed(&lab, learner);
        restart(&lab, true);
        assert_changed(&lab, learner);
        restart(&lab, false);
        assert_int_equal(fakeetcd_server_state(lab.server)->members.count, 3);
        assert_string_equal(fakeetcd_server_state(lab.server)->members.items[1].name, "etcd-2");
        lab_stop(&lab);
    }
}

/* Another process, told of the first members by its flags. */
static void members__changed__are_those_of_the_next_process(void **state)
{
    struct lab lab;
    (void)state;
    lab_start(&lab, on_disk);
    change(&lab);
    uint64_t learner = fakeetcd_server_state(lab.server)->members.items[2].id;
    lab_stop(&lab);
    lab_start(&lab, on_disk);
    assert_changed(&lab, learner);
    restart(&lab, false);
    lab_stop(&lab);
}

/* A term never comes twice: clients take a lower one for an older answer. */
static void term__of_another_leader__is_not_had_again_after_a_restart(void **state)
{
    struct lab lab;
    struct talk talk;
    Etcdserverpb__MoveLeaderRequest move = ETCDSERVERPB__MOVE_LEADER_REQUEST__INIT;
    (void)state;
    lab_start(&lab, on_disk);
    const struct fakeetcd_state *now = fakeetcd_server_state(lab.server);
    uint64_t term = now->raft_term;
    move.targetid = now->members.items[1].id;
    lab_ask(&lab, &talk, "/etcdserverpb.Maintenance/MoveLeader", &move.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
    assert_int_equal(now->raft_term, term + 1);
    restart(&lab, true);
    assert_int_equal(now->raft_term, term + 2);
    for (int i = 0; i < 3; i++) {
        fakeetcd_server_set(lab.server, FAKEETCD_LEADERLESS, true);
        fakeetcd_server_set(lab.server, FAKEETCD_LEADERLESS, false);
    }
    lab_settle(&lab);
    restart(&lab, true);
    assert_int_equal(now->raft_term, term + 6);
    restart(&lab, false);
    lab_stop(&lab);
}

static void downgrade__enabled__is_under_way_after_a_restart(void **state)
{
    struct lab lab;
    (void)state;
    lab_start(&lab, on_disk);
    assert_int_equal(ask_downgrade(&lab, ENABLE), GRPC_OK);
    restart(&lab, true);
    assert_int_equal(ask_downgrade(&lab, CANCEL), GRPC_OK);
    restart(&lab, true);
    assert_int_equal(ask_downgrade(&lab, CANCEL), GRPC_FAILED_PRECONDITION);
    assert_int_equal(ask_downgrade(&lab, ENABLE), GRPC_OK);
    restart(&lab, false);
    assert_int_equal(ask_downgrade(&lab, CANCEL), GRPC_FAILED_PRECONDITION);
    lab_stop(&lab);
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", data_dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members__changed__survive_a_restart_and_go_with_the_state),
        cmocka_unit_test(members__changed__are_those_of_the_next_process),
        cmocka_unit_test(term__of_another_leader__is_not_had_again_after_a_restart),
        cmocka_unit_test(downgrade__enabled__is_under_way_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
