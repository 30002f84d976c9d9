/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/library/host.h"

#include <stdlib.h>
#include <string.h>

/* The public header: each call is an errand that the worker's own thread does. */
struct question {
    struct fakeds *fake;
    const char *text; /* rule, id, event, key */
    char *out_text;
    void *out_bytes;
    size_t capacity_bytes;
    bool is_state_kept;
    uint64_t duration_us;
    enum dsrpc_op op;
    uint64_t number; /* answer */
    enum rt_status status;
};

static enum fakeds_status status_of(enum rt_status status);
static enum fakeds_status ask(struct fakeds *fake, rt_task_fn *run, struct question *question);
static bool count(struct fakeds *fake, const char *operation, struct fakeds_op_counts *out_counts);
static void do_arm(void *arg);
static void do_disarm(void *arg);
static void do_fired(void *arg);
static void do_signal(void *arg);
static void do_kill(void *arg);
static void do_restart(void *arg);
static void do_count(void *arg);
static void do_peek(void *arg);
static void do_evict(void *arg);

#define DEFAULT_MEMORY_MB        1024
#define DEFAULT_DEAD_TIMEOUT_S   60
#define DEFAULT_RECONNECT_WAIT_S 5
#define MICROSECONDS_PER_MS      UINT64_C(1000)

void fakeds_config_init(struct fakeds_config *config)
{
    *config = (struct fakeds_config){
        .shared_memory_mb = DEFAULT_MEMORY_MB,
        .client_dead_timeout_s = DEFAULT_DEAD_TIMEOUT_S,
        .client_reconnect_wait_s = DEFAULT_RECONNECT_WAIT_S,
        .seed = 1,
    };
}

enum fakeds_status fakeds_start(const struct fakeds_config *config, struct fakeds **out_fake)
{
    struct fakeds *fake = calloc(1, sizeof(*fake));
    if (fake == NULL) {
        return FAKEDS_NO_MEMORY;
    }
    fakeds_config_init(&fake->config);
    if (config != NULL) {
        fake->config = *config;
    }
    enum rt_status status =
        fault_host_start(&fake->host, &fakeds__host_parts, fake, fake->config.seed);
    if (status == RT_OK) {
        *out_fake = fake;
        return FAKEDS_OK;
    }
    free(fake);
    return status_of(status);
}

void fakeds_stop(struct fakeds *fake)
{
    if (fake == NULL) {
        return;
    }
    fault_host_stop(&fake->host);
    free(fake);
}

static enum fakeds_status status_of(enum rt_status status)
{
    switch (status) {
    case RT_OK:
        return FAKEDS_OK;
    case RT_E_NOMEM:
        return FAKEDS_NO_MEMORY;
    case RT_E_BUSY:
        return FAKEDS_BUSY;
    case RT_E_NOT_FOUND:
        return FAKEDS_NOT_FOUND;
    case RT_E_INVALID:
    case RT_E_MALFORMED:
    case RT_E_EXISTS:
        return FAKEDS_INVALID;
    default:
        return FAKEDS_FAILED;
    }
}

static enum fakeds_status ask(struct fakeds *fake, rt_task_fn *run, struct question *question)
{
    question->fake = fake;
    return fault_host_run(&fake->host, run, question) ? status_of(question->status)
                                                      : FAKEDS_NO_MEMORY;
}

/* The port does not change when the worker is restarted. */
const char *fakeds_address(const struct fakeds *fake)
{
    return fake->address;
}

uint16_t fakeds_port(const struct fakeds *fake)
{
    return (uint16_t)strtoul(strrchr(fake->address, ':') + 1, NULL, 10);
}

/* ---- faults --------------------------------------------------------------------------------- */

enum fakeds_status fakeds_arm(struct fakeds *fake, const char *rule, char *out_why,
                              size_t why_bytes)
{
    struct question question = {.text = rule, .out_text = out_why, .capacity_bytes = why_bytes};
    return ask(fake, do_arm, &question);
}

static void do_arm(void *arg)
{
    struct question *question = arg;
    question->status = fault_arm_text(question->fake->host.faults, question->text,
                                      question->out_text, question->capacity_bytes);
}

enum fakeds_status fakeds_disarm(struct fakeds *fake, const char *rule_id)
{
    struct question question = {.text = rule_id};
    return ask(fake, do_disarm, &question);
}

static void do_disarm(void *arg)
{
    struct question *question = arg;
    question->status = fault_disarm(question->fake->host.faults, question->text);
}

uint64_t fakeds_fired(struct fakeds *fake, const char *rule_id)
{
    struct question question = {.text = rule_id};
    enum fakeds_status status = ask(fake, do_fired, &question);
    return status == FAKEDS_OK ? question.number : 0;
}

static void do_fired(void *arg)
{
    struct question *question = arg;
    question->number = fault_host_fired(&question->fake->host, question->text);
}

void fakeds_signal(struct fakeds *fake, const char *event)
{
    struct question question = {.text = event};
    (void)ask(fake, do_signal, &question);
}

static void do_signal(void *arg)
{
    const struct question *question = arg;
    fault_event(question->fake->host.faults, question->text);
}

void fakeds_kill(struct fakeds *fake)
{
    struct question question = {0};
    (void)ask(fake, do_kill, &question);
}

static void do_kill(void *arg)
{
    const struct question *question = arg;
    fakeds_worker_kill(question->fake->worker);
}

enum fakeds_status fakeds_restart(struct fakeds *fake, bool is_state_kept, uint32_t not_ready_ms)
{
    struct question question = {.is_state_kept = is_state_kept,
                                .duration_us = not_ready_ms * MICROSECONDS_PER_MS};
    return ask(fake, do_restart, &question);
}

static void do_restart(void *arg)
{
    struct question *question = arg;
    fakeds_worker_kill(question->fake->worker); /* dead already: nothing happens */
    question->status =
        fakeds_worker_start(question->fake->worker, question->is_state_kept, question->duration_us);
}

/* ---- what it saw ---------------------------------------------------------------------------- */

uint64_t fakeds_requests(struct fakeds *fake, const char *operation)
{
    struct fakeds_op_counts counts;
    return count(fake, operation, &counts) ? counts.arrived : 0;
}

uint64_t fakeds_applied(struct fakeds *fake, const char *operation)
{
    struct fakeds_op_counts counts;
    return count(fake, operation, &counts) ? counts.applied : 0;
}

static bool count(struct fakeds *fake, const char *operation, struct fakeds_op_counts *out_counts)
{
    struct question question = {.out_bytes = out_counts};
    return dsrpc_op_parse(operation, strlen(operation), &question.op) &&
           ask(fake, do_count, &question) == FAKEDS_OK;
}

static void do_count(void *arg)
{
    struct question *question = arg;
    fakeds_worker_op_counts(question->fake->worker, question->op, question->out_bytes);
}

enum fakeds_status fakeds_peek(struct fakeds *fake, const char *key, void *out_value,
                               size_t capacity_bytes, size_t *out_size_bytes)
{
    struct question question = {
        .text = key, .out_bytes = out_value, .capacity_bytes = capacity_bytes};
    enum fakeds_status status = ask(fake, do_peek, &question);
    if (status == FAKEDS_OK) {
        *out_size_bytes = (size_t)question.number;
    }
    return status;
}

static void do_peek(void *arg)
{
    struct question *question = arg;
    struct fakeds_object object;
    if (!fakeds_worker_find(question->fake->worker, rt_slice_text(question->text), &object)) {
        question->status = RT_E_NOT_FOUND;
        return;
    }
    question->number = object.size_bytes;
    if (object.value != NULL && question->capacity_bytes > 0) {
        struct rt_slice bytes = rt_blob_slice(object.value);
        memcpy(question->out_bytes, bytes.data,
               bytes.len_bytes < question->capacity_bytes ? bytes.len_bytes
                                                          : question->capacity_bytes);
    }
}

enum fakeds_status fakeds_evict(struct fakeds *fake, const char *key)
{
    struct question question = {.text = key};
    return ask(fake, do_evict, &question);
}

static void do_evict(void *arg)
{
    struct question *question = arg;
    question->status = fakeds_worker_evict(question->fake->worker, rt_slice_text(question->text));
}
