/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "connector/omni_connector_set.h"
#include "connector/omni_notation.h"
#include "harness/dstest/call.h"
#include "harness/dstest/command.h"
#include "runtime/random.h"

/*
 * The calls themselves, one after the other on a loop of this thread:
 *
 *   connect --> put | get | exist | delete | health | put, get, delete --> leave
 */
#define KEY_BYTES     512U
#define TEXT_BYTES    1600U
#define LEAVE_WAIT_US UINT64_C(1000000)

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_CANNOT = 4 };

struct runner {
    const struct call_options *options;
    const struct call_target *target;
    FILE *notes; /* stdout, or stderr when stdout holds the data */
    struct rt_loop *loop;
    struct rt_network *network;
    struct omni_factory *factory;
    struct omni_instance *instance;
    const char *key;
    char full_key[KEY_BYTES]; /* as it stands in the store; cut for show when longer */

    /* The call that is waited for. */
    bool is_done;
    uint64_t started_us;
    uint64_t took_us;
    bool is_success;
    bool is_empty;
    uint64_t size_bytes;
    enum ds_cause cause;
    char text[TEXT_BYTES];
    struct omni_arena *arena; /* of what a get brought */
    const struct omni_value *value;
    struct rt_blob *payload;
    bool is_there; /* what exist answered */
};

static int run_with_loop(struct runner *runner, const struct omni_value *data);
static int connect_and_call(struct runner *runner, const struct omni_value *data);
static void leave(struct runner *runner);
static void finish_call(struct runner *runner, const struct ds_status *status, enum ds_cause cause);

int call_run(const struct call_options *options, const struct call_target *target,
             const struct omni_value *data)
{
    bool is_data_on_stdout =
        options->is_json || (options->output != NULL && strcmp(options->output, "-") == 0);
    struct runner runner = {
        .options = options, .target = target, .notes = is_data_on_stdout ? stderr : stdout};
    char fresh[64];

    (void)snprintf(fresh, sizeof(fresh), "dstest-call-%016" PRIx64, rt_random_system_seed());
    runner.key = options->key != NULL ? options->key : fresh;
    (void)snprintf(runner.full_key, sizeof(runner.full_key), "%s%c%s_%s", runner.key,
                   strcmp(target->spec.name, omni_model_name(OMNI_POLLING)) == 0 ? '@' : ':',
                   target->from_stage, target->to_stage);
    int code = EXIT_CANNOT;
    if (rt_loop_create(RT_LOOP_SOCKETS, &runner.loop) == RT_OK &&
        rt_network_create(runner.loop, &runner.network) == RT_OK &&
        omni_factory_create(&runner.factory) == RT_OK) {
        code = run_with_loop(&runner, data);
    } else {
        (void)fputs("dstest call: out of memory\n", stderr);
    }
    omni_factory_destroy(runner.factory);
    rt_blob_release(runner.payload);
    omni_arena_destroy(runner.arena);
    if (runner.network != NULL) {
        rt_network_destroy(runner.network);
    }
    if (runner.loop != NULL) {
        rt_loop_destroy(runner.loop);
    }
    return code;
}

static int run_with_loop(struct runner *runner, const struct omni_value *data)
{
    int code = connect_and_call(runner, data);

    leave(runner);
    omni_instance_destroy(runner->instance);
    return code;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static bool is_done(void *arg)
{
    const struct runner *runner = arg;

    return runner->is_done;
}

static void begin(struct runner *runner)
{
    runner->is_done = false;
    runner->started_us = rt_monotonic_us();
}

/* `accepted`: whether the call was begun at all. */
static bool wait_for(struct runner *runner, enum rt_status accepted)
{
    enum rt_status status = accepted;

    if (status == RT_OK) {
        status = rt_loop_run(runner->loop, is_done, runner, RT_NEVER);
    }
    runner->took_us = rt_monotonic_us() - runner->started_us;
    if (status != RT_OK) {
        (void)fprintf(stderr, "dstest call: %s\n", rt_status_text(status));
    }
    return status == RT_OK;
}

static double took_ms(const struct runner *runner)
{
    return (double)runner->took_us / 1000.0;
}

/* ---- connecting ----------------------------------------------------------------------------- */

static void on_made(void *arg, struct omni_instance *instance, const char *text)
{
    struct runner *runner = arg;

    runner->instance = instance;
    (void)snprintf(runner->text, sizeof(runner->text), "%s", text == NULL ? "" : text);
    runner->is_done = true;
}

static bool connect_to_worker(struct runner *runner)
{
    const struct omni_environment environment = {.ds = {.loop = runner->loop,
                                                        .network = runner->network,
                                                        .seed = rt_random_system_seed(),
                                                        .name = "dstest-call"}};
    struct omni_creation *creation = NULL;

    begin(runner);
    if (!wait_for(runner, omni_factory_begin(runner->factory, &runner->target->spec, &environment,
                                             on_made, runner, &creation))) {
        return false;
    }
    if (runner->instance == NULL) {
        (void)fprintf(stderr, "dstest call: edge %s->%s: after %.1f ms: %s\nnext: %s\n",
                      runner->target->from_stage, runner->target->to_stage, took_ms(runner),
                      runner->text, call_advice_for_construction(runner->text));
        return false;
    }
    struct omni_health health;
    omni_instance_health(runner->instance, &health);
    (void)fprintf(runner->notes, "connected to %s:%" PRId64 " in %.2f ms\n",
                  health.is_healthy ? health.host : "?", health.port, took_ms(runner));
    return true;
}

static void on_left(void *arg, const struct ds_result *result)
{
    struct runner *runner = arg;

    (void)result;
    runner->is_done = true;
}

/* A connector leaves without a word; a tool that comes and goes tells the worker. */
static void leave(struct runner *runner)
{
    void *client = runner->instance == NULL
                       ? NULL
                       : omni_connector_client(omni_instance_self(runner->instance));

    runner->is_done = false;
    if (client != NULL && ds_client_close(client, on_left, runner) == RT_OK) {
        uint64_t until_us =
            rt_loop_of_monotonic_us(runner->loop, rt_monotonic_us()) + LEAVE_WAIT_US;
        enum rt_status status = rt_loop_run(runner->loop, is_done, runner, until_us);
        (void)status; /* a worker that does not answer has been told */
    }
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int fail_call(const struct runner *runner, const char *what, bool is_put)
{
    (void)fprintf(stderr, "dstest call: %s %s failed after %.1f ms: %s: %s\nnext: %s\n", what,
                  runner->full_key, took_ms(runner), ds_cause_word(runner->cause), runner->text,
                  call_advice(runner->cause, is_put));
    return EXIT_FAILED;
}

static void finish_call(struct runner *runner, const struct ds_status *status, enum ds_cause cause)
{
    runner->cause = cause;
    if (status->code == K_OK) { /* what is wrong with a value has no code */
        (void)snprintf(runner->text, sizeof(runner->text), "%s", status->text);
    } else {
        ds_status_format(status, runner->text, sizeof(runner->text));
    }
    runner->is_done = true;
}

static void on_put(void *arg, const struct omni_put_result *result)
{
    struct runner *runner = arg;

    runner->is_success = result->is_success;
    runner->size_bytes = result->size_bytes;
    finish_call(runner, &result->status, result->cause);
}

static int put(struct runner *runner, const struct omni_value *data)
{
    const struct call_target *target = runner->target;

    begin(runner);
    if (!wait_for(runner, omni_instance_put(runner->instance, target->from_stage, target->to_stage,
                                            rt_slice_text(runner->key), data, on_put, runner))) {
        return EXIT_CANNOT;
    }
    if (!runner->is_success) {
        return fail_call(runner, "put", true);
    }
    (void)fprintf(runner->notes, "put %s: %" PRIu64 " bytes in %.2f ms\n", runner->full_key,
                  runner->size_bytes, took_ms(runner));
    return EXIT_DONE;
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct runner *runner = arg;

    runner->is_success = result->data != NULL;
    runner->is_empty = result->data == NULL && result->cause == DS_CAUSE_NONE;
    runner->size_bytes = result->size_bytes;
    if (result->data != NULL) {
        *result->is_arena_kept = true;
        runner->arena = result->arena;
        runner->value = result->data;
    }
    if (result->payload != NULL) {
        runner->payload = rt_blob_retain(result->payload);
    }
    finish_call(runner, &result->status, result->cause);
}

static int get(struct runner *runner)
{
    const struct call_target *target = runner->target;
    char described[160];

    begin(runner);
    if (!wait_for(runner, omni_instance_get(runner->instance, target->from_stage, target->to_stage,
                                            rt_slice_text(runner->key), on_get, runner))) {
        return EXIT_CANNOT;
    }
    if (runner->is_empty) {
        (void)fprintf(stderr, "dstest call: get %s: nothing, after %.1f ms\n", runner->full_key,
                      took_ms(runner));
        return EXIT_FAILED;
    }
    if (!runner->is_success) {
        return fail_call(runner, "get", false);
    }
    omni_value_describe(runner->value, described, sizeof(described));
    (void)fprintf(runner->notes, "get %s: %" PRIu64 " bytes in %.2f ms: %s\n", runner->full_key,
                  runner->size_bytes, took_ms(runner), described);
    return EXIT_DONE;
}

static void on_raw(void *arg, const struct ds_result *result)
{
    struct runner *runner = arg;

    runner->is_success = result->status.code == K_OK;
    runner->is_there = result->exist_count == 1 && result->exists[0];
    finish_call(runner, &result->status,
                runner->is_success ? DS_CAUSE_NONE
                                   : ds_cause_of(result->status.code, result->status.detail));
}

/* What the connector does not offer, its client does. */
static int call_client(struct runner *runner, enum call_verb verb)
{
    void *client = omni_connector_client(omni_instance_self(runner->instance));
    const struct rt_slice key = rt_slice_text(runner->full_key);
    static const char *const words[] = {
        [CALL_EXIST] = "exist", [CALL_DELETE] = "delete", [CALL_HEALTH] = "health"};

    begin(runner);
    enum rt_status status = verb == CALL_EXIST    ? ds_exist(client, &key, 1, on_raw, runner)
                            : verb == CALL_DELETE ? ds_delete(client, &key, 1, on_raw, runner)
                                                  : ds_health(client, on_raw, runner);
    if (!wait_for(runner, status)) {
        return EXIT_CANNOT;
    }
    if (!runner->is_success) {
        return fail_call(runner, words[verb], false);
    }
    return EXIT_DONE;
}

/* ---- verbs ---------------------------------------------------------------------------------- */

static int cannot_write(const char *path)
{
    (void)fprintf(stderr, "dstest call: %s: cannot be written\n", path);
    return EXIT_CANNOT;
}

/* The bytes as they came. */
static int write_payload(const struct runner *runner, const char *path)
{
    struct rt_slice bytes = rt_blob_slice(runner->payload);
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *out = is_stdout ? stdout : fopen(path, "wb");

    if (out == NULL) {
        return cannot_write(path);
    }
    bool is_written = fwrite(bytes.data, 1, bytes.len_bytes, out) == bytes.len_bytes;
    is_written = (is_stdout ? fflush(out) : fclose(out)) == 0 && is_written;
    return is_written ? EXIT_DONE : cannot_write(path);
}

static int get_and_show(struct runner *runner)
{
    int code = get(runner);

    if (code == EXIT_DONE && runner->options->output != NULL) {
        code = write_payload(runner, runner->options->output);
    }
    if (code == EXIT_DONE && runner->options->is_json) {
        if (omni_notation_write(stdout, runner->value) != RT_OK || putchar('\n') == EOF) {
            code = cannot_write("standard output");
        }
    }
    return code;
}

static int exist_and_show(struct runner *runner)
{
    int code = call_client(runner, CALL_EXIST);

    if (code == EXIT_DONE) {
        (void)printf("%s %s, asked in %.2f ms\n", runner->full_key,
                     runner->is_there ? "is there" : "is not there", took_ms(runner));
        code = runner->is_there ? EXIT_DONE : EXIT_FAILED;
    }
    return code;
}

static int delete_and_show(struct runner *runner)
{
    int code = call_client(runner, CALL_DELETE);

    if (code == EXIT_DONE) {
        (void)printf("delete %s: done in %.2f ms\n", runner->full_key, took_ms(runner));
    }
    return code;
}

/* The worker's own answer, then what the connector says of itself. */
static int health_and_show(struct runner *runner)
{
    struct omni_health health;
    int code = call_client(runner, CALL_HEALTH);

    if (code == EXIT_DONE) {
        (void)printf("worker: healthy, asked in %.2f ms\n", took_ms(runner));
    }
    omni_instance_health(runner->instance, &health);
    if (!health.is_healthy) {
        (void)printf("connector: unhealthy: %s\n", health.error);
        return EXIT_FAILED;
    }
    (void)printf("connector: healthy, host %s, port %" PRId64 ", puts %" PRIu64 ", gets %" PRIu64
                 ", bytes_transferred %" PRIu64 ", errors %" PRIu64 ", timeouts %" PRIu64 "\n",
                 health.host, health.port, health.metrics.puts, health.metrics.gets,
                 health.metrics.bytes_transferred, health.metrics.errors, health.metrics.timeouts);
    return code;
}

/* A value of its own, so that a stale one under the same key is noticed. */
static int roundtrip(struct runner *runner)
{
    char marked[64];
    const struct omni_value value = {
        .kind = OMNI_TEXT,
        .body = {.bytes = rt_slice_of(marked, (size_t)snprintf(marked, sizeof(marked),
                                                               "roundtrip %016" PRIx64,
                                                               rt_random_system_seed()))}};
    int code = put(runner, &value);

    if (code != EXIT_DONE) {
        return code;
    }
    code = get(runner);
    if (code == EXIT_DONE && !omni_value_equal(runner->value, &value)) {
        (void)fprintf(stderr,
                      "dstest call: roundtrip %s: another value came back than was put\nnext: does "
                      "something else write this key?\n",
                      runner->full_key);
        code = EXIT_FAILED;
    }
    int of_delete = delete_and_show(runner);
    code = code == EXIT_DONE ? of_delete : code;
    if (code == EXIT_DONE) {
        (void)printf("roundtrip: the value came back as it was put\n");
    }
    return code;
}

static int connect_and_call(struct runner *runner, const struct omni_value *data)
{
    if (!connect_to_worker(runner)) {
        return EXIT_CANNOT;
    }
    switch (runner->options->verb) {
    case CALL_PUT:
        return put(runner, data);
    case CALL_GET:
        return get_and_show(runner);
    case CALL_EXIST:
        return exist_and_show(runner);
    case CALL_DELETE:
        return delete_and_show(runner);
    case CALL_HEALTH:
        return health_and_show(runner);
    case CALL_ROUNDTRIP:
        return roundtrip(runner);
    }
    return EXIT_CANNOT;
}
