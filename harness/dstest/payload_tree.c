/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/dstest/payload_tree.h"

#include <inttypes.h>

#include "harness/dstest/payload_elements.h"

/* Recursion goes as deep as levels are shown, which the options bound. */
#define LINE_BYTES    512
#define HEX_ROW_BYTES 16U

struct tree {
    FILE *out;
    struct rt_slice document;
    const struct payload_tree_options *options;
};

static void print_value(const struct tree *tree, const struct omni_value *value,
                        const struct omni_value *key, size_t level);
static void print_head(const struct tree *tree, const struct omni_value *value);
static void print_body(const struct tree *tree, const struct omni_body *body);
static void print_tensor(const struct tree *tree, const struct omni_value *value);
static void print_text(const struct tree *tree, struct rt_slice text);
static void print_object(const struct tree *tree, const struct omni_value *map);
static void print_hex_row(FILE *out, struct rt_slice document, size_t row, size_t bad);

void payload_tree_print(FILE *out, const struct omni_value *value, struct rt_slice document,
                        const struct payload_tree_options *options)
{
    struct tree tree = {.out = out, .document = document, .options = options};

    print_value(&tree, value, NULL, 0);
}

static void print_value(const struct tree *tree, const struct omni_value *value,
                        const struct omni_value *key, size_t level)
{
    char text[LINE_BYTES];
    bool is_map = value->kind == OMNI_MAP;
    size_t count = is_map ? value->map.count : value->kind == OMNI_ARRAY ? value->array.count : 0;

    (void)fprintf(tree->out, "%10" PRIu32 "  %*s", value->offset_bytes, (int)(2 * level), "");
    if (key != NULL && key->kind == OMNI_TEXT) {
        print_text(tree, key->body.bytes);
        (void)fputs(": ", tree->out);
    } else if (key != NULL) {
        omni_value_describe(key, text, sizeof(text));
        (void)fprintf(tree->out, "%s: ", text);
    }
    print_head(tree, value);
    (void)fputc('\n', tree->out);
    for (size_t i = 0; i < count; i++) {
        if (i == tree->options->entry_count || level + 1 == tree->options->level_count) {
            (void)fprintf(tree->out, "%10s  %*s... %zu more\n", "", (int)(2 * level + 2), "",
                          count - i);
            return;
        }
        print_value(tree, is_map ? value->map.pairs[i].value : value->array.items[i],
                    is_map ? value->map.pairs[i].key : NULL, level + 1);
    }
}

static void print_head(const struct tree *tree, const struct omni_value *value)
{
    char text[LINE_BYTES];

    switch (value->kind) {
    case OMNI_TEXT:
        (void)fprintf(tree->out, "text, %zu bytes: ", value->body.bytes.len_bytes);
        print_text(tree, value->body.bytes);
        break;
    case OMNI_BYTES:
        (void)fputs("bytes, ", tree->out);
        print_body(tree, &value->body);
        break;
    case OMNI_EXTENSION:
        (void)fprintf(tree->out, "extension %d, ", value->extension.code);
        print_body(tree, &value->extension.body);
        break;
    case OMNI_ARRAY:
        (void)fprintf(tree->out, "array of %zu", value->array.count);
        break;
    case OMNI_MAP:
        (void)fprintf(tree->out, "map of %zu", value->map.count);
        print_object(tree, value);
        break;
    case OMNI_TENSOR:
    case OMNI_NDARRAY:
    case OMNI_IMAGE:
        print_tensor(tree, value);
        break;
    case OMNI_UINT:
    case OMNI_INT:
        omni_value_describe(value, text, sizeof(text));
        (void)fprintf(tree->out, "int %s", text);
        break;
    case OMNI_FLOAT: {
        uint64_t bits;
        memcpy(&bits, &value->number, sizeof(bits));
        omni_value_describe(value, text, sizeof(text));
        (void)fprintf(tree->out, "float %s (0x%016" PRIx64 ")", text, bits);
        break;
    }
    case OMNI_NIL:
    case OMNI_BOOL:
    case OMNI_TIMESTAMP:
        omni_value_describe(value, text, sizeof(text));
        (void)fputs(text, tree->out);
        break;
    }
}

/* What upstream would make of the map. */
static void print_object(const struct tree *tree, const struct omni_value *map)
{
    static const char *const words[] = {
        [OMNI_OBJECT_NONE] = "",
        [OMNI_OBJECT_OMNI_REQUEST_OUTPUT] = "OmniRequestOutput",
        [OMNI_OBJECT_REQUEST_OUTPUT] = "RequestOutput",
        [OMNI_OBJECT_COMPLETION_OUTPUT] = "CompletionOutput",
    };
    enum omni_object_kind kind = omni_map_object_kind(map);

    if (kind != OMNI_OBJECT_NONE) {
        (void)fprintf(tree->out, ", upstream's %s%s", words[kind],
                      omni_map_is_object_complete(map)
                          ? ""
                          : ", which upstream refuses: fields are missing or of another type");
    }
}

static void print_place(const struct tree *tree, struct rt_slice bytes)
{
    if (bytes.len_bytes > 0 && bytes.data >= tree->document.data &&
        bytes.data < tree->document.data + tree->document.len_bytes) {
        (void)fprintf(tree->out, " at %zu", (size_t)(bytes.data - tree->document.data));
    }
}

static void print_body(const struct tree *tree, const struct omni_body *body)
{
    (void)fprintf(tree->out, "%zu bytes", body->bytes.len_bytes);
    print_place(tree, body->bytes);
    (void)fputs(body->bytes.len_bytes > 0 ? ":" : "", tree->out);
    for (size_t i = 0; i < body->bytes.len_bytes; i++) {
        if (i == 2 * tree->options->element_count) {
            (void)fputs(" ...", tree->out);
            break;
        }
        (void)fprintf(tree->out, " %02x", body->bytes.data[i]);
    }
}

static void print_tensor(const struct tree *tree, const struct omni_value *value)
{
    char text[LINE_BYTES];

    omni_value_describe(value, text, sizeof(text));
    (void)fputs(text, tree->out);
    print_place(tree, value->tensor.body.bytes);
    payload_elements_print(tree->out, value, tree->options->element_count);
}

/* Quoted, one line, cut between characters, and with nothing in it that moves a terminal. */
static void print_text(const struct tree *tree, struct rt_slice text)
{
    size_t shown_bytes = text.len_bytes;

    if (shown_bytes > tree->options->text_bytes) {
        shown_bytes = tree->options->text_bytes;
        while (shown_bytes > 0 && (text.data[shown_bytes] & 0xc0) == 0x80) {
            shown_bytes--;
        }
    }
    (void)fputc('"', tree->out);
    for (size_t i = 0; i < shown_bytes; i++) {
        uint8_t byte = text.data[i];
        bool is_c1 = byte == 0xc2 && i + 1 < shown_bytes && text.data[i + 1] < 0xa0;
        if (byte == '"' || byte == '\\') {
            (void)fprintf(tree->out, "\\%c", byte);
        } else if (is_c1) {
            (void)fprintf(tree->out, "\\u%04x", text.data[++i]);
        } else if (byte < 0x20 || byte == 0x7f) {
            (void)fprintf(tree->out, "\\u%04x", byte);
        } else {
            (void)fputc(byte, tree->out);
        }
    }
    (void)fputs(shown_bytes < text.len_bytes ? "\"..." : "\"", tree->out);
}

/* ---- bytes that are no payload ------------------------------------------------------------- */

void payload_error_print(FILE *out, const char *name, struct rt_slice document,
                         const struct omni_codec_error *error)
{
    size_t bad = (size_t)error->offset_bytes;
    size_t row = bad / HEX_ROW_BYTES * HEX_ROW_BYTES;

    (void)fprintf(out, "%s: offset %" PRIu64 ": ", name, error->offset_bytes);
    for (const char *at = error->text; *at != '\0'; at++) {
        (void)fputc((unsigned char)*at < 0x20 || *at == 0x7f ? '?' : *at, out);
    }
    (void)fputc('\n', out);
    if (row >= HEX_ROW_BYTES) {
        print_hex_row(out, document, row - HEX_ROW_BYTES, SIZE_MAX);
    }
    print_hex_row(out, document, row, bad);
    if (row + HEX_ROW_BYTES < document.len_bytes) {
        print_hex_row(out, document, row + HEX_ROW_BYTES, SIZE_MAX);
    }
}

static void print_hex_row(FILE *out, struct rt_slice document, size_t row, size_t bad)
{
    (void)fprintf(out, "%10zu ", row);
    for (size_t i = row; i < row + HEX_ROW_BYTES && i < document.len_bytes; i++) {
        (void)fprintf(out, " %02x", document.data[i]);
    }
    (void)fputc('\n', out);
    if (bad != SIZE_MAX) {
        (void)fprintf(out, "%*s^^ here%s\n", (int)(12 + 3 * (bad - row)), "",
                      bad >= document.len_bytes ? ", where the bytes end" : "");
    }
}
