/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_JSON_TEXT_H
#define FAKEETCD_GATEWAY_JSON_TEXT_H

#include "fakeetcd/gateway/text.h"

/* Small readers of JSON text that fakeetcd_json_scan() has found complete. */

enum fakeetcd_json_kind {
    FAKEETCD_JSON_IS_OBJECT,
    FAKEETCD_JSON_IS_ARRAY,
    FAKEETCD_JSON_IS_STRING,
    FAKEETCD_JSON_IS_NUMBER,
    FAKEETCD_JSON_IS_BOOL,
    FAKEETCD_JSON_IS_NULL
};
enum fakeetcd_json_kind fakeetcd_json_kind(uint8_t first_byte);
const char *fakeetcd_json_kind_word(enum fakeetcd_json_kind kind); /* Go's: "object", "bool" */

/* Where the value that begins at `at` ends. */
const uint8_t *fakeetcd_json_skip(const uint8_t *at, const uint8_t *end);

/* What a string with its quotes means; in `scratch` when it had to be changed (escapes; bytes that
 * are no UTF-8 become U+FFFD, as in Go). False: out of memory. */
RT_NODISCARD bool fakeetcd_json_unquote(struct rt_slice quoted, struct fakeetcd_text *scratch,
                                        struct rt_slice *out_string);

/* Appends. Standard alphabet, padding required, line ends passed over, as Go's. False: the byte at
 * `out_wrong_at` is where Go says it is wrong. */
RT_NODISCARD bool fakeetcd_base64_decode(struct rt_slice text, struct fakeetcd_text *out_bytes,
                                         size_t *out_wrong_at);

/* As Go's %q; cut when it does not fit. */
void fakeetcd_json_go_quote(struct rt_slice text, char *out_text, size_t text_bytes);

#endif
