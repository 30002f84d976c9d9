/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_transfer_config.h"
#include "fuzz_target.h"

/*
 * A transfer configuration, a hostile one. Input: a byte (even: YAML, odd: JSON), then the text.
 * What loads is looked at from every side; what does not has said why and where.
 */
struct heard {
    size_t errors;
};

/* libfyaml 0.7.12 does not free all of a text between single quotes that has many quotes in it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

static void on_problem(void *arg, const struct omni_transfer_problem *problem)
{
    struct heard *heard = arg;

    FUZZ_CHECK(problem->path != NULL && problem->message[0] != '\0' && problem->text[0] != '\0');
    heard->errors += problem->is_warning ? 0 : 1;
}

static void look_at_stage(const struct omni_transfer_config *config, const char *stage)
{
    char text[OMNI_TRANSFER_TEXT_BYTES] = "";
    struct omni_stage_view view = {0};
    struct omni_primary_spec primary;
    struct omni_arena *arena = omni_arena_create();

    FUZZ_CHECK(arena != NULL);
    enum rt_status status = omni_transfer_config_view(config, stage, arena, &view, text);
    FUZZ_CHECK(status == RT_OK || (status == RT_E_INVALID && text[0] != '\0'));
    for (size_t i = 0; i < view.count; i++) {
        const struct omni_value *role = omni_map_get(view.edges[i].spec.extra, "role");
        FUZZ_CHECK(role != NULL && view.edges[i].key[0] != '\0');
        FUZZ_CHECK(omni_map_get(view.edges[i].spec.extra, "from_stage")->kind == OMNI_INT);
    }
    FUZZ_CHECK(omni_transfer_config_primary(config, stage, arena, &primary) == RT_OK);
    FUZZ_CHECK(view.count == 0 || primary.edge != NULL);
    FUZZ_CHECK(primary.edge == NULL || omni_map_get(primary.extra, "type") != NULL);
    omni_arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct omni_transfer_config *config = NULL;
    struct heard heard = {0};

    if (size == 0) {
        return 0;
    }
    enum rt_status status = omni_transfer_config_load_text(
        "input", rt_slice_of(data + 1, size - 1),
        data[0] % 2 == 0 ? OMNI_TRANSFER_YAML : OMNI_TRANSFER_JSON, on_problem, &heard, &config);
    FUZZ_CHECK((status == RT_OK) == (heard.errors == 0));
    FUZZ_CHECK(status == RT_OK || config == NULL);
    if (config == NULL) {
        return 0;
    }
    for (size_t i = 0; i < omni_transfer_config_edge_count(config); i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(config, i);
        FUZZ_CHECK(omni_transfer_config_find(config, edge->from_stage, edge->to_stage) == edge);
        FUZZ_CHECK(edge->spec.extra->kind == OMNI_MAP && edge->line > 0 && edge->column > 0);
    }
    for (size_t i = 0; i < omni_transfer_config_stage_count(config); i++) {
        look_at_stage(config, omni_transfer_config_stage_at(config, i));
    }
    omni_transfer_config_destroy(config);
    return 0;
}
