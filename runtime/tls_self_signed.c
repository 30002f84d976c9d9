/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tls_internal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define VALID_SECONDS (365L * 24 * 3600)
#define SERIAL_BITS   127

static X509 *make_certificate(EVP_PKEY *key);
static bool fill_certificate(X509 *certificate, EVP_PKEY *key);
static bool add_extension(X509 *certificate, int id, const char *value);

bool rt__tls_use_self_signed(SSL_CTX *openssl)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key == NULL ? NULL : make_certificate(key);
    bool is_ok = certificate != NULL && SSL_CTX_use_certificate(openssl, certificate) == 1 &&
                 SSL_CTX_use_PrivateKey(openssl, key) == 1;

    X509_free(certificate);
    EVP_PKEY_free(key);
    return is_ok;
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();

    if (certificate != NULL && !fill_certificate(certificate, key)) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

static bool fill_certificate(X509 *certificate, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    BIGNUM *serial = BN_new();
    bool has_serial = serial != NULL &&
                      BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                      BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;

    BN_free(serial);
    return has_serial && X509_set_version(certificate, X509_VERSION_3) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS) != NULL &&
           X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"etcd", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
           X509_sign(certificate, key, EVP_sha256()) != 0;
}

static bool add_extension(X509 *certificate, int id, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);
    bool is_ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return is_ok;
}
