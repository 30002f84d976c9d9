/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_TRIGGER_H
#define FAULTS_TRIGGER_H

#include "faults/fault.h"
#include "faults/memory.h"

/*
 * Inside faults/ only. The small language of `do:`
 *
 *   trigger  = [ "skip(K)" "->" ] term { "->" term }
 *   term     = [ P "%" ] [ N "*" ] ( action [ "(" argument { "," argument } ")" ] | "off" )
 *   argument = '"' text '"' | word
 */
struct fault__term {
    struct fault_action action;
    bool is_off; /* matches are used up and nothing is done */
    bool has_percent;
    double percent;
    uint64_t count; /* 0: for ever */
    uint64_t used_count;
    const char *source;  /* "status(K_TRY_AGAIN)" as written, without P and N */
    const char *detail;  /* the same and its point, for the journal */
    size_t offset_bytes; /* of the action's word in the trigger */
    size_t len_bytes;
    size_t event_offset_bytes; /* of hold's event */
    struct fault__term *next;
};

struct fault__trigger {
    uint64_t skip_count;
    struct fault__term *terms; /* at least one */
};

/* RT_OK, RT_E_INVALID after one error at `node`, or RT_E_NOMEM. `errors` may be NULL. */
RT_NODISCARD enum rt_status fault__trigger_parse(struct fault__memory *memory,
                                                 const struct doc_node *node, struct rt_slice text,
                                                 struct doc_error_list *errors,
                                                 struct fault__trigger *out_trigger);

/* ---- between trigger.c and argument.c ---------------------------------------------------- */

struct fault__scanner {
    struct rt_slice text;
    size_t at;
    struct fault__memory *memory;
    const struct doc_node *node;
    struct doc_error_list *errors;
    enum rt_status status; /* of the first failure */
};

/* Adds an error under these bytes; sets the status. */
struct doc_error *fault__complain(struct fault__scanner *scanner, size_t offset_bytes,
                                  size_t len_bytes, const char *format, ...) RT_PRINTF(4, 5);
void fault__skip_blanks(struct fault__scanner *scanner);
bool fault__take(struct fault__scanner *scanner, char letter);

/* "(…)" of the action that was just read, if it is there. */
RT_NODISCARD bool fault__take_arguments(struct fault__scanner *scanner, struct fault__term *term);

/* "(K)" of skip. */
RT_NODISCARD bool fault__take_skip_count(struct fault__scanner *scanner, size_t word_offset_bytes,
                                         uint64_t *out_count);

#endif
