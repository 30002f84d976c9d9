/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/program.h"

#include <inttypes.h>
#include <stdio.h>

#define JOURNAL_COUNT 16u /* lines are printed as they come; nobody looks back */
#define US_PER_S      1e6

static enum rt_status make_journal(struct fault_program *program);
static void print_record(void *arg, const struct rt_record *record);

enum rt_status fault_program_make(struct fault_program *program,
                                  const struct fault_program_parts *parts)
{
    enum rt_status status = rt_loop_create(RT_LOOP_SOCKETS, &program->loop);

    if (status == RT_OK) {
        status = rt_network_create(program->loop, &program->network);
    }
    if (status == RT_OK) {
        status = rt_signals_watch(program->loop, parts->on_signal, parts->arg, &program->signals);
    }
    if (status == RT_OK && parts->is_recorded) {
        status = make_journal(program);
    }
    if (status == RT_OK) {
        status =
            fault_engine_create(program->loop, program->journal, parts->seed, &program->faults);
    }
    if (status != RT_OK) {
        return status;
    }
    fault_engine_set_process_handler(program->faults, parts->on_process_fault, parts->arg);
    return fault_engine_register(program->faults, parts->domain);
}

static enum rt_status make_journal(struct fault_program *program)
{
    enum rt_status status = rt_journal_create(program->loop, JOURNAL_COUNT, &program->journal);

    return status == RT_OK ? rt_journal_attach(program->journal, print_record, NULL) : status;
}

static void print_record(void *arg, const struct rt_record *record)
{
    (void)arg;
    fprintf(stderr, "%10.6f %-14s %s", (double)record->time_us / US_PER_S,
            rt_record_kind_text(record->kind), record->subject);
    if (record->key.len_bytes > 0) {
        fprintf(stderr, " %.*s", (int)record->key.len_bytes, (const char *)record->key.data);
    }
    if (record->code != 0) {
        fprintf(stderr, " code %" PRId32, record->code);
    }
    if (record->number > 0) {
        fprintf(stderr, " %" PRIu64, record->number);
    }
    fprintf(stderr, "%s%s%s%s\n", record->cause[0] != '\0' ? " by " : "", record->cause,
            record->detail[0] != '\0' ? ": " : "", record->detail);
}

enum rt_status fault_program_load(const struct fault_program *program, const char *path)
{
    if (path == NULL) {
        return RT_OK;
    }
    struct doc_error_list *errors = doc_error_list_create();
    if (errors == NULL) {
        return RT_E_NOMEM;
    }
    enum rt_status status = fault_file_load(program->faults, path, errors);
    if (status != RT_OK) {
        doc_error_list_print(stderr, errors);
    }
    doc_error_list_destroy(errors);
    return status;
}

void fault_program_unmake(struct fault_program *program)
{
    fault_engine_destroy(program->faults);
    rt_journal_destroy(program->journal);
    rt_signals_destroy(program->signals);
    if (program->network != NULL) {
        rt_network_destroy(program->network);
    }
    if (program->loop != NULL) {
        rt_loop_destroy(program->loop);
    }
}
