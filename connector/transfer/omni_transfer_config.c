/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "connector/transfer/omni_transfer_internal.h"

/*
 * From a file to a configuration:
 *
 *   load_file --suffix--.
 *   load_text ----------+--> load --> doc_load --> read_root --> find_parts --> index_names
 *                                        |             |           --> read_stages --> automatic
 *                                        '-------------+--> tell the problems
 */
static enum rt_status load(const char *path, const struct rt_slice *text, enum doc_mode mode,
                           omni_transfer_problem_fn *report, void *arg,
                           struct omni_transfer_config **out_config);
static enum rt_status load_documented(const char *path, const struct rt_slice *text,
                                      enum doc_mode mode, struct doc_error_list *errors,
                                      omni_transfer_problem_fn *report, void *arg,
                                      struct omni_transfer_config **out_config);
static enum rt_status read_root(const struct doc_node *root, struct doc_error_list *errors,
                                struct doc_error_list *warnings,
                                struct omni_transfer_config **out_config);
static enum rt_status read_parts(struct omni__reader *reader, const struct doc_node *root);
static enum rt_status find_parts(struct omni__reader *reader, const struct doc_node *root);
static bool is_falsy(const struct doc_node *node);
static struct omni_transfer_config *new_config(const char *path);
static enum rt_status refuse_suffix(const char *path, omni_transfer_problem_fn *report, void *arg);
static void tell(const struct doc_error_list *problems, bool is_warning,
                 omni_transfer_problem_fn *report, void *arg);

/* ---- suffixes ------------------------------------------------------------------------------ */

static const struct {
    const char *suffix;
    enum doc_mode mode;
} formats[] = {
    {".yaml", DOC_MODE_YAML11},
    {".yml", DOC_MODE_YAML11},
    {".json", DOC_MODE_JSON},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

/* As Python's Path.suffix: a dot that begins or ends the name makes none. "" for none. */
static const char *suffix_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');

    return dot == NULL || dot == name || dot[1] == '\0' ? "" : dot;
}

enum rt_status omni_transfer_config_load_file(const char *path, omni_transfer_problem_fn *report,
                                              void *arg, struct omni_transfer_config **out_config)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (strcasecmp(suffix_of(path), formats[i].suffix) == 0) {
            return load(path, NULL, formats[i].mode, report, arg, out_config);
        }
    }
    return refuse_suffix(path, report, arg);
}

/* A missing file is noticed before its suffix. */
static enum rt_status refuse_suffix(const char *path, omni_transfer_problem_fn *report, void *arg)
{
    struct stat info;
    bool is_there = stat(path, &info) == 0;
    struct doc_error_list *errors = doc_error_list_create();

    if (errors == NULL) {
        return RT_E_NOMEM;
    }
    if (is_there) {
        const char *suffix = suffix_of(path);
        struct doc_error *error =
            doc_error_add_file(errors, path, "the suffix %s%s%s is not that of a configuration",
                               *suffix == '\0' ? "" : "\"", *suffix == '\0' ? "(none)" : suffix,
                               *suffix == '\0' ? "" : "\"");
        doc_error_help(errors, error, "name the file .yaml, .yml or .json");
    } else {
        (void)doc_error_add_file(errors, path, "cannot open this file: %s", strerror(ENOENT));
    }
    tell(errors, false, report, arg);
    doc_error_list_destroy(errors);
    return is_there ? RT_E_INVALID : RT_E_NOT_FOUND;
}

enum rt_status omni_transfer_config_load_text(const char *name, struct rt_slice text,
                                              enum omni_transfer_format format,
                                              omni_transfer_problem_fn *report, void *arg,
                                              struct omni_transfer_config **out_config)
{
    enum doc_mode mode = format == OMNI_TRANSFER_JSON ? DOC_MODE_JSON : DOC_MODE_YAML11;

    return load(name, &text, mode, report, arg, out_config);
}

/* ---- loading ------------------------------------------------------------------------------- */

static enum rt_status load(const char *path, const struct rt_slice *text, enum doc_mode mode,
                           omni_transfer_problem_fn *report, void *arg,
                           struct omni_transfer_config **out_config)
{
    struct doc_error_list *errors = doc_error_list_create();

    if (errors == NULL) {
        return RT_E_NOMEM;
    }
    enum rt_status status = load_documented(path, text, mode, errors, report, arg, out_config);
    tell(errors, false, report, arg);
    doc_error_list_destroy(errors);
    return status;
}

static enum rt_status load_documented(const char *path, const struct rt_slice *text,
                                      enum doc_mode mode, struct doc_error_list *errors,
                                      omni_transfer_problem_fn *report, void *arg,
                                      struct omni_transfer_config **out_config)
{
    struct doc *doc = NULL;
    struct omni_transfer_config *config = NULL;
    enum rt_status status = text == NULL ? doc_load_file(path, mode, NULL, errors, &doc)
                                         : doc_load_text(path, *text, mode, NULL, errors, &doc);
    if (status != RT_OK) {
        return status;
    }
    struct doc_error_list *warnings = doc_error_list_create();
    status = RT_E_NOMEM;
    if (warnings != NULL) {
        status = read_root(doc_root(doc), errors, warnings, &config);
        tell(doc_warnings(doc), true, report, arg);
        tell(warnings, true, report, arg);
        doc_error_list_destroy(warnings);
    }
    doc_destroy(doc);
    if (status == RT_OK) {
        *out_config = config;
    }
    return status;
}

/* An empty file, or null, is no configuration. */
static enum rt_status read_root(const struct doc_node *root, struct doc_error_list *errors,
                                struct doc_error_list *warnings,
                                struct omni_transfer_config **out_config)
{
    if (root == NULL || doc_is_null(root)) {
        return RT_OK;
    }
    if (root->kind != DOC_KIND_MAPPING) {
        (void)doc_error_add(errors, root, "a transfer configuration is a mapping, not %s",
                            doc_describe(root));
        return RT_E_INVALID;
    }
    struct omni_transfer_config *config = new_config(root->source->path);
    if (config == NULL) {
        return RT_E_NOMEM;
    }
    struct omni__reader reader = {.config = config, .errors = errors, .warnings = warnings};
    enum rt_status status = read_parts(&reader, root);
    omni__forget_references(&reader);
    if (status == RT_OK) {
        status = omni__list_edges(config);
    }
    if (status != RT_OK) {
        omni_transfer_config_destroy(config);
        return status;
    }
    *out_config = config;
    return RT_OK;
}

static enum rt_status read_parts(struct omni__reader *reader, const struct doc_node *root)
{
    enum rt_status status = find_parts(reader, root);

    if (status == RT_OK) {
        status = omni__index_names(reader);
    }
    if (status == RT_OK) {
        status = omni__read_stages(reader);
    }
    if (status == RT_OK) {
        status = omni__add_automatic_edges(reader);
    }
    return status;
}

/* Two spellings. The newer one is `stages` without `stage_args`: connectors and edges of the top
 * level then count where `runtime` has none of its own, and a `runtime` without meaning is none. */
static enum rt_status find_parts(struct omni__reader *reader, const struct doc_node *root)
{
    struct omni__parts *parts = &reader->parts;
    const struct doc_node *runtime = doc_find(root, "runtime");
    bool is_newer = doc_find(root, "stages") != NULL && doc_find(root, "stage_args") == NULL;

    if (runtime != NULL && runtime->kind != DOC_KIND_MAPPING) {
        if (!is_newer || !is_falsy(runtime)) {
            (void)doc_error_add(reader->errors, runtime, "`runtime` is a mapping, not %s",
                                doc_describe(runtime));
            return RT_E_INVALID;
        }
        runtime = NULL;
    }
    parts->connectors = doc_find(runtime, "connectors");
    parts->edges = doc_find(runtime, "edges");
    parts->stages = doc_find(root, is_newer ? "stages" : "stage_args");
    if (is_newer && parts->connectors == NULL) {
        parts->connectors = doc_find(root, "connectors");
    }
    if (is_newer && parts->edges == NULL) {
        parts->edges = doc_find(root, "edges");
    }
    return RT_OK;
}

/* What Python takes for false. */
static bool is_falsy(const struct doc_node *node)
{
    if (node->kind != DOC_KIND_SCALAR) {
        return node->count == 0;
    }
    switch (node->type) {
    case DOC_TYPE_NULL:
        return true;
    case DOC_TYPE_BOOL:
        return !node->boolean;
    case DOC_TYPE_INTEGER:
    case DOC_TYPE_FLOAT:
        return !(node->number < 0) && !(node->number > 0) && strcmp(node->canonical, "nan") != 0;
    case DOC_TYPE_TEXT:
        return node->text_len_bytes == 0;
    case DOC_TYPE_TIMESTAMP:
        break;
    }
    return false;
}

static struct omni_transfer_config *new_config(const char *path)
{
    struct omni_transfer_config *config = calloc(1, sizeof(*config));

    if (config == NULL) {
        return NULL;
    }
    config->arena = omni_arena_create();
    if (config->arena == NULL ||
        omni__copy_text(config->arena, rt_slice_text(path), &config->path) != RT_OK) {
        omni_transfer_config_destroy(config);
        return NULL;
    }
    return config;
}

void omni_transfer_config_destroy(struct omni_transfer_config *config)
{
    if (config == NULL) {
        return;
    }
    RT_TABLE_FORGET(config->edges);
    RT_TABLE_FORGET(config->stages);
    omni_arena_destroy(config->arena);
    free(config);
}

const char *omni_transfer_config_path(const struct omni_transfer_config *config)
{
    return config->path;
}

/* ---- shared -------------------------------------------------------------------------------- */

enum rt_status omni__copy_text(struct omni_arena *arena, struct rt_slice text,
                               const char **out_text)
{
    char *copy = omni_arena_alloc(arena, text.len_bytes + 1);

    if (copy == NULL) {
        return RT_E_NOMEM;
    }
    if (text.len_bytes > 0) {
        memcpy(copy, text.data, text.len_bytes);
    }
    copy[text.len_bytes] = '\0';
    *out_text = copy;
    return RT_OK;
}

bool omni__id_of(const struct doc_node *node, const char **out_id)
{
    if (node->kind != DOC_KIND_SCALAR || strlen(node->text) != node->text_len_bytes) {
        return false;
    }
    *out_id = node->canonical;
    return true;
}

/* ---- problems ------------------------------------------------------------------------------ */

static void tell(const struct doc_error_list *problems, bool is_warning,
                 omni_transfer_problem_fn *report, void *arg)
{
    size_t count = doc_error_count(problems);
    size_t total_count = doc_error_total_count(problems);
    char more[64];

    for (size_t i = 0; report != NULL && i < count; i++) {
        const struct doc_error *error = doc_error_at(problems, i);
        char *text = doc_error_format(error);
        const struct omni_transfer_problem problem = {
            .is_warning = is_warning,
            .path = error->path,
            .line = error->line,
            .column = error->column,
            .message = error->message,
            .text = text == NULL ? error->message : text,
        };
        report(arg, &problem);
        free(text);
    }
    if (report != NULL && count > 0 && total_count > count) {
        (void)snprintf(more, sizeof(more), "and %zu more\n", total_count - count);
        const struct omni_transfer_problem problem = {.is_warning = is_warning,
                                                      .path = doc_error_at(problems, 0)->path,
                                                      .message = more,
                                                      .text = more};
        report(arg, &problem);
    }
}
