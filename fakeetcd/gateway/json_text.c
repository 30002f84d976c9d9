/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_text.h"

#include "runtime/hex.h"

#include <assert.h>
#include <string.h>

#define NOT_A_DIGIT 0xffu
#define REPLACEMENT 0xfffdu

static const uint8_t *unescape(const uint8_t *at, const uint8_t *end, struct fakeetcd_text *out);
static const uint8_t *unescape_unicode(const uint8_t *at, const uint8_t *end,
                                       struct fakeetcd_text *out);
static uint32_t hex4(const uint8_t *at);
static void add_code_point(struct fakeetcd_text *out, uint32_t code_point);
static uint8_t sextet(uint8_t character);
static bool is_line_end(uint8_t character);
static bool padding_is_right(struct rt_slice text, size_t at, unsigned sextets,
                             size_t *out_wrong_at);

enum fakeetcd_json_kind fakeetcd_json_kind(uint8_t first_byte)
{
    switch (first_byte) {
    case '{':
        return FAKEETCD_JSON_IS_OBJECT;
    case '[':
        return FAKEETCD_JSON_IS_ARRAY;
    case '"':
        return FAKEETCD_JSON_IS_STRING;
    case 't':
    case 'f':
        return FAKEETCD_JSON_IS_BOOL;
    case 'n':
        return FAKEETCD_JSON_IS_NULL;
    default:
        return FAKEETCD_JSON_IS_NUMBER;
    }
}

const char *fakeetcd_json_kind_word(enum fakeetcd_json_kind kind)
{
    static const char *const WORDS[] = {
        [FAKEETCD_JSON_IS_OBJECT] = "object", [FAKEETCD_JSON_IS_ARRAY] = "array",
        [FAKEETCD_JSON_IS_STRING] = "string", [FAKEETCD_JSON_IS_NUMBER] = "number",
        [FAKEETCD_JSON_IS_BOOL] = "bool",     [FAKEETCD_JSON_IS_NULL] = "null",
    };
    return WORDS[kind];
}

const uint8_t *fakeetcd_json_skip(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;
    bool is_string = false;
    while (at < end) {
        uint8_t byte = *at;
        if (is_string) {
            at += byte == '\\' ? 2 : 1;
            is_string = byte != '"';
            if (!is_string && depth == 0) {
                return at;
            }
            continue;
        }
        if (depth == 0 && (byte == ',' || byte == '}' || byte == ']' || byte == ':' ||
                           byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t')) {
            return at; /* a number or a word has ended */
        }
        at++;
        if (byte == '"') {
            is_string = true;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            depth--;
            if (depth == 0) {
                return at;
            }
        }
    }
    return end;
}

/* ---- strings -------------------------------------------------------------------------------- */

bool fakeetcd_json_unquote(struct rt_slice quoted, struct fakeetcd_text *scratch,
                           struct rt_slice *out_string)
{
    struct rt_slice inner = rt_slice_of(quoted.data + 1, quoted.len_bytes - 2);
    size_t plain = 0;
    while (plain < inner.len_bytes && inner.data[plain] != '\\' && inner.data[plain] < 0x80) {
        plain++;
    }
    if (plain == inner.len_bytes) {
        *out_string = inner;
        return true;
    }
    fakeetcd_text_clear(scratch);
    fakeetcd_text_add(scratch, inner.data, plain);
    const uint8_t *end = inner.data + inner.len_bytes;
    for (const uint8_t *at = inner.data + plain; at < end;) {
        if (*at == '\\') {
            at = unescape(at, end, scratch);
            continue;
        }
        uint32_t code_point = 0;
        size_t len = fakeetcd_utf8_decode(rt_slice_of(at, (size_t)(end - at)), &code_point);
        add_code_point(scratch, len == 0 ? REPLACEMENT : code_point);
        at += len == 0 ? 1 : len;
    }
    *out_string = fakeetcd_text_slice(scratch);
    return !scratch->is_failed;
}

static const uint8_t *unescape(const uint8_t *at, const uint8_t *end, struct fakeetcd_text *out)
{
    static const char LETTERS[] = "bfnrt";
    static const char MEANINGS[] = "\b\f\n\r\t";
    uint8_t letter = at[1];
    if (letter == 'u') {
        return unescape_unicode(at, end, out);
    }
    const char *found = strchr(LETTERS, letter);
    char meaning = found == NULL ? (char)letter : MEANINGS[found - LETTERS];
    fakeetcd_text_add(out, &meaning, 1);
    return at + 2;
}

static const uint8_t *unescape_unicode(const uint8_t *at, const uint8_t *end,
                                       struct fakeetcd_text *out)
{
    uint32_t unit = hex4(at + 2);
    at += 6;
    if (unit >= 0xd800 && unit < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hex4(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            add_code_point(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            return at + 6;
        }
    }
    add_code_point(out, unit >= 0xd800 && unit < 0xe000 ? REPLACEMENT : unit);
    return at;
}

static uint32_t hex4(const uint8_t *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value = value << 4 | (uint32_t)rt_hex_digit(at[i]); /* the scanner saw digits */
    }
    return value;
}

static void add_code_point(struct fakeetcd_text *out, uint32_t code_point)
{
    char bytes[4];
    fakeetcd_text_add(out, bytes, fakeetcd_utf8_encode(code_point, bytes));
}

/* ---- base64 --------------------------------------------------------------------------------- */

bool fakeetcd_base64_decode(struct rt_slice text, struct fakeetcd_text *out_bytes,
                            size_t *out_wrong_at)
{
    char *out = fakeetcd_text_room(out_bytes, text.len_bytes / 4 * 3 + 3);
    size_t room = out == NULL ? 0 : text.len_bytes / 4 * 3 + 3;
    size_t written = 0;
    uint32_t group = 0;
    unsigned sextets = 0;
    size_t at = 0;
    bool is_right = true;
    for (; at < text.len_bytes; at++) {
        uint8_t value = sextet(text.data[at]);
        if (value == NOT_A_DIGIT) {
            if (is_line_end(text.data[at])) {
                continue;
            }
            break;
        }
        group = group << 6 | value;
        sextets++;
        if (sextets == 4 && out != NULL) {
            out[written++] = (char)(group >> 16);
            out[written++] = (char)(group >> 8);
            out[written++] = (char)group;
        }
        sextets %= 4;
    }
    if (at < text.len_bytes) {
        is_right = padding_is_right(text, at, sextets, out_wrong_at);
    } else if (sextets != 0) {
        *out_wrong_at = text.len_bytes - sextets;
        is_right = false;
    }
    if (is_right && sextets >= 2 && out != NULL) {
        group <<= 6 * (4 - sextets);
        out[written++] = (char)(group >> 16);
        if (sextets == 3) {
            out[written++] = (char)(group >> 8);
        }
    }
    out_bytes->len_bytes -= room - written;
    return is_right;
}

/* `at` is the first character that is no digit; only padding and line ends may follow. */
static bool padding_is_right(struct rt_slice text, size_t at, unsigned sextets,
                             size_t *out_wrong_at)
{
    *out_wrong_at = at;
    if (text.data[at] != '=' || sextets < 2) {
        return false;
    }
    at++;
    if (sextets == 2) {
        while (at < text.len_bytes && is_line_end(text.data[at])) {
            at++;
        }
        if (at == text.len_bytes || text.data[at] != '=') {
            *out_wrong_at = at == text.len_bytes ? at : at - 1;
            return false;
        }
        at++;
    }
    while (at < text.len_bytes && is_line_end(text.data[at])) {
        at++;
    }
    *out_wrong_at = at;
    return at == text.len_bytes;
}

static uint8_t sextet(uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return (uint8_t)(character - 'A');
    }
    if (character >= 'a' && character <= 'z') {
        return (uint8_t)(character - 'a' + 26);
    }
    if (character >= '0' && character <= '9') {
        return (uint8_t)(character - '0' + 52);
    }
    return character == '+' ? 62 : character == '/' ? 63 : (uint8_t)NOT_A_DIGIT;
}

static bool is_line_end(uint8_t character)
{
    return character == '\n' || character == '\r';
}

/* ---- words ---------------------------------------------------------------------------------- */

void fakeetcd_json_go_quote(struct rt_slice text, char *out_text, size_t text_bytes)
{
    static const char HEX[] = "0123456789abcdef";
    assert(text_bytes > 8);
    size_t len = 0;
    out_text[len++] = '"';
    for (size_t i = 0; i < text.len_bytes && len + 6 < text_bytes; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\') {
            out_text[len++] = '\\';
            out_text[len++] = (char)byte;
        } else if (byte < 0x20 || byte == 0x7f) {
            out_text[len++] = '\\';
            out_text[len++] = 'x';
            out_text[len++] = HEX[byte >> 4];
            out_text[len++] = HEX[byte & 15];
        } else {
            out_text[len++] = (char)byte;
        }
    }
    out_text[len++] = '"';
    out_text[len] = '\0';
}
