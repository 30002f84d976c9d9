/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/network_internal.h"
#include "runtime/tls_internal.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A stream whose backend is another stream:
 *
 *   lower's inbox --> BIO --> OpenSSL --> our inbox          HANDSHAKE --> OPEN --> ENDED
 *   our outbox ----> OpenSSL --> BIO --> lower's outbox           '--error, peer's end--^
 */
enum tls_state { TLS_HANDSHAKE, TLS_OPEN, TLS_ENDED };

#define ERROR_BYTES    160
#define NAME_BYTES     64
#define PROTOCOL_BYTES 16

/* What one record holds. */
#define RECORD_BYTES 16384

struct tls_stream {
    struct rt_stream base;
    struct rt_stream *lower; /* NULL: gone */
    SSL *ssl;
    BIO *in;  /* owned by ssl */
    BIO *out; /* owned by ssl */
    enum tls_state state;
    struct rt_task pump_task;
    char protocol[PROTOCOL_BYTES];
    char peer_name[NAME_BYTES];
    char error[ERROR_BYTES];
};

static const struct rt__backend tls_backend;

static struct tls_stream *tls_of(struct rt_stream *stream);
static const struct tls_stream *tls_of_const(const struct rt_stream *stream);
static bool open_ssl(struct tls_stream *stream, struct rt_tls_context *context, const char *peer);
static bool expect_host(SSL *ssl, const char *peer);
static bool expect_name(SSL *ssl, const char *name);
static void on_pump(void *arg);
static void pump(struct tls_stream *stream);
static void take_from_lower(struct tls_stream *stream);
static void shake_hands(struct tls_stream *stream);
static void on_hands_shaken(struct tls_stream *stream);
static void decrypt(struct tls_stream *stream);
static void encrypt(struct tls_stream *stream);
static void give_to_lower(struct tls_stream *stream);
static void fail(struct tls_stream *stream, int result);

/* ---- what the lower stream tells ---------------------------------------------------------- */

static void on_lower_input(void *arg)
{
    pump(arg);
}

static void on_lower_drained(void *arg)
{
    struct tls_stream *stream = arg;

    if (stream->state == TLS_OPEN && stream->base.handler.on_drained != NULL) {
        rt__stream_report(&stream->base, RT__REPORT_DRAINED);
    }
}

static void on_lower_closed(void *arg, enum rt_status reason)
{
    struct tls_stream *stream = arg;

    if (stream->state == TLS_HANDSHAKE && stream->error[0] == '\0') {
        (void)snprintf(stream->error, sizeof(stream->error), "during the handshake: %s",
                       rt_status_text(reason));
    }
    rt_task_cancel(&stream->pump_task);
    rt_stream_destroy(stream->lower);
    stream->lower = NULL;
    stream->state = TLS_ENDED;
    rt__stream_end(&stream->base, reason);
}

static const struct rt_stream_handler lower_handler = {
    .on_input = on_lower_input,
    .on_drained = on_lower_drained,
    .on_closed = on_lower_closed,
};

/* ---- life --------------------------------------------------------------------------------- */

static struct tls_stream *tls_of(struct rt_stream *stream)
{
    return (struct tls_stream *)stream; /* its first member */
}

static const struct tls_stream *tls_of_const(const struct rt_stream *stream)
{
    return (const struct tls_stream *)stream;
}

enum rt_status rt_tls_stream_create(struct rt_tls_context *context, struct rt_stream *lower,
                                    const struct rt_stream_handler *handler, void *arg,
                                    struct rt_stream **out_stream)
{
    struct tls_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL || !open_ssl(stream, context, lower->peer) ||
        rt__stream_init(&stream->base, lower->network, lower->peer) != RT_OK) {
        if (stream != NULL) {
            SSL_free(stream->ssl);
        }
        free(stream);
        rt_stream_destroy(lower);
        return RT_E_NOMEM;
    }
    stream->base.backend = &tls_backend;
    stream->lower = lower;
    rt_stream_set_handler(&stream->base, handler, arg);
    rt_stream_set_handler(lower, &lower_handler, stream);
    rt_task_init(&stream->pump_task, lower->network->loop, on_pump, stream);
    rt_task_schedule(&stream->pump_task);
    *out_stream = &stream->base;
    return RT_OK;
}

static bool open_ssl(struct tls_stream *stream, struct rt_tls_context *context, const char *peer)
{
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    SSL *ssl = SSL_new(context->openssl);

    stream->ssl = ssl;
    if (in == NULL || out == NULL || ssl == NULL) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    /* Empty means "come again", not the end. */
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    stream->in = in;
    stream->out = out;
    if (context->is_server) {
        SSL_set_accept_state(ssl);
        return true;
    }
    SSL_set_connect_state(ssl);
    if (context->is_unverified) {
        return true;
    }
    if (context->server_name == NULL) {
        return !context->is_host_expected || expect_host(ssl, peer);
    }
    return expect_name(ssl, context->server_name);
}

/* "host:port" without the port, and without the brackets of an IPv6 address. */
static bool expect_host(SSL *ssl, const char *peer)
{
    const char *colon = strrchr(peer, ':');
    size_t len_bytes = colon == NULL ? strlen(peer) : (size_t)(colon - peer);
    bool is_bracketed = len_bytes >= 2 && peer[0] == '[' && peer[len_bytes - 1] == ']';
    char *host = is_bracketed ? strndup(peer + 1, len_bytes - 2) : strndup(peer, len_bytes);
    bool is_done = host != NULL && expect_name(ssl, host);

    free(host);
    return is_done;
}

/* An address is no name: it is matched, but not sent as SNI. */
static bool expect_name(SSL *ssl, const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    bool is_address = inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;

    if (is_address) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    }
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static void tls_stop(struct rt_stream *base, bool is_reset)
{
    struct tls_stream *stream = tls_of(base);

    (void)is_reset;
    rt_task_cancel(&stream->pump_task);
    rt_stream_destroy(stream->lower);
    SSL_free(stream->ssl);
}

/* Says goodbye, and leaves the rest to the lower stream. */
static bool tls_linger(struct rt_stream *base)
{
    struct tls_stream *stream = tls_of(base);

    if (stream->lower == NULL) {
        return false;
    }
    if (stream->state == TLS_OPEN) {
        encrypt(stream);
        ERR_clear_error();
        (void)SSL_shutdown(stream->ssl);
    }
    give_to_lower(stream);
    if (stream->lower != NULL) {
        rt_stream_close(stream->lower);
        stream->lower = NULL;
    }
    return false;
}

/* ---- moving bytes ------------------------------------------------------------------------- */

static void tls_flush(struct rt_stream *base)
{
    struct tls_stream *stream = tls_of(base);

    if (stream->state == TLS_OPEN) {
        rt_task_schedule(&stream->pump_task);
    } else if (stream->state == TLS_ENDED) {
        rt_outbox_clear(base->outbox);
    }
}

static void tls_pause(struct rt_stream *base)
{
    struct tls_stream *stream = tls_of(base);

    if (stream->lower != NULL) {
        rt_stream_pause(stream->lower, base->is_paused);
        rt_task_schedule(&stream->pump_task);
    }
}

static void on_pump(void *arg)
{
    pump(arg);
}

static void pump(struct tls_stream *stream)
{
    if (stream->lower == NULL || stream->state == TLS_ENDED) {
        return;
    }
    ERR_clear_error(); /* another connection's, which OpenSSL would take for ours */
    if (!stream->base.is_paused) {
        take_from_lower(stream);
    }
    if (stream->state == TLS_HANDSHAKE) {
        shake_hands(stream);
    }
    if (stream->state == TLS_OPEN && !stream->base.is_paused) {
        decrypt(stream);
    }
    if (stream->state == TLS_OPEN) {
        encrypt(stream);
    }
    give_to_lower(stream);
}

static void take_from_lower(struct tls_stream *stream)
{
    struct rt_inbox *inbox = rt_stream_inbox(stream->lower);

    for (;;) {
        struct rt_slice piece = rt_inbox_peek_piece(inbox);
        int part_bytes = piece.len_bytes > RECORD_BYTES ? RECORD_BYTES : (int)piece.len_bytes;

        if (part_bytes == 0 || BIO_write(stream->in, piece.data, part_bytes) != part_bytes) {
            return;
        }
        rt_inbox_drain(inbox, (size_t)part_bytes);
        /* What is plain goes up at once, so that little waits here twice. */
        if (stream->state == TLS_OPEN) {
            decrypt(stream);
        }
        if (stream->state == TLS_ENDED) {
            return;
        }
    }
}

static void decrypt(struct tls_stream *stream)
{
    char plain[RECORD_BYTES];
    bool has_input = false;
    int got = 1;

    while (got > 0) {
        got = SSL_read(stream->ssl, plain, sizeof(plain));
        if (got > 0) {
            has_input = true;
            if (rt_inbox_add(stream->base.inbox, plain, (size_t)got) != RT_OK) {
                stream->state = TLS_ENDED;
                rt__stream_end(&stream->base, RT_E_NOMEM);
                return;
            }
        }
    }
    if (has_input) {
        rt__stream_report(&stream->base, RT__REPORT_INPUT);
    }
    if (SSL_get_error(stream->ssl, got) != SSL_ERROR_WANT_READ) {
        fail(stream, got);
    }
}

static void encrypt(struct tls_stream *stream)
{
    struct rt_outbox *outbox = stream->base.outbox;

    while (rt_outbox_len_bytes(outbox) > 0) {
        struct evbuffer_iovec piece;
        int part_bytes;

        if (evbuffer_peek(outbox->queue.buffer, -1, NULL, &piece, 1) < 1) {
            return;
        }
        part_bytes = piece.iov_len > RECORD_BYTES ? RECORD_BYTES : (int)piece.iov_len;
        if (SSL_write(stream->ssl, piece.iov_base, part_bytes) != part_bytes) {
            fail(stream, -1);
            return;
        }
        rt__queue_drain(&outbox->queue, (size_t)part_bytes);
        give_to_lower(stream);
    }
}

static void give_to_lower(struct tls_stream *stream)
{
    char *data;
    long len_bytes = BIO_get_mem_data(stream->out, &data);
    enum rt_status status = RT_OK;

    if (stream->lower == NULL) {
        return;
    }
    if (len_bytes > 0) {
        status = rt_outbox_add(rt_stream_outbox(stream->lower), data, (size_t)len_bytes);
        (void)BIO_reset(stream->out);
    }
    if (status != RT_OK) {
        stream->state = TLS_ENDED;
        rt__stream_end(&stream->base, status);
        return;
    }
    if (rt_outbox_len_bytes(rt_stream_outbox(stream->lower)) > 0) {
        rt_stream_flush(stream->lower);
    }
}

/* ---- the handshake ------------------------------------------------------------------------ */

static void shake_hands(struct tls_stream *stream)
{
    int result = SSL_do_handshake(stream->ssl);

    if (result == 1) {
        on_hands_shaken(stream);
    } else if (SSL_get_error(stream->ssl, result) != SSL_ERROR_WANT_READ) {
        fail(stream, result);
    }
}

static void on_hands_shaken(struct tls_stream *stream)
{
    X509 *certificate = SSL_get0_peer_certificate(stream->ssl);
    const unsigned char *protocol;
    unsigned int protocol_bytes;

    stream->state = TLS_OPEN;
    SSL_get0_alpn_selected(stream->ssl, &protocol, &protocol_bytes);
    (void)snprintf(stream->protocol, sizeof(stream->protocol), "%.*s", (int)protocol_bytes,
                   protocol_bytes == 0 ? "" : (const char *)protocol);
    if (certificate != NULL) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                        stream->peer_name, sizeof(stream->peer_name));
    }
    rt__stream_report(&stream->base, RT__REPORT_CONNECTED);
}

/* OpenSSL goes no further. Its alert, if there is one, still goes out. */
static void fail(struct tls_stream *stream, int result)
{
    int error = SSL_get_error(stream->ssl, result);
    long verified = SSL_get_verify_result(stream->ssl);
    bool is_goodbye = error == SSL_ERROR_ZERO_RETURN;

    if (stream->state == TLS_ENDED) {
        return;
    }
    if (!is_goodbye && verified != X509_V_OK && stream->state == TLS_HANDSHAKE) {
        (void)snprintf(stream->error, sizeof(stream->error), "certificate: %s",
                       X509_verify_cert_error_string(verified));
    } else if (!is_goodbye) {
        rt__tls_last_error(stream->error, sizeof(stream->error));
    }
    stream->state = TLS_ENDED;
    give_to_lower(stream);
    rt__stream_end(&stream->base, is_goodbye ? RT_E_CLOSED : RT_E_MALFORMED);
}

/* ---- looking ------------------------------------------------------------------------------ */

const char *rt_tls_stream_protocol(const struct rt_stream *stream)
{
    return stream->backend == &tls_backend ? tls_of_const(stream)->protocol : "";
}

const char *rt_tls_stream_peer_name(const struct rt_stream *stream)
{
    return stream->backend == &tls_backend ? tls_of_const(stream)->peer_name : "";
}

const char *rt_tls_stream_error(const struct rt_stream *stream)
{
    return stream->backend == &tls_backend ? tls_of_const(stream)->error : "";
}

static const struct rt__backend tls_backend = {
    .flush = tls_flush,
    .pause = tls_pause,
    .linger = tls_linger,
    .stop = tls_stop,
};
