/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/members.h"
#include "fakeetcd/program/relay.h"
#include "http_peer.h"
#include "lab.h"

#include <stdlib.h>
#include <string.h>

/* A second member on one machine: its clients are relayed to the first, which learns of it. */
#define SECOND "10.0.2.2:2379"

struct fixture {
    struct lab lab;
    struct relay *relay;
    struct announcement *announcement;
    struct peer peer;
    unsigned told;
};

static void with_two_members(struct fakeetcd_options *options)
{
    static const struct fakeetcd_member_options OTHER = {
        .name = "m2", .peer_urls = "http://10.0.2.2:2380", .client_urls = ""};
    options->others = &OTHER;
    options->other_count = 1;
}

static void on_told(void *arg)
{
    struct fixture *fx = arg;
    fx->told++;
}

static int setup(void **state)
{
    static const char *const ADDRESSES[] = {SECOND};
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    lab_start(&fx->lab, with_two_members);
    const char *first = fakeetcd_server_address(fx->lab.server);
    assert_int_equal(relay_create(fx->lab.network, ADDRESSES, 1, first, &fx->relay), RT_OK);
    assert_int_equal(announcement_create(fx->lab.loop, fx->lab.network, first, "m2",
                                         "http://" SECOND, on_told, fx, &fx->announcement),
                     RT_OK);
    lab_settle(&fx->lab);
    peer_connect(&fx->peer, fx->lab.loop, fx->lab.network, SECOND);
    *state = fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;
    announcement_destroy(fx->announcement);
    peer_fini(&fx->peer);
    relay_destroy(fx->relay);
    lab_stop(&fx->lab);
    free(fx);
    return 0;
}

static void member__that_started__is_shown_with_its_urls(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(fx->told, 1);
    peer_post(&fx->peer, "/v3/cluster/member/list", "", "{}");
    peer_assert(&fx->peer, "\"name\":\"m2\",\"peerURLs\":[\"http://10.0.2.2:2380\"],"
                           "\"clientURLs\":[\"http://10.0.2.2:2379\"]");
}

static void client_of_the_second__its_bytes__reach_the_first(void **state)
{
    struct fixture *fx = *state;
    char *value = malloc(1200001);
    char *body = NULL;
    assert_non_null(value);
    memset(value, 'A', 1200000);
    value[1200000] = '\0';
    assert_true(asprintf(&body, "{\"key\":\"Zm9v\",\"value\":\"%s\"}", value) > 0);
    peer_post(&fx->peer, "/v3/kv/put", "", body);
    peer_body(&fx->peer, 200);
    struct fakeetcd_kv kv;
    assert_true(fakeetcd_store_get(fakeetcd_server_state(fx->lab.server)->store,
                                   rt_slice_text("foo"), 0, &kv));
    assert_int_equal(kv.value.len_bytes, 900000);
    free(body);
    free(value);
}

static void first_member__killed__takes_the_clients_of_the_second(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/watch", "", "{\"create_request\":{\"key\":\"Zm9v\"}}");
    fakeetcd_server_kill(fx->lab.server);
    peer_settle(&fx->peer);
    assert_int_equal(fx->peer.ended, RT_E_RESET);
}

static void first_member__back_again__is_told_again(void **state)
{
    struct fixture *fx = *state;
    fakeetcd_server_kill(fx->lab.server);
    lab_pass(&fx->lab, SECOND_US);
    assert_int_equal(fakeetcd_server_start(fx->lab.server, false), RT_OK);
    lab_pass(&fx->lab, SECOND_US);
    assert_int_equal(fx->told, 1); /* the program is ready once */
    peer_connect(&fx->peer, fx->lab.loop, fx->lab.network, SECOND);
    peer_post(&fx->peer, "/v3/cluster/member/list", "", "{}");
    peer_assert(&fx->peer, "\"clientURLs\":[\"http://10.0.2.2:2379\"]");
}

static void stranger__saying_that_it_started__is_no_member(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/fakeetcd/members?name=m3&urls=http://h:1", "", "");
    assert_string_equal(peer_body(&fx->peer, 404), "no such member in the initial cluster\n");
}

static void second_member__its_client_gone__lets_go_of_the_first(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_counts counts;
    peer_post(&fx->peer, "/v3/watch", "", "{\"create_request\":{\"key\":\"Zm9v\"}}");
    fakeetcd_server_counts(fx->lab.server, &counts);
    assert_int_equal(counts.watchers, 1);
    peer_fini(&fx->peer);
    fakeetcd_server_counts(fx->lab.server, &counts);
    assert_int_equal(counts.watchers, 0);
}

static void client_of_the_second__is_struck_by_the_rules_of_the_first(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab, "x: on {op: etcd-put, key: foo} at request do 1*status(ABORTED, \"struck\")");
    peer_post(&fx->peer, "/v3/kv/put", "", "{\"key\":\"Zm9v\",\"value\":\"\"}");
    peer_assert(&fx->peer, "struck");
    assert_int_equal(lab_fired(&fx->lab, "x"), 1);
    peer_post(&fx->peer, "/v3/kv/put", "", "{\"key\":\"Zm9v\",\"value\":\"\"}");
    peer_body(&fx->peer, 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(member__that_started__is_shown_with_its_urls),
        TEST(client_of_the_second__its_bytes__reach_the_first),
        TEST(client_of_the_second__is_struck_by_the_rules_of_the_first),
        TEST(first_member__killed__takes_the_clients_of_the_second),
        TEST(first_member__back_again__is_told_again),
        TEST(stranger__saying_that_it_started__is_no_member),
        TEST(second_member__its_client_gone__lets_go_of_the_first),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
