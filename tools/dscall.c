/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Datasystem client on a line protocol: one JSON request per line on stdin, one JSON answer
 * per line on stdout. tests/fidelity/kvcall.py is the same around the real client, so that one
 * table of cases drives both.
 *
 *   line --> request_parse --> call (timed) --> answer --> line          end of input: close
 */
#include "tools/dscall_request.h"

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EXIT_DONE = 0, EXIT_USAGE = 2, EXIT_CANNOT = 4 };

#define INLINE_LIMIT_BYTES 1024u /* longer values are told by size and digest only */
#define TEXT_BYTES         (DS_BLOCKING_TEXT_BYTES + 128u)

struct program {
    struct ds_options options;
    char *host;
    bool is_abandoning; /* --abandon: ends without telling the worker */
    struct ds_blocking *client;
    bool is_closed;
};

typedef bool call_fn(struct ds_blocking *client, const struct request *request,
                     struct ds_blocking_result *result);

/* What a call is named, how it is made, and which list its answer shows. */
enum shown { SHOW_NOTHING, SHOW_VALUES, SHOW_EXISTS, SHOW_FAILED, SHOW_SIZES };
struct call_row {
    const char *op;
    call_fn *call;
    enum shown shown;
};

static bool parse_flags(struct program *program, int argument_count, char **arguments);
static bool parse_address(struct program *program, const char *address);
static int serve(struct program *program);
static json_t *answer_line(struct program *program, const char *line, size_t len_bytes);
static json_t *refuse(const char *why);
static json_t *answer_of(const struct call_row *row, const struct ds_blocking_result *result,
                         uint64_t took_us);
static json_t *values_of(const struct ds_blocking_result *result);
static json_t *text_of(const char *text);

int main(int argument_count, char **arguments)
{
    struct program program = {0};

    ds_options_init(&program.options);
    if (!parse_flags(&program, argument_count, arguments)) {
        fputs("usage: dscall --worker_address HOST:PORT [--connect_timeout_ms N] "
              "[--request_timeout_ms N] [--abandon]\n",
              stderr);
        free(program.host);
        return EXIT_USAGE;
    }
    program.options.host = program.host;
    int exit_status = EXIT_CANNOT;
    if (ds_blocking_create(&program.options, "dscall", &program.client) == RT_OK) {
        exit_status = serve(&program);
        ds_blocking_destroy(program.client);
    } else {
        fputs("dscall: no memory or no thread for the client\n", stderr);
    }
    free(program.host);
    return exit_status;
}

static bool parse_number(const char *text, int64_t *out_number)
{
    char *end = NULL;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (text[0] == '\0' || *end != '\0' || errno != 0) {
        return false;
    }
    *out_number = number;
    return true;
}

static bool parse_flags(struct program *program, int argument_count, char **arguments)
{
    bool is_right = true;

    for (int i = 1; is_right && i < argument_count; i++) {
        const char *flag = arguments[i];
        const char *value = i + 1 < argument_count ? arguments[i + 1] : "";
        i++; /* all but one flag have a value */
        if (strcmp(flag, "--abandon") == 0) {
            program->is_abandoning = true;
            i--;
        } else if (strcmp(flag, "--worker_address") == 0) {
            is_right = parse_address(program, value);
        } else if (strcmp(flag, "--connect_timeout_ms") == 0) {
            is_right = parse_number(value, &program->options.connect_timeout_ms);
        } else if (strcmp(flag, "--request_timeout_ms") == 0) {
            is_right = parse_number(value, &program->options.request_timeout_ms);
        } else {
            is_right = false;
        }
    }
    return is_right && program->host != NULL;
}

static bool parse_address(struct program *program, const char *address)
{
    const char *colon = strrchr(address, ':');

    if (colon == NULL || !parse_number(colon + 1, &program->options.port)) {
        return false;
    }
    free(program->host);
    program->host = strndup(address, (size_t)(colon - address));
    return program->host != NULL;
}

static void end_of_input(struct program *program)
{
    struct ds_blocking_result result;

    if (!program->is_closed && !program->is_abandoning) {
        (void)ds_blocking_close(program->client, &result);
        ds_blocking_result_fini(&result);
    }
}

static int serve(struct program *program)
{
    char *line = NULL;
    size_t capacity_bytes = 0;
    ssize_t len = 0;
    int exit_status = EXIT_DONE;

    while (!program->is_closed && (len = getline(&line, &capacity_bytes, stdin)) > 0) {
        json_t *answer = answer_line(program, line, (size_t)len);
        if (answer == NULL || json_dumpf(answer, stdout, JSON_COMPACT) != 0 ||
            putchar('\n') == EOF || fflush(stdout) != 0) {
            fputs("dscall: an answer could not be written\n", stderr);
            exit_status = EXIT_CANNOT;
            program->is_abandoning = true;
        }
        json_decref(answer);
        if (exit_status != EXIT_DONE) {
            break;
        }
    }
    free(line);
    end_of_input(program);
    return exit_status;
}

/* ---- the calls ---- */

static bool call_init(struct ds_blocking *client, const struct request *request,
                      struct ds_blocking_result *result)
{
    (void)request;
    return ds_blocking_init(client, result);
}

static bool call_close(struct ds_blocking *client, const struct request *request,
                       struct ds_blocking_result *result)
{
    (void)request;
    return ds_blocking_close(client, result);
}

static bool call_health(struct ds_blocking *client, const struct request *request,
                        struct ds_blocking_result *result)
{
    (void)request;
    return ds_blocking_health(client, result);
}

static bool call_set(struct ds_blocking *client, const struct request *request,
                     struct ds_blocking_result *result)
{
    return ds_blocking_set(client, request->key, request->values, &request->options.set, result);
}

static bool call_get(struct ds_blocking *client, const struct request *request,
                     struct ds_blocking_result *result)
{
    return ds_blocking_get(client, request->keys, request->key_count, request->sub_timeout_ms,
                           result);
}

static bool call_read(struct ds_blocking *client, const struct request *request,
                      struct ds_blocking_result *result)
{
    return ds_blocking_read(client, request->reads, request->key_count, result);
}

static bool call_exist(struct ds_blocking *client, const struct request *request,
                       struct ds_blocking_result *result)
{
    return ds_blocking_exist(client, request->keys, request->key_count, result);
}

static bool call_delete(struct ds_blocking *client, const struct request *request,
                        struct ds_blocking_result *result)
{
    return ds_blocking_delete(client, request->keys, request->key_count, result);
}

static bool call_expire(struct ds_blocking *client, const struct request *request,
                        struct ds_blocking_result *result)
{
    return ds_blocking_expire(client, request->keys, request->key_count, request->options.set.ttl_s,
                              result);
}

static bool call_query_size(struct ds_blocking *client, const struct request *request,
                            struct ds_blocking_result *result)
{
    return ds_blocking_query_size(client, request->keys, request->key_count, result);
}

/* In C keys and values have one count, so this check of the real client cannot be the client's. */
static bool call_mset(struct ds_blocking *client, const struct request *request,
                      struct ds_blocking_result *result)
{
    if (request->key_count != request->value_count) {
        *result = (struct ds_blocking_result){.code = K_INVALID, .detail = DS_DETAIL_CHECKED};
        (void)snprintf(result->text, sizeof(result->text),
                       "The number of key and value is not the same.");
        return false;
    }
    return ds_blocking_mset(client, request->keys, request->values, request->key_count,
                            &request->options, result);
}

static const struct call_row ROWS[] = {
    {"init", call_init, SHOW_NOTHING},     {"close", call_close, SHOW_NOTHING},
    {"health", call_health, SHOW_NOTHING}, {"set", call_set, SHOW_NOTHING},
    {"get", call_get, SHOW_VALUES},        {"read", call_read, SHOW_VALUES},
    {"exist", call_exist, SHOW_EXISTS},    {"delete", call_delete, SHOW_FAILED},
    {"expire", call_expire, SHOW_FAILED},  {"query_size", call_query_size, SHOW_SIZES},
    {"mset", call_mset, SHOW_FAILED},
};

static const struct call_row *find_row(const char *op)
{
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        if (strcmp(ROWS[i].op, op) == 0) {
            return &ROWS[i];
        }
    }
    return NULL;
}

/* The program measures what its user sees, so this is the system's clock and not the client's. */
static uint64_t clock_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* Arguments are made before the clock starts, results described after it stopped. */
static json_t *answer_line(struct program *program, const char *line, size_t len_bytes)
{
    struct request request;
    const char *wrong = request_parse(line, len_bytes, &request);
    const struct call_row *row = wrong == NULL ? find_row(request.op) : NULL;
    json_t *answer = NULL;

    if (row == NULL) {
        answer = refuse(wrong == NULL ? "unknown op" : wrong);
    } else {
        struct ds_blocking_result result;
        uint64_t started_us = clock_us();
        (void)row->call(program->client, &request, &result);
        answer = answer_of(row, &result, clock_us() - started_us);
        program->is_closed = row->call == call_close;
        ds_blocking_result_fini(&result);
    }
    request_fini(&request);
    return answer;
}

/* ---- answers ---- */

/* A line that is not a call; code null, as for what the Python binding refuses. */
static json_t *refuse(const char *why)
{
    return json_pack("{sb sn ss si ss}", "ok", 0, "code", "text", why, "took_us", 0, "raised",
                     "InvalidRequest");
}

static json_t *booleans_of(const struct ds_blocking_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->exist_count; i++) {
        (void)json_array_append_new(list, json_boolean(result->exists[i]));
    }
    return list;
}

static json_t *failed_of(const struct ds_blocking_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->failed_key_count; i++) {
        (void)json_array_append_new(list, text_of(result->failed_keys[i]));
    }
    return list;
}

static json_t *sizes_of(const struct ds_blocking_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->size_count; i++) {
        (void)json_array_append_new(list, json_integer((json_int_t)result->sizes[i]));
    }
    return list;
}

static json_t *answer_of(const struct call_row *row, const struct ds_blocking_result *result,
                         uint64_t took_us)
{
    char text[TEXT_BYTES] = "";
    struct ds_status status = {
        .code = result->code, .detail = result->detail, .text = result->text};

    if (result->code != K_OK) {
        ds_status_format(&status, text, sizeof(text));
    }
    json_t *answer = json_pack("{sb si so sI}", "ok", result->code == K_OK, "code", result->code,
                               "text", text_of(text), "took_us", (json_int_t)took_us);
    if (result->code == K_OK && row->shown == SHOW_VALUES) {
        (void)json_object_set_new(answer, "values", values_of(result));
    } else if (result->code == K_OK && row->shown == SHOW_EXISTS) {
        (void)json_object_set_new(answer, "exists", booleans_of(result));
    } else if (result->code == K_OK && row->shown == SHOW_FAILED) {
        (void)json_object_set_new(answer, "failed", failed_of(result));
    } else if (result->code == K_OK && row->shown == SHOW_SIZES) {
        (void)json_object_set_new(answer, "sizes", sizes_of(result));
    }
    return answer;
}

static json_t *described(struct rt_slice bytes)
{
    char digest[SHA256_DIGEST_STRING_LENGTH];
    char hex[2 * INLINE_LIMIT_BYTES + 1] = "";

    (void)SHA256Data(bytes.data, bytes.len_bytes, digest);
    json_t *about = json_pack("{sI ss}", "size", (json_int_t)bytes.len_bytes, "sha256", digest);
    if (bytes.len_bytes <= INLINE_LIMIT_BYTES) {
        for (size_t i = 0; i < bytes.len_bytes; i++) {
            (void)snprintf(hex + 2 * i, 3, "%02x", bytes.data[i]);
        }
        (void)json_object_set_new(about, "hex", json_string(hex));
    }
    return about;
}

static json_t *values_of(const struct ds_blocking_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->value_count; i++) {
        const struct rt_blob *value = result->values[i];
        (void)json_array_append_new(list,
                                    value == NULL ? json_null() : described(rt_blob_slice(value)));
    }
    return list;
}

/* A text from a peer need not be UTF-8; JSON must be. */
static json_t *text_of(const char *text)
{
    json_t *json = json_string(text);
    char *plain = json == NULL ? strdup(text) : NULL;

    if (plain != NULL) {
        for (char *letter = plain; *letter != '\0'; letter++) {
            *letter = (unsigned char)*letter < 0x80 ? *letter : '?';
        }
        json = json_string(plain);
        free(plain);
    }
    return json;
}
