/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_OMNI_SUPPORT_H
#define TESTS_UNIT_CONNECTOR_OMNI_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connector/omni_serializer.h"
#include "runtime/random.h"

/* A blob whose memory is exactly as long as the text, so that ASan sees a byte read too many. */
struct rt_blob *blob_of_hex(const char *hex);
struct rt_blob *blob_of(const void *bytes, size_t len_bytes);

/* All pieces of an encoded value, one after the other; released by the caller. */
struct rt_blob *join_pieces(const struct omni_encoded *encoded);

/* Encodes and joins; fails the test when that is refused. */
struct rt_blob *encode_joined(const struct omni_value *value);

void assert_blob_hex(struct rt_blob *blob, const char *hex);

/* A tree of every kind but NaN keys, at most `depth` levels deep. */
struct omni_value *random_value(struct rt_random *random, struct omni_arena *arena, int depth);

#endif
