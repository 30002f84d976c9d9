/* SPDX-License-Identifier: Apache-2.0 */
#include "document/writer.h"

#include <stdlib.h>

static void flush_comments(struct doc__writer *writer, const struct doc__level *next_level);
static size_t comment_column(const struct doc__writer *writer, const struct doc__comment *comment,
                             const struct doc__level *next_level);
static bool needs_blank(enum doc__token before, enum doc__token after);

/* ---- bytes ------------------------------------------------------------------------------ */

static void put(struct doc__writer *writer, const void *bytes, size_t len_bytes)
{
    size_t i;

    if (writer->is_out_of_memory) {
        return;
    }
    if (writer->capacity_bytes - writer->len_bytes <= len_bytes) {
        size_t capacity_bytes = (writer->len_bytes + len_bytes + 1) * 2;
        char *data = realloc(writer->data, capacity_bytes);

        if (data == NULL) {
            writer->is_out_of_memory = true;
            return;
        }
        writer->data = data;
        writer->capacity_bytes = capacity_bytes;
    }
    memcpy(writer->data + writer->len_bytes, bytes, len_bytes);
    for (i = 0; i < len_bytes; i++) {
        char byte = writer->data[writer->len_bytes + i];

        if (byte == '\n') {
            writer->column = 0;
        } else if (((unsigned char)byte & 0xc0) != 0x80) { /* characters, not bytes */
            writer->column++;
        }
    }
    writer->len_bytes += len_bytes;
    writer->data[writer->len_bytes] = '\0';
}

static void put_slice(struct doc__writer *writer, struct rt_slice text)
{
    if (text.len_bytes > 0) {
        put(writer, text.data, text.len_bytes);
    }
}

static void put_blanks(struct doc__writer *writer, size_t count)
{
    while (count-- > 0) {
        put(writer, " ", 1);
    }
}

/* Line ends, at most one empty line, none at the start of the file. */
static void put_newlines(struct doc__writer *writer, size_t count)
{
    if (writer->len_bytes > 0 && count > 0) {
        put(writer, "\n\n", count > 1 ? 2 : 1);
    }
}

static struct rt_slice trim_end(struct rt_slice text)
{
    while (text.len_bytes > 0 &&
           (text.data[text.len_bytes - 1] == ' ' || text.data[text.len_bytes - 1] == '\t')) {
        text.len_bytes--;
    }
    return text;
}

/* ---- in file order ---------------------------------------------------------------------- */

void doc__writer_newline(struct doc__writer *writer)
{
    writer->newlines++;
}

void doc__writer_comment(struct doc__writer *writer, struct rt_slice text, size_t old_column,
                         size_t blanks_count)
{
    if (writer->last_token != DOC__TOKEN_NONE && writer->newlines == 0 &&
        writer->comments_count == 0) {
        put_blanks(writer, blanks_count == 0 ? 1 : blanks_count);
        put_slice(writer, trim_end(text));
        return;
    }
    if (writer->comments_count == writer->comments_capacity) {
        size_t capacity = writer->comments_capacity == 0 ? 16 : writer->comments_capacity * 2;
        struct doc__comment *comments =
            doc__arena_alloc_array(writer->arena, capacity, sizeof(*comments));

        if (comments == NULL) {
            writer->is_out_of_memory = true;
            return;
        }
        if (writer->comments_count > 0) {
            memcpy(comments, writer->comments, writer->comments_count * sizeof(*comments));
        }
        writer->comments = comments;
        writer->comments_capacity = capacity;
    }
    writer->comments[writer->comments_count++] = (struct doc__comment){
        .text = trim_end(text), .old_column = old_column, .newlines_before = writer->newlines};
    writer->newlines = 0;
}

void doc__writer_token(struct doc__writer *writer, enum doc__token token,
                       const struct doc__level *level, size_t column, struct rt_slice text)
{
    bool is_first = writer->newlines > 0 || writer->last_token == DOC__TOKEN_NONE;

    flush_comments(writer, level);
    put_newlines(writer, writer->newlines);
    if (is_first) {
        put_blanks(writer, column);
    } else if (needs_blank(writer->last_token, token)) {
        put_blanks(writer, 1);
    }
    put_slice(writer, text);
    writer->newlines = 0;
    writer->last_token = token;
    writer->last_level = level;
}

void doc__writer_continue(struct doc__writer *writer, size_t indent, struct rt_slice text)
{
    put(writer, "\n", 1);
    if (text.len_bytes > 0) {
        put_blanks(writer, indent);
        put_slice(writer, text);
    }
}

void doc__writer_finish(struct doc__writer *writer)
{
    flush_comments(writer, NULL);
    if (writer->len_bytes > 0 && writer->data[writer->len_bytes - 1] != '\n') {
        put(writer, "\n", 1);
    }
}

static bool needs_blank(enum doc__token before, enum doc__token after)
{
    bool is_value_over = before == DOC__TOKEN_SCALAR || before == DOC__TOKEN_CLOSE_MAP ||
                         before == DOC__TOKEN_CLOSE_LIST;

    if (after == DOC__TOKEN_COLON || after == DOC__TOKEN_COMMA) {
        return !is_value_over;
    }
    if (before == DOC__TOKEN_OPEN_MAP || after == DOC__TOKEN_CLOSE_MAP) {
        return !(before == DOC__TOKEN_OPEN_MAP && after == DOC__TOKEN_CLOSE_MAP);
    }
    if (after == DOC__TOKEN_CLOSE_LIST) {
        return before == DOC__TOKEN_COLON; /* [a: ] */
    }
    return before != DOC__TOKEN_OPEN_LIST;
}

/* ---- columns ---------------------------------------------------------------------------- */

/*
 * Inside brackets the writer's own layout is kept: a line that stands beyond the bracket moves
 * with the bracket, one before it moves with the key or dash to which all of it belongs. Elsewhere
 * a value on a line of its own stands one step inside its key.
 */
size_t doc__continued_column(const struct doc__level *level, size_t old_column)
{
    const struct doc__level *block = level;

    if (level->kind == DOC__LEVEL_ROOT) {
        return 0;
    }
    if (level->kind == DOC__LEVEL_BLOCK) {
        return level->new_column + 2;
    }
    if (old_column > level->old_column) {
        return level->new_column + (old_column - level->old_column);
    }
    while (block->kind == DOC__LEVEL_FLOW) {
        block = block->parent;
    }
    if (old_column < block->old_column) {
        return block->new_column;
    }
    return block->new_column + (old_column - block->old_column);
}

static void flush_comments(struct doc__writer *writer, const struct doc__level *next_level)
{
    size_t i;

    for (i = 0; i < writer->comments_count; i++) {
        const struct doc__comment *comment = &writer->comments[i];

        put_newlines(writer, comment->newlines_before);
        put_blanks(writer, comment_column(writer, comment, next_level));
        put_slice(writer, comment->text);
    }
    writer->comments_count = 0;
}

static const struct doc__level *find_level(const struct doc__level *level, size_t old_column)
{
    for (; level != NULL; level = level->parent) {
        if (level->kind != DOC__LEVEL_FLOW && level->old_column == old_column) {
            return level;
        }
    }
    return NULL;
}

/* A comment belongs to the collection in whose column it stands, be it one that begins after it
 * or one that ends before it; failing that to what follows. */
static size_t comment_column(const struct doc__writer *writer, const struct doc__comment *comment,
                             const struct doc__level *next_level)
{
    const struct doc__level *found;

    if (next_level != NULL && next_level->kind == DOC__LEVEL_FLOW) {
        return doc__continued_column(next_level, comment->old_column);
    }
    found = find_level(next_level, comment->old_column);
    if (found == NULL) {
        found = find_level(writer->last_level, comment->old_column);
    }
    if (found == NULL) {
        found = next_level;
    }
    return found == NULL ? 0 : found->new_column;
}
