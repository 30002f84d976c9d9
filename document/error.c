/* SPDX-License-Identifier: Apache-2.0 */
#include "document/error.h"

#include <stdarg.h>
#include <stdlib.h>

#include "document/arena.h"
#include "document/source.h"
#include "document/tree.h"
#include "runtime/utf8.h"

/* Longer source lines are cut to this many characters around the caret. */
#define EXCERPT_COLUMNS       160
#define EXCERPT_BEFORE        60
#define LARGEST_ALLOWED_WORDS 64

struct doc_error_list {
    struct doc_error items[DOC_ERROR_CAP];
    size_t count;
    size_t total_count;
    struct doc__arena arena;
};

static struct doc_error *add(struct doc_error_list *errors, const char *path,
                             struct doc_position start, const char *format, va_list args)
    RT_PRINTF(4, 0);
static struct doc_error *add_at(struct doc_error_list *errors, const struct doc_source *source,
                                struct doc_position start, struct doc_position end,
                                const char *format, va_list args) RT_PRINTF(5, 0);
static void show_line(struct doc_error_list *errors, struct doc_error *error,
                      const struct doc_source *source, struct doc_position end);
static void print_error(FILE *out, const struct doc_error *error);

struct doc_error_list *doc_error_list_create(void)
{
    struct doc_error_list *errors = calloc(1, sizeof(*errors));

    if (errors != NULL) {
        doc__arena_init(&errors->arena);
    }
    return errors;
}

void doc_error_list_destroy(struct doc_error_list *errors)
{
    if (errors == NULL) {
        return;
    }
    doc__arena_fini(&errors->arena);
    free(errors);
}

void doc_error_list_clear(struct doc_error_list *errors)
{
    doc__arena_fini(&errors->arena);
    errors->count = 0;
    errors->total_count = 0;
}

size_t doc_error_count(const struct doc_error_list *errors)
{
    return errors->count;
}

size_t doc_error_total_count(const struct doc_error_list *errors)
{
    return errors->total_count;
}

const struct doc_error *doc_error_at(const struct doc_error_list *errors, size_t index)
{
    return index < errors->count ? &errors->items[index] : NULL;
}

/* ---- adding ----------------------------------------------------------------------------- */

struct doc_error *doc_error_add_file(struct doc_error_list *errors, const char *path,
                                     const char *format, ...)
{
    struct doc_error *error;
    va_list args;

    va_start(args, format);
    error = add(errors, path, (struct doc_position){0}, format, args);
    va_end(args);
    return error;
}

struct doc_error *doc_error_add_at(struct doc_error_list *errors, const struct doc_source *source,
                                   struct doc_position start, struct doc_position end,
                                   const char *format, ...)
{
    struct doc_error *error;
    va_list args;

    va_start(args, format);
    error = add_at(errors, source, start, end, format, args);
    va_end(args);
    return error;
}

struct doc_error *doc_error_add(struct doc_error_list *errors, const struct doc_node *node,
                                const char *format, ...)
{
    struct doc_position end = node->kind == DOC_KIND_SCALAR ? node->end : node->start;
    struct doc_error *error;
    va_list args;

    va_start(args, format);
    error = add_at(errors, node->source, node->start, end, format, args);
    va_end(args);
    return error;
}

struct doc_error *doc_error_add_inside(struct doc_error_list *errors, const struct doc_node *node,
                                       size_t offset_bytes, size_t len_bytes, const char *format,
                                       ...)
{
    struct doc_position start = node->start;
    struct doc_position end = node->kind == DOC_KIND_SCALAR ? node->end : node->start;
    bool is_quoted =
        node->style == DOC_STYLE_SINGLE_QUOTED || node->style == DOC_STYLE_DOUBLE_QUOTED;
    size_t first = node->start.offset_bytes + (is_quoted ? 1 : 0);
    struct rt_slice text = node->source->text;
    struct doc_error *error;
    va_list args;

    if (node->kind == DOC_KIND_SCALAR && offset_bytes <= node->text_len_bytes &&
        len_bytes <= node->text_len_bytes - offset_bytes &&
        first + node->text_len_bytes <= text.len_bytes && node->text_len_bytes > 0 &&
        memcmp(text.data + first, node->text, node->text_len_bytes) == 0) {
        start = doc__source_position(node->source, first + offset_bytes);
        end = doc__source_position(node->source, first + offset_bytes + len_bytes);
    }
    va_start(args, format);
    error = add_at(errors, node->source, start, end, format, args);
    va_end(args);
    return error;
}

static struct doc_error *add_at(struct doc_error_list *errors, const struct doc_source *source,
                                struct doc_position start, struct doc_position end,
                                const char *format, va_list args)
{
    struct doc_error *error = add(errors, source->path, start, format, args);

    if (error != NULL) {
        show_line(errors, error, source, end);
    }
    return error;
}

static struct doc_error *add(struct doc_error_list *errors, const char *path,
                             struct doc_position start, const char *format, va_list args)
{
    char *path_copy;
    char *message;

    errors->total_count++;
    if (errors->count == DOC_ERROR_CAP) {
        return NULL;
    }
    path_copy = doc__arena_copy(&errors->arena, rt_slice_text(path));
    message = doc__arena_vprintf(&errors->arena, format, args);
    if (path_copy == NULL || message == NULL) {
        return NULL;
    }
    errors->items[errors->count] = (struct doc_error){
        .path = path_copy, .line = start.line, .column = start.column, .message = message};
    return &errors->items[errors->count++];
}

/* Copies bytes [start, end) so that each character takes one column: tabs and bytes that are no
 * text become one blank or question mark, and carets stay under what they mean. */
static char *printable(struct doc__arena *arena, struct rt_slice line, const char *before,
                       const char *after)
{
    char *copy = doc__arena_alloc(arena, strlen(before) + line.len_bytes + strlen(after) + 1);
    char *to = copy;
    size_t i = 0;

    if (copy == NULL) {
        return NULL;
    }
    to = stpcpy(to, before);
    while (i < line.len_bytes) {
        size_t len = rt_utf8_character_bytes(rt_slice_of(line.data + i, line.len_bytes - i));

        if (len == 0 || line.data[i] < 0x20) {
            *to++ = line.data[i] == '\t' ? ' ' : '?';
            i++;
            continue;
        }
        memcpy(to, line.data + i, len);
        to += len;
        i += len;
    }
    strcpy(to, after);
    return copy;
}

/* How many characters `text` has. */
static size_t columns_in(struct rt_slice text)
{
    size_t count = 0;
    size_t i = 0;

    while (i < text.len_bytes) {
        size_t len = rt_utf8_character_bytes(rt_slice_of(text.data + i, text.len_bytes - i));
        i += len == 0 ? 1 : len;
        count++;
    }
    return count;
}

static void show_line(struct doc_error_list *errors, struct doc_error *error,
                      const struct doc_source *source, struct doc_position end)
{
    struct rt_slice line = doc__source_line(source, error->line);
    size_t columns = columns_in(line);
    size_t first = 1; /* columns [first, last] are shown */
    size_t last = columns;
    size_t from;
    size_t to;

    if (columns == 0) {
        return; /* nothing to show */
    }
    error->caret_count = 1;
    if (end.line == error->line && end.column > error->column) {
        error->caret_count = end.column - error->column;
    } else if (end.line > error->line && columns >= error->column) {
        error->caret_count = (uint32_t)columns - error->column + 1;
    }
    if (columns > EXCERPT_COLUMNS) {
        first = error->column > EXCERPT_BEFORE ? error->column - EXCERPT_BEFORE : 1;
        last = first + EXCERPT_COLUMNS - 1 < columns ? first + EXCERPT_COLUMNS - 1 : columns;
    }
    from = doc__source_at(source, error->line, first).offset_bytes;
    to = doc__source_at(source, error->line, last + 1).offset_bytes;
    error->caret_column = error->column - (uint32_t)first + 1;
    if (first > 1) {
        error->caret_column++; /* the mark of the cut */
    }
    if (error->column + error->caret_count > last + 1 && error->column <= last) {
        error->caret_count = (uint32_t)last + 1 - error->column;
    }
    error->source_line = printable(&errors->arena, rt_slice_of(source->text.data + from, to - from),
                                   first > 1 ? "…" : "", last < columns ? "…" : "");
}

void doc_error_allow(struct doc_error_list *errors, struct doc_error *error, struct rt_slice given,
                     const char *const *words, size_t words_count)
{
    const char **copies;
    const char *nearest = doc_nearest_word(given, words, words_count);
    size_t count = words_count < LARGEST_ALLOWED_WORDS ? words_count : LARGEST_ALLOWED_WORDS;
    size_t i;

    if (error == NULL) {
        return;
    }
    copies = doc__arena_alloc_array(&errors->arena, count + 1, sizeof(*copies));
    if (copies == NULL) {
        return;
    }
    for (i = 0; i < count; i++) {
        copies[i] = doc__arena_copy(&errors->arena, rt_slice_text(words[i]));
        if (copies[i] == NULL) {
            return;
        }
    }
    error->allowed_words = copies;
    error->allowed_count = count;
    if (nearest != NULL) {
        error->nearest_word = doc__arena_copy(&errors->arena, rt_slice_text(nearest));
    }
}

void doc_error_help(struct doc_error_list *errors, struct doc_error *error, const char *format, ...)
{
    va_list args;

    if (error == NULL) {
        return;
    }
    va_start(args, format);
    error->help = doc__arena_vprintf(&errors->arena, format, args);
    va_end(args);
}

/* ---- printing --------------------------------------------------------------------------- */

char *doc_error_format(const struct doc_error *error)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL) {
        return NULL;
    }
    print_error(out, error);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

void doc_error_print(FILE *out, const struct doc_error *error)
{
    print_error(out, error);
}

static void print_error(FILE *out, const struct doc_error *error)
{
    size_t i;

    if (error->line == 0) {
        fprintf(out, "%s: %s\n", error->path, error->message);
    } else {
        fprintf(out, "%s:%u:%u: %s\n", error->path, error->line, error->column, error->message);
    }
    if (error->source_line != NULL) {
        fprintf(out, "%s\n%*s", error->source_line, (int)error->caret_column - 1, "");
        for (i = 0; i < error->caret_count; i++) {
            fputc('^', out);
        }
        fputc('\n', out);
    }
    if (error->nearest_word != NULL) {
        fprintf(out, "help: did you mean \"%s\"?\n", error->nearest_word);
    }
    if (error->allowed_count > 0) {
        fputs("help: allowed here: ", out);
        for (i = 0; i < error->allowed_count; i++) {
            fprintf(out, "%s%s", i == 0 ? "" : ", ", error->allowed_words[i]);
        }
        fputc('\n', out);
    }
    if (error->help != NULL) {
        fprintf(out, "help: %s\n", error->help);
    }
}

void doc_error_list_print(FILE *out, const struct doc_error_list *errors)
{
    size_t i;

    for (i = 0; i < errors->count; i++) {
        if (i > 0) {
            fputc('\n', out);
        }
        print_error(out, &errors->items[i]);
    }
    if (errors->total_count > errors->count) {
        fprintf(out, "\nand %zu more\n", errors->total_count - errors->count);
    }
}
