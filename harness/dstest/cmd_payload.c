/* SPDX-License-Identifier: Apache-2.0 */
/* payload show, payload make: serialized values, looked into and made by hand. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "connector/omni_notation.h"
#include "connector/serializer/omni_base64.h"
#include "harness/dstest/command.h"
#include "harness/dstest/payload_tree.h"

struct options {
    const char *path;   /* "-": standard input */
    const char *output; /* NULL: standard output */
    bool is_making;
    bool is_json;
    bool is_by_lines;
    struct omni_serializer_limits limits;
    struct payload_tree_options tree;
};

static const char HELP[] =
    "usage: dstest payload show [FILE] [--json] [--lines] [LIMITS]\n"
    "       dstest payload make [FILE] [-o OUT] [--lines]\n\n"
    "show  looks into a serialized value, as it lies in a Datasystem under its key: kinds, types,\n"
    "      shapes, sizes, first elements, and at which byte each begins.\n"
    "make  makes one from the JSON notation (docs/reference/payload-notation.md), which can say\n"
    "      every kind of value; `show --json` writes it, and the bytes come back the same.\n\n"
    "FILE and OUT may be `-`, standard input and output, which is the default.\n\n"
    "  --json          the notation, in one line, instead of a tree\n"
    "  --lines         many values, one a line: documents as base64, values as notation;\n"
    "                  what is wrong becomes a line that says so\n"
    "  --levels N      levels of the tree that are shown (default 32, at most 512)\n"
    "  --entries N     entries of each map and array (default 20)\n"
    "  --elements N    first elements of each tensor (default 6)\n"
    "  --max-depth N   refuse documents deeper than this (default 512)\n"
    "  --max-items N   refuse documents with more values (default 16777216)\n\n"
    "exit codes: 0 good, 2 usage, or bytes that are no payload, or JSON that is no value";

static int parse(int argc, char **argv, struct options *options);
static int show(const struct options *options, FILE *out, struct rt_blob *input);
static int show_lines(const struct options *options, FILE *out, struct rt_blob *input);
static int make(const struct options *options, struct rt_blob *input);
static int make_lines(const struct options *options, FILE *out, struct rt_blob *input);
static struct rt_blob *read_input(const char *path);
static FILE *open_output(const struct options *options);
static bool close_output(FILE *out);

int dstest_payload(int argc, char **argv)
{
    struct options options = {
        .path = NULL,
        .tree = {.level_count = 32, .entry_count = 20, .element_count = 6, .text_bytes = 120}};
    int code = parse(argc, argv, &options);

    if (code != 0 || options.path == NULL) {
        return code; /* 0: help was asked for */
    }
    bool is_binary = options.is_making && !options.is_by_lines;
    if (is_binary && options.output == NULL && isatty(STDOUT_FILENO) != 0) {
        return dstest_usage_error("payload", "bytes to a terminal? name a file with -o");
    }
    struct rt_blob *input = read_input(options.path);
    if (input == NULL) {
        return scn_verdict_exit_code(SCN_INVALID);
    }
    if (is_binary) {
        code = make(&options, input);
    } else {
        FILE *out = open_output(&options);
        code = out == NULL           ? scn_verdict_exit_code(SCN_HARNESS_ERROR)
               : options.is_making   ? make_lines(&options, out, input)
               : options.is_by_lines ? show_lines(&options, out, input)
                                     : show(&options, out, input);
        if (out != NULL && !close_output(out)) {
            code = scn_verdict_exit_code(SCN_HARNESS_ERROR);
        }
    }
    rt_blob_release(input);
    return code;
}

/* ---- arguments ----------------------------------------------------------------------------- */

/* Takes --option N. False: not this option. */
static bool take_number(char **argv, int *i, const char *word, uint64_t max, uint64_t *out_number,
                        bool *out_is_bad)
{
    char *end = NULL;

    if (strcmp(argv[*i], word) != 0) {
        return false;
    }
    (*i)++;
    errno = 0;
    *out_number = argv[*i] == NULL ? 0 : strtoull(argv[*i], &end, 10);
    *out_is_bad = argv[*i] == NULL || end == argv[*i] || *end != '\0' || errno != 0 ||
                  argv[*i][0] == '-' || *out_number == 0 || *out_number > max;
    return true;
}

static bool take_limit(char **argv, int *i, struct options *options, bool *out_is_bad)
{
    uint64_t number = 0;

    if (take_number(argv, i, "--levels", 512, &number, out_is_bad)) {
        options->tree.level_count = (size_t)number;
    } else if (take_number(argv, i, "--entries", SIZE_MAX, &number, out_is_bad)) {
        options->tree.entry_count = (size_t)number;
    } else if (take_number(argv, i, "--elements", SIZE_MAX / 2, &number, out_is_bad)) {
        options->tree.element_count = (size_t)number;
    } else if (take_number(argv, i, "--max-depth", 10000, &number, out_is_bad)) {
        options->limits.depth = (uint32_t)number;
    } else if (take_number(argv, i, "--max-items", UINT64_MAX, &number, out_is_bad)) {
        options->limits.items = number;
    } else {
        return false;
    }
    return true;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const char *const words[] = {"--json",     "--lines",     "--levels",    "--entries",
                                        "--elements", "--max-depth", "--max-items", "-o"};
    const char *path = NULL;

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)puts(HELP);
        return 0;
    }
    if (argc < 2 || (strcmp(argv[1], "show") != 0 && strcmp(argv[1], "make") != 0)) {
        return dstest_usage_error("payload", "show or make?");
    }
    options->is_making = strcmp(argv[1], "make") == 0;
    for (int i = 2; i < argc; i++) {
        bool is_bad = false;
        if (strcmp(argv[i], "--help") == 0) {
            (void)puts(HELP);
            return 0;
        }
        if (strcmp(argv[i], "--json") == 0) {
            options->is_json = true;
        } else if (strcmp(argv[i], "--lines") == 0) {
            options->is_by_lines = true;
        } else if (strcmp(argv[i], "-o") == 0) {
            if (i + 1 == argc) {
                return dstest_usage_error("payload", "-o into which file?");
            }
            options->output = strcmp(argv[++i], "-") == 0 ? NULL : argv[i];
        } else if (take_limit(argv, &i, options, &is_bad)) {
            if (is_bad) {
                return dstest_usage_error("payload", "%s takes a number within its limits",
                                          i < argc ? argv[i - 1] : argv[argc - 1]);
            }
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return dstest_unknown_option("payload", argv[i], words,
                                         sizeof(words) / sizeof(words[0]));
        } else if (path != NULL) {
            return dstest_usage_error("payload", "one file at a time, not also %s", argv[i]);
        } else {
            path = argv[i];
        }
    }
    options->path = path == NULL ? "-" : path;
    return 0;
}

/* ---- input --------------------------------------------------------------------------------- */

static void free_input(void *arg, void *data)
{
    (void)arg;
    free(data);
}

static struct rt_blob *read_input(const char *path)
{
    bool is_standard = strcmp(path, "-") == 0;
    FILE *in = is_standard ? stdin : fopen(path, "rb");
    uint8_t *data = NULL;
    size_t used_bytes = 0;
    size_t room_bytes = 0;
    bool is_read = in != NULL;

    while (is_read && feof(in) == 0) {
        if (used_bytes == room_bytes) {
            room_bytes = room_bytes == 0 ? 65536 : 2 * room_bytes;
            uint8_t *grown = realloc(data, room_bytes);
            if (grown == NULL) {
                is_read = false;
                break;
            }
            data = grown;
        }
        used_bytes += fread(data + used_bytes, 1, room_bytes - used_bytes, in);
        is_read = ferror(in) == 0;
    }
    if (!is_read) {
        (void)fprintf(stderr, "dstest payload: %s: %s\n", path, strerror(errno));
    }
    if (in != NULL && !is_standard) {
        (void)fclose(in);
    }
    struct rt_blob *blob = is_read ? rt_blob_wrap(data, used_bytes, free_input, NULL) : NULL;
    if (blob == NULL) {
        free(data);
    }
    return blob;
}

/* The next line, without its end. False: none is left. */
static bool next_line(struct rt_slice *rest, struct rt_slice *out_line)
{
    if (rest->len_bytes == 0) {
        return false;
    }
    const uint8_t *end = memchr(rest->data, '\n', rest->len_bytes);
    size_t len_bytes = end == NULL ? rest->len_bytes : (size_t)(end - rest->data);
    size_t taken_bytes = end == NULL ? len_bytes : len_bytes + 1;

    *out_line = rt_slice_of(rest->data, len_bytes);
    *rest = rt_slice_of(rest->data + taken_bytes, rest->len_bytes - taken_bytes);
    return true;
}

/* NULL: told on stderr. */
static FILE *open_output(const struct options *options)
{
    FILE *out = options->output == NULL ? stdout : fopen(options->output, "wb");

    if (out == NULL) {
        (void)fprintf(stderr, "dstest payload: %s: %s\n", options->output, strerror(errno));
    }
    return out;
}

static bool close_output(FILE *out)
{
    bool is_written = out != NULL && fflush(out) == 0 && ferror(out) == 0;

    if (out != NULL && out != stdout) {
        is_written = fclose(out) == 0 && is_written;
    }
    if (out != NULL && !is_written) {
        (void)fprintf(stderr, "dstest payload: the output could not be written\n");
    }
    return is_written;
}

/* ---- show ---------------------------------------------------------------------------------- */

/* RT_OK, or what the decoder said. */
static enum rt_status show_document(const struct options *options, FILE *out,
                                    struct rt_blob *document, struct omni_codec_error *out_error)
{
    struct omni_arena *arena = omni_arena_create();
    const struct omni_value *value = NULL;
    enum rt_status status = arena == NULL
                                ? RT_E_NOMEM
                                : omni_decode(document, arena, &options->limits, &value, out_error);

    if (status == RT_OK && options->is_json) {
        status = omni_notation_write(out, value);
        (void)fputc('\n', out);
    } else if (status == RT_OK) {
        (void)fprintf(out, "%s: %zu bytes\n    offset  value\n",
                      options->is_by_lines ? "value" : options->path,
                      rt_blob_slice(document).len_bytes);
        payload_tree_print(out, value, rt_blob_slice(document), &options->tree);
    }
    omni_arena_destroy(arena);
    return status;
}

static int show(const struct options *options, FILE *out, struct rt_blob *input)
{
    struct omni_codec_error error = {.text = "out of memory"};
    struct rt_slice document = rt_blob_slice(input);

    if (show_document(options, out, input, &error) == RT_OK) {
        return 0;
    }
    (void)fflush(out);
    payload_error_print(stderr, options->path, document, &error);
    return scn_verdict_exit_code(SCN_INVALID);
}

static int show_lines(const struct options *options, FILE *out, struct rt_blob *input)
{
    struct rt_slice rest = rt_blob_slice(input);
    struct rt_slice line;
    int code = 0;

    while (next_line(&rest, &line)) {
        struct omni_codec_error error = {.text = "not base64"};
        size_t len_bytes = 0;
        size_t bad_offset = 0;
        uint8_t *data = NULL;
        enum rt_status status = RT_E_MALFORMED;
        struct rt_blob *document =
            omni_base64_size(line, &len_bytes) ? rt_blob_create(len_bytes, &data) : NULL;
        if (document != NULL && omni_base64_read(line, data, &bad_offset)) {
            status = show_document(options, out, document, &error);
        }
        if (status != RT_OK) {
            (void)fprintf(out, "error: offset %llu: %s\n", (unsigned long long)error.offset_bytes,
                          error.text);
            code = scn_verdict_exit_code(SCN_INVALID);
        }
        rt_blob_release(document);
    }
    return code;
}

/* ---- make ---------------------------------------------------------------------------------- */

struct made {
    struct omni_arena *arena;
    struct omni_encoded encoded;
};

/* On failure `errors` says why, and nothing is left behind. */
static bool make_document(const char *name, struct rt_slice text, struct doc_error_list *errors,
                          struct made *out_made)
{
    struct omni_codec_error error = {.text = "out of memory"};
    const struct omni_value *value = NULL;

    *out_made = (struct made){.arena = omni_arena_create()};
    if (out_made->arena != NULL &&
        omni_notation_read(name, text, out_made->arena, errors, &value) == RT_OK &&
        omni_encode(value, NULL, &out_made->encoded, &error) == RT_OK) {
        return true;
    }
    if (doc_error_total_count(errors) == 0) {
        (void)doc_error_add_file(errors, name, "%s", error.text);
    }
    omni_arena_destroy(out_made->arena);
    return false;
}

static void made_fini(struct made *made)
{
    omni_encoded_fini(&made->encoded);
    omni_arena_destroy(made->arena);
}

/* A file is opened once there is something to put into it. */
static int make(const struct options *options, struct rt_blob *input)
{
    struct doc_error_list *errors = doc_error_list_create();
    struct made made;

    if (errors == NULL || !make_document(options->path, rt_blob_slice(input), errors, &made)) {
        if (errors != NULL) {
            doc_error_list_print(stderr, errors);
        }
        doc_error_list_destroy(errors);
        return scn_verdict_exit_code(SCN_INVALID);
    }
    FILE *out = open_output(options);
    for (size_t i = 0; out != NULL && i < made.encoded.value.piece_count; i++) {
        struct rt_slice piece = made.encoded.value.pieces[i].bytes;
        (void)fwrite(piece.data, 1, piece.len_bytes, out);
    }
    made_fini(&made);
    doc_error_list_destroy(errors);
    return close_output(out) ? 0 : scn_verdict_exit_code(SCN_HARNESS_ERROR);
}

static bool write_base64(FILE *out, const struct dsrpc_value *value)
{
    uint8_t *data = NULL;
    size_t used_bytes = 0;
    struct rt_blob *joined = rt_blob_create((size_t)value->total_bytes, &data);

    if (joined == NULL) {
        return false;
    }
    for (size_t i = 0; i < value->piece_count; i++) {
        struct rt_slice piece = value->pieces[i].bytes;
        memcpy(data + used_bytes, piece.data, piece.len_bytes);
        used_bytes += piece.len_bytes;
    }
    omni_base64_write(out, rt_blob_slice(joined));
    rt_blob_release(joined);
    return true;
}

static int make_lines(const struct options *options, FILE *out, struct rt_blob *input)
{
    struct doc_error_list *errors = doc_error_list_create();
    struct rt_slice rest = rt_blob_slice(input);
    struct rt_slice line;
    int code = errors == NULL ? scn_verdict_exit_code(SCN_HARNESS_ERROR) : 0;

    for (size_t number = 1; errors != NULL && next_line(&rest, &line); number++) {
        char name[512];
        struct made made;
        (void)snprintf(name, sizeof(name), "%s, value %zu", options->path, number);
        doc_error_list_clear(errors);
        bool is_made = make_document(name, line, errors, &made);
        if (is_made) {
            is_made = write_base64(out, &made.encoded.value);
            made_fini(&made);
        }
        if (!is_made) {
            const struct doc_error *error = doc_error_at(errors, 0);
            (void)fprintf(out, "error: %s:%u: %s", name, error == NULL ? 0 : error->column,
                          error == NULL ? "out of memory" : error->message);
            code = scn_verdict_exit_code(SCN_INVALID);
        }
        (void)fputc('\n', out);
    }
    doc_error_list_destroy(errors);
    return code;
}
