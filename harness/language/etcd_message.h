/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_ETCD_MESSAGE_H
#define HARNESS_LANGUAGE_ETCD_MESSAGE_H

#include "document/tree.h"

#include <protobuf-c/protobuf-c.h>

/*
 * Messages of etcd as scenarios write them: a map by field name, read by the message's descriptor,
 * so that every field of every method can be written and nothing has to be listed here.
 *
 *   bytes and texts   text, {hex: "00ff"}, {repeat: TEXT, count: N}, {prefix-end: "a/"} (the end of
 *                     the range of keys that begin so), {everything: true} (the end "\0")
 *   numbers           17;  in expectations also ranges: 2..3, "> 0"
 *   enumerations      by name
 *   lists, messages   lists and maps; in an expectation a map speaks of the fields it names, a list
 *                     of all its elements, `absent` of a message that is not there
 */

/* Adds what is wrong to `errors`, with position. `is_expectation`: as scn_message_match() reads. */
RT_NODISCARD enum rt_status scn_message_check(const ProtobufCMessageDescriptor *descriptor,
                                              const struct doc_node *node, bool is_expectation,
                                              struct doc_error_list *errors);

/* Of a checked node. Everything in it lies in `doc`; never freed by itself. NULL: no memory. */
ProtobufCMessage *scn_message_make(const ProtobufCMessageDescriptor *descriptor,
                                   const struct doc_node *node, struct doc *doc);

/* A checked expectation against a message. False: *out_node is what does not hold, the texts are
 * what was expected and what is there, cut to fit. */
struct scn_message_difference {
    const struct doc_node *node;
    char expected[160];
    char actual[160];
};
bool scn_message_match(const ProtobufCMessage *message, const struct doc_node *node,
                       struct scn_message_difference *out_difference);

/* The first key behind all that begin with `prefix`: its last byte that can grow, grown; "\0",
 * which is no end, when there is none. `out_data` has room for the prefix and at least one byte. */
#define SCN_PREFIX_BYTES_MAX 1024
size_t scn_message_prefix_end(struct rt_slice prefix, uint8_t *out_data);

/* Printable bytes as they are, others as \xNN; cut to fit. */
void scn_message_print_bytes(struct rt_slice bytes, char *out_text, size_t text_bytes);

#endif
