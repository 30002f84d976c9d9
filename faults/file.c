/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/engine.h"

/* A file of faults for programs: a version line, then the list that scenarios have, too. */

struct file {
    int version;
    const struct doc_node *faults;
};

static const struct doc_word versions[] = {
    {"v1", 1, "this one"},
    {NULL, 0, NULL},
};

static const struct doc_field file_fields[] = {
    {.key = "fault-file",
     .help = "the version of the language",
     .kind = DOC_FIELD_WORD,
     .words = versions,
     .is_required = true,
     .offset = offsetof(struct file, version)},
    {.key = "faults",
     .help = "a list of faults",
     .kind = DOC_FIELD_NODE,
     .is_required = true,
     .offset = offsetof(struct file, faults)},
};

static const struct doc_schema file_schema = {
    .name = "fault file",
    .help = "What a fake server does wrong.",
    .fields = file_fields,
    .fields_count = sizeof(file_fields) / sizeof(file_fields[0]),
};

enum rt_status fault_file_load(struct fault_engine *engine, const char *path,
                               struct doc_error_list *errors)
{
    struct file file = {.faults = NULL};
    struct doc *doc = NULL;
    size_t count = engine->rules.count;
    enum rt_status status = doc_load_file(path, DOC_MODE_STRICT, NULL, errors, &doc);

    if (status != RT_OK) {
        return status;
    }
    {
        struct doc_reader reader = {.doc = doc, .errors = errors};

        status = doc_schema_read(&reader, &file_schema, doc_root(doc), &file);
        if (status == RT_OK) {
            status = fault_rules_load(engine, NULL, 0, &reader, file.faults);
        }
    }
    for (; count < engine->rules.count; count++) {
        engine->rules.items[count]->node = NULL; /* the document goes */
    }
    doc_destroy(doc);
    return status;
}
