/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a file to scenarios: read the tree, expand `matrix` (the file once for each combination)
 * and `repeat` (a step N times), fill the structs through the tables, check what refers to what.
 */
#include <stdlib.h>

#include "harness/language/scenario_schema.h"

#define MATRIX_NAMES_MAX     8
#define MATRIX_COUNT_MAX     1000
#define STEPS_MAX            20000
#define REPEAT_MAX           10000
#define DEFAULT_MEMORY       ((uint64_t)1 << 30)
#define DEFAULT_DEAD_US      60000000u
#define DEFAULT_RECONNECT_US 5000000u

static enum rt_status read_all(struct scn_file *file, struct doc_error_list *errors);
static enum rt_status read_one(struct scn_file *file, struct doc_error_list *errors, size_t index,
                               const struct scn_variable *variables, size_t count);
static enum rt_status set_defaults(struct scn_scenario *scenario, struct doc *doc);

enum rt_status scn_file_load(const char *path, struct doc_error_list *errors,
                             struct scn_file **out_file)
{
    struct scn_file *file = calloc(1, sizeof(*file));
    enum rt_status status = RT_E_NOMEM;

    if (file == NULL) {
        return RT_E_NOMEM;
    }
    status = doc_load_file(path, DOC_MODE_STRICT, NULL, errors, &file->doc);
    if (status != RT_OK) {
        scn_file_destroy(file);
        return status == RT_E_NOMEM ? status : RT_E_INVALID;
    }
    status = read_all(file, errors);
    if (status != RT_OK) {
        scn_file_destroy(file);
        return status;
    }
    *out_file = file;
    return RT_OK;
}

void scn_file_destroy(struct scn_file *file)
{
    if (file == NULL) {
        return;
    }
    doc_destroy(file->doc);
    free(file->scenarios);
    free(file);
}

/* ---- matrix ---- */

static bool is_matrix_valid(const struct doc_node *matrix, struct doc_error_list *errors,
                            size_t *out_count)
{
    size_t count = 1;

    if (matrix->kind != DOC_KIND_MAPPING || matrix->count == 0 ||
        matrix->count > MATRIX_NAMES_MAX) {
        struct doc_error *error = doc_error_add(errors, matrix, "a matrix names 1 to 8 lists");
        doc_error_help(errors, error, "for example: matrix: {code: [K_TRY_AGAIN, \"1001\"]}");
        return false;
    }
    for (size_t i = 0; i < matrix->count; i++) {
        const struct doc_node *values = matrix->pairs[i].value;
        if (values->kind != DOC_KIND_SEQUENCE || values->count == 0) {
            doc_error_add(errors, values, "a list of values is needed here");
            return false;
        }
        for (size_t k = 0; k < values->count; k++) {
            if (values->items[k]->kind != DOC_KIND_SCALAR) {
                doc_error_add(errors, values->items[k], "a value of a matrix is a plain text");
                return false;
            }
        }
        count *= values->count;
        if (count > MATRIX_COUNT_MAX) {
            doc_error_add(errors, matrix, "a matrix has at most %d combinations", MATRIX_COUNT_MAX);
            return false;
        }
    }
    *out_count = count;
    return true;
}

/* Combination `index`, the last name running fastest. */
static size_t choose(const struct doc_node *matrix, size_t index, struct scn_variable *out_values)
{
    for (size_t i = matrix->count; i > 0; i--) {
        const struct doc_node *values = matrix->pairs[i - 1].value;
        out_values[i - 1].name = matrix->pairs[i - 1].key->text;
        out_values[i - 1].value = values->items[index % values->count]->text;
        index /= values->count;
    }
    return matrix->count;
}

static enum rt_status read_all(struct scn_file *file, struct doc_error_list *errors)
{
    const struct doc_node *matrix = doc_find(doc_root(file->doc), "matrix");
    struct scn_variable variables[MATRIX_NAMES_MAX];
    size_t count = 1;

    if (matrix != NULL && !is_matrix_valid(matrix, errors, &count)) {
        return RT_E_INVALID;
    }
    file->scenarios = calloc(count, sizeof(*file->scenarios));
    if (file->scenarios == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        size_t used = matrix == NULL ? 0 : choose(matrix, i, variables);
        enum rt_status status = read_one(file, errors, i, variables, used);
        if (status != RT_OK) {
            return status;
        }
        file->count++;
    }
    return RT_OK;
}

/* ---- one scenario ---- */

/* A list that nothing asks for runs the same scenario again and again. */
static bool are_lists_used(const struct doc_node *root, const struct scn_variable *variables,
                           size_t count, struct doc_error_list *errors)
{
    const struct doc_node *matrix = doc_find(root, "matrix");
    bool is_right = true;

    for (size_t i = 0; i < count; i++) {
        if (!scn__uses_variable(root, &variables[i])) {
            doc_error_add(errors, matrix->pairs[i].key, "nothing in the file asks for ${%s}",
                          variables[i].name);
            is_right = false;
        }
    }
    return is_right;
}

/* "name [code=K_TRY_AGAIN]": stable, so that a report names the combination. */
static const char *name_with(struct doc *doc, const char *name,
                             const struct scn_variable *variables, size_t count)
{
    char text[512];
    size_t used = (size_t)snprintf(text, sizeof(text), "%s", name);

    if (count == 0) {
        return name;
    }
    for (size_t i = 0; i < count && used < sizeof(text); i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s", i == 0 ? " [" : ", ",
                                 variables[i].name, variables[i].value);
    }
    if (used < sizeof(text)) {
        (void)snprintf(text + used, sizeof(text) - used, "]");
    }
    char *copy = doc_alloc(doc, strlen(text) + 1);
    return copy == NULL ? name : strcpy(copy, text);
}

static enum rt_status read_one(struct scn_file *file, struct doc_error_list *errors, size_t index,
                               const struct scn_variable *variables, size_t count)
{
    struct scn_scenario *scenario = &file->scenarios[index];
    struct doc_reader reader = {.doc = file->doc, .errors = errors};
    const struct doc_node *root = doc_root(file->doc);

    if (root == NULL || root->kind != DOC_KIND_MAPPING || root->count == 0 ||
        !doc_is_text(root->pairs[0].key, "scenario")) {
        struct doc_error *error =
            doc_error_add_at(errors, doc_get_source(file->doc),
                             root == NULL ? (struct doc_position){0, 1, 1} : root->start,
                             root == NULL ? (struct doc_position){0, 1, 1} : root->start,
                             "the first line of a scenario file is its version");
        doc_error_help(errors, error, "begin the file with: scenario: v1");
        return RT_E_INVALID;
    }
    if (index == 0 && (!scn__check_variables(root, variables, count, errors) ||
                       !are_lists_used(root, variables, count, errors))) {
        return RT_E_INVALID;
    }
    if (count > 0) {
        root = scn__substitute(file->doc, root, variables, count);
        if (root == NULL) {
            return RT_E_NOMEM;
        }
    }
    enum rt_status status = doc_schema_read(&reader, scn_scenario_schema(), root, scenario);
    if (status != RT_OK) {
        return status;
    }
    scenario->doc = file->doc;
    scenario->path = doc_get_source(file->doc)->path;
    scenario->name = name_with(file->doc, scenario->name, variables, count);
    status = set_defaults(scenario, file->doc);
    if (status != RT_OK) {
        return status;
    }
    return scn__check(scenario, errors);
}

static enum rt_status set_defaults(struct scn_scenario *scenario, struct doc *doc)
{
    const struct scn_world_spec *world = &scenario->world;
    struct doc_list *workers = &scenario->world.workers;
    bool is_about_etcd =
        world->etcds.count > 0 && world->connectors.count == 0 && world->clients.count == 0;

    if (workers->count == 0 && !is_about_etcd) {
        struct scn_worker_spec *only = doc_alloc(doc, sizeof(*only));
        if (only == NULL) {
            return RT_E_NOMEM;
        }
        only->name.text = "worker-1";
        workers->items = only;
        workers->count = 1;
    }
    struct scn_worker_spec *specs = workers->items;
    for (size_t i = 0; i < workers->count; i++) {
        if (specs[i].memory_bytes == 0) {
            specs[i].memory_bytes = DEFAULT_MEMORY;
        }
        if (specs[i].client_dead_timeout_us == 0) {
            specs[i].client_dead_timeout_us = DEFAULT_DEAD_US;
        }
        if (specs[i].client_reconnect_wait_us == 0) {
            specs[i].client_reconnect_wait_us = DEFAULT_RECONNECT_US;
        }
    }
    struct scn_party_spec *connectors = scenario->world.connectors.items;
    for (size_t i = 0; i < scenario->world.connectors.count; i++) {
        connectors[i].from_stage =
            connectors[i].from_stage == NULL ? "0" : connectors[i].from_stage;
        connectors[i].to_stage = connectors[i].to_stage == NULL ? "1" : connectors[i].to_stage;
    }
    return RT_OK;
}

/* ---- steps ---- */

/* A step without its `repeat`, which the table does not know. */
static const struct doc_node *without_repeat(struct doc *doc, const struct doc_node *node)
{
    struct doc_node *copy = doc_alloc(doc, sizeof(*copy));
    struct doc_pair *pairs = doc_alloc(doc, sizeof(*pairs) * (node->count + 1));
    size_t kept = 0;

    if (copy == NULL || pairs == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!doc_is_text(node->pairs[i].key, "repeat")) {
            pairs[kept++] = node->pairs[i];
        }
    }
    *copy = *node;
    copy->pairs = pairs;
    copy->count = kept;
    return copy;
}

static enum rt_status repeat_of(struct doc_reader *reader, const struct doc_node *node,
                                int64_t *out_count)
{
    const struct doc_node *repeat = doc_find(node, "repeat");

    *out_count = 1;
    if (repeat == NULL) {
        return RT_OK;
    }
    return doc_read_integer(repeat, 1, REPEAT_MAX, reader->errors, out_count);
}

static enum rt_status count_steps(struct doc_reader *reader, const struct doc_node *node,
                                  size_t *out_count)
{
    size_t total = 0;

    for (size_t i = 0; i < node->count; i++) {
        int64_t count = 0;
        if (repeat_of(reader, node->items[i], &count) != RT_OK) {
            return RT_E_INVALID;
        }
        total += (size_t)count;
        if (total > STEPS_MAX) {
            doc_error_add(reader->errors, node->items[i], "a scenario has at most %d steps",
                          STEPS_MAX);
            return RT_E_INVALID;
        }
    }
    *out_count = total;
    return RT_OK;
}

static enum rt_status read_step(struct doc_reader *reader, const struct doc_node *node,
                                int64_t index, bool is_repeated, struct scn_step *out_step)
{
    char number[24];
    struct scn_variable variable = {"i", number};

    (void)snprintf(number, sizeof(number), "%lld", (long long)index);
    if (is_repeated) {
        node = without_repeat(reader->doc, node);
        node = node == NULL ? NULL : scn__substitute(reader->doc, node, &variable, 1);
        if (node == NULL) {
            return RT_E_NOMEM;
        }
    }
    out_step->node = node;
    return doc_schema_read(reader, &scn__step_schema, node, out_step);
}

enum rt_status scn__steps_read(struct doc_reader *reader, const struct doc_node *node,
                               struct doc_list *out_steps)
{
    size_t total = 0;
    size_t used = 0;
    enum rt_status worst = RT_OK;

    if (node->kind != DOC_KIND_SEQUENCE || node->count == 0) {
        doc_error_add(reader->errors, node, "a list of steps is needed here, not %s",
                      node->kind == DOC_KIND_SEQUENCE ? "an empty one" : doc_describe(node));
        return RT_E_INVALID;
    }
    if (count_steps(reader, node, &total) != RT_OK) {
        return RT_E_INVALID;
    }
    struct scn_step *steps = doc_alloc(reader->doc, sizeof(*steps) * total);
    if (steps == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < node->count; i++) {
        int64_t count = 0;
        bool is_repeated = doc_find(node->items[i], "repeat") != NULL;
        (void)repeat_of(reader, node->items[i], &count);
        for (int64_t k = 0; k < count; k++) {
            enum rt_status status =
                read_step(reader, node->items[i], k, is_repeated, &steps[used++]);
            if (status == RT_E_NOMEM) {
                return status;
            }
            if (status != RT_OK) {
                worst = status;
                break; /* the other repetitions would say the same */
            }
        }
    }
    out_steps->items = steps;
    out_steps->count = used;
    return worst;
}
