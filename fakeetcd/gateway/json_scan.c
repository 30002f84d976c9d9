/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_scan.h"

#include "fakeetcd/gateway/text.h"

#include <assert.h>
#include <stdio.h>

/*
 *   BEGIN --{--> OBJECT --"--> STRING (key) --> AFTER --:--> BEGIN ... AFTER --,--> KEY
 *         --[--> ARRAY --value--> AFTER --,--> BEGIN
 *         --"--> STRING, -digit--> ZERO/DIGITS ..., -t f n--> LITERAL: then AFTER
 */
static enum fakeetcd_json_scan step(struct fakeetcd_json_scanner *scanner, uint8_t byte);
static enum fakeetcd_json_scan begin_value(struct fakeetcd_json_scanner *scanner, uint8_t byte);
static enum fakeetcd_json_scan begin_key(struct fakeetcd_json_scanner *scanner, uint8_t byte);
static enum fakeetcd_json_scan open(struct fakeetcd_json_scanner *scanner, bool is_object);
static enum fakeetcd_json_scan close_level(struct fakeetcd_json_scanner *scanner);
static enum fakeetcd_json_scan in_string(struct fakeetcd_json_scanner *scanner, uint8_t byte);
static enum fakeetcd_json_scan in_number(struct fakeetcd_json_scanner *scanner, uint8_t byte);
static enum fakeetcd_json_scan in_literal(struct fakeetcd_json_scanner *scanner, uint8_t byte);
static enum fakeetcd_json_scan after_value(struct fakeetcd_json_scanner *scanner, uint8_t byte);
static enum fakeetcd_json_scan ended(struct fakeetcd_json_scanner *scanner);
static enum fakeetcd_json_scan refuse(struct fakeetcd_json_scanner *scanner, uint8_t byte,
                                      const char *where);
static void quote(uint8_t byte, char out_text[16]);
static bool is_top_object(const struct fakeetcd_json_scanner *scanner);
static bool may_end(const struct fakeetcd_json_scanner *scanner);
static bool is_digit(uint8_t byte);
static bool is_plain(uint8_t byte);

static const char *const WHERE[] = {
#define WHERE_TEXT(name, words) words,
    FAKEETCD_JSON_STATE_LIST(WHERE_TEXT)
#undef WHERE_TEXT
};

void fakeetcd_json_scanner_init(struct fakeetcd_json_scanner *scanner)
{
    scanner->state = FAKEETCD_JSON_BEGIN;
    scanner->has_begun = false;
    scanner->is_key = false;
    scanner->depth = 0;
    scanner->error[0] = '\0';
}

enum fakeetcd_json_scan fakeetcd_json_scan(struct fakeetcd_json_scanner *scanner,
                                           struct rt_slice bytes, size_t *out_used_bytes)
{
    enum fakeetcd_json_scan result = FAKEETCD_JSON_MORE;
    size_t i = 0;
    while (i < bytes.len_bytes && result == FAKEETCD_JSON_MORE) {
        if (scanner->state == FAKEETCD_JSON_STRING && is_plain(bytes.data[i])) {
            i++;
            continue;
        }
        bool could_end = may_end(scanner);
        result = step(scanner, bytes.data[i]);
        /* A number ends before the byte that shows it, everything else with its last byte. */
        if (result == FAKEETCD_JSON_VALUE && could_end) {
            break;
        }
        i++;
    }
    *out_used_bytes = i;
    if (result == FAKEETCD_JSON_VALUE) {
        fakeetcd_json_scanner_init(scanner);
    }
    return result;
}

enum fakeetcd_json_scan fakeetcd_json_scan_end(struct fakeetcd_json_scanner *scanner)
{
    if (!scanner->has_begun) {
        return FAKEETCD_JSON_NONE;
    }
    if (may_end(scanner)) {
        fakeetcd_json_scanner_init(scanner);
        return FAKEETCD_JSON_VALUE;
    }
    snprintf(scanner->error, sizeof(scanner->error), "unexpected EOF");
    return FAKEETCD_JSON_BAD;
}

const char *fakeetcd_json_check(struct fakeetcd_json_scanner *scanner, struct rt_slice text)
{
    fakeetcd_json_scanner_init(scanner);
    size_t used = 0;
    enum fakeetcd_json_scan result = fakeetcd_json_scan(scanner, text, &used);
    if (result == FAKEETCD_JSON_MORE && fakeetcd_json_scan_end(scanner) != FAKEETCD_JSON_VALUE) {
        return "unexpected end of JSON input";
    }
    for (; result == FAKEETCD_JSON_VALUE && used < text.len_bytes; used++) {
        if (!fakeetcd_json_is_blank(text.data[used])) {
            result = refuse(scanner, text.data[used], "after top-level value");
        }
    }
    return result == FAKEETCD_JSON_BAD ? scanner->error : "";
}

/* ---- one byte ------------------------------------------------------------------------------- */

static enum fakeetcd_json_scan step(struct fakeetcd_json_scanner *scanner, uint8_t byte)
{
    switch (scanner->state) {
    case FAKEETCD_JSON_BEGIN:
    case FAKEETCD_JSON_ARRAY:
        return begin_value(scanner, byte);
    case FAKEETCD_JSON_OBJECT:
    case FAKEETCD_JSON_KEY:
        return begin_key(scanner, byte);
    case FAKEETCD_JSON_STRING:
    case FAKEETCD_JSON_ESCAPE:
    case FAKEETCD_JSON_HEX:
        return in_string(scanner, byte);
    case FAKEETCD_JSON_LITERAL:
        return in_literal(scanner, byte);
    case FAKEETCD_JSON_AFTER:
        return after_value(scanner, byte);
    case FAKEETCD_JSON_MINUS:
    case FAKEETCD_JSON_ZERO:
    case FAKEETCD_JSON_DIGITS:
    case FAKEETCD_JSON_DOT:
    case FAKEETCD_JSON_FRACTION:
    case FAKEETCD_JSON_E:
    case FAKEETCD_JSON_E_SIGN:
    case FAKEETCD_JSON_EXPONENT:
        return in_number(scanner, byte);
    }
    assert(false);
    return FAKEETCD_JSON_BAD;
}

static enum fakeetcd_json_scan begin_value(struct fakeetcd_json_scanner *scanner, uint8_t byte)
{
    if (fakeetcd_json_is_blank(byte)) {
        return FAKEETCD_JSON_MORE;
    }
    scanner->has_begun = true;
    if (byte == ']' && scanner->state == FAKEETCD_JSON_ARRAY) {
        return close_level(scanner);
    }
    if (byte >= '1' && byte <= '9') {
        scanner->state = FAKEETCD_JSON_DIGITS;
        return FAKEETCD_JSON_MORE;
    }
    switch (byte) {
    case '{':
        return open(scanner, true);
    case '[':
        return open(scanner, false);
    case '"':
        scanner->state = FAKEETCD_JSON_STRING;
        return FAKEETCD_JSON_MORE;
    case '-':
        scanner->state = FAKEETCD_JSON_MINUS;
        return FAKEETCD_JSON_MORE;
    case '0':
        scanner->state = FAKEETCD_JSON_ZERO;
        return FAKEETCD_JSON_MORE;
    case 't':
    case 'f':
    case 'n':
        scanner->literal = byte == 't' ? "true" : byte == 'f' ? "false" : "null";
        scanner->literal_len = 1;
        scanner->state = FAKEETCD_JSON_LITERAL;
        return FAKEETCD_JSON_MORE;
    default:
        return refuse(scanner, byte, WHERE[FAKEETCD_JSON_BEGIN]);
    }
}

static enum fakeetcd_json_scan begin_key(struct fakeetcd_json_scanner *scanner, uint8_t byte)
{
    if (fakeetcd_json_is_blank(byte)) {
        return FAKEETCD_JSON_MORE;
    }
    if (byte == '}' && scanner->state == FAKEETCD_JSON_OBJECT) {
        return close_level(scanner);
    }
    if (byte != '"') {
        return refuse(scanner, byte, WHERE[FAKEETCD_JSON_KEY]);
    }
    scanner->is_key = true;
    scanner->state = FAKEETCD_JSON_STRING;
    return FAKEETCD_JSON_MORE;
}

static enum fakeetcd_json_scan open(struct fakeetcd_json_scanner *scanner, bool is_object)
{
    if (scanner->depth == FAKEETCD_JSON_DEPTH_MAX) {
        snprintf(scanner->error, sizeof(scanner->error), "exceeded max depth");
        return FAKEETCD_JSON_BAD;
    }
    uint8_t bit = (uint8_t)(1u << (scanner->depth % 8));
    uint8_t *bits = &scanner->is_object[scanner->depth / 8];
    *bits = (uint8_t)(is_object ? *bits | bit : *bits & ~bit);
    scanner->depth++;
    scanner->state = is_object ? FAKEETCD_JSON_OBJECT : FAKEETCD_JSON_ARRAY;
    return FAKEETCD_JSON_MORE;
}

static enum fakeetcd_json_scan close_level(struct fakeetcd_json_scanner *scanner)
{
    assert(scanner->depth > 0);
    scanner->depth--;
    scanner->is_key = false; /* a key is a string, never a container */
    return ended(scanner);
}

static enum fakeetcd_json_scan in_string(struct fakeetcd_json_scanner *scanner, uint8_t byte)
{
    switch (scanner->state) {
    case FAKEETCD_JSON_ESCAPE:
        if (byte == 'u') {
            scanner->hex_count = 0;
            scanner->state = FAKEETCD_JSON_HEX;
        } else if (byte != '\0' && strchr("bfnrt\\/\"", byte) != NULL) {
            scanner->state = FAKEETCD_JSON_STRING;
        } else {
            return refuse(scanner, byte, WHERE[FAKEETCD_JSON_ESCAPE]);
        }
        return FAKEETCD_JSON_MORE;
    case FAKEETCD_JSON_HEX:
        if (!is_digit(byte) && !((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')) {
            return refuse(scanner, byte, WHERE[FAKEETCD_JSON_HEX]);
        }
        scanner->hex_count++;
        if (scanner->hex_count == 4) {
            scanner->state = FAKEETCD_JSON_STRING;
        }
        return FAKEETCD_JSON_MORE;
    default:
        break;
    }
    if (byte == '"') {
        return ended(scanner);
    }
    if (byte == '\\') {
        scanner->state = FAKEETCD_JSON_ESCAPE;
    } else if (byte < 0x20) {
        return refuse(scanner, byte, WHERE[FAKEETCD_JSON_STRING]);
    }
    return FAKEETCD_JSON_MORE;
}

static enum fakeetcd_json_scan in_number(struct fakeetcd_json_scanner *scanner, uint8_t byte)
{
    enum fakeetcd_json_state state = scanner->state;
    if (is_digit(byte)) {
        switch (state) {
        case FAKEETCD_JSON_MINUS:
            scanner->state = byte == '0' ? FAKEETCD_JSON_ZERO : FAKEETCD_JSON_DIGITS;
            return FAKEETCD_JSON_MORE;
        case FAKEETCD_JSON_DOT:
            scanner->state = FAKEETCD_JSON_FRACTION;
            return FAKEETCD_JSON_MORE;
        case FAKEETCD_JSON_E:
        case FAKEETCD_JSON_E_SIGN:
            scanner->state = FAKEETCD_JSON_EXPONENT;
            return FAKEETCD_JSON_MORE;
        case FAKEETCD_JSON_ZERO:
            break; /* no digit follows a leading zero */
        default:
            return FAKEETCD_JSON_MORE;
        }
    }
    if (state == FAKEETCD_JSON_E && (byte == '+' || byte == '-')) {
        scanner->state = FAKEETCD_JSON_E_SIGN;
        return FAKEETCD_JSON_MORE;
    }
    if (WHERE[state][0] != '\0') {
        return refuse(scanner, byte, WHERE[state]);
    }
    if (byte == '.' && (state == FAKEETCD_JSON_ZERO || state == FAKEETCD_JSON_DIGITS)) {
        scanner->state = FAKEETCD_JSON_DOT;
        return FAKEETCD_JSON_MORE;
    }
    if ((byte == 'e' || byte == 'E') && state != FAKEETCD_JSON_EXPONENT) {
        scanner->state = FAKEETCD_JSON_E;
        return FAKEETCD_JSON_MORE;
    }
    enum fakeetcd_json_scan result = ended(scanner);
    return result == FAKEETCD_JSON_MORE ? after_value(scanner, byte) : result;
}

static enum fakeetcd_json_scan in_literal(struct fakeetcd_json_scanner *scanner, uint8_t byte)
{
    char wanted = scanner->literal[scanner->literal_len];
    if (byte != (uint8_t)wanted) {
        char where[48];
        snprintf(where, sizeof(where), "in literal %s (expecting '%c')", scanner->literal, wanted);
        return refuse(scanner, byte, where);
    }
    scanner->literal_len++;
    return scanner->literal[scanner->literal_len] == '\0' ? ended(scanner) : FAKEETCD_JSON_MORE;
}

static enum fakeetcd_json_scan after_value(struct fakeetcd_json_scanner *scanner, uint8_t byte)
{
    if (fakeetcd_json_is_blank(byte)) {
        return FAKEETCD_JSON_MORE;
    }
    if (scanner->is_key) {
        if (byte != ':') {
            return refuse(scanner, byte, "after object key");
        }
        scanner->is_key = false;
        scanner->state = FAKEETCD_JSON_BEGIN;
        return FAKEETCD_JSON_MORE;
    }
    bool is_object = is_top_object(scanner);
    if (byte == ',') {
        scanner->state = is_object ? FAKEETCD_JSON_KEY : FAKEETCD_JSON_BEGIN;
        return FAKEETCD_JSON_MORE;
    }
    if (byte == (is_object ? '}' : ']')) {
        return close_level(scanner);
    }
    return refuse(scanner, byte, is_object ? "after object key:value pair" : "after array element");
}

static enum fakeetcd_json_scan ended(struct fakeetcd_json_scanner *scanner)
{
    if (scanner->depth == 0) {
        return FAKEETCD_JSON_VALUE;
    }
    scanner->state = FAKEETCD_JSON_AFTER;
    return FAKEETCD_JSON_MORE;
}

/* ---- words ---------------------------------------------------------------------------------- */

static enum fakeetcd_json_scan refuse(struct fakeetcd_json_scanner *scanner, uint8_t byte,
                                      const char *where)
{
    char quoted[16];
    quote(byte, quoted);
    snprintf(scanner->error, sizeof(scanner->error), "invalid character %s %s", quoted, where);
    return FAKEETCD_JSON_BAD;
}

/* As Go quotes a byte in such a message: it takes it for a code point of Latin-1. */
static void quote(uint8_t byte, char out_text[16])
{
    static const struct {
        uint8_t byte;
        const char *text;
    } NAMED[] = {{'\'', "'\\''"}, {'"', "'\"'"},   {'\\', "'\\\\'"}, {'\a', "'\\a'"},
                 {'\b', "'\\b'"}, {'\f', "'\\f'"}, {'\n', "'\\n'"},  {'\r', "'\\r'"},
                 {'\t', "'\\t'"}, {'\v', "'\\v'"}};
    for (size_t i = 0; i < sizeof(NAMED) / sizeof(NAMED[0]); i++) {
        if (NAMED[i].byte == byte) {
            snprintf(out_text, 16, "%s", NAMED[i].text);
            return;
        }
    }
    if (byte < 0x20 || byte == 0x7f) {
        snprintf(out_text, 16, "'\\x%02x'", byte);
    } else if ((byte >= 0x80 && byte <= 0xa0) || byte == 0xad) {
        snprintf(out_text, 16, "'\\u%04x'", byte);
    } else {
        char utf8[5] = {0};
        fakeetcd_utf8_encode(byte, utf8);
        snprintf(out_text, 16, "'%s'", utf8);
    }
}

/* ---- questions ------------------------------------------------------------------------------ */

static bool is_top_object(const struct fakeetcd_json_scanner *scanner)
{
    uint32_t level = scanner->depth - 1;
    return (scanner->is_object[level / 8] >> (level % 8) & 1) != 0;
}

/* A number at the top that is complete if nothing more comes. */
static bool may_end(const struct fakeetcd_json_scanner *scanner)
{
    return scanner->depth == 0 &&
           (scanner->state == FAKEETCD_JSON_ZERO || scanner->state == FAKEETCD_JSON_DIGITS ||
            scanner->state == FAKEETCD_JSON_FRACTION || scanner->state == FAKEETCD_JSON_EXPONENT);
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Stands for itself inside a string. */
static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}
