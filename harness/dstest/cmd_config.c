/* SPDX-License-Identifier: Apache-2.0 */
/* dstest config show: what a transfer configuration says, for people or as JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include "connector/omni_notation.h"
#include "connector/omni_transfer_config.h"
#include "document/error.h"
#include "harness/dstest/command.h"

static const char help[] =
    "usage: dstest config show FILE [--stage N] [--json]\n"
    "\n"
    "Shows a transfer configuration (.yaml, .yml or .json): the edges between stages, the\n"
    "connector of each, what each stage sees of them with its role, and its primary connector.\n"
    "\n"
    "  --stage N  only this stage\n"
    "  --json     as one JSON object, options in the notation of payloads\n"
    "\n"
    "Warnings and errors go to stderr, with file:line:column.\n"
    "exit codes: 0 loaded (an empty file too), 2 it cannot be, or the stage's view cannot\n";

struct show {
    const char *path;
    const char *stage; /* NULL: all */
    bool is_json;
    const struct omni_transfer_config *config;
    struct omni_arena *arena;
    bool is_failed; /* a stage that was asked for has no view */
};

static int parse(struct show *show, int argc, char **argv);
static int show_file(struct show *show);
static void show_as_table(struct show *show);
static void show_stage(struct show *show, const char *stage);
static void show_as_json(struct show *show);
static void show_stage_as_json(struct show *show, const char *stage);

int dstest_config(int argc, char **argv)
{
    struct show show = {0};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (argc < 2 || strcmp(argv[1], "show") != 0) {
        return dstest_usage_error("config", argc < 2 ? "show what?" : "there is only `show`");
    }
    int usage = parse(&show, argc - 1, argv + 1);
    return usage != 0 || show.path == NULL ? usage : show_file(&show);
}

/* 0: go on, or help has been given. */
static int parse(struct show *show, int argc, char **argv)
{
    static const char *const options[] = {"--stage", "--json", "--help"};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(help, stdout);
            show->path = NULL;
            return 0;
        }
        if (strcmp(argv[i], "--json") == 0) {
            show->is_json = true;
        } else if (strcmp(argv[i], "--stage") == 0) {
            show->stage = ++i < argc ? argv[i] : NULL;
            if (show->stage == NULL) {
                return dstest_usage_error("config", "--stage needs the id of a stage");
            }
        } else if (argv[i][0] == '-') {
            return dstest_unknown_option("config", argv[i], options,
                                         sizeof(options) / sizeof(options[0]));
        } else if (show->path == NULL) {
            show->path = argv[i];
        } else {
            return dstest_usage_error("config", "one file at a time, not also %s", argv[i]);
        }
    }
    return show->path != NULL ? 0 : dstest_usage_error("config", "which file?");
}

static void on_problem(void *arg, const struct omni_transfer_problem *problem)
{
    (void)arg;
    (void)fprintf(stderr, "%s%s\n", problem->is_warning ? "warning: " : "", problem->text);
}

static int show_file(struct show *show)
{
    struct omni_transfer_config *config = NULL;
    enum rt_status status = omni_transfer_config_load_file(show->path, on_problem, NULL, &config);

    show->arena = omni_arena_create();
    if (status == RT_E_NOMEM || show->arena == NULL) {
        (void)fprintf(stderr, "dstest config: out of memory\n");
        omni_arena_destroy(show->arena);
        omni_transfer_config_destroy(config);
        return scn_verdict_exit_code(SCN_HARNESS_ERROR);
    }
    show->config = config;
    if (status == RT_OK && show->is_json) {
        show_as_json(show);
    } else if (status == RT_OK) {
        show_as_table(show);
    }
    omni_arena_destroy(show->arena);
    omni_transfer_config_destroy(config);
    return status != RT_OK || show->is_failed ? scn_verdict_exit_code(SCN_INVALID) : 0;
}

/* ---- for people ---------------------------------------------------------------------------- */

/* Options on one line, whole: they are what one looks for. */
static void print_value(const struct omni_value *value)
{
    enum rt_status status = omni_notation_write(stdout, value);

    if (status != RT_OK) {
        (void)fprintf(stderr, "dstest config: the output ends here: %s\n", rt_status_text(status));
        exit(scn_verdict_exit_code(SCN_HARNESS_ERROR));
    }
}

/* What is between the longest of a column and this one, and two blanks. */
static void pad(size_t width, size_t used)
{
    (void)printf("%*s", (int)(width > used ? width - used : 0) + 2, "");
}

static void show_edges(const struct show *show)
{
    size_t count = omni_transfer_config_edge_count(show->config);
    size_t id_width = strlen("edge");
    size_t name_width = strlen("connector");

    for (size_t i = 0; i < count; i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(show->config, i);
        size_t id_bytes = strlen(edge->from_stage) + strlen(edge->to_stage) + 4;
        id_width = id_bytes > id_width ? id_bytes : id_width;
        name_width = strlen(edge->spec.name) > name_width ? strlen(edge->spec.name) : name_width;
    }
    (void)printf("edge");
    pad(id_width, strlen("edge"));
    (void)printf("connector");
    pad(name_width, strlen("connector"));
    (void)printf("%-10s  options\n", "line");
    for (size_t i = 0; i < count; i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(show->config, i);
        char place[32];
        (void)printf("%s -> %s", edge->from_stage, edge->to_stage);
        pad(id_width, strlen(edge->from_stage) + strlen(edge->to_stage) + 4);
        (void)printf("%s", edge->spec.name);
        pad(name_width, strlen(edge->spec.name));
        (void)snprintf(place, sizeof(place), "%" PRIu32 ":%" PRIu32, edge->line, edge->column);
        (void)printf("%-10s  ", place);
        print_value(edge->spec.extra);
        (void)printf("%s\n", edge->is_automatic ? "  (no connector is named: automatic)" : "");
    }
}

static void note_unknown_stage(const struct show *show)
{
    size_t count = omni_transfer_config_stage_count(show->config);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(omni_transfer_config_stage_at(show->config, i), show->stage) == 0) {
            return;
        }
    }
    (void)fprintf(stderr, "warning: %s: there is no stage %s; the file has", show->path,
                  show->stage);
    for (size_t i = 0; i < count && i < 20; i++) {
        (void)fprintf(stderr, " %s", omni_transfer_config_stage_at(show->config, i));
    }
    (void)fprintf(stderr, "%s\n", count == 0 ? " none" : count > 20 ? " ..." : "");
}

static void show_as_table(struct show *show)
{
    if (show->config == NULL) {
        (void)printf("%s: an empty file, which is no configuration\n", show->path);
        return;
    }
    size_t edge_count = omni_transfer_config_edge_count(show->config);
    size_t stage_count = omni_transfer_config_stage_count(show->config);
    (void)printf("%s: %zu edge%s, %zu stage%s\n", show->path, edge_count,
                 edge_count == 1 ? "" : "s", stage_count, stage_count == 1 ? "" : "s");
    if (show->stage != NULL) {
        note_unknown_stage(show);
        show_stage(show, show->stage);
        return;
    }
    if (edge_count > 0) {
        (void)putchar('\n');
        show_edges(show);
    }
    for (size_t i = 0; i < stage_count; i++) {
        show_stage(show, omni_transfer_config_stage_at(show->config, i));
    }
}

static void show_primary(struct show *show, const char *stage)
{
    struct omni_primary_spec primary;

    if (omni_transfer_config_primary(show->config, stage, show->arena, &primary) != RT_OK) {
        (void)printf("  primary: out of memory\n");
    } else if (primary.edge == NULL) {
        (void)printf("  primary: none\n");
    } else {
        (void)printf("  primary: %s -> %s  ", primary.edge->from_stage, primary.edge->to_stage);
        print_value(primary.extra);
        (void)putchar('\n');
    }
}

static void show_stage(struct show *show, const char *stage)
{
    struct omni_stage_view view = {0};
    char text[OMNI_TRANSFER_TEXT_BYTES] = "out of memory";

    (void)printf("\nstage %s\n", stage);
    if (omni_transfer_config_view(show->config, stage, show->arena, &view, text) != RT_OK) {
        show->is_failed = show->stage != NULL;
        (void)fprintf(show->is_failed ? stderr : stdout, "  no view: %s\n", text);
    }
    for (size_t i = 0; i < view.count; i++) {
        (void)printf("  %s: %s  ", view.edges[i].key, view.edges[i].spec.name);
        print_value(view.edges[i].spec.extra);
        (void)putchar('\n');
    }
    show_primary(show, stage);
    omni_arena_reset(show->arena);
}

/* ---- as JSON ------------------------------------------------------------------------------- */

static void json_text(const char *text)
{
    const struct omni_value value = {.kind = OMNI_TEXT, .body = {.bytes = rt_slice_text(text)}};

    print_value(&value);
}

static void json_spec(const struct omni_connector_spec *spec)
{
    (void)printf("\"name\": ");
    json_text(spec->name);
    (void)printf(", \"extra\": ");
    print_value(spec->extra);
}

static void json_edges(const struct show *show)
{
    size_t count = omni_transfer_config_edge_count(show->config);

    for (size_t i = 0; i < count; i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(show->config, i);
        (void)printf("%s\n    {\"from_stage\": ", i == 0 ? "" : ",");
        json_text(edge->from_stage);
        (void)printf(", \"to_stage\": ");
        json_text(edge->to_stage);
        (void)printf(", ");
        json_spec(&edge->spec);
        (void)printf(", \"is_automatic\": %s, \"line\": %" PRIu32 ", \"column\": %" PRIu32 "}",
                     edge->is_automatic ? "true" : "false", edge->line, edge->column);
    }
}

static void show_as_json(struct show *show)
{
    (void)printf("{\n  \"file\": ");
    json_text(show->path);
    if (show->config == NULL) {
        (void)printf(",\n  \"edges\": null,\n  \"stages\": null\n}\n");
        return;
    }
    (void)printf(",\n  \"edges\": [");
    json_edges(show);
    (void)printf("\n  ],\n  \"stages\": {");
    size_t count = show->stage != NULL ? 1 : omni_transfer_config_stage_count(show->config);
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s\n", i == 0 ? "" : ",");
        show_stage_as_json(show, show->stage != NULL
                                     ? show->stage
                                     : omni_transfer_config_stage_at(show->config, i));
    }
    (void)printf("\n  }\n}\n");
}

static void json_primary(const struct show *show, const char *stage)
{
    struct omni_primary_spec primary = {0};

    if (omni_transfer_config_primary(show->config, stage, show->arena, &primary) != RT_OK ||
        primary.edge == NULL) {
        (void)printf("null");
        return;
    }
    (void)printf("{\"from_stage\": ");
    json_text(primary.edge->from_stage);
    (void)printf(", \"to_stage\": ");
    json_text(primary.edge->to_stage);
    (void)printf(", \"spec\": ");
    print_value(primary.extra);
    (void)printf("}");
}

static void show_stage_as_json(struct show *show, const char *stage)
{
    struct omni_stage_view view = {0};
    char text[OMNI_TRANSFER_TEXT_BYTES] = "out of memory";
    bool has_view =
        omni_transfer_config_view(show->config, stage, show->arena, &view, text) == RT_OK;

    (void)printf("    ");
    json_text(stage);
    (void)printf(": {\"view\": %s", has_view ? "{" : "null, \"view_error\": ");
    for (size_t i = 0; i < view.count; i++) {
        (void)printf("%s", i == 0 ? "" : ", ");
        json_text(view.edges[i].key);
        (void)printf(": {\"spec\": {");
        json_spec(&view.edges[i].spec);
        (void)printf("}}");
    }
    if (has_view) {
        (void)printf("}");
    } else {
        json_text(text);
        show->is_failed = show->stage != NULL;
    }
    (void)printf(", \"primary\": ");
    json_primary(show, stage);
    (void)printf("}");
    omni_arena_reset(show->arena);
}
