/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_PAYLOAD_H
#define HARNESS_LANGUAGE_PAYLOAD_H

#include "connector/omni_value.h"
#include "document/tree.h"

/*
 * Payloads as scenarios write them.
 *
 *   hello                                      text
 *   {hex: "00ff"}                              bytes
 *   {repeat: ab, size: 4MiB}                   bytes, one block shared by all who use it
 *   {tensor: float32, shape: [2, 3], fill: ramp}     also ndarray: "<f4", image: RGB
 *   {map: {a: 1, ...}}  {list: [...]}  {int: 7}  {float: 1.5}  {bool: true}  {nil: true}
 *   {encoded: PAYLOAD}                         the serialized bytes of a payload
 *
 * A connector transfers the value; a plain client transfers bytes, for which only text, hex,
 * repeat and encoded will do.
 */

/* Whoever takes the bytes. */
enum scn_payload_use { SCN_PAYLOAD_VALUE, SCN_PAYLOAD_RAW };

/* Adds an error for everything in `node` that is no payload of this use. */
enum rt_status scn_payload_check(const struct doc_node *node, enum scn_payload_use use,
                                 struct doc_error_list *errors);

/* Made payloads, so that a step repeated a hundred times makes its bytes once. */
struct scn_payloads;
RT_NODISCARD struct scn_payloads *scn_payloads_create(void);
void scn_payloads_destroy(struct scn_payloads *payloads);

/* Of a checked node. The result is borrowed and lives as long as `payloads`; NULL: no memory. */
struct rt_blob *scn_payload_raw(struct scn_payloads *payloads, const struct doc_node *node);
const struct omni_value *scn_payload_value(struct scn_payloads *payloads,
                                           const struct doc_node *node);

#endif
