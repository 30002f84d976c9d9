/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/ds_discovery.h"
#include "connector/omni_connector.h"
#include "fakeds/worker/worker.h"
#include "runtime/tls.h"
#include "support/mini_etcd.h"
#include "support/tls_files.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* A worker found through a scripted etcd, in simulated time. */
#define ETCD   "10.0.2.1:2379"
#define SECOND UINT64_C(1000000)

struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct mini_etcd etcd;
    struct ds_environment environment;
    struct ds_discovery_options options;
    unsigned done_count, warn_count;
    uint64_t done_us;
    int32_t code;
    char text[300];
    char warning[300];
    char host[64];
    int64_t port;
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    mini_etcd_init(&fx->etcd, fx->loop, fx->network);
    mini_etcd_listen(&fx->etcd, ETCD);
    fx->environment = (struct ds_environment){
        .loop = fx->loop, .network = fx->network, .seed = 3, .name = "client-1"};
    fx->options.etcd_address = ETCD;
    *state = fx;
    return 0;
}

static void until(struct fixture *fx, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, time_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    mini_etcd_fini(&fx->etcd);
    until(fx, rt_loop_now_us(fx->loop));
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    free(fx);
    return 0;
}

static void on_found(void *arg, const struct ds_status *status, const char *host, int64_t port)
{
    struct fixture *fx = arg;
    fx->done_count++;
    fx->done_us = rt_loop_now_us(fx->loop);
    fx->code = status->code;
    snprintf(fx->text, sizeof(fx->text), "%s", status->text);
    snprintf(fx->host, sizeof(fx->host), "%s", host == NULL ? "" : host);
    fx->port = port;
}

static void on_warning(void *arg, const char *text)
{
    struct fixture *fx = arg;
    fx->warn_count++;
    snprintf(fx->warning, sizeof(fx->warning), "%s", text);
}

static struct ds_discovery *start(struct fixture *fx)
{
    struct ds_discovery *discovery = NULL;
    assert_int_equal(
        ds_discovery_start(&fx->environment, &fx->options, on_found, on_warning, fx, &discovery),
        RT_OK);
    return discovery;
}

static void discover(struct fixture *fx)
{
    unsigned before = fx->done_count;
    (void)start(fx);
    assert_int_equal(fx->done_count, before);
    until(fx, rt_loop_now_us(fx->loop) + 100 * SECOND);
    assert_int_equal(fx->done_count, before + 1);
}

static void worker(struct fixture *fx, const char *address, const char *value)
{
    char key[128];
    snprintf(key, sizeof(key), "/datasystem/cluster/%s", address);
    mini_etcd_put(&fx->etcd, key, value);
}

/* ---- who counts ----------------------------------------------------------------------------- */

static void discovery__one_ready_worker__brings_its_address(void **state)
{
    struct fixture *fx = *state;
    worker(fx, "10.0.1.1:31501", "1795396239604062981;ready");
    discover(fx);
    assert_int_equal(fx->code, K_OK);
    assert_string_equal(fx->host, "10.0.1.1");
    assert_int_equal(fx->port, 31501);
    assert_string_equal(fx->etcd.log, "Range /datasystem/cluster/ /datasystem/cluster0\n");
}

static void discovery__ipv6_worker__keeps_the_brackets(void **state)
{
    struct fixture *fx = *state;
    worker(fx, "[::1]:31501", "1;ready");
    discover(fx);
    assert_string_equal(fx->host, "[::1]");
    assert_int_equal(fx->port, 31501);
}

static void discovery__workers_in_other_states__are_not_taken(void **state)
{
    static const char *const STATES[] = {"1;start", "1;restart", "1;recover", "1;exiting",
                                         "1;d_rst"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
        char address[32];
        snprintf(address, sizeof(address), "10.0.1.%zu:31501", i + 1);
        worker(fx, address, STATES[i]);
    }
    discover(fx);
    assert_int_equal(fx->code, K_RUNTIME_ERROR);
    assert_string_equal(fx->text, "No available worker is detected.");
    assert_int_equal(fx->warn_count, 0);
}

static void discovery__no_worker_at_all__says_so(void **state)
{
    struct fixture *fx = *state;
    discover(fx);
    assert_int_equal(fx->code, K_RUNTIME_ERROR);
    assert_string_equal(fx->text, "No available worker is detected.");
}

static void discovery__entries_that_cannot_be_read__are_left_out_with_a_word(void **state)
{
    static const char *const WRONG[] = {
        "", "ready", ";ready", "x;ready", "1;Ready", "1", "99999999999999999999999;ready"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        char address[32];
        snprintf(address, sizeof(address), "10.0.1.%zu:31501", i + 1);
        worker(fx, address, WRONG[i]);
    }
    worker(fx, "10.0.1.20", "1;ready");
    worker(fx, "10.0.1.20:0", "1;ready");
    worker(fx, "10.0.1.20:65536", "1;ready");
    worker(fx, "10.0.1.20:31501x", "1;ready");
    worker(fx, ":31501", "1;ready");
    worker(fx, "10.0.1.30:31501", "1;ready");
    discover(fx);
    assert_string_equal(fx->host, "10.0.1.30");
    assert_int_equal(fx->warn_count, sizeof(WRONG) / sizeof(WRONG[0]) + 5);
    assert_non_null(strstr(fx->warning, "is left out"));
}

static void discovery__cluster_name__is_in_front_of_the_key(void **state)
{
    struct fixture *fx = *state;
    worker(fx, "10.0.1.1:31501", "1;ready");
    mini_etcd_put(&fx->etcd, "/blue/datasystem/cluster/10.0.1.2:31502", "1;ready");
    fx->options.cluster_name = "blue";
    discover(fx);
    assert_string_equal(fx->host, "10.0.1.2");
    assert_int_equal(fx->port, 31502);
}

/* ---- which one ------------------------------------------------------------------------------ */

#define TRIES 200

static void discovery__several_workers__picks_each_of_them_sometimes(void **state)
{
    struct fixture *fx = *state;
    unsigned counts[3] = {0};
    fx->options.affinity = DS_RANDOM_NODE;
    fx->options.host_id = "here";
    worker(fx, "10.0.1.1:31501", "1;ready");
    worker(fx, "10.0.1.2:31501", "1;ready;here");
    worker(fx, "10.0.1.3:31501", "1;ready;there;0.9.2");
    for (unsigned i = 0; i < TRIES; i++) {
        discover(fx);
        counts[fx->host[7] - '1']++;
    }
    for (size_t i = 0; i < 3; i++) {
        assert_in_range(counts[i], TRIES / 5, TRIES / 2); /* a third, within four deviations */
    }
}

static void discovery__same_host_preferred__takes_it_while_it_is_ready(void **state)
{
    struct fixture *fx = *state;
    fx->options.host_id = "here";
    worker(fx, "10.0.1.1:31501", "1;ready;there");
    worker(fx, "10.0.1.2:31501", "1;ready;here;0.9.2");
    worker(fx, "10.0.1.3:31501", "1;ready");
    for (unsigned i = 0; i < 20; i++) {
        discover(fx);
        assert_string_equal(fx->host, "10.0.1.2");
    }
    worker(fx, "10.0.1.2:31501", "1;exiting;here");
    discover(fx);
    assert_string_not_equal(fx->host, "10.0.1.2");
    assert_int_equal(fx->code, K_OK);
}

static void discovery__same_host_required__takes_no_other(void **state)
{
    struct fixture *fx = *state;
    fx->options.affinity = DS_REQUIRED_SAME_NODE;
    fx->options.host_id = "here";
    worker(fx, "10.0.1.1:31501", "1;ready;there");
    discover(fx);
    assert_int_equal(fx->code, K_RUNTIME_ERROR);
    assert_string_equal(fx->text, "No available same-node worker is detected.");
    worker(fx, "10.0.1.2:31501", "1;ready;here");
    discover(fx);
    assert_string_equal(fx->host, "10.0.1.2");
}

/* ---- etcd is not there ---------------------------------------------------------------------- */

static void discovery__etcd_down__gives_up_after_50_s(void **state)
{
    struct fixture *fx = *state;
    mini_etcd_kill(&fx->etcd);
    discover(fx);
    assert_int_equal(fx->code, K_RPC_UNAVAILABLE);
    assert_int_equal(fx->done_us, 49990000);
}

static void discovery__etcd_silent__gives_up_after_50_s(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.mute_path = "/etcdserverpb.KV/Range";
    discover(fx);
    assert_int_equal(fx->code, K_RPC_UNAVAILABLE);
    assert_int_equal(fx->done_us, 50 * SECOND);
    assert_int_equal(mini_etcd_count(&fx->etcd, "muted Range"), 5); /* attempts of 10 s */
}

static void discovery__not_an_address__is_invalid(void **state)
{
    struct fixture *fx = *state;
    fx->options.etcd_address = "nowhere";
    discover(fx);
    assert_int_equal(fx->code, K_INVALID);
    assert_string_equal(fx->text, "Invalid etcd address: nowhere");
}

static void discovery__cancelled__ends_without_a_word(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.mute_path = "/etcdserverpb.KV/Range";
    struct ds_discovery *discovery = start(fx);
    until(fx, SECOND);
    ds_discovery_cancel(discovery);
    until(fx, 60 * SECOND);
    assert_int_equal(fx->done_count, 0);
}

static void discovery__password__is_used(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_auth_on = true;
    fx->options.username = "root";
    fx->options.password = "secret";
    worker(fx, "10.0.1.1:31501", "1;ready");
    discover(fx);
    assert_int_equal(fx->code, K_OK);
}

static void affinity__words__are_known_in_any_case(void **state)
{
    enum ds_affinity affinity = DS_RANDOM_NODE;
    (void)state;
    assert_true(ds_affinity_parse(rt_slice_text("preferred_same_node"), &affinity));
    assert_int_equal(affinity, DS_PREFERRED_SAME_NODE);
    assert_true(ds_affinity_parse(rt_slice_text("REQUIRED_SAME_NODE"), &affinity));
    assert_int_equal(affinity, DS_REQUIRED_SAME_NODE);
    assert_false(ds_affinity_parse(rt_slice_text("RAND"), &affinity));
    assert_false(ds_affinity_parse(rt_slice_text(""), &affinity));
}

/* ---- a whole connector ---------------------------------------------------------------------- */

struct made {
    struct omni_connector *connector;
    unsigned count;
    char text[300];
};

static void on_created(void *arg, struct omni_connector *connector, const char *text)
{
    struct made *made = arg;
    made->count++;
    made->connector = connector;
    snprintf(made->text, sizeof(made->text), "%s", text == NULL ? "" : text);
}

/* Without host and port. */
static struct omni_value *extra_of(struct omni_arena *arena, const char *policy)
{
    struct omni_pair pairs[] = {
        {omni_text(arena, rt_slice_text("etcd_address")), omni_text(arena, rt_slice_text(ETCD))},
        {omni_text(arena, rt_slice_text("affinity_policy")),
         omni_text(arena, rt_slice_text(policy))},
    };
    return omni_map(arena, pairs, 2);
}

static struct made make_connector(struct fixture *fx, const char *policy)
{
    struct made made = {0};
    struct omni_arena *arena = omni_arena_create();
    struct omni_value *extra = extra_of(arena, policy);
    struct omni_environment environment = {.ds = fx->environment};
    assert_non_null(extra);
    struct omni_connector_config config = {.model = OMNI_YUANRONG, .extra = extra};
    assert_int_equal(omni_connector_create(&environment, &config, on_created, &made), RT_OK);
    until(fx, rt_loop_now_us(fx->loop) + 10 * SECOND);
    omni_arena_destroy(arena);
    assert_int_equal(made.count, 1);
    return made;
}

static const char *host_of(struct omni_connector *connector)
{
    struct omni_health health;
    omni_connector_health(connector, &health);
    return health.host;
}

static void connector__its_worker_dies__the_next_construction_finds_the_other_one(void **state)
{
    struct fixture *fx = *state;
    struct fakeds_worker *workers[2] = {NULL};
    for (size_t i = 0; i < 2; i++) {
        struct fakeds_options options;
        struct fakeds_environment environment = {.loop = fx->loop, .network = fx->network};
        fakeds_options_init(&options);
        options.name = i == 0 ? "worker-1" : "worker-2";
        options.address = i == 0 ? "10.0.1.1:31501" : "10.0.1.2:31501";
        options.etcd.address = ETCD;
        assert_int_equal(fakeds_worker_create(&environment, &options, &workers[i]), RT_OK);
    }
    struct made none = make_connector(fx, "REQUIRED_SAME_NODE");
    assert_null(none.connector);
    assert_non_null(strstr(none.text, "No available same-node worker is detected."));
    struct made first = make_connector(fx, "RANDOM");
    assert_non_null(first.connector);
    size_t chosen = strcmp(host_of(first.connector), "10.0.1.1") == 0 ? 0 : 1;
    omni_connector_destroy(first.connector);
    fakeds_worker_kill(workers[chosen]);
    until(fx, rt_loop_now_us(fx->loop) + 70 * SECOND); /* its lease is over */
    struct made second = make_connector(fx, "RANDOM");
    assert_non_null(second.connector);
    assert_string_equal(host_of(second.connector), chosen == 0 ? "10.0.1.2" : "10.0.1.1");
    omni_connector_destroy(second.connector);
    fakeds_worker_destroy(workers[0]);
    fakeds_worker_destroy(workers[1]);
}

/* ---- TLS ------------------------------------------------------------------------------------ */

static char folder[64];

static const char *file(char *out_path, const char *name)
{
    snprintf(out_path, 128, "%s/%s", folder, name);
    return out_path;
}

/* An etcd behind a certificate of 127.0.0.1 and etcd.test that asks for one of its clients. */
static struct rt_tls_context *serve_tls(struct fixture *fx)
{
    char certificate[128];
    char key[128];
    char authority[128];
    char error[200];
    const struct rt_tls_options options = {.is_server = true,
                                           .certificate_path = file(certificate, "server.pem"),
                                           .key_path = file(key, "server.key"),
                                           .authority_path = file(authority, "ca.pem"),
                                           .is_peer_required = true};
    assert_int_equal(rt_tls_context_create(&options, &fx->etcd.tls, error, sizeof(error)), RT_OK);
    mini_etcd_kill(&fx->etcd);
    mini_etcd_listen(&fx->etcd, "127.0.0.1:2379");
    fx->options.etcd_address = "127.0.0.1:2379";
    worker(fx, "10.0.1.1:31501", "1;ready");
    return fx->etcd.tls;
}

static void discovery__tls_with_its_files__finds_the_worker(void **state)
{
    struct fixture *fx = *state;
    struct rt_tls_context *server = serve_tls(fx);
    char authority[128];
    char certificate[128];
    char key[128];
    fx->options.etcd_ca = file(authority, "ca.pem");
    fx->options.etcd_cert = file(certificate, "client.pem");
    fx->options.etcd_key = file(key, "client.key");
    discover(fx); /* the address itself is in the certificate */
    assert_int_equal(fx->code, K_OK);
    assert_string_equal(fx->host, "10.0.1.1");
    fx->options.etcd_dns_name = "etcd.test";
    discover(fx);
    assert_int_equal(fx->code, K_OK);
    fx->options.etcd_dns_name = "elsewhere.test";
    discover(fx);
    assert_int_equal(fx->code, K_RPC_UNAVAILABLE);
    assert_non_null(strstr(fx->text, "hostname mismatch"));
    rt_tls_context_destroy(server);
}

static void discovery__tls_of_another_authority__is_refused(void **state)
{
    struct fixture *fx = *state;
    struct rt_tls_context *server = serve_tls(fx);
    char authority[128];
    fx->options.etcd_ca = file(authority, "other.pem");
    discover(fx);
    assert_int_equal(fx->code, K_RPC_UNAVAILABLE);
    assert_non_null(strstr(fx->text, "certificate"));
    rt_tls_context_destroy(server);
}

static void discovery__tls_files_that_cannot_be__are_invalid_at_once(void **state)
{
    struct fixture *fx = *state;
    char path[128];
    fx->options.etcd_cert = file(path, "client.pem");
    discover(fx);
    assert_int_equal(fx->code, K_INVALID);
    assert_string_equal(fx->text,
                        "Invalid etcd TLS option: etcd_cert and etcd_key belong together");
    fx->options.etcd_cert = NULL;
    fx->options.etcd_ca = file(path, "not-there.pem");
    discover(fx);
    assert_int_equal(fx->code, K_INVALID);
    assert_non_null(strstr(fx->text, "not-there.pem"));
    assert_string_equal(fx->etcd.log, "");
}

static void connector__tls_options__reach_the_discovery(void **state)
{
    struct fixture *fx = *state;
    struct made made = {0};
    struct omni_arena *arena = omni_arena_create();
    struct omni_pair pairs[] = {
        {omni_text(arena, rt_slice_text("etcd_address")), omni_text(arena, rt_slice_text(ETCD))},
        {omni_text(arena, rt_slice_text("etcd_key")), omni_text(arena, rt_slice_text("x.key"))},
    };
    struct omni_environment environment = {.ds = fx->environment};
    struct omni_connector_config config = {.model = OMNI_YUANRONG,
                                           .extra = omni_map(arena, pairs, 2)};
    assert_int_equal(omni_connector_create(&environment, &config, on_created, &made), RT_OK);
    until(fx, SECOND);
    assert_int_equal(made.count, 1);
    assert_null(made.connector);
    assert_non_null(strstr(made.text, "etcd_cert and etcd_key belong together"));
    omni_arena_destroy(arena);
}

static int make_files(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "%s/test-discovery-XXXXXX", P_tmpdir);
    return mkdtemp(folder) != NULL && tls_files_make(folder) ? 0 : -1;
}

static int remove_files(void **state)
{
    (void)state;
    tls_files_remove(folder);
    return 0;
}

static void connector__given_up_while_it_looks__is_gone(void **state)
{
    struct fixture *fx = *state;
    struct made made = {0};
    struct omni_arena *arena = omni_arena_create();
    struct omni_value *extra = extra_of(arena, "RANDOM");
    struct omni_environment environment = {.ds = fx->environment};
    struct omni_connector *pending = NULL;
    struct omni_connector_config config = {.model = OMNI_YUANRONG, .extra = extra};
    fx->etcd.mute_path = "/etcdserverpb.KV/Range";
    assert_int_equal(omni_connector_begin(&environment, &config, on_created, &made, &pending),
                     RT_OK);
    until(fx, SECOND);
    omni_connector_destroy(pending);
    until(fx, 60 * SECOND);
    assert_int_equal(made.count, 0);
    omni_arena_destroy(arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(discovery__one_ready_worker__brings_its_address),
        TEST(discovery__ipv6_worker__keeps_the_brackets),
        TEST(discovery__workers_in_other_states__are_not_taken),
        TEST(discovery__no_worker_at_all__says_so),
        TEST(discovery__entries_that_cannot_be_read__are_left_out_with_a_word),
        TEST(discovery__cluster_name__is_in_front_of_the_key),
        TEST(discovery__several_workers__picks_each_of_them_sometimes),
        TEST(discovery__same_host_preferred__takes_it_while_it_is_ready),
        TEST(discovery__same_host_required__takes_no_other),
        TEST(discovery__etcd_down__gives_up_after_50_s),
        TEST(discovery__etcd_silent__gives_up_after_50_s),
        TEST(discovery__not_an_address__is_invalid),
        TEST(discovery__cancelled__ends_without_a_word),
        TEST(discovery__password__is_used),
        TEST(affinity__words__are_known_in_any_case),
        TEST(connector__its_worker_dies__the_next_construction_finds_the_other_one),
        TEST(connector__given_up_while_it_looks__is_gone),
        TEST(discovery__tls_with_its_files__finds_the_worker),
        TEST(discovery__tls_of_another_authority__is_refused),
        TEST(discovery__tls_files_that_cannot_be__are_invalid_at_once),
        TEST(connector__tls_options__reach_the_discovery),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
