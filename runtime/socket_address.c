/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/network_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

bool rt__address_port(const char *text, size_t *out_host_len_bytes, unsigned *out_port)
{
    const char *colon = strrchr(text, ':');
    unsigned port = 0;

    if (colon == NULL || colon == text || colon[1] == '\0' || strlen(colon + 1) > 5) {
        return false;
    }
    for (const char *digit = colon + 1; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return false;
        }
        port = port * 10 + (unsigned)(*digit - '0');
    }
    if (port > UINT16_MAX) {
        return false;
    }
    *out_host_len_bytes = (size_t)(colon - text);
    *out_port = port;
    return true;
}

enum rt_status rt__address_parse(const char *text, struct sockaddr_storage *out_address,
                                 socklen_t *out_len_bytes)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char host[INET6_ADDRSTRLEN + 2];
    size_t host_bytes;
    unsigned port;

    if (!rt__address_port(text, &host_bytes, &port) || host_bytes >= sizeof(host)) {
        return RT_E_INVALID;
    }
    memcpy(host, text, host_bytes);
    host[host_bytes] = '\0';
    if (strcmp(host, "localhost") == 0) {
        memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
    }
    memset(out_address, 0, sizeof(*out_address));
    if (host[0] == '[' && host[host_bytes - 1] == ']') {
        host[host_bytes - 1] = '\0';
        v6.sin6_port = htons((uint16_t)port);
        if (inet_pton(AF_INET6, host + 1, &v6.sin6_addr) != 1) {
            return RT_E_INVALID;
        }
        memcpy(out_address, &v6, sizeof(v6));
        *out_len_bytes = sizeof(v6);
        return RT_OK;
    }
    v4.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, host, &v4.sin_addr) != 1) {
        return RT_E_INVALID;
    }
    memcpy(out_address, &v4, sizeof(v4));
    *out_len_bytes = sizeof(v4);
    return RT_OK;
}

void rt__address_print(const struct sockaddr_storage *address,
                       char out_text[RT__ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN];

    if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, address, sizeof(v6));
        inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
        snprintf(out_text, RT__ADDRESS_TEXT_BYTES, "[%s]:%u", host, (unsigned)ntohs(v6.sin6_port));
    } else {
        struct sockaddr_in v4;

        memcpy(&v4, address, sizeof(v4));
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
        snprintf(out_text, RT__ADDRESS_TEXT_BYTES, "%s:%u", host, (unsigned)ntohs(v4.sin_port));
    }
}
