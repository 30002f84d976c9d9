/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/urls.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_one(const char *text, size_t len_bytes, struct urls *urls, char *out_error,
                      size_t error_bytes);
static bool has_port(const char *address);
static bool is_port_too_large(const char *address);

bool urls_parse(const char *list, struct urls *out_urls, char *out_error, size_t error_bytes)
{
    out_urls->count = 0;
    out_urls->is_tls = false;
    while (*list != '\0') {
        size_t len_bytes = strcspn(list, ",");
        if (!parse_one(list, len_bytes, out_urls, out_error, error_bytes)) {
            return false;
        }
        list += len_bytes + (list[len_bytes] == ',' ? 1 : 0);
    }
    return true;
}

static bool parse_one(const char *text, size_t len_bytes, struct urls *urls, char *out_error,
                      size_t error_bytes)
{
    static const char HTTP[] = "http://";
    static const char HTTPS[] = "https://";
    bool is_tls = strncmp(text, HTTPS, sizeof(HTTPS) - 1) == 0;
    bool is_http = strncmp(text, HTTP, sizeof(HTTP) - 1) == 0;
    const char *problem = NULL;
    if (urls->count == URLS_MAX || len_bytes >= URL_BYTES_MAX) {
        problem = "too many URLs, or too long a one";
    } else if (strncmp(text, "unix", 4) == 0) {
        problem = "unix sockets are not there";
    } else if (!is_tls && !is_http) {
        problem = "URL scheme must be http or https";
    } else if (urls->count > 0 && urls->is_tls != is_tls) {
        problem = "http and https cannot be mixed here";
    }
    if (problem == NULL) {
        size_t scheme_len = is_tls ? sizeof(HTTPS) - 1 : sizeof(HTTP) - 1;
        char *address = urls->address[urls->count];
        snprintf(urls->text[urls->count], URL_BYTES_MAX, "%.*s", (int)len_bytes, text);
        snprintf(address, URL_BYTES_MAX, "%.*s", (int)(len_bytes - scheme_len), text + scheme_len);
        size_t path = strcspn(address, "/");
        bool has_path = address[path] != '\0' && address[path + 1] != '\0';
        address[path] = '\0';
        problem = has_path                     ? "URL must not contain a path"
                  : !has_port(address)         ? "URL address does not have the form \"host:port\""
                  : is_port_too_large(address) ? "the port is not a number up to 65535"
                                               : NULL;
    }
    if (problem != NULL) {
        snprintf(out_error, error_bytes, "%s: %.*s", problem, (int)len_bytes, text);
        return false;
    }
    urls->texts[urls->count] = urls->text[urls->count];
    urls->addresses[urls->count] = urls->address[urls->count];
    urls->is_tls = is_tls;
    urls->count++;
    return true;
}

static bool has_port(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon != NULL && colon != address && colon[1] != '\0' &&
           strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

static bool is_port_too_large(const char *address)
{
    return strtoul(strrchr(address, ':') + 1, NULL, 10) > UINT16_MAX;
}
