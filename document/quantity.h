/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_QUANTITY_H
#define DOCUMENT_QUANTITY_H

#include "document/tree.h"

/*
 * Quantities as scenarios write them: always with a unit where there is one, nothing guessed.
 *
 *   duration  250ms  4s  1.5s  3us  1min       units us, ms, s, min   (a bare 0 is refused too)
 *   size      256B  4KiB  1.5MiB  2GiB         units B, KiB, MiB, GiB
 *   integer   -3  0  42  1_000 is refused, so are 007 and 0x10
 *   boolean   true  false
 *   range     3s..31s   < 5ms   <= 4   > 1   >= 2   = 3   3
 */

enum doc_unit { DOC_UNIT_NONE, DOC_UNIT_DURATION, DOC_UNIT_SIZE };

/* A closed or half-open interval; in µs, bytes or plain numbers as `unit` says. */
struct doc_range {
    enum doc_unit unit;
    bool has_min;
    bool has_max;
    bool is_min_exclusive;
    bool is_max_exclusive;
    int64_t min;
    int64_t max;
};

bool doc_range_has(const struct doc_range *range, int64_t value);

/* ---- from a text ------------------------------------------------------------------------ */

/* What was wrong, with its place in the text. Static texts. */
struct doc_mistake {
    size_t offset_bytes;
    size_t len_bytes;
    const char *message; /* "a duration needs a unit" */
    const char *help;    /* "units: us, ms, s, min"; may be NULL */
};

/* RT_OK, or RT_E_INVALID with *out_mistake (may be NULL) filled. */
RT_NODISCARD enum rt_status doc_parse_duration(struct rt_slice text, uint64_t *out_us,
                                               struct doc_mistake *out_mistake);
RT_NODISCARD enum rt_status doc_parse_size(struct rt_slice text, uint64_t *out_bytes,
                                           struct doc_mistake *out_mistake);
RT_NODISCARD enum rt_status doc_parse_integer(struct rt_slice text, int64_t *out_value,
                                              struct doc_mistake *out_mistake);
RT_NODISCARD enum rt_status doc_parse_bool(struct rt_slice text, bool *out_value,
                                           struct doc_mistake *out_mistake);
RT_NODISCARD enum rt_status doc_parse_range(struct rt_slice text, enum doc_unit unit,
                                            struct doc_range *out_range,
                                            struct doc_mistake *out_mistake);

/* ---- from a node: RT_OK, or RT_E_INVALID with one error added ---------------------------- */

RT_NODISCARD enum rt_status doc_read_text(const struct doc_node *node,
                                          struct doc_error_list *errors, const char **out_text);
RT_NODISCARD enum rt_status doc_read_duration(const struct doc_node *node,
                                              struct doc_error_list *errors, uint64_t *out_us);
RT_NODISCARD enum rt_status doc_read_size(const struct doc_node *node,
                                          struct doc_error_list *errors, uint64_t *out_bytes);
RT_NODISCARD enum rt_status doc_read_integer(const struct doc_node *node, int64_t min, int64_t max,
                                             struct doc_error_list *errors, int64_t *out_value);
RT_NODISCARD enum rt_status doc_read_bool(const struct doc_node *node,
                                          struct doc_error_list *errors, bool *out_value);
/* Pairs of hexadecimal digits, for rt_hex_read(). */
RT_NODISCARD enum rt_status doc_check_hex(const struct doc_node *node,
                                          struct doc_error_list *errors);
RT_NODISCARD enum rt_status doc_read_range(const struct doc_node *node, enum doc_unit unit,
                                           struct doc_error_list *errors,
                                           struct doc_range *out_range);

/* ---- to a text --------------------------------------------------------------------------- */

#define DOC_QUANTITY_TEXT_BYTES 96 /* enough for any of these, NUL included */

/* The shortest exact spelling that parses back to the same value: 250ms, 1.5s, 4KiB, 3s..31s. */
void doc_print_duration(uint64_t value_us, char out_text[DOC_QUANTITY_TEXT_BYTES]);
void doc_print_size(uint64_t value_bytes, char out_text[DOC_QUANTITY_TEXT_BYTES]);
void doc_print_range(const struct doc_range *range, char out_text[DOC_QUANTITY_TEXT_BYTES]);

#endif
