/* SPDX-License-Identifier: Apache-2.0 */
#include "http_peer.h"

#include <stdlib.h>
#include <string.h>

static void on_connected(void *arg)
{
    (void)arg;
}

static void on_input(void *arg)
{
    struct peer *peer = arg;
    struct rt_inbox *inbox = rt_stream_inbox(peer->stream);
    size_t len_bytes = rt_inbox_len_bytes(inbox);
    struct rt_slice bytes = rt_inbox_peek(inbox, len_bytes);
    assert_true(peer->len_bytes + len_bytes < sizeof(peer->text));
    memcpy(peer->text + peer->len_bytes, bytes.data, bytes.len_bytes);
    peer->len_bytes += len_bytes;
    peer->text[peer->len_bytes] = '\0';
    rt_inbox_drain(inbox, len_bytes);
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct peer *peer = arg;
    peer->ended = reason;
    rt_stream_destroy(peer->stream);
    peer->stream = NULL;
}

static const struct rt_stream_handler HANDLER = {
    .on_connected = on_connected, .on_input = on_input, .on_closed = on_closed};

void peer_connect(struct peer *peer, struct rt_loop *loop, struct rt_network *network,
                  const char *address)
{
    memset(peer, 0, sizeof(*peer));
    peer->loop = loop;
    assert_int_equal(rt_network_connect(network, "browser", address, &HANDLER, peer, &peer->stream),
                     RT_OK);
    peer_settle(peer);
}

void peer_fini(struct peer *peer)
{
    rt_stream_destroy(peer->stream);
    peer->stream = NULL;
    peer_settle(peer);
}

void peer_send(struct peer *peer, const char *text)
{
    peer_send_bytes(peer, text, strlen(text));
}

void peer_send_bytes(struct peer *peer, const void *data, size_t len_bytes)
{
    assert_non_null(peer->stream);
    assert_int_equal(rt_outbox_add(rt_stream_outbox(peer->stream), data, len_bytes), RT_OK);
    rt_stream_flush(peer->stream);
    peer_settle(peer);
}

void peer_settle(struct peer *peer)
{
    enum rt_status status = rt_loop_run(peer->loop, NULL, NULL, rt_loop_now_us(peer->loop));
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

void peer_pass(struct peer *peer, uint64_t time_us)
{
    enum rt_status status =
        rt_loop_run(peer->loop, NULL, NULL, rt_loop_now_us(peer->loop) + time_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

void peer_forget(struct peer *peer)
{
    peer->len_bytes = 0;
    peer->text[0] = '\0';
}

void peer_post(struct peer *peer, const char *path, const char *headers, const char *body)
{
    char *text = NULL;
    assert_true(asprintf(&text, "POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s",
                         path, headers, strlen(body), body) > 0);
    peer_forget(peer);
    peer_send(peer, text);
    free(text);
}

void peer_assert(struct peer *peer, const char *text)
{
    if (strstr(peer->text, text) == NULL) {
        print_error("\"%s\" has not come, but\n%s\n", text, peer->text);
        fail();
    }
}

void peer_assert_not(struct peer *peer, const char *text)
{
    if (strstr(peer->text, text) != NULL) {
        print_error("\"%s\" has come\n%s\n", text, peer->text);
        fail();
    }
}

const char *peer_body(struct peer *peer, int status)
{
    char line[32];
    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    if (strncmp(peer->text, line, strlen(line)) != 0) {
        print_error("wanted \"%s\", got\n%s\n", line, peer->text);
        fail();
    }
    const char *end = strstr(peer->text, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}
