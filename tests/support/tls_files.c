/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tls_files.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES    512
#define VALID_SECONDS 86400L

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static const char *const file_names[] = {"ca.pem",     "ca.key",     "server.pem",  "server.key",
                                         "client.pem", "client.key", "revoked.pem", "revoked.key",
                                         "other.pem",  "other.key",  "locked.key",  "crl.pem"};

static FILE *open_file(const char *folder, const char *name, const char *extension)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s%s", folder, name, extension);
    return fopen(path, "w");
}

static bool add_extension(X509 *certificate, int id, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);
    bool is_ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return is_ok;
}

/* Signed by `issuer`, or by itself: an authority. */
static bool make(struct identity *identity, long serial, const char *name,
                 const struct identity *issuer)
{
    bool is_authority = issuer == NULL;
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);

    identity->key = EVP_EC_gen("P-256");
    identity->certificate = certificate;
    issuer = is_authority ? identity : issuer;
    return identity->key != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -60) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS) != NULL &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate)) == 1 &&
           X509_set_pubkey(certificate, identity->key) == 1 &&
           add_extension(certificate, NID_basic_constraints,
                         is_authority ? "critical,CA:TRUE" : "CA:FALSE") &&
           (is_authority ||
            add_extension(certificate, NID_subject_alt_name, "DNS:etcd.test,IP:127.0.0.1")) &&
           X509_sign(certificate, issuer->key, EVP_sha256()) != 0;
}

static bool write_identity(const struct identity *identity, const char *folder, const char *name)
{
    FILE *file = open_file(folder, name, ".pem");
    bool is_ok = file != NULL && PEM_write_X509(file, identity->certificate) == 1;

    if (file != NULL) {
        (void)fclose(file);
    }
    file = open_file(folder, name, ".key");
    is_ok = is_ok && file != NULL &&
            PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL) == 1;
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_ok;
}

static bool write_locked(const struct identity *identity, const char *folder)
{
    FILE *file = open_file(folder, "locked", ".key");
    char passphrase[] = "open";
    bool is_ok = file != NULL && PEM_write_PrivateKey(file, identity->key, EVP_aes_128_cbc(), NULL,
                                                      0, NULL, passphrase) == 1;

    if (file != NULL) {
        (void)fclose(file);
    }
    return is_ok;
}

static bool write_revocations(const struct identity *authority, const struct identity *revoked,
                              const char *folder)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60);
    ASN1_TIME *next = X509_gmtime_adj(NULL, VALID_SECONDS);
    FILE *file = open_file(folder, "crl", ".pem");
    bool is_ok =
        file != NULL && X509_CRL_set_version(list, 1) == 1 &&
        X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->certificate)) == 1 &&
        X509_CRL_set1_lastUpdate(list, now) == 1 && X509_CRL_set1_nextUpdate(list, next) == 1 &&
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->certificate)) == 1 &&
        X509_REVOKED_set_revocationDate(entry, now) == 1 &&
        X509_CRL_add0_revoked(list, entry) == 1 &&
        X509_CRL_sign(list, authority->key, EVP_sha256()) != 0 &&
        PEM_write_X509_CRL(file, list) == 1;

    if (file != NULL) {
        (void)fclose(file);
    }
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    X509_CRL_free(list);
    return is_ok;
}

bool tls_files_make(const char *folder)
{
    static const char *const names[] = {"ca", "server", "client", "revoked", "other"};
    struct identity identities[5] = {0};
    bool is_ok = true;

    for (size_t i = 0; i < 5; i++) {
        bool is_authority = i == 0 || i == 4;

        is_ok = is_ok &&
                make(&identities[i], (long)i + 1, names[i], is_authority ? NULL : &identities[0]) &&
                write_identity(&identities[i], folder, names[i]);
    }
    is_ok = is_ok && write_locked(&identities[1], folder) &&
            write_revocations(&identities[0], &identities[3], folder);
    for (size_t i = 0; i < 5; i++) {
        EVP_PKEY_free(identities[i].key);
        X509_free(identities[i].certificate);
    }
    return is_ok;
}

void tls_files_remove(const char *folder)
{
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++) {
        char path[PATH_BYTES];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, file_names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}
