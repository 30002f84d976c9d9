/* SPDX-License-Identifier: Apache-2.0 */
#include "document/format.h"

#include <stdlib.h>

#include "document/internal.h"
#include "document/writer.h"

/*
 * The tree says where scalars and collections begin; everything between two scalars is blanks,
 * line ends, comments and signs, because strict documents have no tags and no anchors. So one walk
 * over the tree with a cursor in the source meets every token in order:
 *
 *   on_node --> on_block_mapping, on_block_sequence, on_flow --> on_node …
 *           --> on_scalar, on_block_scalar
 *   gap: from the cursor to an offset, signs, comments and line ends go to the writer
 */

struct formatter {
    struct doc__writer writer;
    struct doc *doc;
    struct rt_slice text;
    size_t cursor;
    bool has_failed; /* something stands where nothing should: leave the file alone */
};

static void on_node(struct formatter *formatter, const struct doc_node *node,
                    const struct doc__level *parent);
static void on_block(struct formatter *formatter, const struct doc_node *node,
                     const struct doc__level *parent);
static void on_flow(struct formatter *formatter, const struct doc_node *node,
                    const struct doc__level *parent);
static void on_scalar(struct formatter *formatter, const struct doc_node *node,
                      const struct doc__level *level, bool is_key);
static void on_block_scalar(struct formatter *formatter, const struct doc__level *level);
static void gap(struct formatter *formatter, size_t until, const struct doc__level *level);
static enum rt_status check_same(const char *name, const struct doc *before, const char *text,
                                 size_t len_bytes, struct doc_error_list *errors);

enum rt_status doc_format_text(const char *name, struct rt_slice text,
                               struct doc_error_list *errors, char **out_text,
                               size_t *out_len_bytes)
{
    const struct doc__level root = {.kind = DOC__LEVEL_ROOT};
    struct formatter formatter = {0};
    struct doc *doc;
    enum rt_status status = doc_load_text(name, text, DOC_MODE_STRICT, NULL, errors, &doc);

    if (status != RT_OK) {
        return status;
    }
    formatter.doc = doc;
    formatter.text = doc->source.text;
    formatter.cursor = doc->source.line_offsets[0]; /* a byte order mark goes */
    formatter.writer.arena = &doc->arena;
    on_node(&formatter, doc->root, &root);
    gap(&formatter, formatter.text.len_bytes, &root);
    doc__writer_finish(&formatter.writer);
    if (formatter.writer.is_out_of_memory) {
        status = RT_E_NOMEM;
        goto destroy_doc;
    }
    if (formatter.has_failed) {
        struct doc_position position = doc__source_position(&doc->source, formatter.cursor);
        doc_error_add_at(errors, &doc->source, position, position,
                         "the formatter does not understand this place");
        status = RT_E_INVALID;
        goto destroy_doc;
    }
    status = check_same(name, doc, formatter.writer.data, formatter.writer.len_bytes, errors);
    if (status != RT_OK) {
        goto destroy_doc;
    }
    *out_text = formatter.writer.data;
    *out_len_bytes = formatter.writer.len_bytes;
    formatter.writer.data = NULL;

destroy_doc:
    free(formatter.writer.data);
    doc_destroy(doc);
    return status;
}

/* Reads the result again: a formatter that changes a meaning is worse than none. */
static enum rt_status check_same(const char *name, const struct doc *before, const char *text,
                                 size_t len_bytes, struct doc_error_list *errors)
{
    struct doc_error_list *ignored = doc_error_list_create();
    struct doc *after = NULL;
    enum rt_status status;

    if (ignored == NULL) {
        return RT_E_NOMEM;
    }
    status =
        doc_load_text(name, rt_slice_of(text, len_bytes), DOC_MODE_STRICT, NULL, ignored, &after);
    if (status != RT_E_NOMEM && (status != RT_OK || !doc_is_equal(before->root, after->root))) {
        doc_error_add_file(errors, name,
                           "formatting would change what this file means; it was "
                           "left as it is");
        status = RT_E_INVALID;
    }
    doc_destroy(after);
    doc_error_list_destroy(ignored);
    return status;
}

/* ---- small helpers ---------------------------------------------------------------------- */

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static bool is_at_end(const struct formatter *formatter)
{
    return formatter->cursor >= formatter->text.len_bytes;
}

static uint8_t peek(const struct formatter *formatter)
{
    return is_at_end(formatter) ? 0 : formatter->text.data[formatter->cursor];
}

/* Over one LF, CR LF or CR. */
static void skip_line_end(struct formatter *formatter)
{
    if (peek(formatter) == '\r') {
        formatter->cursor++;
        if (peek(formatter) != '\n') {
            return;
        }
    }
    formatter->cursor++;
}

static size_t old_column(const struct formatter *formatter, size_t offset)
{
    return doc__source_position(&formatter->doc->source, offset).column - 1;
}

/* The rest of the line from the cursor, which stays. */
static struct rt_slice rest_of_line(const struct formatter *formatter)
{
    size_t end = formatter->cursor;

    while (end < formatter->text.len_bytes && !is_line_end(formatter->text.data[end])) {
        end++;
    }
    return rt_slice_of(formatter->text.data + formatter->cursor, end - formatter->cursor);
}

/* Levels outlive their collection: a comment after it may stand in its column. */
static const struct doc__level *new_level(struct formatter *formatter,
                                          const struct doc__level *parent,
                                          enum doc__level_kind kind, size_t before, size_t after)
{
    struct doc__level *level = doc__arena_alloc(&formatter->doc->arena, sizeof(*level));

    if (level == NULL) {
        formatter->writer.is_out_of_memory = true;
        return parent;
    }
    *level = (struct doc__level){
        .parent = parent, .kind = kind, .old_column = before, .new_column = after};
    return level;
}

/* ---- between scalars -------------------------------------------------------------------- */

static enum doc__token token_of(uint8_t byte)
{
    switch (byte) {
    case '-':
        return DOC__TOKEN_DASH;
    case '?':
        return DOC__TOKEN_QUESTION;
    case ':':
        return DOC__TOKEN_COLON;
    case ',':
        return DOC__TOKEN_COMMA;
    case '{':
        return DOC__TOKEN_OPEN_MAP;
    case '}':
        return DOC__TOKEN_CLOSE_MAP;
    case '[':
        return DOC__TOKEN_OPEN_LIST;
    case ']':
        return DOC__TOKEN_CLOSE_LIST;
    default:
        return DOC__TOKEN_NONE;
    }
}

static bool is_document_mark(const struct formatter *formatter, const struct doc__level *level)
{
    const uint8_t *at = formatter->text.data + formatter->cursor;

    return level->kind == DOC__LEVEL_ROOT && formatter->text.len_bytes - formatter->cursor >= 3 &&
           (memcmp(at, "---", 3) == 0 || memcmp(at, "...", 3) == 0);
}

/* One sign. False when there is something else. */
static bool put_sign(struct formatter *formatter, const struct doc__level *level)
{
    bool is_mark = is_document_mark(formatter, level);
    enum doc__token token = is_mark ? DOC__TOKEN_MARK : token_of(peek(formatter));
    size_t len = is_mark ? 3 : 1;
    size_t column;

    if (token == DOC__TOKEN_NONE) {
        return false;
    }
    column = doc__continued_column(level, old_column(formatter, formatter->cursor));
    if (level->kind == DOC__LEVEL_BLOCK &&
        (token == DOC__TOKEN_DASH || token == DOC__TOKEN_QUESTION || token == DOC__TOKEN_COLON)) {
        column = level->new_column;
    }
    doc__writer_token(&formatter->writer, token, level, column,
                      rt_slice_of(formatter->text.data + formatter->cursor, len));
    formatter->cursor += len;
    return true;
}

/* Stops before `until` at the header of a block scalar and at what it does not know. */
static void gap(struct formatter *formatter, size_t until, const struct doc__level *level)
{
    size_t blanks_count = 0;

    while (formatter->cursor < until) {
        uint8_t byte = peek(formatter);

        if (is_blank(byte)) {
            blanks_count++;
            formatter->cursor++;
            continue;
        }
        if (is_line_end(byte)) {
            doc__writer_newline(&formatter->writer);
            skip_line_end(formatter);
        } else if (byte == '#') {
            struct rt_slice comment = rest_of_line(formatter);

            doc__writer_comment(&formatter->writer, comment,
                                old_column(formatter, formatter->cursor), blanks_count);
            formatter->cursor += comment.len_bytes;
        } else if (!put_sign(formatter, level)) {
            formatter->has_failed = formatter->has_failed || (byte != '|' && byte != '>');
            return;
        }
        blanks_count = 0;
    }
}

/* To `until`, with nothing unknown on the way. */
static void gap_exactly(struct formatter *formatter, size_t until, const struct doc__level *level)
{
    gap(formatter, until, level);
    formatter->has_failed = formatter->has_failed || formatter->cursor != until;
}

/* ---- nodes ------------------------------------------------------------------------------ */

static void on_node(struct formatter *formatter, const struct doc_node *node,
                    const struct doc__level *parent)
{
    if (formatter->has_failed) {
        return;
    }
    if (node->kind == DOC_KIND_SCALAR) {
        on_scalar(formatter, node, parent, false);
    } else if (node->style == DOC_STYLE_FLOW) {
        on_flow(formatter, node, parent);
    } else {
        on_block(formatter, node, parent);
    }
}

static void on_pairs(struct formatter *formatter, const struct doc_node *node,
                     const struct doc__level *level)
{
    size_t i;

    for (i = 0; i < node->count && !formatter->has_failed; i++) {
        on_scalar(formatter, node->pairs[i].key, level, true);
        on_node(formatter, node->pairs[i].value, level);
    }
}

static void on_items(struct formatter *formatter, const struct doc_node *node,
                     const struct doc__level *level)
{
    size_t i;

    for (i = 0; i < node->count && !formatter->has_failed; i++) {
        const struct doc_node *item = node->items[i];

        /* The dash of this item, also when the item begins with a dash of its own. */
        if (item->style == DOC_STYLE_BLOCK) {
            gap_exactly(formatter, item->start.offset_bytes, level);
        }
        on_node(formatter, item, level);
    }
}

/* Two columns inside its key or dash; a list below a key is indented too. */
static void on_block(struct formatter *formatter, const struct doc_node *node,
                     const struct doc__level *parent)
{
    size_t column = parent->kind == DOC__LEVEL_ROOT ? 0 : parent->new_column + 2;
    const struct doc__level *level;

    gap_exactly(formatter, node->start.offset_bytes, parent);
    level = new_level(formatter, parent, DOC__LEVEL_BLOCK, node->start.column - 1, column);
    if (node->kind == DOC_KIND_MAPPING) {
        on_pairs(formatter, node, level);
    } else {
        on_items(formatter, node, level);
    }
}

static void on_flow(struct formatter *formatter, const struct doc_node *node,
                    const struct doc__level *parent)
{
    const struct doc__level *level;
    uint8_t first = formatter->text.data[node->start.offset_bytes];
    size_t column;

    if (first != '{' && first != '[') { /* the mapping in [a: b] */
        on_pairs(formatter, node, parent);
        return;
    }
    gap_exactly(formatter, node->start.offset_bytes, parent);
    if (formatter->has_failed || !put_sign(formatter, parent)) {
        formatter->has_failed = true;
        return;
    }
    column = formatter->writer.column - 1;
    if (first == '{' && !is_blank(peek(formatter)) && !is_line_end(peek(formatter))) {
        column++; /* lines that are aligned with the first key move with it */
    }
    level = new_level(formatter, parent, DOC__LEVEL_FLOW, node->start.column - 1, column);
    if (node->kind == DOC_KIND_MAPPING) {
        on_pairs(formatter, node, level);
    } else {
        on_items(formatter, node, level);
    }
    gap_exactly(formatter, node->end.offset_bytes, level);
}

/* ---- scalars ---------------------------------------------------------------------------- */

static struct rt_slice trim(struct rt_slice line, bool is_end_too)
{
    while (line.len_bytes > 0 && is_blank(line.data[0])) {
        line.data++;
        line.len_bytes--;
    }
    while (is_end_too && line.len_bytes > 0 && is_blank(line.data[line.len_bytes - 1])) {
        line.len_bytes--;
    }
    return line;
}

/* The part of the cursor's line that belongs to a scalar ending at `end`. In double quotes a
 * blank before the line end may be escaped, so it stays. */
static struct rt_slice take_line(struct formatter *formatter, const struct doc_node *node)
{
    struct rt_slice line = rest_of_line(formatter);
    size_t left = node->end.offset_bytes - formatter->cursor;
    bool is_last = line.len_bytes >= left;

    if (is_last) {
        line.len_bytes = left;
    }
    formatter->cursor += line.len_bytes;
    return trim(line, !is_last && node->style != DOC_STYLE_DOUBLE_QUOTED);
}

static void on_scalar(struct formatter *formatter, const struct doc_node *node,
                      const struct doc__level *level, bool is_key)
{
    bool is_block = node->style == DOC_STYLE_LITERAL || node->style == DOC_STYLE_FOLDED;
    size_t column;

    gap(formatter, node->start.offset_bytes, level);
    if (is_block && (peek(formatter) == '|' || peek(formatter) == '>')) {
        on_block_scalar(formatter, level);
        return;
    }
    if (formatter->cursor != node->start.offset_bytes) {
        formatter->has_failed = true;
        return;
    }
    if (node->end.offset_bytes == node->start.offset_bytes) {
        return; /* nothing is there */
    }
    column = doc__continued_column(level, node->start.column - 1);
    if (is_key && level->kind == DOC__LEVEL_BLOCK) {
        column = level->new_column;
    }
    doc__writer_token(&formatter->writer, DOC__TOKEN_SCALAR, level, column,
                      take_line(formatter, node));
    while (formatter->cursor < node->end.offset_bytes) {
        struct rt_slice blanks;

        skip_line_end(formatter);
        blanks = rest_of_line(formatter);
        blanks.len_bytes -= trim(blanks, false).len_bytes;
        column = doc__continued_column(level,
                                       old_column(formatter, formatter->cursor + blanks.len_bytes));
        doc__writer_continue(&formatter->writer, column, take_line(formatter, node));
    }
}

/* ---- block scalars ---------------------------------------------------------------------- */

static size_t count_spaces(struct rt_slice line)
{
    size_t count = 0;

    while (count < line.len_bytes && line.data[count] == ' ') {
        count++;
    }
    return count;
}

/* The indentation of the text below a header without a digit: that of its first line. */
static size_t find_indent(const struct formatter *formatter)
{
    struct formatter ahead = *formatter;

    while (!is_at_end(&ahead)) {
        struct rt_slice line = rest_of_line(&ahead);
        size_t spaces = count_spaces(line);

        if (spaces < line.len_bytes) {
            return spaces;
        }
        ahead.cursor += line.len_bytes;
        skip_line_end(&ahead);
    }
    return 0;
}

/* Lines of text move together. Empty lines at the end belong to the text only if it keeps them. */
static void move_lines(struct formatter *formatter, size_t before, size_t after, bool keeps_end)
{
    size_t empty_count = 0;

    while (!is_at_end(formatter)) {
        struct rt_slice line = rest_of_line(formatter);
        size_t spaces = count_spaces(line);
        bool is_empty = spaces == line.len_bytes && spaces <= before;

        if (!is_empty && spaces < before) {
            break;
        }
        formatter->cursor += line.len_bytes;
        skip_line_end(formatter);
        if (is_empty) {
            empty_count++;
            continue;
        }
        for (; empty_count > 0; empty_count--) {
            doc__writer_continue(&formatter->writer, 0, rt_slice_of(NULL, 0));
        }
        doc__writer_continue(&formatter->writer, after,
                             rt_slice_of(line.data + before, line.len_bytes - before));
    }
    for (; keeps_end && empty_count > 0; empty_count--) {
        doc__writer_continue(&formatter->writer, 0, rt_slice_of(NULL, 0));
    }
    for (empty_count++; empty_count > 0; empty_count--) {
        doc__writer_newline(&formatter->writer);
    }
}

static void on_block_scalar(struct formatter *formatter, const struct doc__level *level)
{
    struct rt_slice header = rest_of_line(formatter);
    size_t parent_before = level->kind == DOC__LEVEL_ROOT ? 0 : level->old_column;
    size_t after = level->kind == DOC__LEVEL_ROOT ? 2 : level->new_column + 2;
    bool keeps_end;
    size_t before = 0;
    size_t i;

    for (i = 0; i < header.len_bytes && !is_blank(header.data[i]); i++) {
        if (header.data[i] >= '1' && header.data[i] <= '9') {
            before = parent_before + (size_t)(header.data[i] - '0');
            after = after - 2 + (size_t)(header.data[i] - '0');
        }
    }
    header.len_bytes = i;
    keeps_end = memchr(header.data, '+', header.len_bytes) != NULL;
    doc__writer_token(&formatter->writer, DOC__TOKEN_SCALAR, level,
                      doc__continued_column(level, old_column(formatter, formatter->cursor)),
                      header);
    formatter->cursor += header.len_bytes;
    gap(formatter, formatter->cursor + rest_of_line(formatter).len_bytes, level);
    if (is_at_end(formatter) || formatter->has_failed) {
        return;
    }
    skip_line_end(formatter);
    if (before == 0) {
        before = find_indent(formatter);
    }
    if (level->kind != DOC__LEVEL_ROOT && before <= parent_before) {
        doc__writer_newline(&formatter->writer); /* no text at all */
        return;
    }
    move_lines(formatter, before, after, keeps_end);
}
