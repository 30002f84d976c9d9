/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>

/* ALPN names, each with its length before it, in the order of preference. */
static const unsigned char alpn_names[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

static enum rt_status configure(struct rt_tls_context *context,
                                const struct rt_tls_options *options, char *out_error,
                                size_t error_bytes);
static bool load_identity(SSL_CTX *openssl, const struct rt_tls_options *options, char *out_error,
                          size_t error_bytes);
static bool load_authority(SSL_CTX *openssl, const struct rt_tls_options *options, char *out_error,
                           size_t error_bytes);
static bool load_revocations(SSL_CTX *openssl, const char *path);
static int on_passphrase(char *out_text, int room_bytes, int is_writing, void *arg);
static int on_alpn(SSL *ssl, const unsigned char **out_name, unsigned char *out_len,
                   const unsigned char *offered, unsigned int offered_bytes, void *arg);
static bool complain(char *out_error, size_t error_bytes, const char *subject);

enum rt_status rt_tls_context_create(const struct rt_tls_options *options,
                                     struct rt_tls_context **out_context, char *out_error,
                                     size_t error_bytes)
{
    struct rt_tls_context *context = calloc(1, sizeof(*context));
    enum rt_status status;

    if (context == NULL) {
        return RT_E_NOMEM;
    }
    ERR_clear_error();
    context->is_server = options->is_server;
    context->is_unverified = options->is_unverified;
    context->is_host_expected = options->is_host_expected;
    context->openssl = SSL_CTX_new(options->is_server ? TLS_server_method() : TLS_client_method());
    if (options->server_name != NULL) {
        context->server_name = strdup(options->server_name);
    }
    if (context->openssl == NULL ||
        (options->server_name != NULL && context->server_name == NULL)) {
        (void)snprintf(out_error, error_bytes, "out of memory");
        status = RT_E_NOMEM;
    } else {
        status = configure(context, options, out_error, error_bytes);
    }
    if (status != RT_OK) {
        rt_tls_context_destroy(context);
        return status;
    }
    *out_context = context;
    return RT_OK;
}

void rt_tls_context_destroy(struct rt_tls_context *context)
{
    if (context != NULL) {
        SSL_CTX_free(context->openssl);
        free(context->server_name);
        free(context);
    }
}

static enum rt_status configure(struct rt_tls_context *context,
                                const struct rt_tls_options *options, char *out_error,
                                size_t error_bytes)
{
    SSL_CTX *openssl = context->openssl;
    int verify = SSL_VERIFY_NONE;

    SSL_CTX_set_min_proto_version(openssl, TLS1_2_VERSION);
    SSL_CTX_set_options(openssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(openssl, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
    if (options->ciphers != NULL && SSL_CTX_set_cipher_list(openssl, options->ciphers) != 1 &&
        SSL_CTX_set_ciphersuites(openssl, options->ciphers) != 1) {
        (void)complain(out_error, error_bytes, options->ciphers);
        return RT_E_INVALID;
    }
    if (!load_identity(openssl, options, out_error, error_bytes) ||
        !load_authority(openssl, options, out_error, error_bytes)) {
        return RT_E_INVALID;
    }
    if (options->is_server) {
        SSL_CTX_set_alpn_select_cb(openssl, on_alpn, NULL);
        if (options->authority_path != NULL) {
            verify = SSL_VERIFY_PEER;
        }
        if (options->is_peer_required) {
            verify = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        }
    } else {
        verify = options->is_unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
        if (SSL_CTX_set_alpn_protos(openssl, alpn_names, sizeof(alpn_names)) != 0) {
            return RT_E_NOMEM;
        }
    }
    SSL_CTX_set_verify(openssl, verify, NULL);
    return RT_OK;
}

/* ---- files -------------------------------------------------------------------------------- */

static bool load_identity(SSL_CTX *openssl, const struct rt_tls_options *options, char *out_error,
                          size_t error_bytes)
{
    bool is_ok;

    if (options->is_self_signed) {
        return rt__tls_use_self_signed(openssl) ||
               complain(out_error, error_bytes, "self-signed certificate");
    }
    if (options->certificate_path == NULL) {
        if (options->is_server) {
            (void)snprintf(out_error, error_bytes, "a server needs a certificate");
        }
        return !options->is_server;
    }
    if (options->key_path == NULL) {
        (void)snprintf(out_error, error_bytes, "%s: its key is not given",
                       options->certificate_path);
        return false;
    }
    if (SSL_CTX_use_certificate_chain_file(openssl, options->certificate_path) != 1) {
        return complain(out_error, error_bytes, options->certificate_path);
    }
    SSL_CTX_set_default_passwd_cb(openssl, on_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(openssl, (void *)(uintptr_t)options->key_passphrase);
    is_ok = SSL_CTX_use_PrivateKey_file(openssl, options->key_path, SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(openssl) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(openssl, NULL);
    return is_ok || complain(out_error, error_bytes, options->key_path);
}

/* Never asks a terminal. */
static int on_passphrase(char *out_text, int room_bytes, int is_writing, void *arg)
{
    const char *passphrase = arg;
    size_t len_bytes = passphrase == NULL ? 0 : strlen(passphrase);

    (void)is_writing;
    if (len_bytes > (size_t)room_bytes) {
        return 0;
    }
    if (len_bytes > 0) {
        memcpy(out_text, passphrase, len_bytes);
    }
    return (int)len_bytes;
}

static bool load_authority(SSL_CTX *openssl, const struct rt_tls_options *options, char *out_error,
                           size_t error_bytes)
{
    if (options->authority_path != NULL) {
        STACK_OF(X509_NAME) * names;

        if (SSL_CTX_load_verify_locations(openssl, options->authority_path, NULL) != 1) {
            return complain(out_error, error_bytes, options->authority_path);
        }
        names = SSL_load_client_CA_file(options->authority_path);
        if (names == NULL) {
            return complain(out_error, error_bytes, options->authority_path);
        }
        SSL_CTX_set_client_CA_list(openssl, names); /* takes them */
    } else if (!options->is_server && !options->is_unverified) {
        (void)SSL_CTX_set_default_verify_paths(openssl);
    } else if (options->is_peer_required) {
        (void)snprintf(out_error, error_bytes, "client certificates need an authority");
        return false;
    }
    if (options->revocation_path != NULL && !load_revocations(openssl, options->revocation_path)) {
        return complain(out_error, error_bytes, options->revocation_path);
    }
    return true;
}

static bool load_revocations(SSL_CTX *openssl, const char *path)
{
    X509_STORE *store = SSL_CTX_get_cert_store(openssl);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

    return lookup != NULL && X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) > 0 &&
           X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;
}

/* ---- small things ------------------------------------------------------------------------- */

/* A client that offers only others is refused, as by Go's servers. */
static int on_alpn(SSL *ssl, const unsigned char **out_name, unsigned char *out_len,
                   const unsigned char *offered, unsigned int offered_bytes, void *arg)
{
    unsigned char *name;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&name, out_len, alpn_names, sizeof(alpn_names), offered,
                              offered_bytes) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out_name = name;
    return SSL_TLSEXT_ERR_OK;
}

void rt__tls_last_error(char *out_text, size_t room_bytes)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error == 0 ? NULL : ERR_reason_error_string(error);

    if (reason != NULL) {
        (void)snprintf(out_text, room_bytes, "%s", reason);
    } else {
        (void)snprintf(out_text, room_bytes, "error %lu", error);
    }
    ERR_clear_error();
}

static bool complain(char *out_error, size_t error_bytes, const char *subject)
{
    char text[128];
    unsigned long first = ERR_peek_error();

    if (ERR_GET_LIB(first) == ERR_LIB_SYS) {
        (void)snprintf(text, sizeof(text), "%s", strerror(ERR_GET_REASON(first)));
        ERR_clear_error();
    } else {
        rt__tls_last_error(text, sizeof(text));
    }
    (void)snprintf(out_error, error_bytes, "%s: %s", subject, text);
    return false;
}
