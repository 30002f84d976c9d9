/* SPDX-License-Identifier: Apache-2.0 */
#include "document/source.h"

#include "runtime/utf8.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";
#define BYTE_ORDER_MARK_BYTES (sizeof(byte_order_mark) - 1)

/* Columns are counted from the nearest mark before, so that a file of one long line is not walked
 * from its start for each of its nodes. */
#define MARK_EVERY_BYTES 256

struct doc_column_mark {
    size_t offset_bytes; /* the first character at or behind the mark's place */
    uint32_t column;
};

static enum rt_status set_marks(struct doc_source *source, struct doc__arena *arena);
static size_t step(struct rt_slice text, size_t offset);

/* A line ends with LF, CR LF or a lone CR. Returns the offset after its end. */
static size_t next_line(struct rt_slice text, size_t offset)
{
    while (offset < text.len_bytes && text.data[offset] != '\n' && text.data[offset] != '\r') {
        offset++;
    }
    if (offset + 1 < text.len_bytes && text.data[offset] == '\r' && text.data[offset + 1] == '\n') {
        return offset + 2;
    }
    return offset + 1; /* beyond the text when the last line has no end */
}

enum rt_status doc__source_init(struct doc_source *source, struct doc__arena *arena,
                                const char *path, struct rt_slice text)
{
    size_t line_count = 1;
    size_t offset;
    size_t *offsets;

    for (offset = next_line(text, 0); offset <= text.len_bytes; offset = next_line(text, offset)) {
        line_count++;
    }
    offsets = doc__arena_alloc_array(arena, line_count, sizeof(*offsets));
    if (offsets == NULL) {
        return RT_E_NOMEM;
    }
    if (text.len_bytes >= BYTE_ORDER_MARK_BYTES &&
        memcmp(text.data, byte_order_mark, BYTE_ORDER_MARK_BYTES) == 0) {
        offsets[0] = BYTE_ORDER_MARK_BYTES; /* invisible, so no column either */
    }
    line_count = 1;
    for (offset = next_line(text, 0); offset <= text.len_bytes; offset = next_line(text, offset)) {
        offsets[line_count++] = offset;
    }
    *source = (struct doc_source){
        .path = path, .text = text, .line_offsets = offsets, .line_count = line_count};
    return set_marks(source, arena);
}

static enum rt_status set_marks(struct doc_source *source, struct doc__arena *arena)
{
    size_t count = source->text.len_bytes / MARK_EVERY_BYTES + 1;
    struct doc_column_mark *marks = doc__arena_alloc_array(arena, count, sizeof(*marks));
    size_t offset = source->line_offsets[0];
    size_t line = 1;
    uint32_t column = 1;
    size_t i;

    if (marks == NULL) {
        return RT_E_NOMEM;
    }
    for (i = 0; i < count; i++) {
        while (offset < i * MARK_EVERY_BYTES) {
            offset += step(source->text, offset);
            column++;
            if (line < source->line_count && offset == source->line_offsets[line]) {
                line++; /* a line starts with a character: none spans its end */
                column = 1;
            }
        }
        marks[i] = (struct doc_column_mark){.offset_bytes = offset, .column = column};
    }
    source->column_marks = marks;
    return RT_OK;
}

/* Bytes of the character at `offset`, 1 for a byte that belongs to none. */
static size_t step(struct rt_slice text, size_t offset)
{
    size_t len = rt_utf8_character_bytes(rt_slice_of(text.data + offset, text.len_bytes - offset));

    return len == 0 ? 1 : len;
}

struct doc_position doc__source_position(const struct doc_source *source, size_t offset_bytes)
{
    struct doc_position position = {.offset_bytes = offset_bytes, .column = 1};
    size_t low = 0;
    size_t high = source->line_count;
    const struct doc_column_mark *mark;
    size_t offset;

    if (position.offset_bytes > source->text.len_bytes) {
        position.offset_bytes = source->text.len_bytes;
    }
    while (high - low > 1) { /* the last line that starts at or before the offset */
        size_t middle = low + (high - low) / 2;
        if (source->line_offsets[middle] <= position.offset_bytes) {
            low = middle;
        } else {
            high = middle;
        }
    }
    position.line = (uint32_t)low + 1;
    offset = source->line_offsets[low];
    mark = &source->column_marks[position.offset_bytes / MARK_EVERY_BYTES];
    if (mark->offset_bytes > offset && mark->offset_bytes <= position.offset_bytes) {
        offset = mark->offset_bytes;
        position.column = mark->column;
    }
    for (; offset < position.offset_bytes; offset += step(source->text, offset)) {
        position.column++;
    }
    return position;
}

struct doc_position doc__source_at(const struct doc_source *source, size_t line, size_t column)
{
    struct rt_slice bytes;
    struct doc_position position;
    size_t offset = 0;

    if (line < 1) {
        line = 1;
    }
    if (line > source->line_count) {
        return doc__source_position(source, source->text.len_bytes);
    }
    bytes = doc__source_line(source, line);
    position = (struct doc_position){.line = (uint32_t)line, .column = 1};
    while (position.column < column && offset < bytes.len_bytes) {
        offset += step(bytes, offset);
        position.column++;
    }
    position.offset_bytes = source->line_offsets[line - 1] + offset;
    return position;
}

struct rt_slice doc__source_line(const struct doc_source *source, size_t line)
{
    size_t start = source->line_offsets[line - 1];
    size_t end = line < source->line_count ? source->line_offsets[line] : source->text.len_bytes;

    while (end > start &&
           (source->text.data[end - 1] == '\n' || source->text.data[end - 1] == '\r')) {
        end--;
    }
    return rt_slice_of(source->text.data + start, end - start);
}

bool doc__find_bad_byte(struct rt_slice text, size_t *out_offset_bytes)
{
    size_t offset = 0;

    while (offset < text.len_bytes) {
        uint8_t byte = text.data[offset];
        size_t len =
            rt_utf8_character_bytes(rt_slice_of(text.data + offset, text.len_bytes - offset));
        bool is_control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';

        if (len == 0 || is_control) {
            *out_offset_bytes = offset;
            return true;
        }
        offset += len;
    }
    return false;
}
