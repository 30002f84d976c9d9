/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_TLS_FILES_H
#define TESTS_SUPPORT_TLS_FILES_H

#include <stdbool.h>

/*
 * Keys and certificates of a small authority, made anew in a folder of the run: ca.pem, server.pem,
 * client.pem, revoked.pem with NAME.key each, locked.key (the server's, passphrase "open"),
 * other.pem (another authority), crl.pem (revokes `revoked`).
 */
bool tls_files_make(const char *folder);
/* Removes them and the folder. */
void tls_files_remove(const char *folder);

#endif
