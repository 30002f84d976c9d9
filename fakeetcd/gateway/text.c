/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY_BYTES = 256 };
#define REPLACEMENT "\\ufffd"

static size_t json_escape(struct rt_slice at, char out[8]);

void fakeetcd_text_fini(struct fakeetcd_text *text)
{
    free(text->data);
    *text = (struct fakeetcd_text){0};
}

void fakeetcd_text_clear(struct fakeetcd_text *text)
{
    text->len_bytes = 0;
    text->is_failed = false;
}

char *fakeetcd_text_room(struct fakeetcd_text *text, size_t len_bytes)
{
    if (len_bytes > text->capacity_bytes - text->len_bytes) {
        size_t wanted = text->len_bytes + len_bytes;
        size_t capacity = text->capacity_bytes == 0 ? FIRST_CAPACITY_BYTES : text->capacity_bytes;
        while (capacity < wanted && capacity <= SIZE_MAX / 2) {
            capacity *= 2;
        }
        char *data = wanted < len_bytes || capacity < wanted ? NULL : realloc(text->data, capacity);
        if (data == NULL) {
            text->is_failed = true;
            return NULL;
        }
        text->data = data;
        text->capacity_bytes = capacity;
    }
    char *room = text->data + text->len_bytes;
    text->len_bytes += len_bytes;
    return room;
}

void fakeetcd_text_add(struct fakeetcd_text *text, const void *data, size_t len_bytes)
{
    if (len_bytes == 0) {
        return;
    }
    char *room = fakeetcd_text_room(text, len_bytes);
    if (room != NULL) {
        memcpy(room, data, len_bytes);
    }
}

void fakeetcd_text_word(struct fakeetcd_text *text, const char *word)
{
    fakeetcd_text_add(text, word, strlen(word));
}

void fakeetcd_text_print(struct fakeetcd_text *text, const char *format, ...)
{
    char short_text[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(short_text, sizeof(short_text), format, arguments);
    va_end(arguments);
    if (len < 0) {
        text->is_failed = true;
        return;
    }
    size_t len_bytes = (size_t)len;
    if (len_bytes < sizeof(short_text)) {
        fakeetcd_text_add(text, short_text, len_bytes);
        return;
    }
    char *room = fakeetcd_text_room(text, len_bytes + 1); /* vsnprintf ends it with a NUL */
    if (room != NULL) {
        va_start(arguments, format);
        vsnprintf(room, len_bytes + 1, format, arguments);
        va_end(arguments);
        text->len_bytes--;
    }
}

void fakeetcd_text_json(struct fakeetcd_text *text, struct rt_slice string)
{
    fakeetcd_text_add(text, "\"", 1);
    size_t plain = 0; /* where what needs no escape begins */
    for (size_t i = 0; i < string.len_bytes;) {
        struct rt_slice rest = {.data = string.data + i, .len_bytes = string.len_bytes - i};
        char escape[8];
        uint32_t code_point = 0;
        size_t len = fakeetcd_utf8_decode(rest, &code_point);
        size_t escape_len = json_escape(rest, escape);
        if (escape_len > 0) {
            fakeetcd_text_add(text, string.data + plain, i - plain);
            fakeetcd_text_add(text, escape, escape_len);
            plain = i + (len == 0 ? 1 : len);
        }
        i += len == 0 ? 1 : len;
    }
    if (string.len_bytes > plain) {
        fakeetcd_text_add(text, string.data + plain, string.len_bytes - plain);
    }
    fakeetcd_text_add(text, "\"", 1);
}

/* 0: the character stays as it is. */
static size_t json_escape(struct rt_slice at, char out[8])
{
    uint32_t code_point = 0;
    if (fakeetcd_utf8_decode(at, &code_point) == 0) {
        memcpy(out, REPLACEMENT, sizeof(REPLACEMENT));
        return sizeof(REPLACEMENT) - 1;
    }
    switch (code_point) {
    case '"':
    case '\\':
        out[0] = '\\';
        out[1] = (char)code_point;
        return 2;
    case '\n':
        memcpy(out, "\\n", 2);
        return 2;
    case '\r':
        memcpy(out, "\\r", 2);
        return 2;
    case '\t':
        memcpy(out, "\\t", 2);
        return 2;
    default:
        break;
    }
    if (code_point < 0x20 || code_point == '<' || code_point == '>' || code_point == '&' ||
        code_point == 0x2028 || code_point == 0x2029) {
        return (size_t)snprintf(out, 8, "\\u%04x", (unsigned)code_point);
    }
    return 0;
}

void fakeetcd_text_base64(struct fakeetcd_text *text, struct rt_slice bytes)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (bytes.len_bytes == 0) {
        return;
    }
    char *out = fakeetcd_text_room(text, (bytes.len_bytes + 2) / 3 * 4);
    if (out == NULL) {
        return;
    }
    size_t i = 0;
    for (; i + 2 < bytes.len_bytes; i += 3) {
        uint32_t group = (uint32_t)bytes.data[i] << 16 | (uint32_t)bytes.data[i + 1] << 8 |
                         (uint32_t)bytes.data[i + 2];
        *out++ = ALPHABET[group >> 18];
        *out++ = ALPHABET[group >> 12 & 63];
        *out++ = ALPHABET[group >> 6 & 63];
        *out++ = ALPHABET[group & 63];
    }
    size_t rest = bytes.len_bytes - i;
    if (rest > 0) {
        uint32_t group =
            (uint32_t)bytes.data[i] << 16 | (rest == 2 ? (uint32_t)bytes.data[i + 1] << 8 : 0);
        *out++ = ALPHABET[group >> 18];
        *out++ = ALPHABET[group >> 12 & 63];
        *out++ = rest == 2 ? ALPHABET[group >> 6 & 63] : '=';
        *out = '=';
    }
}

struct rt_slice fakeetcd_text_slice(const struct fakeetcd_text *text)
{
    return (struct rt_slice){.data = (const uint8_t *)text->data, .len_bytes = text->len_bytes};
}

/* ---- UTF-8 ---------------------------------------------------------------------------------- */

size_t fakeetcd_utf8_decode(struct rt_slice bytes, uint32_t *out_code_point)
{
    static const uint32_t SMALLEST[] = {0, 0, 0x80, 0x800, 0x10000};
    if (bytes.len_bytes == 0) {
        return 0;
    }
    uint8_t first = bytes.data[0];
    if (first < 0x80) {
        *out_code_point = first;
        return 1;
    }
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || bytes.len_bytes < len) {
        return 0;
    }
    uint32_t code_point = first & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((bytes.data[i] & 0xc0) != 0x80) {
            return 0;
        }
        code_point = code_point << 6 | (bytes.data[i] & 0x3fu);
    }
    if (code_point < SMALLEST[len] || code_point > 0x10ffff ||
        (code_point >= 0xd800 && code_point <= 0xdfff)) {
        return 0;
    }
    *out_code_point = code_point;
    return len;
}

size_t fakeetcd_utf8_encode(uint32_t code_point, char out_bytes[4])
{
    if (code_point < 0x80) {
        out_bytes[0] = (char)code_point;
        return 1;
    }
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out_bytes[i] = (char)(0x80u | (code_point & 0x3fu));
        code_point >>= 6;
    }
    static const uint8_t LEADS[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out_bytes[0] = (char)(LEADS[len] | code_point);
    return len;
}
