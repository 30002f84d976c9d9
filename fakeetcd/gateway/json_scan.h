/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_JSON_SCAN_H
#define FAKEETCD_GATEWAY_JSON_SCAN_H

#include "runtime/slice.h"
#include "runtime/status.h"

/*
 * Finds where one JSON value ends in bytes that come in pieces of any size, and refuses what is no
 * JSON with the words of Go's encoding/json: clients of the gateway see them.
 */
enum { FAKEETCD_JSON_DEPTH_MAX = 10000 };

/* Row: enumerator, what Go says about a character that does not belong there ("": none can be
 * wrong). */
#define FAKEETCD_JSON_STATE_LIST(ROW)                                                              \
    ROW(FAKEETCD_JSON_BEGIN, "looking for beginning of value")                                     \
    ROW(FAKEETCD_JSON_ARRAY, "looking for beginning of value")                                     \
    ROW(FAKEETCD_JSON_OBJECT, "looking for beginning of object key string")                        \
    ROW(FAKEETCD_JSON_KEY, "looking for beginning of object key string")                           \
    ROW(FAKEETCD_JSON_STRING, "in string literal")                                                 \
    ROW(FAKEETCD_JSON_ESCAPE, "in string escape code")                                             \
    ROW(FAKEETCD_JSON_HEX, "in \\u hexadecimal character escape")                                  \
    ROW(FAKEETCD_JSON_MINUS, "in numeric literal")                                                 \
    ROW(FAKEETCD_JSON_ZERO, "")                                                                    \
    ROW(FAKEETCD_JSON_DIGITS, "")                                                                  \
    ROW(FAKEETCD_JSON_DOT, "after decimal point in numeric literal")                               \
    ROW(FAKEETCD_JSON_FRACTION, "")                                                                \
    ROW(FAKEETCD_JSON_E, "in exponent of numeric literal")                                         \
    ROW(FAKEETCD_JSON_E_SIGN, "in exponent of numeric literal")                                    \
    ROW(FAKEETCD_JSON_EXPONENT, "")                                                                \
    ROW(FAKEETCD_JSON_LITERAL, "")                                                                 \
    ROW(FAKEETCD_JSON_AFTER, "")

enum fakeetcd_json_state {
#define FAKEETCD_JSON_STATE_ENUM(name, words) name,
    FAKEETCD_JSON_STATE_LIST(FAKEETCD_JSON_STATE_ENUM)
#undef FAKEETCD_JSON_STATE_ENUM
};

struct fakeetcd_json_scanner {
    enum fakeetcd_json_state state;
    bool has_begun; /* something other than blanks has come */
    bool is_key;    /* the string is a key of an object */
    uint8_t hex_count;
    const char *literal; /* "true": its rest is still to come */
    size_t literal_len;
    uint32_t depth;
    char error[96];
    uint8_t is_object[FAKEETCD_JSON_DEPTH_MAX / 8 + 1]; /* a bit a level */
};

enum fakeetcd_json_scan {
    FAKEETCD_JSON_MORE,  /* all bytes are used, the value is not complete */
    FAKEETCD_JSON_VALUE, /* complete; the scanner is ready for the next one */
    FAKEETCD_JSON_NONE,  /* only at the end: there was no value */
    FAKEETCD_JSON_BAD    /* `error` says what Go says */
};

void fakeetcd_json_scanner_init(struct fakeetcd_json_scanner *scanner);
/* `out_used_bytes`: how many belong to the value, blanks before it included. */
enum fakeetcd_json_scan fakeetcd_json_scan(struct fakeetcd_json_scanner *scanner,
                                           struct rt_slice bytes, size_t *out_used_bytes);
/* No more bytes: a number or literal may be complete now. */
enum fakeetcd_json_scan fakeetcd_json_scan_end(struct fakeetcd_json_scanner *scanner);

/* One whole text that must be a single value: "" when it is, else Go's words (borrowed). */
const char *fakeetcd_json_check(struct fakeetcd_json_scanner *scanner, struct rt_slice text);

static inline bool fakeetcd_json_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

#endif
