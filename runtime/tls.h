/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_TLS_H
#define RUNTIME_TLS_H

#include "runtime/network.h"

/*
 * TLS as a filter on a stream (OpenSSL with memory BIOs), so that it runs in simulated time too.
 * What comes out is a stream like any other. One thread, the loop's.
 */
struct rt_tls_context;

struct rt_tls_options { /* all texts are copied; NULL: not given */
    bool is_server;
    const char *certificate_path; /* PEM, chain allowed */
    const char *key_path;
    const char *key_passphrase;
    const char *authority_path;  /* CA bundle: who signs the peer */
    const char *revocation_path; /* CRL, PEM */
    const char *server_name;     /* client: SNI and the name that must match */
    bool is_host_expected; /* client without server_name: the host it connects to must match */
    bool is_peer_required; /* server: a client without a certificate is refused */
    bool is_unverified;    /* client: any certificate will do */
    bool is_self_signed;   /* server: makes its own key and certificate (auto-tls) */
    const char *ciphers;   /* OpenSSL names, colon separated */
};

/* Files are read now. `out_error` gets one line that names the file and what is wrong with it. */
RT_NODISCARD enum rt_status rt_tls_context_create(const struct rt_tls_options *options,
                                                  struct rt_tls_context **out_context,
                                                  char *out_error, size_t error_bytes);
void rt_tls_context_destroy(struct rt_tls_context *context);

/* Wraps `lower`, which the new stream owns from now on, also on failure. on_connected comes when
 * the handshake is done, for servers too; a failed one is on_closed with RT_E_MALFORMED. ALPN: h2,
 * then http/1.1. */
RT_NODISCARD enum rt_status rt_tls_stream_create(struct rt_tls_context *context,
                                                 struct rt_stream *lower,
                                                 const struct rt_stream_handler *handler, void *arg,
                                                 struct rt_stream **out_stream);

/* After the handshake. "" when there is none. Borrowed from the stream. */
const char *rt_tls_stream_protocol(const struct rt_stream *stream);  /* ALPN: "h2" */
const char *rt_tls_stream_peer_name(const struct rt_stream *stream); /* common name of the peer */
const char *rt_tls_stream_error(const struct rt_stream *stream);     /* why it failed */

#endif
