/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_PROGRAM_URLS_H
#define FAKEETCD_PROGRAM_URLS_H

#include <stdbool.h>
#include <stddef.h>

/* Lists of URLs as etcd's flags have them: "http://127.0.0.1:2379,https://[::1]:2379". */
enum { URLS_MAX = 16, URL_BYTES_MAX = 128 };

struct urls {
    char text[URLS_MAX][URL_BYTES_MAX];    /* each as it was given */
    char address[URLS_MAX][URL_BYTES_MAX]; /* "127.0.0.1:2379" */
    const char *texts[URLS_MAX];
    const char *addresses[URLS_MAX];
    size_t count;
    bool is_tls; /* https; all alike */
};

/* An empty list is fine. False: `out_error` says which URL and why. */
bool urls_parse(const char *list, struct urls *out_urls, char *out_error, size_t error_bytes);

#endif
