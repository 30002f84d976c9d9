/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_WRITER_H
#define DOCUMENT_WRITER_H

#include "document/arena.h"

/*
 * Inside document/ only. The formatter's output: takes tokens, line ends and comments in file
 * order and decides about the blanks between them. Columns count from 0.
 */

enum doc__token {
    DOC__TOKEN_NONE, /* nothing has been written yet */
    DOC__TOKEN_MARK, /* --- and ... */
    DOC__TOKEN_DASH,
    DOC__TOKEN_QUESTION,
    DOC__TOKEN_COLON,
    DOC__TOKEN_COMMA,
    DOC__TOKEN_OPEN_MAP,
    DOC__TOKEN_CLOSE_MAP,
    DOC__TOKEN_OPEN_LIST,
    DOC__TOKEN_CLOSE_LIST,
    DOC__TOKEN_SCALAR, /* and the header of a block scalar */
};

enum doc__level_kind { DOC__LEVEL_ROOT, DOC__LEVEL_BLOCK, DOC__LEVEL_FLOW };

/* A collection and where it stands: its keys or dashes, or its opening bracket. */
struct doc__level {
    const struct doc__level *parent; /* NULL for the root */
    enum doc__level_kind kind;
    size_t old_column;
    size_t new_column;
};

/* A comment on a line of its own, waiting for the token that follows it. */
struct doc__comment {
    struct rt_slice text;
    size_t old_column;
    size_t newlines_before;
};

struct doc__writer {
    struct doc__arena *arena; /* for waiting comments */
    char *data;               /* malloc'd */
    size_t len_bytes;
    size_t capacity_bytes;
    size_t column; /* of what comes next */
    enum doc__token last_token;
    const struct doc__level *last_level;
    size_t newlines; /* since the last token or comment */
    struct doc__comment *comments;
    size_t comments_count;
    size_t comments_capacity;
    bool is_out_of_memory; /* sticks; the text is worthless then */
};

void doc__writer_newline(struct doc__writer *writer);

/* `blanks_count` stand before it; they are kept when it follows a token on its line. */
void doc__writer_comment(struct doc__writer *writer, struct rt_slice text, size_t old_column,
                         size_t blanks_count);

/* `column` is where the token goes if it is the first of its line. */
void doc__writer_token(struct doc__writer *writer, enum doc__token token,
                       const struct doc__level *level, size_t column, struct rt_slice text);

/* More lines of the last token: a line end, `indent` blanks unless the line is empty, the text. */
void doc__writer_continue(struct doc__writer *writer, size_t indent, struct rt_slice text);

/* Comments that are left, one newline at the end. */
void doc__writer_finish(struct doc__writer *writer);

/* Where a line goes that continues something inside `level`. */
size_t doc__continued_column(const struct doc__level *level, size_t old_column);

#endif
