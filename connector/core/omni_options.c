/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connector/core/omni_internal.h"
#include "connector/serializer/omni_integer.h"

/* The options of the connector (docs/reference/connector.md, Options). */
#define DEFAULT_HOST           "127.0.0.1"
#define DEFAULT_PORT           35001
#define DEFAULT_SUB_TIMEOUT_MS 1000
#define DEFAULT_POLL_TRIES     20
#define DEFAULT_POLL_MS        50
#define MAX_POLL_MS            3600000

static bool read_integer(const struct omni_value *extra, const char *key, int64_t *out_integer,
                         char *out_text, size_t text_bytes);
static bool read_host(const struct omni_value *extra, struct omni_options *options, char *out_text,
                      size_t text_bytes);

bool omni__read_sub_timeout(const struct omni_value *extra, struct omni_options *options,
                            char *out_text, size_t text_bytes)
{
    options->sub_timeout_ms = DEFAULT_SUB_TIMEOUT_MS;
    if (!read_integer(extra, "get_sub_timeout_ms", &options->sub_timeout_ms, out_text,
                      text_bytes)) {
        return false;
    }
    if (options->sub_timeout_ms < 0) {
        options->sub_timeout_ms = 0;
    }
    return true;
}

bool omni__read_polling(const struct omni_value *extra, struct omni_options *options,
                        char *out_text, size_t text_bytes)
{
    options->poll_tries = DEFAULT_POLL_TRIES;
    options->poll_interval_ms = DEFAULT_POLL_MS;
    if (!read_integer(extra, "poll_tries", &options->poll_tries, out_text, text_bytes) ||
        !read_integer(extra, "poll_interval_ms", &options->poll_interval_ms, out_text,
                      text_bytes)) {
        return false;
    }
    if (options->poll_tries < 1) {
        snprintf(out_text, text_bytes, "poll_tries must be at least 1, not %" PRId64,
                 options->poll_tries);
        return false;
    }
    if (options->poll_interval_ms < 0 || options->poll_interval_ms > MAX_POLL_MS) {
        snprintf(out_text, text_bytes, "poll_interval_ms must be 0 to %d, not %" PRId64,
                 MAX_POLL_MS, options->poll_interval_ms);
        return false;
    }
    return true;
}

/* A host that is no text is noticed only when the client is made, after the port. */
bool omni__read_address(const struct omni_value *extra, struct omni_options *options,
                        char *out_text, size_t text_bytes)
{
    options->port = DEFAULT_PORT;
    return read_integer(extra, "port", &options->port, out_text, text_bytes) &&
           read_integer(extra, "connect_timeout_ms", &options->connect_timeout_ms, out_text,
                        text_bytes) &&
           read_integer(extra, "request_timeout_ms", &options->request_timeout_ms, out_text,
                        text_bytes) &&
           read_host(extra, options, out_text, text_bytes);
}

static bool read_integer(const struct omni_value *extra, const char *key, int64_t *out_integer,
                         char *out_text, size_t text_bytes)
{
    char text[OMNI_INTEGER_TEXT_BYTES];
    const struct omni_value *value = omni_map_get(extra, key);
    if (value == NULL || omni__integer_of(value, out_integer, text)) {
        return true;
    }
    snprintf(out_text, text_bytes, "%s", text);
    return false;
}

static bool read_host(const struct omni_value *extra, struct omni_options *options, char *out_text,
                      size_t text_bytes)
{
    if (!omni__read_text(extra, "host", &options->host, out_text, text_bytes)) {
        return false;
    }
    if (options->host == NULL) {
        options->host = strdup(DEFAULT_HOST);
    }
    if (options->host == NULL) {
        snprintf(out_text, text_bytes, "%s", rt_status_text(RT_E_NOMEM));
    }
    return options->host != NULL;
}

bool omni__read_text(const struct omni_value *extra, const char *key, char **out_text,
                     char *out_why, size_t why_bytes)
{
    const struct omni_value *value = omni_map_get(extra, key);
    if (value == NULL) {
        return true;
    }
    if (value->kind != OMNI_TEXT) {
        snprintf(out_why, why_bytes, "%s must be a text, not %s", key, omni__type_word(value));
        return false;
    }
    struct rt_slice text = value->body.bytes;
    if (text.len_bytes > 0 && memchr(text.data, '\0', text.len_bytes) != NULL) {
        snprintf(out_why, why_bytes, "%s holds a NUL character", key);
        return false;
    }
    *out_text = strndup(text.len_bytes == 0 ? "" : (const char *)text.data, text.len_bytes);
    if (*out_text == NULL) {
        snprintf(out_why, why_bytes, "%s", rt_status_text(RT_E_NOMEM));
    }
    return *out_text != NULL;
}
