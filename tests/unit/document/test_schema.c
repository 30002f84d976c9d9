/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

#include "document/schema.h"

/* A small language with every kind of field: a story with a world and steps. */

enum colour { RED = 3, GREEN = 7 };
enum step_kind { STEP_PUT = 1, STEP_WAIT = 2, STEP_GROUP = 3 };

struct edge {
    struct doc_name name;
    const char *from;
    uint64_t timeout_us;
};

struct step {
    enum step_kind kind;
    const char *put_key;
    uint64_t wait_us;
    struct doc_list group; /* of struct step */
    struct doc_range took;
};

struct story {
    const char *name;
    enum colour colour;
    int64_t workers;
    bool is_optional;
    uint64_t memory_bytes;
    struct doc_list edges; /* of struct edge */
    struct doc_list steps; /* of struct step */
    struct doc_list tags;  /* of const char * */
    const struct doc_node *anything;
    const struct doc_node *workers_node;
    size_t payload_len;
};

static const struct doc_field edge_fields[] = {
    {.key = "from",
     .kind = DOC_FIELD_TEXT,
     .is_required = true,
     .offset = offsetof(struct edge, from),
     .help = "the sending stage"},
    {.key = "timeout",
     .kind = DOC_FIELD_DURATION,
     .offset = offsetof(struct edge, timeout_us),
     .preset = "1s"},
};
static const struct doc_schema edge_schema = {
    .name = "edge", .fields = edge_fields, .fields_count = 2, .help = "One connector."};
static const struct doc_field edge_item = {.kind = DOC_FIELD_MAPPING, .schema = &edge_schema};

static const struct doc_schema step_schema;
static const struct doc_field step_item = {.kind = DOC_FIELD_MAPPING, .schema = &step_schema};
static const struct doc_field step_fields[] = {
    {.key = "put",
     .kind = DOC_FIELD_TEXT,
     .is_choice = true,
     .choice = STEP_PUT,
     .offset = offsetof(struct step, put_key)},
    {.key = "wait",
     .kind = DOC_FIELD_DURATION,
     .is_choice = true,
     .choice = STEP_WAIT,
     .offset = offsetof(struct step, wait_us)},
    {.key = "group",
     .kind = DOC_FIELD_LIST,
     .is_choice = true,
     .choice = STEP_GROUP,
     .offset = offsetof(struct step, group),
     .item = &step_item,
     .item_size_bytes = sizeof(struct step),
     .min_count = 1},
    {.key = "took",
     .kind = DOC_FIELD_RANGE,
     .unit = DOC_UNIT_DURATION,
     .offset = offsetof(struct step, took)},
};
static const struct doc_schema step_schema = {.name = "a step",
                                              .fields = step_fields,
                                              .fields_count = 4,
                                              .choice_at = DOC_NODE_AT(struct step, kind)};

static const struct doc_word colours[] = {
    {"red", RED, "stop"}, {"green", GREEN, NULL}, {NULL, 0, NULL}};
static const struct doc_field text_item = {.kind = DOC_FIELD_TEXT};

static enum rt_status read_payload(struct doc_reader *reader, const struct doc_field *field,
                                   const struct doc_node *node, void *destination)
{
    (void)field;
    if (node->kind != DOC_KIND_SCALAR) {
        doc_error_add(reader->errors, node, "a payload is text");
        return RT_E_INVALID;
    }
    *(size_t *)destination = node->text_len_bytes;
    return RT_OK;
}

static const struct doc_field story_fields[] = {
    {.key = "name",
     .kind = DOC_FIELD_TEXT,
     .is_required = true,
     .offset = offsetof(struct story, name),
     .help = "what happens, in one sentence"},
    {.key = "colour",
     .kind = DOC_FIELD_WORD,
     .words = colours,
     .offset = offsetof(struct story, colour)},
    {.key = "workers",
     .kind = DOC_FIELD_INTEGER,
     .min = 1,
     .max = 9,
     .preset = "1",
     .offset = offsetof(struct story, workers),
     .node_at = DOC_NODE_AT(struct story, workers_node)},
    {.key = "optional", .kind = DOC_FIELD_BOOL, .offset = offsetof(struct story, is_optional)},
    {.key = "memory", .kind = DOC_FIELD_SIZE, .offset = offsetof(struct story, memory_bytes)},
    {.key = "edges",
     .kind = DOC_FIELD_MAP,
     .item = &edge_item,
     .item_size_bytes = sizeof(struct edge),
     .offset = offsetof(struct story, edges)},
    {.key = "steps",
     .kind = DOC_FIELD_LIST,
     .item = &step_item,
     .item_size_bytes = sizeof(struct step),
     .offset = offsetof(struct story, steps)},
    {.key = "tags",
     .kind = DOC_FIELD_LIST,
     .item = &text_item,
     .item_size_bytes = sizeof(const char *),
     .offset = offsetof(struct story, tags)},
    {.key = "anything", .kind = DOC_FIELD_NODE, .offset = offsetof(struct story, anything)},
    {.key = "payload",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_payload,
     .shape = "text | hex:",
     .json_schema = "{\"type\": \"string\"}",
     .offset = offsetof(struct story, payload_len)},
};
static const struct doc_schema story_schema = {.name = "story",
                                               .fields = story_fields,
                                               .fields_count = 10,
                                               .help = "A whole file.",
                                               .example = "name: x\n"};

static enum rt_status read(struct fixture *fx, const char *text, struct story *story)
{
    const struct doc_node *root = root_of(fx, DOC_MODE_STRICT, text);
    struct doc_reader reader = {.doc = fx->doc, .errors = fx->errors};

    return doc_schema_read(&reader, &story_schema, root, story);
}

static void assert_error(struct fixture *fx, size_t index, uint32_t line, uint32_t column,
                         const char *message)
{
    const struct doc_error *error = doc_error_at(fx->errors, index);

    assert_non_null(error);
    assert_string_equal(error->message, message);
    assert_int_equal(error->line, line);
    assert_int_equal(error->column, column);
}

/* ---- reading ---------------------------------------------------------------------------- */

static void read__every_kind__fills_the_struct(void **state)
{
    struct fixture *fx = *state;
    struct story story = {.workers = 1};

    assert_int_equal(read(fx,
                          "name: a story\ncolour: green\nworkers: 2\noptional: true\n"
                          "memory: 4KiB\ntags: [a, b]\nanything: [x]\npayload: four\n",
                          &story),
                     RT_OK);
    assert_string_equal(story.name, "a story");
    assert_int_equal(story.colour, GREEN);
    assert_int_equal(story.workers, 2);
    assert_true(story.is_optional);
    assert_int_equal(story.memory_bytes, 4096);
    assert_int_equal(story.tags.count, 2);
    assert_string_equal(((const char **)story.tags.items)[1], "b");
    assert_int_equal(story.anything->kind, DOC_KIND_SEQUENCE);
    assert_int_equal(story.payload_len, 4);
    assert_place(story.workers_node->start, 3, 10);
}

static void read__absent_keys__keep_what_the_caller_put_there(void **state)
{
    struct story story = {.workers = 5, .colour = RED};

    assert_int_equal(read(*state, "name: x\n", &story), RT_OK);
    assert_int_equal(story.workers, 5);
    assert_int_equal(story.colour, RED);
    assert_null(story.workers_node);
}

static void read__map__elements_know_their_names(void **state)
{
    struct story story = {0};
    const struct edge *edges;

    assert_int_equal(read(*state,
                          "name: x\nedges:\n  one: { from: '0' }\n  two: { from: '1', "
                          "timeout: 250ms }\n",
                          &story),
                     RT_OK);
    edges = story.edges.items;
    assert_int_equal(story.edges.count, 2);
    assert_string_equal(edges[0].name.text, "one");
    assert_string_equal(edges[1].name.text, "two");
    assert_place(edges[1].name.node->start, 4, 3);
    assert_int_equal(edges[1].timeout_us, 250000);
}

static void read__choice__tells_which_and_tables_may_recur(void **state)
{
    struct story story = {0};
    const struct step *steps;
    const struct step *inner;

    assert_int_equal(read(*state,
                          "name: x\nsteps:\n  - put: k\n    took: \"< 5ms\"\n"
                          "  - group:\n      - wait: 1s\n",
                          &story),
                     RT_OK);
    steps = story.steps.items;
    assert_int_equal(steps[0].kind, STEP_PUT);
    assert_true(doc_range_has(&steps[0].took, 4999));
    assert_int_equal(steps[1].kind, STEP_GROUP);
    inner = steps[1].group.items;
    assert_int_equal(inner[0].kind, STEP_WAIT);
    assert_int_equal(inner[0].wait_us, 1000000);
}

/* ---- refusing --------------------------------------------------------------------------- */

static void read__unknown_key__names_the_nearest_and_all(void **state)
{
    struct fixture *fx = *state;
    struct story story = {0};
    const struct doc_error *error;

    assert_int_equal(read(fx, "name: x\nwrokers: 2\n", &story), RT_E_INVALID);
    error = doc_error_at(fx->errors, 0);
    assert_error(fx, 0, 2, 1, "story has no key \"wrokers\"");
    assert_string_equal(error->nearest_word, "workers");
    assert_int_equal(error->allowed_count, 10);
}

static void read__several_problems__are_all_reported_with_positions(void **state)
{
    struct fixture *fx = *state;
    struct story story = {0};

    assert_int_equal(read(fx,
                          "colour: gren\nworkers: 10\noptional: yes\nmemory: 4MB\n"
                          "edges: { e: { timeout: 5 } }\ntags: x\npayload: []\n",
                          &story),
                     RT_E_INVALID);
    assert_int_equal(doc_error_count(fx->errors), 9);
    assert_error(fx, 0, 1, 9, "\"gren\" is not one of the words that may stand here");
    assert_string_equal(doc_error_at(fx->errors, 0)->nearest_word, "green");
    assert_error(fx, 1, 2, 10, "this number must be between 1 and 9");
    assert_error(fx, 2, 3, 11, "this is neither true nor false");
    assert_error(fx, 3, 4, 10, "this is no unit of size");
    assert_error(fx, 4, 5, 24, "a duration needs a unit");
    assert_error(fx, 5, 5, 13, "edge needs the key \"from\"");
    assert_error(fx, 6, 6, 7, "a list is expected here, not text");
    assert_error(fx, 7, 7, 10, "a payload is text");
    assert_error(fx, 8, 1, 1, "story needs the key \"name\"");
}

static void read__choice_missing_or_twice__is_refused(void **state)
{
    struct fixture *fx = *state;
    struct story story = {0};

    assert_int_equal(read(fx, "name: x\nsteps:\n  - took: 1s\n  - put: a\n    wait: 1s\n", &story),
                     RT_E_INVALID);
    assert_error(fx, 0, 3, 5, "a step needs one of these keys");
    assert_int_equal(doc_error_at(fx->errors, 0)->allowed_count, 3);
    assert_error(fx, 1, 5, 5, "a step is already a \"put\" and cannot be a \"wait\" too");
}

static void read__too_few_entries_or_no_mapping__is_refused(void **state)
{
    struct fixture *fx = *state;
    struct story story = {0};

    assert_int_equal(read(fx, "name: x\nsteps:\n  - group: []\n  - put\n", &story), RT_E_INVALID);
    assert_error(fx, 0, 3, 12, "at least 1 entry is expected here, not 0");
    assert_error(fx, 1, 4, 5, "a mapping is expected here, not text");
}

/* ---- printing --------------------------------------------------------------------------- */

/* Not inlined: gcc 12 then takes the buffer for a local of this function. */
__attribute__((noinline)) static char *print(void (*printer)(FILE *out,
                                                             const struct doc_schema *schema))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    printer(out, &story_schema);
    fclose(out);
    return text;
}

static void markdown__recursive_tables__has_each_section_once(void **state)
{
    char *text = print(doc_schema_print_markdown);
    const char *step = strstr(text, "## a step\n");

    (void)state;
    assert_ptr_equal(strstr(text, "## story\n"), text);
    assert_non_null(strstr(text, "| `name` | text | required | what happens, in one sentence |\n"));
    assert_non_null(strstr(text, "| `workers` | whole number, 1 to 9 | `1` |  |\n"));
    assert_non_null(strstr(text, "| `steps` | list of [a step](#a-step) |  |  |\n"));
    assert_non_null(strstr(text, "| `payload` | text \\| hex: |"));
    assert_non_null(strstr(text, "* `colour: red`: stop\n"));
    assert_non_null(strstr(text, "```yaml\nname: x\n```\n"));
    assert_non_null(step);
    assert_null(strstr(step + 1, "## a step\n"));
    free(text);
}

static void json_schema__of_these_tables__is_json_with_all_of_them(void **state)
{
    struct fixture *fx = *state;
    char *text = print(doc_schema_print_json_schema);
    const struct doc_node *root = root_of(fx, DOC_MODE_JSON, text);
    const struct doc_node *defs = doc_find(root, "$defs");
    const struct doc_node *story = doc_find(defs, "story");
    const struct doc_node *step = doc_find(defs, "a-step");

    assert_true(doc_is_text(doc_find(root, "$ref"), "#/$defs/story"));
    assert_int_equal(defs->count, 3);
    assert_int_equal(doc_find(story, "properties")->count, 10);
    assert_true(doc_is_text(doc_find(story, "required")->items[0], "name"));
    assert_int_equal(doc_find(step, "oneOf")->count, 3);
    assert_false(doc_find(step, "additionalProperties")->boolean);
    free(text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(read__every_kind__fills_the_struct),
        CASE(read__absent_keys__keep_what_the_caller_put_there),
        CASE(read__map__elements_know_their_names),
        CASE(read__choice__tells_which_and_tables_may_recur),
        CASE(read__unknown_key__names_the_nearest_and_all),
        CASE(read__several_problems__are_all_reported_with_positions),
        CASE(read__choice_missing_or_twice__is_refused),
        CASE(read__too_few_entries_or_no_mapping__is_refused),
        CASE(markdown__recursive_tables__has_each_section_once),
        CASE(json_schema__of_these_tables__is_json_with_all_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
