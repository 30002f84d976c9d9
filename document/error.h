/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_ERROR_H
#define DOCUMENT_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/slice.h"
#include "runtime/status.h"

struct doc_node;
struct doc_column_mark;

/* A place in a file. Lines and columns count from 1; columns are characters, a tab is one. */
struct doc_position {
    size_t offset_bytes;
    uint32_t line;
    uint32_t column;
};

/* The text that positions point into. */
struct doc_source {
    const char *path;
    struct rt_slice text;
    const size_t *line_offsets; /* where each line starts */
    size_t line_count;
    const struct doc_column_mark *column_marks; /* document/ only */
};

/* One problem, complete in itself: it outlives the document. Texts belong to the list. */
struct doc_error {
    const char *path;
    uint32_t line; /* 0: the problem is the file itself, and there is no source line */
    uint32_t column;
    const char *message;
    const char *source_line;  /* without its end; NULL: none. A very long line is an excerpt. */
    uint32_t caret_column;    /* in `source_line`, from 1 */
    uint32_t caret_count;     /* at least 1 */
    const char *nearest_word; /* NULL: nothing is near enough */
    const char *const *allowed_words;
    size_t allowed_count;
    const char *help; /* free text; NULL: none */
};

/* Problems collected in the order they were found; those beyond the cap are only counted. */
struct doc_error_list;

#define DOC_ERROR_CAP 20

RT_NODISCARD struct doc_error_list *doc_error_list_create(void);
void doc_error_list_destroy(struct doc_error_list *errors);
void doc_error_list_clear(struct doc_error_list *errors);

size_t doc_error_count(const struct doc_error_list *errors);       /* kept, at most the cap */
size_t doc_error_total_count(const struct doc_error_list *errors); /* found */
const struct doc_error *doc_error_at(const struct doc_error_list *errors, size_t index);

/* ---- adding ----------------------------------------------------------------------------- */
/*
 * Each returns the new error so that help can be attached, or NULL when the list is full or
 * memory is short (it is counted all the same). All functions accept a NULL error and do nothing.
 * Messages are one sentence, lower case, without a full stop.
 */

/* The problem is the file itself (unreadable, a directory, …). */
struct doc_error *doc_error_add_file(struct doc_error_list *errors, const char *path,
                                     const char *format, ...) RT_PRINTF(3, 4);

struct doc_error *doc_error_add_at(struct doc_error_list *errors, const struct doc_source *source,
                                   struct doc_position start, struct doc_position end,
                                   const char *format, ...) RT_PRINTF(5, 6);

/* At a node: all of a scalar is underlined, a collection only at its first character. */
struct doc_error *doc_error_add(struct doc_error_list *errors, const struct doc_node *node,
                                const char *format, ...) RT_PRINTF(3, 4);

/* At bytes of a scalar's text, for small languages inside scalars ("1*drop-reply"). Exact where
 * text and source agree byte for byte (plain or quoted, one line, no escapes), else the node. */
struct doc_error *doc_error_add_inside(struct doc_error_list *errors, const struct doc_node *node,
                                       size_t offset_bytes, size_t len_bytes, const char *format,
                                       ...) RT_PRINTF(5, 6);

/* Lists what may stand here, and the word nearest to `given` ("" for none). Words are copied. */
void doc_error_allow(struct doc_error_list *errors, struct doc_error *error, struct rt_slice given,
                     const char *const *words, size_t words_count);
void doc_error_help(struct doc_error_list *errors, struct doc_error *error, const char *format, ...)
    RT_PRINTF(3, 4);

/* ---- printing --------------------------------------------------------------------------- */

/*
 *   path:line:column: message
 *   keyy: value
 *   ^^^^
 *   help: did you mean "key"?
 *   help: allowed here: key, other
 *   help: free text
 *
 * The text is malloc'd, the caller frees it; NULL when out of memory.
 */
RT_NODISCARD char *doc_error_format(const struct doc_error *error);
void doc_error_print(FILE *out, const struct doc_error *error);

/* All of them, an empty line between two, and how many were left out. */
void doc_error_list_print(FILE *out, const struct doc_error_list *errors);

/* ---- nearest word ----------------------------------------------------------------------- */

/* The word that `text` was probably meant to be; NULL when none is close (a third of the letters,
 * at least one edit; a swap of neighbours is one edit; case costs nothing). First of equals. */
const char *doc_nearest_word(struct rt_slice text, const char *const *words, size_t words_count);

#endif
