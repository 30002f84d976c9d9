/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_SOURCE_H
#define DOCUMENT_SOURCE_H

#include "document/arena.h"
#include "document/error.h"

/* Inside document/ only. From byte offsets to lines and columns, and is the text text at all. */

/* Fills the line table; `path` and `text` must live as long as the source. */
RT_NODISCARD enum rt_status doc__source_init(struct doc_source *source, struct doc__arena *arena,
                                             const char *path, struct rt_slice text);

/* Offsets beyond the text give its end. */
struct doc_position doc__source_position(const struct doc_source *source, size_t offset_bytes);

/* The other way; lines and columns beyond the text are brought back into it. */
struct doc_position doc__source_at(const struct doc_source *source, size_t line, size_t column);

/* The bytes of a line (from 1) without its end. */
struct rt_slice doc__source_line(const struct doc_source *source, size_t line);

/* The first byte that no text file has: not UTF-8, NUL or another control character.
 * Returns false when there is none. */
bool doc__find_bad_byte(struct rt_slice text, size_t *out_offset_bytes);

#endif
