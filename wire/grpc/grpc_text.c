/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_text.h"

#include "runtime/hex.h"
#include "runtime/utf8.h"

#include <inttypes.h>
#include <stdio.h>

/* "8 digits plus the unit" */
#define TIMEOUT_MAX_BYTES    9
#define TIMEOUT_DIGIT_VALUES 100000000U

static size_t quote_byte(uint8_t byte, char out_text[5]);

/* ---- grpc-message ------------------------------------------------------------------------- */

size_t grpc__text_encode(const char *text, char *out_encoded, size_t room_bytes)
{
    struct rt_slice rest = rt_slice_text(text);
    size_t len_bytes = 0;

    while (rest.len_bytes > 0) {
        static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
        size_t from_bytes = rt_utf8_character_bytes(rest);
        const uint8_t *from = from_bytes == 0 ? replacement : rest.data;
        size_t count = from_bytes == 0 ? sizeof(replacement) : from_bytes;
        bool is_plain = count == 1 && *from >= 0x20 && *from <= 0x7e && *from != '%';

        if (len_bytes + (is_plain ? 1 : 3 * count) >= room_bytes) {
            break;
        }
        if (is_plain) {
            out_encoded[len_bytes++] = (char)*from;
        } else {
            for (size_t i = 0; i < count; i++) {
                (void)snprintf(out_encoded + len_bytes, 4, "%%%02X", (unsigned)from[i]);
                len_bytes += 3;
            }
        }
        from_bytes = from_bytes == 0 ? 1 : from_bytes;
        rest = rt_slice_of(rest.data + from_bytes, rest.len_bytes - from_bytes);
    }
    out_encoded[len_bytes] = '\0';
    return len_bytes;
}

size_t grpc__text_decode(struct rt_slice encoded, char *out_text, size_t room_bytes)
{
    size_t len_bytes = 0;

    for (size_t i = 0; i < encoded.len_bytes && len_bytes + 1 < room_bytes; i++) {
        uint8_t byte = encoded.data[i];

        if (byte == '%' && i + 2 < encoded.len_bytes && rt_hex_digit(encoded.data[i + 1]) >= 0 &&
            rt_hex_digit(encoded.data[i + 2]) >= 0) {
            byte = (uint8_t)(rt_hex_digit(encoded.data[i + 1]) * 16 +
                             rt_hex_digit(encoded.data[i + 2]));
            i += 2;
        }
        out_text[len_bytes++] = (char)byte;
    }
    out_text[len_bytes] = '\0';
    return len_bytes;
}

/* ---- quoting ------------------------------------------------------------------------------ */

void grpc__text_quote(struct rt_slice text, char *out_quoted, size_t room_bytes)
{
    size_t len_bytes = 1;

    if (room_bytes < 3) {
        out_quoted[0] = '\0';
        return;
    }
    out_quoted[0] = '"';
    for (size_t i = 0; i < text.len_bytes; i++) {
        char piece[5];
        size_t piece_bytes = quote_byte(text.data[i], piece);

        if (len_bytes + piece_bytes + 2 > room_bytes) {
            break;
        }
        memcpy(out_quoted + len_bytes, piece, piece_bytes);
        len_bytes += piece_bytes;
    }
    out_quoted[len_bytes++] = '"';
    out_quoted[len_bytes] = '\0';
}

static size_t quote_byte(uint8_t byte, char out_text[5])
{
    static const char letters[] = "abtnvfr"; /* of 7 to 13 */

    out_text[0] = '\\';
    if (byte == '"' || byte == '\\') {
        out_text[1] = (char)byte;
        return 2;
    }
    if (byte >= 7 && byte <= 13) {
        out_text[1] = letters[byte - 7];
        return 2;
    }
    if (byte < 0x20 || byte == 0x7f) {
        return (size_t)snprintf(out_text, 5, "\\x%02x", (unsigned)byte);
    }
    out_text[0] = (char)byte;
    return 1;
}

/* ---- grpc-timeout ------------------------------------------------------------------------- */

bool grpc__timeout_parse(struct rt_slice text, uint64_t *out_timeout_us, char *out_error,
                         size_t error_bytes)
{
    static const char units[] = "HMSmun";
    static const uint64_t unit_us[] = {3600000000, 60000000, 1000000, 1000, 1, 0};
    const char *problem = NULL;
    char quoted[64];
    const char *unit = NULL;
    bool is_signed = text.len_bytes > 0 && (text.data[0] == '-' || text.data[0] == '+');
    size_t digit_count = 0;
    uint64_t value = 0;

    if (text.len_bytes < 2) {
        problem = "transport: timeout string is too short: ";
    } else if (text.len_bytes > TIMEOUT_MAX_BYTES) {
        problem = "transport: timeout string is too long: ";
    } else {
        unit = memchr(units, text.data[text.len_bytes - 1], sizeof(units) - 1);
        problem = unit == NULL ? "transport: timeout unit is not recognized: " : NULL;
    }
    for (size_t i = is_signed ? 1 : 0; problem == NULL && i + 1 < text.len_bytes; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            digit_count = 0;
            break;
        }
        value = value * 10 + (uint64_t)(text.data[i] - '0');
        digit_count++;
    }
    if (problem == NULL && digit_count == 0) {
        grpc__text_quote(rt_slice_of(text.data, text.len_bytes - 1), quoted, sizeof(quoted));
        (void)snprintf(out_error, error_bytes, "strconv.ParseInt: parsing %s: invalid syntax",
                       quoted);
        return false;
    }
    if (problem != NULL) {
        grpc__text_quote(text, quoted, sizeof(quoted));
        (void)snprintf(out_error, error_bytes, "%s%s", problem, quoted);
        return false;
    }
    if (is_signed && text.data[0] == '-') {
        value = 0;
    }
    *out_timeout_us = *unit == 'n' ? value / 1000 : value * unit_us[unit - units];
    return true;
}

void grpc__timeout_print(uint64_t timeout_us, char out_text[GRPC__TIMEOUT_TEXT_BYTES])
{
    static const struct {
        uint64_t us;
        char unit;
    } rows[] = {{1, 'u'}, {1000, 'm'}, {1000000, 'S'}, {60000000, 'M'}, {3600000000, 'H'}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = timeout_us / rows[i].us + (timeout_us % rows[i].us != 0 ? 1 : 0);

        if (value < TIMEOUT_DIGIT_VALUES) {
            (void)snprintf(out_text, GRPC__TIMEOUT_TEXT_BYTES, "%" PRIu64 "%c", value,
                           rows[i].unit);
            return;
        }
    }
    (void)snprintf(out_text, GRPC__TIMEOUT_TEXT_BYTES, "%uH", TIMEOUT_DIGIT_VALUES - 1);
}

/* ---- base64 ------------------------------------------------------------------------------- */

static bool is_digit_of_64(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';
}

/* Whole quanta of four are read with padding, anything else without. */
bool grpc__text_is_base64(struct rt_slice text, size_t *out_bad_at)
{
    size_t count = 0;
    size_t end;

    while (count < text.len_bytes && is_digit_of_64(text.data[count])) {
        count++;
    }
    if (count == text.len_bytes) {
        *out_bad_at = count - 1; /* one digit alone is no byte */
        return count % 4 != 1;
    }
    *out_bad_at = count;
    if (text.data[count] != '=' || text.len_bytes % 4 != 0 || count % 4 < 2) {
        return false;
    }
    if (count % 4 == 2 && text.data[count + 1] != '=') {
        return false;
    }
    end = count % 4 == 2 ? count + 2 : count + 1;
    *out_bad_at = end;
    return end == text.len_bytes;
}
