/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_TEXT_H
#define FAKEETCD_GATEWAY_TEXT_H

#include "runtime/slice.h"
#include "runtime/status.h"

/*
 * Bytes that grow while they are written. A failed allocation is remembered, so that a writer
 * looks once at the end. Zeroed is empty.
 */
struct fakeetcd_text {
    char *data;
    size_t len_bytes;
    size_t capacity_bytes;
    bool is_failed;
};

void fakeetcd_text_fini(struct fakeetcd_text *text);
void fakeetcd_text_clear(struct fakeetcd_text *text); /* keeps its memory */

void fakeetcd_text_add(struct fakeetcd_text *text, const void *data, size_t len_bytes);
void fakeetcd_text_word(struct fakeetcd_text *text, const char *word);
void fakeetcd_text_print(struct fakeetcd_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `len_bytes` at the end, already counted. NULL: failed. */
RT_NODISCARD char *fakeetcd_text_room(struct fakeetcd_text *text, size_t len_bytes);

/* A JSON string with its quotes, as Go's encoder writes it: < > & and U+2028/9 escaped, bytes that
 * are no UTF-8 become U+FFFD. */
void fakeetcd_text_json(struct fakeetcd_text *text, struct rt_slice string);
/* Standard base64, padded. */
void fakeetcd_text_base64(struct fakeetcd_text *text, struct rt_slice bytes);

struct rt_slice fakeetcd_text_slice(const struct fakeetcd_text *text);

/* Decodes the code point at the front. Its length in bytes; 0: not UTF-8. */
size_t fakeetcd_utf8_decode(struct rt_slice bytes, uint32_t *out_code_point);
/* Writes at most 4 bytes; the length. */
size_t fakeetcd_utf8_encode(uint32_t code_point, char out_bytes[4]);

#endif
