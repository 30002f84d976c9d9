/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/include/fakeetcd.h"

#include "fakeetcd/request/call.h"
#include "fakeetcd/server/server.h"
#include "faults/host.h"

#include <stdio.h>
#include <stdlib.h>

/* A server on a thread of its own. The public header: each call is an errand for that thread. */
struct fakeetcd {
    struct fault_host host;
    struct fakeetcd_config config;
    char address[64];
    struct fakeetcd_server *server; /* the thread's own */
};

struct question {
    struct fakeetcd *fake;
    const char *text; /* rule, id, event, key, operation */
    char *out_text;
    void *out_bytes;
    const void *bytes;
    size_t capacity_bytes;
    bool is_state_kept;
    struct fakeetcd_op_counts counts;
    uint64_t number; /* answer */
    enum rt_status status;
};

static enum rt_status make(void *arg);
static void unmake(void *arg);
static void on_process_fault(void *arg, const char *names, const struct fault_action *action);
static enum fakeetcd_status ask(struct fakeetcd *fake, rt_task_fn *run, struct question *question);

static const struct fault_host_parts PARTS = {make, unmake, on_process_fault};

/* ---- life ----------------------------------------------------------------------------------- */

void fakeetcd_config_init(struct fakeetcd_config *config)
{
    *config = (struct fakeetcd_config){.profile = "etcd-3.5", .time_scale = 1.0, .seed = 1};
}

enum fakeetcd_status fakeetcd_start(const struct fakeetcd_config *config,
                                    struct fakeetcd **out_fake)
{
    struct fakeetcd *fake = calloc(1, sizeof(*fake));

    if (fake == NULL) {
        return FAKEETCD_NO_MEMORY;
    }
    fakeetcd_config_init(&fake->config);
    if (config != NULL) {
        fake->config = *config;
    }
    struct question question = {.status =
                                    fault_host_start(&fake->host, &PARTS, fake, fake->config.seed)};
    if (question.status != RT_OK) {
        free(fake);
        return question.status == RT_E_BUSY      ? FAKEETCD_BUSY
               : question.status == RT_E_INVALID ? FAKEETCD_INVALID
               : question.status == RT_E_NOMEM   ? FAKEETCD_NO_MEMORY
                                                 : FAKEETCD_FAILED;
    }
    *out_fake = fake;
    return FAKEETCD_FINE;
}

void fakeetcd_stop(struct fakeetcd *fake)
{
    if (fake != NULL) {
        fault_host_stop(&fake->host);
        free(fake);
    }
}

static enum rt_status make(void *arg)
{
    struct fakeetcd *fake = arg;
    char address[32];
    char why[160];
    const char *addresses[] = {address};
    struct fakeetcd_options options;
    struct fakeetcd_environment environment = {.loop = fake->host.loop,
                                               .network = fake->host.network,
                                               .faults = fake->host.faults,
                                               .seed = fake->config.seed};
    enum rt_status status = fault_engine_register(fake->host.faults, &fakeetcd_fault_domain);

    if (status != RT_OK) {
        return status;
    }
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)fake->config.port);
    fakeetcd_options_init(&options);
    options.addresses = addresses;
    options.address_count = 1;
    options.time_scale = fake->config.time_scale;
    options.profile = fakeetcd_profile_find(fake->config.profile);
    if (options.profile == NULL || !(options.time_scale > 0.0)) {
        return RT_E_INVALID;
    }
    status = fakeetcd_server_create(&environment, &options, &fake->server, why, sizeof(why));
    if (status == RT_OK) {
        (void)snprintf(fake->address, sizeof(fake->address), "%s",
                       fakeetcd_server_address(fake->server));
    }
    return status;
}

static void unmake(void *arg)
{
    struct fakeetcd *fake = arg;
    fakeetcd_server_destroy(fake->server);
}

static void on_process_fault(void *arg, const char *names, const struct fault_action *action)
{
    struct fakeetcd *fake = arg;
    if (fault_process_means(names, fakeetcd_server_name(fake->server))) {
        fakeetcd_server_process(fake->server, action);
    }
}

const char *fakeetcd_address(const struct fakeetcd *fake)
{
    return fake->address;
}

uint16_t fakeetcd_port(const struct fakeetcd *fake)
{
    return (uint16_t)strtoul(strrchr(fake->address, ':') + 1, NULL, 10);
}

/* ---- errands -------------------------------------------------------------------------------- */

static enum fakeetcd_status status_of(enum rt_status status)
{
    switch (status) {
    case RT_OK:
        return FAKEETCD_FINE;
    case RT_E_NOMEM:
        return FAKEETCD_NO_MEMORY;
    case RT_E_BUSY:
        return FAKEETCD_BUSY;
    case RT_E_NOT_FOUND:
        return FAKEETCD_NOT_FOUND;
    case RT_E_INVALID:
    case RT_E_MALFORMED:
    case RT_E_EXISTS:
        return FAKEETCD_INVALID;
    default:
        return FAKEETCD_FAILED;
    }
}

static enum fakeetcd_status ask(struct fakeetcd *fake, rt_task_fn *run, struct question *question)
{
    question->fake = fake;
    return fault_host_run(&fake->host, run, question) ? status_of(question->status)
                                                      : FAKEETCD_NO_MEMORY;
}

static void do_arm(void *arg)
{
    struct question *question = arg;
    question->status = fault_arm_text(question->fake->host.faults, question->text,
                                      question->out_text, question->capacity_bytes);
}

enum fakeetcd_status fakeetcd_arm(struct fakeetcd *fake, const char *rule, char *out_why,
                                  size_t why_bytes)
{
    struct question question = {.text = rule, .out_text = out_why, .capacity_bytes = why_bytes};
    return ask(fake, do_arm, &question);
}

static void do_disarm(void *arg)
{
    struct question *question = arg;
    question->status = fault_disarm(question->fake->host.faults, question->text);
}

enum fakeetcd_status fakeetcd_disarm(struct fakeetcd *fake, const char *rule_id)
{
    struct question question = {.text = rule_id};
    return ask(fake, do_disarm, &question);
}

static void do_fired(void *arg)
{
    struct question *question = arg;
    question->number = fault_host_fired(&question->fake->host, question->text);
}

uint64_t fakeetcd_fired(struct fakeetcd *fake, const char *rule_id)
{
    struct question question = {.text = rule_id};
    return ask(fake, do_fired, &question) == FAKEETCD_FINE ? question.number : 0;
}

static void do_signal(void *arg)
{
    const struct question *question = arg;
    fault_event(question->fake->host.faults, question->text);
}

void fakeetcd_signal(struct fakeetcd *fake, const char *event)
{
    struct question question = {.text = event};
    (void)ask(fake, do_signal, &question);
}

static void do_kill(void *arg)
{
    const struct question *question = arg;
    fakeetcd_server_kill(question->fake->server);
}

void fakeetcd_kill(struct fakeetcd *fake)
{
    struct question question = {0};
    (void)ask(fake, do_kill, &question);
}

static void do_restart(void *arg)
{
    struct question *question = arg;
    if (fakeetcd_server_is_running(question->fake->server)) {
        fakeetcd_server_kill(question->fake->server);
    }
    question->status = fakeetcd_server_start(question->fake->server, question->is_state_kept);
}

enum fakeetcd_status fakeetcd_restart(struct fakeetcd *fake, bool is_state_kept)
{
    struct question question = {.is_state_kept = is_state_kept};
    return ask(fake, do_restart, &question);
}

static void do_expire(void *arg)
{
    struct question *question = arg;
    enum fakeetcd_error error =
        fakeetcd_server_expire_lease_of(question->fake->server, rt_slice_text(question->text));
    question->status = error == FAKEETCD_OK ? RT_OK : RT_E_NOT_FOUND;
}

enum fakeetcd_status fakeetcd_expire_lease(struct fakeetcd *fake, const char *key)
{
    struct question question = {.text = key};
    return ask(fake, do_expire, &question);
}

/* ---- what it saw ---------------------------------------------------------------------------- */

static void do_count(void *arg)
{
    struct question *question = arg;
    question->status =
        fakeetcd_server_op_counts(question->fake->server, question->text, &question->counts)
            ? RT_OK
            : RT_E_INVALID;
}

uint64_t fakeetcd_requests(struct fakeetcd *fake, const char *operation)
{
    struct question question = {.text = operation};
    return ask(fake, do_count, &question) == FAKEETCD_FINE ? question.counts.arrived : 0;
}

uint64_t fakeetcd_applied(struct fakeetcd *fake, const char *operation)
{
    struct question question = {.text = operation};
    return ask(fake, do_count, &question) == FAKEETCD_FINE ? question.counts.applied : 0;
}

static void do_revision(void *arg)
{
    struct question *question = arg;
    question->number =
        (uint64_t)fakeetcd_store_revision(fakeetcd_server_state(question->fake->server)->store);
}

int64_t fakeetcd_revision(struct fakeetcd *fake)
{
    struct question question = {0};
    return ask(fake, do_revision, &question) == FAKEETCD_FINE ? (int64_t)question.number : 0;
}

static void do_peek(void *arg)
{
    struct question *question = arg;
    struct fakeetcd_kv kv;
    if (!fakeetcd_store_get(fakeetcd_server_state(question->fake->server)->store,
                            rt_slice_text(question->text), 0, &kv)) {
        question->status = RT_E_NOT_FOUND;
        return;
    }
    question->number = kv.value.len_bytes;
    size_t copied_bytes = kv.value.len_bytes < question->capacity_bytes ? kv.value.len_bytes
                                                                        : question->capacity_bytes;
    if (copied_bytes > 0) {
        memcpy(question->out_bytes, kv.value.data, copied_bytes);
    }
}

enum fakeetcd_status fakeetcd_peek(struct fakeetcd *fake, const char *key, void *out_value,
                                   size_t capacity_bytes, size_t *out_size_bytes)
{
    struct question question = {
        .text = key, .out_bytes = out_value, .capacity_bytes = capacity_bytes};
    enum fakeetcd_status status = ask(fake, do_peek, &question);
    if (status == FAKEETCD_FINE) {
        *out_size_bytes = (size_t)question.number;
    }
    return status;
}

static void do_poke(void *arg)
{
    struct question *question = arg;
    enum fakeetcd_error error =
        fakeetcd_server_put(question->fake->server, rt_slice_text(question->text),
                            rt_slice_of(question->bytes, question->capacity_bytes), 0);
    question->status = error == FAKEETCD_OK ? RT_OK : RT_E_INVALID;
}

enum fakeetcd_status fakeetcd_poke(struct fakeetcd *fake, const char *key, const void *value,
                                   size_t size_bytes)
{
    struct question question = {.text = key, .bytes = value, .capacity_bytes = size_bytes};
    return ask(fake, do_poke, &question);
}
