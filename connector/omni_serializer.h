/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_SERIALIZER_H
#define CONNECTOR_OMNI_SERIALIZER_H

#include "connector/omni_value.h"
#include "wire/dsrpc/dsrpc.h"

/*
 * One MessagePack document per value, byte-compatible with upstream's OmniSerializer
 * (docs/reference/connector.md, "Values and bytes"). Any thread, each with an arena and an output
 * of its own. Encoding yields pieces for scatter/gather: headers are gathered in one blob, bodies
 * over a threshold are referred to. Decoding yields views into the received blob.
 */

struct omni_serializer_limits {
    uint32_t depth; /* 0: 512 */
    uint64_t items; /* of the whole document; 0: 16,777,216 */
};

/* What is wrong with bytes or a value, and where. Filled by RT_E_INVALID, RT_E_MALFORMED,
 * RT_E_LIMIT.
 */
struct omni_codec_error {
    uint64_t offset_bytes; /* in the document; 0 when encoding */
    char text[160];
};

#define OMNI_FEW_PIECES 4

/* The pieces of one document. Retains the blobs it refers to; bodies that are in no blob and over
 * the threshold (4 KiB) stay views of the caller's memory. It points into itself: not to be copied.
 */
struct omni_encoded {
    struct dsrpc_value value;
    uint64_t copied_bytes; /* body bytes that were copied into the header blob */
    struct rt_blob *headers;
    struct dsrpc_piece *pieces; /* `few`, or an array of its own */
    struct dsrpc_piece few[OMNI_FEW_PIECES];
};

/* NULL limits: the defaults. *out_encoded is the caller's, to be finished once; after a failure
 * there is nothing to finish. RT_E_INVALID  a value that MessagePack cannot hold (*out_error says
 * which) RT_E_LIMIT    too deep RT_E_NOMEM */
RT_NODISCARD enum rt_status omni_encode(const struct omni_value *value,
                                        const struct omni_serializer_limits *limits,
                                        struct omni_encoded *out_encoded,
                                        struct omni_codec_error *out_error);
void omni_encoded_fini(struct omni_encoded *encoded);

/* Views into `blob`, on which the arena takes a reference; the value lies in the arena, as does
 * what a failure left, until it is reset. NULL limits: the defaults. RT_E_MALFORMED  not one
 * document, with the offset RT_E_LIMIT      deeper or more items than allowed RT_E_NOMEM */
RT_NODISCARD enum rt_status omni_decode(struct rt_blob *blob, struct omni_arena *arena,
                                        const struct omni_serializer_limits *limits,
                                        const struct omni_value **out_value,
                                        struct omni_codec_error *out_error);

#endif
