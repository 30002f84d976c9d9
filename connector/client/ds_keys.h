/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_KEYS_H
#define CONNECTOR_CLIENT_DS_KEYS_H

#include "connector/client/ds_text.h"

/*
 * What the real client refuses before anything goes on the wire, all with K_INVALID. Each check
 * adds the sentence to `why` and answers false when it refuses. As in the real client only the
 * first key of a batch is held against the alphabet.
 */
#define DS__KEY_LIMIT_BYTES 255u
#define DS__BATCH_LIMIT     10000u
#define DS__TX_LIMIT        8u

/* A length of a value that no worker takes. */
#define DS__VALUE_LIMIT_BYTES (UINT64_C(256) * 1024 * 1024 * 1024)

bool ds__key_is_legal(struct rt_slice key); /* alphabet and length; the empty key is legal here */

bool ds__check_set(struct rt_slice key, uint64_t value_bytes, struct ds__text *why);

/* Get, exist, delete, expire, query size, read. */
bool ds__check_keys(const struct rt_slice *keys, size_t key_count, struct ds__text *why);

/* Both kinds of mset; values are looked at by the caller. */
bool ds__check_mset_keys(const struct rt_slice *keys, size_t key_count, struct ds__text *why);
bool ds__check_transaction(const struct rt_slice *keys, size_t key_count, bool only_if_absent,
                           struct ds__text *why);
bool ds__check_value_size(uint64_t value_bytes, struct ds__text *why);

#endif
