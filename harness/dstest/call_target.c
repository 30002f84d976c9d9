/* SPDX-License-Identifier: Apache-2.0 */
/* Whom `dstest call` calls, and the data of a put. */
#include <errno.h>
#include <stdlib.h>

#include "connector/omni_notation.h"
#include "connector/omni_serializer.h"
#include "harness/dstest/call.h"
#include "harness/dstest/command.h"

#define CONNECT_TIMEOUT_US     UINT64_C(5000000)
#define MORE_THAN_WAITING_US   UINT64_C(2000000)
#define DEFAULT_SUB_TIMEOUT_US UINT64_C(1000000)
#define LARGEST_DATA_BYTES     ((size_t)1 << 30)

static int out_of_memory(void)
{
    (void)fputs("dstest call: out of memory\n", stderr);
    return scn_verdict_exit_code(SCN_HARNESS_ERROR);
}

/* ---- options -------------------------------------------------------------------------------- */

/* What the command line adds to the options of the connector. */
struct options_map {
    struct omni_arena *arena;
    struct omni_pair pairs[16];
    size_t count;
    const struct omni_value *given;
};

static void set(struct options_map *map, const char *key, const struct omni_value *value)
{
    map->pairs[map->count++] = (struct omni_pair){omni_text(map->arena, rt_slice_text(key)), value};
}

static void set_ms(struct options_map *map, const char *key, uint64_t time_us)
{
    set(map, key, omni_int(map->arena, (int64_t)(time_us / 1000)));
}

static bool is_given(const struct options_map *map, const char *key)
{
    return omni_map_get(map->given, key) != NULL;
}

/* Patience is for production; a person at a shell wants to know soon. */
static void set_times(struct options_map *map, const struct call_options *options)
{
    uint64_t waiting_us =
        options->has_sub_timeout ? options->sub_timeout_us : DEFAULT_SUB_TIMEOUT_US;
    uint64_t least_us = waiting_us + MORE_THAN_WAITING_US;

    if (options->has_sub_timeout) {
        set_ms(map, "get_sub_timeout_ms", options->sub_timeout_us);
    }
    if (options->connect_timeout_us != 0) {
        set_ms(map, "connect_timeout_ms", options->connect_timeout_us);
    } else if (!is_given(map, "connect_timeout_ms")) {
        set_ms(map, "connect_timeout_ms", CONNECT_TIMEOUT_US);
    }
    if (options->request_timeout_us != 0) {
        set_ms(map, "request_timeout_ms", options->request_timeout_us);
    } else if (!is_given(map, "request_timeout_ms")) {
        set_ms(map, "request_timeout_ms",
               least_us > CONNECT_TIMEOUT_US ? least_us : CONNECT_TIMEOUT_US);
    }
}

/* The given ones that are not replaced, then the new ones. NULL: no memory. */
static const struct omni_value *merged(const struct options_map *map)
{
    size_t given_count = map->given == NULL ? 0 : map->given->map.count;
    struct omni_pair *pairs =
        omni_arena_alloc(map->arena, (given_count + map->count) * sizeof(pairs[0]) + 1);
    size_t count = 0;

    if (pairs == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < given_count; i++) {
        bool is_replaced = false;
        for (size_t j = 0; j < map->count; j++) {
            is_replaced |= map->pairs[j].key != NULL &&
                           omni_value_equal(map->given->map.pairs[i].key, map->pairs[j].key);
        }
        if (!is_replaced) {
            pairs[count++] = map->given->map.pairs[i];
        }
    }
    for (size_t j = 0; j < map->count; j++) {
        pairs[count++] = map->pairs[j];
    }
    return omni_map(map->arena, pairs, count);
}

/* ---- whom ----------------------------------------------------------------------------------- */

static char *copy_of(struct omni_arena *arena, const char *text, size_t len_bytes)
{
    char *copy = omni_arena_alloc(arena, len_bytes + 1);

    if (copy != NULL) {
        memcpy(copy, text, len_bytes);
        copy[len_bytes] = '\0';
    }
    return copy;
}

static int take_edge(const struct call_options *options, struct call_target *target)
{
    const char *colon = strchr(options->edge, ':');

    if (colon == NULL) {
        return dstest_usage_error("call", "--edge is FROM:TO, as in 0:1, not %s", options->edge);
    }
    target->from_stage = copy_of(target->arena, options->edge, (size_t)(colon - options->edge));
    target->to_stage = colon + 1;
    return target->from_stage == NULL ? out_of_memory() : 0;
}

static int find_by_address(const struct call_options *options, struct call_target *target,
                           struct options_map *map)
{
    const char *colon = strrchr(options->address, ':');
    int64_t port = 0;
    char *end = NULL;

    if (colon != NULL) {
        port = strtoll(colon + 1, &end, 10);
    }
    if (colon == NULL || colon == options->address || end == colon + 1 || *end != '\0' ||
        port < 1 || port > 65535) {
        return dstest_usage_error("call", "--address is HOST:PORT, as in 127.0.0.1:31501, not %s",
                                  options->address);
    }
    set(map, "host",
        omni_text(target->arena,
                  rt_slice_of(options->address, (size_t)(colon - options->address))));
    set(map, "port", omni_int(target->arena, port));
    target->spec.name =
        options->connector == NULL ? omni_model_name(OMNI_YUANRONG) : options->connector;
    target->from_stage = "0";
    target->to_stage = "1";
    return options->edge == NULL ? 0 : take_edge(options, target);
}

static void on_problem(void *arg, const struct omni_transfer_problem *problem)
{
    (void)arg;
    (void)fprintf(stderr, "%s%s\n", problem->is_warning ? "warning: " : "", problem->text);
}

static int list_edges(const struct omni_transfer_config *config, const char *what)
{
    int code = dstest_usage_error("call", "%s; the configuration has these edges:", what);

    for (size_t i = 0; i < omni_transfer_config_edge_count(config); i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(config, i);
        (void)fprintf(stderr, "  --edge %s:%s  %s\n", edge->from_stage, edge->to_stage,
                      edge->spec.name);
    }
    return code;
}

/* The edge that is meant: named, or the primary one of a stage, or the only one. */
static int choose_edge(const struct call_options *options, struct call_target *target,
                       const struct omni_edge **out_edge)
{
    const struct omni_edge *edge = NULL;
    struct omni_primary_spec primary = {0};

    if (options->edge != NULL) {
        int code = take_edge(options, target);
        if (code != 0) {
            return code;
        }
        edge = omni_transfer_config_find(target->config, target->from_stage, target->to_stage);
    } else if (options->stage != NULL) {
        if (omni_transfer_config_primary(target->config, options->stage, target->arena, &primary) !=
            RT_OK) {
            return out_of_memory();
        }
        edge = primary.edge;
    } else if (omni_transfer_config_edge_count(target->config) == 1) {
        edge = omni_transfer_config_edge_at(target->config, 0);
    } else {
        return list_edges(target->config, "which edge? give --edge or --stage");
    }
    if (edge == NULL) {
        return list_edges(target->config, options->edge != NULL ? "there is no such edge"
                                                                : "this stage has no edge");
    }
    *out_edge = edge;
    return 0;
}

static int find_by_config(const struct call_options *options, struct call_target *target,
                          struct options_map *map)
{
    const struct omni_edge *edge = NULL;
    enum rt_status status =
        omni_transfer_config_load_file(options->config_path, on_problem, NULL, &target->config);

    if (status == RT_E_NOMEM) {
        return out_of_memory();
    }
    if (status != RT_OK) {
        return scn_verdict_exit_code(SCN_INVALID);
    }
    if (target->config == NULL) {
        return dstest_usage_error("call", "%s is empty", options->config_path);
    }
    int code = choose_edge(options, target, &edge);
    if (code != 0) {
        return code;
    }
    target->from_stage = edge->from_stage;
    target->to_stage = edge->to_stage;
    target->spec.name = edge->spec.name;
    map->given = edge->spec.extra;
    return 0;
}

int call_target_find(const struct call_options *options, struct call_target *out_target)
{
    struct options_map map = {.arena = omni_arena_create()};

    out_target->arena = map.arena;
    if (map.arena == NULL) {
        return out_of_memory();
    }
    int code = options->address != NULL ? find_by_address(options, out_target, &map)
                                        : find_by_config(options, out_target, &map);
    if (code != 0) {
        return code;
    }
    set_times(&map, options);
    out_target->spec.extra = merged(&map);
    return out_target->spec.extra == NULL ? out_of_memory() : 0;
}

void call_target_fini(struct call_target *target)
{
    omni_transfer_config_destroy(target->config);
    omni_arena_destroy(target->arena);
}

/* ---- data ----------------------------------------------------------------------------------- */

static int cannot_read(const char *path, int cause)
{
    (void)fprintf(stderr, "dstest call: %s: cannot be read: %s\n", path, strerror(cause));
    return scn_verdict_exit_code(SCN_INVALID);
}

/* The whole file in a blob. */
static int read_file(const char *path, struct rt_blob **out_blob)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    char *bytes = NULL;
    size_t len_bytes = 0;
    char piece[65536];
    size_t count = 0;

    if (in == NULL) {
        return cannot_read(path, errno);
    }
    FILE *out = open_memstream(&bytes, &len_bytes);
    while (out != NULL && len_bytes < LARGEST_DATA_BYTES &&
           (count = fread(piece, 1, sizeof(piece), in)) > 0) {
        (void)fwrite(piece, 1, count, out);
        (void)fflush(out);
    }
    int cause = ferror(in) != 0 ? errno : len_bytes >= LARGEST_DATA_BYTES ? EFBIG : 0;
    if (!is_stdin) {
        (void)fclose(in);
    }
    if (out != NULL) {
        (void)fclose(out);
    }
    *out_blob = cause == 0 && bytes != NULL ? rt_blob_copy(rt_slice_of(bytes, len_bytes)) : NULL;
    free(bytes);
    if (cause != 0) {
        return cannot_read(path, cause);
    }
    return *out_blob == NULL ? out_of_memory() : 0;
}

static int read_notation(const char *name, struct rt_slice text, struct omni_arena *arena,
                         const struct omni_value **out_value)
{
    struct doc_error_list *errors = doc_error_list_create();
    enum rt_status status =
        errors == NULL ? RT_E_NOMEM : omni_notation_read(name, text, arena, errors, out_value);

    if (status != RT_OK && status != RT_E_NOMEM) {
        doc_error_list_print(stderr, errors);
    }
    doc_error_list_destroy(errors);
    if (status == RT_E_NOMEM) {
        return out_of_memory();
    }
    return status == RT_OK ? 0 : scn_verdict_exit_code(SCN_INVALID);
}

static int read_payload(const char *name, struct rt_blob *blob, struct omni_arena *arena,
                        const struct omni_value **out_value)
{
    struct omni_codec_error error = {0};

    if (omni_decode(blob, arena, NULL, out_value, &error) == RT_OK) {
        return 0;
    }
    (void)fprintf(stderr, "dstest call: %s: no payload: at byte %llu: %s\n", name,
                  (unsigned long long)error.offset_bytes, error.text);
    return scn_verdict_exit_code(SCN_INVALID);
}

int call_read_data(const struct call_options *options, struct omni_arena *arena,
                   const struct omni_value **out_value)
{
    const char *name = options->file != NULL ? options->file : "DATA";
    enum call_form form = options->has_form       ? options->form
                          : options->file != NULL ? CALL_BYTES
                                                  : CALL_TEXT;
    struct rt_blob *blob = NULL;
    int code = 0;

    if (options->file != NULL) {
        code = read_file(options->file, &blob);
    } else {
        blob = rt_blob_copy(rt_slice_text(options->data));
        code = blob == NULL ? out_of_memory() : 0;
    }
    if (code != 0 || omni_arena_hold(arena, blob) != RT_OK) {
        rt_blob_release(blob);
        return code != 0 ? code : out_of_memory();
    }
    switch (form) {
    case CALL_TEXT:
        *out_value = omni_text(arena, rt_blob_slice(blob));
        break;
    case CALL_BYTES:
        *out_value = omni_bytes_blob(arena, blob);
        break;
    case CALL_JSON:
        code = read_notation(name, rt_blob_slice(blob), arena, out_value);
        break;
    case CALL_PAYLOAD:
        code = read_payload(name, blob, arena, out_value);
        break;
    }
    rt_blob_release(blob); /* the arena holds it */
    return code == 0 && *out_value == NULL ? out_of_memory() : code;
}
