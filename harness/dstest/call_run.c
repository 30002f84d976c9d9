/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "connector/omni_notation.h"
#include "harness/dstest/call_runner.h"
#include "harness/dstest/command.h"
#include "runtime/random.h"

/*
 * The calls themselves, one after the other on a loop of this thread:
 *
 *   connect --> put | get | exist | delete | health | put, get, delete --> leave
 */
#define LEAVE_WAIT_US UINT64_C(1000000)

static int run_with_loop(struct call_runner *runner, const struct omni_value *data);
static int connect_and_call(struct call_runner *runner, const struct omni_value *data);
static void leave(struct call_runner *runner);

int call_run(const struct call_options *options, const struct call_target *target,
             const struct omni_value *data)
{
    bool is_data_on_stdout =
        options->is_json || (options->output != NULL && strcmp(options->output, "-") == 0);
    struct call_runner runner = {
        .options = options, .target = target, .notes = is_data_on_stdout ? stderr : stdout};
    char fresh[64];

    (void)snprintf(fresh, sizeof(fresh), "dstest-call-%016" PRIx64, rt_random_system_seed());
    runner.key = options->key != NULL ? options->key : fresh;
    (void)snprintf(runner.full_key, sizeof(runner.full_key), "%s%c%s_%s", runner.key,
                   strcmp(target->spec.name, omni_model_name(OMNI_POLLING)) == 0 ? '@' : ':',
                   target->from_stage, target->to_stage);
    int code = CALL_EXIT_CANNOT;
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

static int run_with_loop(struct call_runner *runner, const struct omni_value *data)
{
    int code = connect_and_call(runner, data);

    leave(runner);
    omni_instance_destroy(runner->instance);
    return code;
}

/* ---- connecting ----------------------------------------------------------------------------- */

static void on_made(void *arg, struct omni_instance *instance, const char *text)
{
    struct call_runner *runner = arg;

    runner->instance = instance;
    (void)snprintf(runner->text, sizeof(runner->text), "%s", text == NULL ? "" : text);
    runner->is_done = true;
}

static bool connect_to_worker(struct call_runner *runner)
{
    const struct omni_environment environment = {.ds = {.loop = runner->loop,
                                                        .network = runner->network,
                                                        .seed = rt_random_system_seed(),
                                                        .name = "dstest-call"}};
    struct omni_creation *creation = NULL;

    call_begin(runner);
    if (!call_wait(runner, omni_factory_begin(runner->factory, &runner->target->spec, &environment,
                                              on_made, runner, &creation))) {
        return false;
    }
    if (runner->instance == NULL) {
        (void)fprintf(stderr, "dstest call: edge %s->%s: after %.1f ms: %s\nnext: %s\n",
                      runner->target->from_stage, runner->target->to_stage, call_took_ms(runner),
                      runner->text, call_advice_for_construction(runner->text));
        return false;
    }
    struct omni_health health;
    omni_instance_health(runner->instance, &health);
    (void)fprintf(runner->notes, "connected to %s:%" PRId64 " in %.2f ms\n",
                  health.is_healthy ? health.host : "?", health.port, call_took_ms(runner));
    return true;
}

static void on_left(void *arg, const struct ds_result *result)
{
    struct call_runner *runner = arg;

    (void)result;
    runner->is_done = true;
}

/* A connector leaves without a word; a tool that comes and goes tells the worker. */
static void leave(struct call_runner *runner)
{
    void *client = runner->instance == NULL
                       ? NULL
                       : omni_connector_client(omni_instance_self(runner->instance));

    runner->is_done = false;
    if (client != NULL && ds_client_close(client, on_left, runner) == RT_OK) {
        uint64_t until_us =
            rt_loop_of_monotonic_us(runner->loop, rt_monotonic_us()) + LEAVE_WAIT_US;
        enum rt_status status = rt_loop_run(runner->loop, call_is_done, runner, until_us);
        (void)status; /* a worker that does not answer has been told */
    }
}

/* ---- verbs ---------------------------------------------------------------------------------- */

static int cannot_write(const char *path)
{
    (void)fprintf(stderr, "dstest call: %s: cannot be written\n", path);
    return CALL_EXIT_CANNOT;
}

/* The bytes as they came. */
static int write_payload(const struct call_runner *runner, const char *path)
{
    struct rt_slice bytes = rt_blob_slice(runner->payload);
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *out = is_stdout ? stdout : fopen(path, "wb");

    if (out == NULL) {
        return cannot_write(path);
    }
    bool is_written = fwrite(bytes.data, 1, bytes.len_bytes, out) == bytes.len_bytes;
    is_written = (is_stdout ? fflush(out) : fclose(out)) == 0 && is_written;
    return is_written ? CALL_EXIT_DONE : cannot_write(path);
}

static int get_and_show(struct call_runner *runner)
{
    int code = call_get(runner);

    if (code == CALL_EXIT_DONE && runner->options->output != NULL) {
        code = write_payload(runner, runner->options->output);
    }
    if (code == CALL_EXIT_DONE && runner->options->is_json) {
        if (omni_notation_write(stdout, runner->value) != RT_OK || putchar('\n') == EOF) {
            code = cannot_write("standard output");
        }
    }
    return code;
}

static int exist_and_show(struct call_runner *runner)
{
    int code = call_client(runner, CALL_EXIST);

    if (code == CALL_EXIT_DONE) {
        (void)printf("%s %s, asked in %.2f ms\n", runner->full_key,
                     runner->is_there ? "is there" : "is not there", call_took_ms(runner));
        code = runner->is_there ? CALL_EXIT_DONE : CALL_EXIT_FAILED;
    }
    return code;
}

static int delete_and_show(struct call_runner *runner)
{
    int code = call_client(runner, CALL_DELETE);

    if (code == CALL_EXIT_DONE) {
        (void)printf("delete %s: done in %.2f ms\n", runner->full_key, call_took_ms(runner));
    }
    return code;
}

/* The worker's own answer, then what the connector says of itself. */
static int health_and_show(struct call_runner *runner)
{
    struct omni_health health;
    int code = call_client(runner, CALL_HEALTH);

    if (code == CALL_EXIT_DONE) {
        (void)printf("worker: healthy, asked in %.2f ms\n", call_took_ms(runner));
    }
    omni_instance_health(runner->instance, &health);
    if (!health.is_healthy) {
        (void)printf("connector: unhealthy: %s\n", health.error);
        return CALL_EXIT_FAILED;
    }
    (void)printf("connector: healthy, host %s, port %" PRId64 ", puts %" PRIu64 ", gets %" PRIu64
                 ", bytes_transferred %" PRIu64 ", errors %" PRIu64 ", timeouts %" PRIu64 "\n",
                 health.host, health.port, health.metrics.puts, health.metrics.gets,
                 health.metrics.bytes_transferred, health.metrics.errors, health.metrics.timeouts);
    return code;
}

/* A value of its own, so that a stale one under the same key is noticed. */
static int roundtrip(struct call_runner *runner)
{
    char marked[64];
    const struct omni_value value = {
        .kind = OMNI_TEXT,
        .body = {.bytes = rt_slice_of(marked, (size_t)snprintf(marked, sizeof(marked),
                                                               "roundtrip %016" PRIx64,
                                                               rt_random_system_seed()))}};
    int code = call_put(runner, &value);

    if (code != CALL_EXIT_DONE) {
        return code;
    }
    code = call_get(runner);
    if (code == CALL_EXIT_DONE && !omni_value_equal(runner->value, &value)) {
        (void)fprintf(stderr,
                      "dstest call: roundtrip %s: another value came back than was put\nnext: does "
                      "something else write this key?\n",
                      runner->full_key);
        code = CALL_EXIT_FAILED;
    }
    int of_delete = delete_and_show(runner);
    code = code == CALL_EXIT_DONE ? of_delete : code;
    if (code == CALL_EXIT_DONE) {
        (void)printf("roundtrip: the value came back as it was put\n");
    }
    return code;
}

static int connect_and_call(struct call_runner *runner, const struct omni_value *data)
{
    if (!connect_to_worker(runner)) {
        return CALL_EXIT_CANNOT;
    }
    switch (runner->options->verb) {
    case CALL_PUT:
        return call_put(runner, data);
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
    return CALL_EXIT_CANNOT;
}
