/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY_MIN_BYTES ((size_t)256)
#define PEER_LIMIT_BYTES   ((size_t)64 * 1024)

static bool make_room(struct ds__text *text, size_t more_bytes);

void ds__text_clear(struct ds__text *text)
{
    text->len_bytes = 0;
    if (text->bytes != NULL) {
        text->bytes[0] = '\0';
    }
}

void ds__text_fini(struct ds__text *text)
{
    free(text->bytes);
    *text = (struct ds__text){0};
}

void ds__text_printf(struct ds__text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    if (len > 0 && make_room(text, (size_t)len)) {
        (void)vsnprintf(text->bytes + text->len_bytes, (size_t)len + 1, format, again);
        text->len_bytes += (size_t)len;
    }
    va_end(again);
    va_end(arguments);
}

void ds__text_add(struct ds__text *text, struct rt_slice bytes)
{
    size_t from = text->len_bytes;

    ds__text_add_raw(text, bytes);
    for (size_t i = from; i < text->len_bytes; i++) {
        text->bytes[i] = text->bytes[i] == '\0' ? '?' : text->bytes[i];
    }
}

void ds__text_add_raw(struct ds__text *text, struct rt_slice bytes)
{
    size_t len = bytes.len_bytes < PEER_LIMIT_BYTES ? bytes.len_bytes : PEER_LIMIT_BYTES;

    if (len > 0 && make_room(text, len)) {
        memcpy(text->bytes + text->len_bytes, bytes.data, len);
        text->len_bytes += len;
        text->bytes[text->len_bytes] = '\0';
    }
}

void ds__text_drop_dot(struct ds__text *text)
{
    if (text->len_bytes > 0 && text->bytes[text->len_bytes - 1] == '.') {
        text->bytes[--text->len_bytes] = '\0';
    }
}

bool ds__text_contains(const struct ds__text *text, const char *part)
{
    return text->bytes != NULL && strstr(text->bytes, part) != NULL;
}

const char *ds__text_get(const struct ds__text *text)
{
    return text->bytes == NULL ? "" : text->bytes;
}

/* Room for `more_bytes` and the NUL. */
static bool make_room(struct ds__text *text, size_t more_bytes)
{
    size_t needed = text->len_bytes + more_bytes + 1;
    if (needed <= text->capacity_bytes) {
        return true;
    }
    size_t capacity = text->capacity_bytes == 0 ? CAPACITY_MIN_BYTES : text->capacity_bytes;
    while (capacity < needed) {
        capacity *= 2;
    }
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        return false;
    }
    text->bytes = bytes;
    text->capacity_bytes = capacity;
    return true;
}
