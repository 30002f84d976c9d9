/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_TEXT_H
#define CONNECTOR_CLIENT_DS_TEXT_H

#include "runtime/slice.h"
#include "runtime/status.h"

/*
 * A text that is put together piece by piece. Memory grows, is kept by clear, and is given back
 * by fini. Adding never fails: what finds no memory is left out, so that a failing call still ends
 * with its code. Zeroed is empty.
 */
struct ds__text {
    char *bytes; /* NUL-terminated when not NULL */
    size_t len_bytes;
    size_t capacity_bytes;
};

void ds__text_clear(struct ds__text *text);
void ds__text_fini(struct ds__text *text);
void ds__text_printf(struct ds__text *text, const char *format, ...) RT_PRINTF(2, 3);

/* Bytes from a peer: a NUL becomes '?', more than 64 KiB is cut. */
void ds__text_add(struct ds__text *text, struct rt_slice bytes);
void ds__text_add_raw(struct ds__text *text, struct rt_slice bytes); /* as they are, cut likewise */
void ds__text_drop_dot(struct ds__text *text); /* one trailing '.', if there is one */
bool ds__text_contains(const struct ds__text *text, const char *part);
const char *ds__text_get(const struct ds__text *text); /* never NULL */

#endif
