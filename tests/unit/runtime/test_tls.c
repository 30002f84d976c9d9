/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tls.h"
#include "support/tls_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Streams under TLS, on the simulated network and on sockets. */

#define PATH_BYTES  256
#define ERROR_BYTES 256
#define LARGE_BYTES ((size_t)3 * 1024 * 1024)
#define SETTLE_US   50000

static char folder[PATH_BYTES];

struct end {
    struct rt_stream *stream; /* NULL: closed */
    bool is_connected;
    bool is_closed;
    enum rt_status reason;
    size_t received_bytes;
    uint8_t checksum;
    uint8_t first[64];
    size_t drained_count;
    char protocol[16];
    char peer_name[64];
    char error[200];
};

struct pair {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener;
    struct rt_tls_context *server_context;
    struct rt_tls_context *client_context;
    struct end server;
    struct end client;
};

/* ---- ends --------------------------------------------------------------------------------- */

static void on_connected(void *arg)
{
    struct end *end = arg;

    end->is_connected = true;
    (void)snprintf(end->protocol, sizeof(end->protocol), "%s", rt_tls_stream_protocol(end->stream));
    (void)snprintf(end->peer_name, sizeof(end->peer_name), "%s",
                   rt_tls_stream_peer_name(end->stream));
}

static void on_input(void *arg)
{
    struct end *end = arg;
    struct rt_inbox *inbox = rt_stream_inbox(end->stream);

    for (;;) {
        struct rt_slice piece = rt_inbox_peek_piece(inbox);

        if (piece.len_bytes == 0) {
            return;
        }
        for (size_t i = 0; i < piece.len_bytes; i++) {
            end->checksum = (uint8_t)(end->checksum * 31 + piece.data[i]);
            if (end->received_bytes + i < sizeof(end->first)) {
                end->first[end->received_bytes + i] = piece.data[i];
            }
        }
        end->received_bytes += piece.len_bytes;
        rt_inbox_drain(inbox, piece.len_bytes);
    }
}

static void on_drained(void *arg)
{
    ((struct end *)arg)->drained_count++;
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct end *end = arg;

    end->is_closed = true;
    end->reason = reason;
    (void)snprintf(end->error, sizeof(end->error), "%s", rt_tls_stream_error(end->stream));
    rt_stream_destroy(end->stream);
    end->stream = NULL;
}

static const struct rt_stream_handler handler = {on_connected, on_input, on_drained, on_closed};

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct pair *pair = arg;

    assert_int_equal(rt_tls_stream_create(pair->server_context, stream, &handler, &pair->server,
                                          &pair->server.stream),
                     RT_OK);
}

/* ---- pairs -------------------------------------------------------------------------------- */

static const char *path_of(const char *name)
{
    static char paths[8][2 * PATH_BYTES];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static struct rt_tls_context *context_of(const struct rt_tls_options *options)
{
    struct rt_tls_context *context;
    char error[ERROR_BYTES] = "";

    if (rt_tls_context_create(options, &context, error, sizeof(error)) != RT_OK) {
        fail_msg("%s", error);
    }
    return context;
}

static struct rt_tls_options server_options(void)
{
    return (struct rt_tls_options){.is_server = true,
                                   .certificate_path = path_of("server.pem"),
                                   .key_path = path_of("server.key")};
}

static struct rt_tls_options client_options(void)
{
    return (struct rt_tls_options){.authority_path = path_of("ca.pem"), .server_name = "etcd.test"};
}

static void settle(struct pair *pair)
{
    enum rt_status status =
        rt_loop_run(pair->loop, NULL, NULL, rt_loop_now_us(pair->loop) + SETTLE_US);

    assert_int_not_equal(status, RT_E_STUCK);
}

static void open_pair(struct pair *pair, enum rt_loop_mode mode,
                      const struct rt_tls_options *server, const struct rt_tls_options *client)
{
    struct rt_stream *lower;

    *pair = (struct pair){0};
    pair->server_context = context_of(server);
    pair->client_context = context_of(client);
    assert_int_equal(rt_loop_create(mode, &pair->loop), RT_OK);
    assert_int_equal(rt_network_create(pair->loop, &pair->network), RT_OK);
    assert_int_equal(
        rt_network_listen(pair->network, "127.0.0.1:0", on_accept, pair, &pair->listener), RT_OK);
    assert_int_equal(rt_network_connect(pair->network, "client-1",
                                        rt_listener_address(pair->listener), &handler,
                                        &pair->client, &lower),
                     RT_OK);
    assert_int_equal(rt_tls_stream_create(pair->client_context, lower, &handler, &pair->client,
                                          &pair->client.stream),
                     RT_OK);
    settle(pair);
}

static bool is_alone(void *arg)
{
    return rt_network_live_count(((struct pair *)arg)->network) == 1;
}

static void close_pair(struct pair *pair)
{
    rt_stream_destroy(pair->client.stream);
    rt_stream_destroy(pair->server.stream);
    (void)!rt_loop_run(pair->loop, is_alone, pair, rt_loop_now_us(pair->loop) + 5000000);
    assert_int_equal(rt_network_live_count(pair->network), 1);
    rt_listener_destroy(pair->listener);
    rt_network_destroy(pair->network);
    rt_loop_destroy(pair->loop);
    rt_tls_context_destroy(pair->server_context);
    rt_tls_context_destroy(pair->client_context);
}

static void say(struct end *end, const void *data, size_t len_bytes)
{
    assert_int_equal(rt_outbox_add(rt_stream_outbox(end->stream), data, len_bytes), RT_OK);
    rt_stream_flush(end->stream);
}

static enum rt_loop_mode mode_of(void **state)
{
    return *(const enum rt_loop_mode *)*state;
}

/* ---- what works --------------------------------------------------------------------------- */

static void handshake__of_both__chooses_h2_and_shows_the_name(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    open_pair(&pair, mode_of(state), &server, &client);
    assert_true(pair.client.is_connected);
    assert_true(pair.server.is_connected);
    assert_string_equal(pair.client.protocol, "h2");
    assert_string_equal(pair.server.protocol, "h2");
    assert_string_equal(pair.client.peer_name, "server");
    assert_string_equal(pair.server.peer_name, "");
    close_pair(&pair);
}

static void bytes__of_both_sides__arrive_in_order(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    open_pair(&pair, mode_of(state), &server, &client);
    say(&pair.client, "hello ", 6);
    say(&pair.client, "world", 5);
    say(&pair.server, "yes", 3);
    settle(&pair);
    assert_int_equal(pair.server.received_bytes, 11);
    assert_memory_equal(pair.server.first, "hello world", 11);
    assert_memory_equal(pair.client.first, "yes", 3);
    assert_true(pair.client.drained_count > 0);
    close_pair(&pair);
}

static void bytes__three_million_as_a_blob__arrive_whole(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create(LARGE_BYTES, &data);
    uint8_t checksum = 0;

    assert_non_null(blob);
    for (size_t i = 0; i < LARGE_BYTES; i++) {
        data[i] = (uint8_t)(i * 7 + i / 5000);
        checksum = (uint8_t)(checksum * 31 + data[i]);
    }
    open_pair(&pair, mode_of(state), &server, &client);
    assert_int_equal(rt_outbox_add_blob(rt_stream_outbox(pair.client.stream), blob, 0, LARGE_BYTES),
                     RT_OK);
    rt_blob_release(blob);
    rt_stream_flush(pair.client.stream);
    for (int i = 0; i < 100 && pair.server.received_bytes < LARGE_BYTES; i++) {
        settle(&pair);
    }
    assert_int_equal(pair.server.received_bytes, LARGE_BYTES);
    assert_int_equal(pair.server.checksum, checksum);
    close_pair(&pair);
    assert_int_equal(rt_blob_live_count(), 0);
}

static void close__with_bytes_unsent__they_arrive_and_then_the_end(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    open_pair(&pair, mode_of(state), &server, &client);
    say(&pair.client, "last words", 10);
    rt_stream_close(pair.client.stream);
    pair.client.stream = NULL;
    settle(&pair);
    assert_memory_equal(pair.server.first, "last words", 10);
    assert_true(pair.server.is_closed);
    assert_int_equal(pair.server.reason, RT_E_CLOSED);
    close_pair(&pair);
}

static void reset__by_one__is_a_reset_for_the_other(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    open_pair(&pair, mode_of(state), &server, &client);
    rt_stream_reset(pair.client.stream);
    pair.client.stream = NULL;
    settle(&pair);
    assert_true(pair.server.is_closed);
    assert_int_equal(pair.server.reason, RT_E_RESET);
    close_pair(&pair);
}

static void pause__of_the_receiver__holds_what_comes_until_it_ends(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    open_pair(&pair, mode_of(state), &server, &client);
    rt_stream_pause(pair.server.stream, true);
    say(&pair.client, "hello", 5);
    settle(&pair);
    assert_int_equal(pair.server.received_bytes, 0);
    rt_stream_pause(pair.server.stream, false);
    settle(&pair);
    assert_int_equal(pair.server.received_bytes, 5);
    close_pair(&pair);
}

static void self_signed__server__is_taken_by_a_client_that_does_not_verify(void **state)
{
    struct rt_tls_options server = {.is_server = true, .is_self_signed = true};
    struct rt_tls_options client = {.is_unverified = true};
    struct pair pair;

    open_pair(&pair, mode_of(state), &server, &client);
    assert_true(pair.client.is_connected);
    assert_true(pair.server.is_connected);
    close_pair(&pair);
}

static void client_certificate__of_the_authority__is_known_by_its_name(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    server.authority_path = path_of("ca.pem");
    server.is_peer_required = true;
    client.certificate_path = path_of("client.pem");
    client.key_path = path_of("client.key");
    open_pair(&pair, mode_of(state), &server, &client);
    assert_true(pair.server.is_connected);
    assert_string_equal(pair.server.peer_name, "client");
    close_pair(&pair);
}

static void key__with_a_passphrase__opens_with_it_alone(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct rt_tls_context *context;
    char error[ERROR_BYTES] = "";
    struct pair pair;

    server.key_path = path_of("locked.key");
    assert_int_equal(rt_tls_context_create(&server, &context, error, sizeof(error)), RT_E_INVALID);
    assert_non_null(strstr(error, "locked.key: "));
    server.key_passphrase = "open";
    open_pair(&pair, mode_of(state), &server, &client);
    assert_true(pair.client.is_connected);
    close_pair(&pair);
}

static void name__as_an_address__matches_the_certificate(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    client.server_name = "127.0.0.1";
    open_pair(&pair, mode_of(state), &server, &client);
    assert_true(pair.client.is_connected);
    close_pair(&pair);
}

static void host__expected__is_the_one_that_was_connected_to(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    client.server_name = NULL;
    client.is_host_expected = true;
    open_pair(&pair, mode_of(state), &server, &client);
    assert_true(pair.client.is_connected);
    close_pair(&pair);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void expect_refusal(void **state, const struct rt_tls_options *server,
                           const struct rt_tls_options *client, const char *text)
{
    struct pair pair;

    open_pair(&pair, mode_of(state), server, client);
    assert_false(pair.client.is_connected && pair.server.is_connected);
    assert_true(pair.client.is_closed || pair.server.is_closed);
    if (strstr(pair.client.error, text) == NULL && strstr(pair.server.error, text) == NULL) {
        fail_msg("neither \"%s\" nor \"%s\" has \"%s\"", pair.client.error, pair.server.error,
                 text);
    }
    assert_true(pair.client.reason == RT_E_MALFORMED || pair.server.reason == RT_E_MALFORMED);
    close_pair(&pair);
}

static void server_certificate__of_another_authority__is_refused_by_the_client(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();

    client.authority_path = path_of("other.pem");
    expect_refusal(state, &server, &client, "certificate: ");
}

static void server_certificate__of_another_name__is_refused_by_the_client(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();

    client.server_name = "elsewhere.test";
    expect_refusal(state, &server, &client, "hostname mismatch");
}

static void server_certificate__without_the_host__is_refused_when_it_is_expected(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();

    server.certificate_path = path_of("ca.pem");
    server.key_path = path_of("ca.key");
    client.server_name = NULL;
    client.is_host_expected = true;
    expect_refusal(state, &server, &client, "IP address mismatch");
}

static void client_certificate__none_where_one_is_required__is_refused(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();

    server.authority_path = path_of("ca.pem");
    server.is_peer_required = true;
    expect_refusal(state, &server, &client, "peer did not return a certificate");
}

static void client_certificate__revoked__is_refused(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();

    server.authority_path = path_of("ca.pem");
    server.revocation_path = path_of("crl.pem");
    server.is_peer_required = true;
    client.certificate_path = path_of("revoked.pem");
    client.key_path = path_of("revoked.key");
    expect_refusal(state, &server, &client, "certificate revoked");
}

static void plain_bytes__to_a_server__are_no_handshake(void **state)
{
    struct rt_tls_options server = server_options();
    struct rt_tls_options client = client_options();
    struct pair pair;

    open_pair(&pair, mode_of(state), &server, &client);
    rt_stream_destroy(pair.client.stream);
    rt_stream_destroy(pair.server.stream);
    pair.client = (struct end){0};
    pair.server = (struct end){0};
    assert_int_equal(rt_network_connect(pair.network, "client-1",
                                        rt_listener_address(pair.listener), &handler, &pair.client,
                                        &pair.client.stream),
                     RT_OK);
    say(&pair.client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    settle(&pair);
    assert_true(pair.server.is_closed);
    assert_false(pair.server.is_connected);
    assert_int_equal(pair.server.reason, RT_E_MALFORMED);
    assert_string_not_equal(pair.server.error, "");
    close_pair(&pair);
}

static void context__of_wrong_files__says_which(void **state)
{
    struct rt_tls_options options = server_options();
    struct rt_tls_context *context;
    char error[ERROR_BYTES] = "";

    (void)state;
    options.certificate_path = path_of("absent.pem");
    assert_int_equal(rt_tls_context_create(&options, &context, error, sizeof(error)), RT_E_INVALID);
    assert_non_null(strstr(error, "absent.pem: "));
    options = server_options();
    options.key_path = path_of("client.key");
    assert_int_equal(rt_tls_context_create(&options, &context, error, sizeof(error)), RT_E_INVALID);
    assert_non_null(strstr(error, "client.key: key values mismatch"));
    options = server_options();
    options.authority_path = path_of("server.key");
    assert_int_equal(rt_tls_context_create(&options, &context, error, sizeof(error)), RT_E_INVALID);
    assert_non_null(strstr(error, "server.key: "));
    options = (struct rt_tls_options){.is_server = true};
    assert_int_equal(rt_tls_context_create(&options, &context, error, sizeof(error)), RT_E_INVALID);
    assert_string_equal(error, "a server needs a certificate");
    options = server_options();
    options.ciphers = "NO-SUCH-CIPHER";
    assert_int_equal(rt_tls_context_create(&options, &context, error, sizeof(error)), RT_E_INVALID);
    assert_non_null(strstr(error, "NO-SUCH-CIPHER: "));
}

static int make_files(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/test-tls-XXXXXX", P_tmpdir);
    return mkdtemp(folder) != NULL && tls_files_make(folder) ? 0 : -1;
}

static int remove_files(void **state)
{
    (void)state;
    tls_files_remove(folder);
    return 0;
}

static enum rt_loop_mode simulated = RT_LOOP_SIMULATED;
static enum rt_loop_mode sockets = RT_LOOP_SOCKETS;

#define IN_BOTH(test)                                                                              \
    {#test " (simulated)", test, NULL, NULL, &simulated},                                          \
    {                                                                                              \
#test " (sockets)", test, NULL, NULL, &sockets                                             \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(handshake__of_both__chooses_h2_and_shows_the_name),
        IN_BOTH(bytes__of_both_sides__arrive_in_order),
        IN_BOTH(bytes__three_million_as_a_blob__arrive_whole),
        IN_BOTH(close__with_bytes_unsent__they_arrive_and_then_the_end),
        IN_BOTH(reset__by_one__is_a_reset_for_the_other),
        IN_BOTH(pause__of_the_receiver__holds_what_comes_until_it_ends),
        IN_BOTH(self_signed__server__is_taken_by_a_client_that_does_not_verify),
        IN_BOTH(client_certificate__of_the_authority__is_known_by_its_name),
        IN_BOTH(key__with_a_passphrase__opens_with_it_alone),
        IN_BOTH(name__as_an_address__matches_the_certificate),
        IN_BOTH(host__expected__is_the_one_that_was_connected_to),
        IN_BOTH(server_certificate__without_the_host__is_refused_when_it_is_expected),
        IN_BOTH(server_certificate__of_another_authority__is_refused_by_the_client),
        IN_BOTH(server_certificate__of_another_name__is_refused_by_the_client),
        IN_BOTH(client_certificate__none_where_one_is_required__is_refused),
        IN_BOTH(client_certificate__revoked__is_refused),
        IN_BOTH(plain_bytes__to_a_server__are_no_handshake),
        cmocka_unit_test(context__of_wrong_files__says_which),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
