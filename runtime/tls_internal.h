/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_TLS_INTERNAL_H
#define RUNTIME_TLS_INTERNAL_H

#include "runtime/tls.h"

#include <openssl/ssl.h>

struct rt_tls_context {
    SSL_CTX *openssl;
    bool is_server;
    char *server_name; /* client: SNI and what must match; NULL: the host, if expected, or any */
    bool is_host_expected;
    bool is_unverified;
};

/* A key and a certificate of its own for localhost, valid for a year, as etcd's auto-tls makes. */
bool rt__tls_use_self_signed(SSL_CTX *openssl);

/* What OpenSSL complained of last, and forgets it: "no start line". */
void rt__tls_last_error(char *out_text, size_t room_bytes);

#endif
