/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "document/internal.h"

/*
 * From a file to a tree:
 *
 *   doc_load_file --> read_file --.
 *   doc_load_text ----------------+--> load --> check_text --> doc__build
 */
static enum rt_status read_file(const char *path, size_t limit_bytes, struct doc_error_list *errors,
                                struct rt_slice *out_text);
static enum rt_status read_open_file(const char *path, int fd, size_t limit_bytes,
                                     struct doc_error_list *errors, struct rt_slice *out_text);
static enum rt_status read_all(int fd, uint8_t *data, size_t size_bytes, size_t *out_len_bytes);
static enum rt_status load(const char *name, struct rt_slice text, enum doc_mode mode,
                           const struct doc_limits *limits, struct doc_error_list *errors,
                           struct doc **out_doc);
static enum rt_status check_text(struct doc__load *loading);

static const struct doc_limits default_limits = {
    .size_bytes = DOC_DEFAULT_SIZE_BYTES,
    .depth_count = DOC_DEFAULT_DEPTH_COUNT,
    .node_count = DOC_DEFAULT_NODE_COUNT,
    .alias_count = DOC_DEFAULT_ALIAS_COUNT,
};

enum rt_status doc_load_file(const char *path, enum doc_mode mode, const struct doc_limits *limits,
                             struct doc_error_list *errors, struct doc **out_doc)
{
    struct rt_slice text;
    enum rt_status status;

    if (limits == NULL) {
        limits = &default_limits;
    }
    status = read_file(path, limits->size_bytes, errors, &text);
    if (status != RT_OK) {
        return status;
    }
    status = load(path, text, mode, limits, errors, out_doc);
    free((void *)(uintptr_t)text.data);
    return status;
}

enum rt_status doc_load_text(const char *name, struct rt_slice text, enum doc_mode mode,
                             const struct doc_limits *limits, struct doc_error_list *errors,
                             struct doc **out_doc)
{
    if (limits == NULL) {
        limits = &default_limits;
    }
    if (text.len_bytes > limits->size_bytes) {
        doc_error_add_file(errors, name, "the text has %zu bytes, the limit is %zu", text.len_bytes,
                           limits->size_bytes);
        return RT_E_LIMIT;
    }
    return load(name, text, mode, limits, errors, out_doc);
}

static enum rt_status read_file(const char *path, size_t limit_bytes, struct doc_error_list *errors,
                                struct rt_slice *out_text)
{
    /* A FIFO without a writer must not hang the program. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum rt_status status;

    if (fd < 0) {
        int cause = errno;
        doc_error_add_file(errors, path, "cannot open this file: %s", strerror(cause));
        return cause == ENOENT || cause == ENOTDIR ? RT_E_NOT_FOUND : RT_E_IO;
    }
    status = read_open_file(path, fd, limit_bytes, errors, out_text);
    close(fd);
    return status;
}

static enum rt_status read_open_file(const char *path, int fd, size_t limit_bytes,
                                     struct doc_error_list *errors, struct rt_slice *out_text)
{
    struct stat info;
    enum rt_status status;
    size_t size_bytes;
    size_t len_bytes;
    uint8_t *data;

    if (fstat(fd, &info) != 0) {
        doc_error_add_file(errors, path, "cannot look at this file: %s", strerror(errno));
        return RT_E_IO;
    }
    if (!S_ISREG(info.st_mode)) {
        doc_error_add_file(errors, path, "this is %s, not a file",
                           S_ISDIR(info.st_mode) ? "a directory" : "a device, socket or pipe");
        return RT_E_IO;
    }
    size_bytes = (size_t)info.st_size;
    if (size_bytes > limit_bytes) {
        doc_error_add_file(errors, path, "the file has %zu bytes, the limit is %zu", size_bytes,
                           limit_bytes);
        return RT_E_LIMIT;
    }
    data = malloc(size_bytes + 1);
    if (data == NULL) {
        return RT_E_NOMEM;
    }
    status = read_all(fd, data, size_bytes, &len_bytes);
    if (status != RT_OK) {
        doc_error_add_file(errors, path, "cannot read this file: %s", strerror(errno));
        free(data);
        return status;
    }
    *out_text = rt_slice_of(data, len_bytes);
    return RT_OK;
}

/* A file that grows while it is read counts with the size it had. */
static enum rt_status read_all(int fd, uint8_t *data, size_t size_bytes, size_t *out_len_bytes)
{
    size_t len_bytes = 0;

    while (len_bytes < size_bytes) {
        ssize_t count = read(fd, data + len_bytes, size_bytes - len_bytes);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return RT_E_IO;
        }
        if (count == 0) {
            break;
        }
        len_bytes += (size_t)count;
    }
    *out_len_bytes = len_bytes;
    return RT_OK;
}

static enum rt_status load(const char *name, struct rt_slice text, enum doc_mode mode,
                           const struct doc_limits *limits, struct doc_error_list *errors,
                           struct doc **out_doc)
{
    struct doc *doc = calloc(1, sizeof(*doc));
    struct doc__load loading = {.doc = doc, .mode = mode, .limits = *limits, .errors = errors};
    enum rt_status status = RT_E_NOMEM;
    char *path;
    char *copy;

    if (doc == NULL) {
        return RT_E_NOMEM;
    }
    doc__arena_init(&doc->arena);
    doc->warnings = doc_error_list_create();
    path = doc__arena_copy(&doc->arena, rt_slice_text(name));
    copy = doc__arena_copy(&doc->arena, text);
    if (doc->warnings == NULL || path == NULL || copy == NULL) {
        goto destroy_doc;
    }
    status = doc__source_init(&doc->source, &doc->arena, path, rt_slice_of(copy, text.len_bytes));
    if (status != RT_OK) {
        goto destroy_doc;
    }
    status = check_text(&loading);
    if (status != RT_OK) {
        goto destroy_doc;
    }
    status = doc__build(&loading);
    if (status != RT_OK) {
        goto destroy_doc;
    }
    *out_doc = doc;
    return RT_OK;

destroy_doc:
    doc_destroy(doc);
    return status;
}

/* The parser stops in silence at a NUL and at bytes that are no UTF-8: find them before it. */
static enum rt_status check_text(struct doc__load *loading)
{
    const struct doc_source *source = &loading->doc->source;
    struct doc_position position;
    size_t offset;
    uint8_t byte;

    if (!doc__find_bad_byte(source->text, &offset)) {
        return RT_OK;
    }
    byte = source->text.data[offset];
    position = doc__source_position(source, offset);
    if (byte >= 0x80) {
        doc_error_add_at(loading->errors, source, position, position,
                         "byte 0x%02x is not UTF-8 text", byte);
    } else {
        doc_error_add_at(loading->errors, source, position, position,
                         "control character 0x%02x is not allowed in a text file", byte);
    }
    return RT_E_MALFORMED;
}

void doc_destroy(struct doc *doc)
{
    if (doc == NULL) {
        return;
    }
    doc_error_list_destroy(doc->warnings);
    doc__arena_fini(&doc->arena);
    free(doc);
}
