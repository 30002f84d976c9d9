/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_WORDS_H
#define FAULTS_WORDS_H

#include "faults/fault.h"

/* Inside faults/ only. Words of the language, and the shape of names. */

const char *fault__action_arguments(enum fault_action_kind kind);
const char *fault__action_help(enum fault_action_kind kind);

/* False: no such word. */
bool fault__action_parse(struct rt_slice word, enum fault_action_kind *out_kind);

/* [a-z0-9-]+ */
bool fault__is_id(struct rt_slice text);

/* "step.s1.done", "worker-1.restarted", "fault.x.fired#2": parts joined by dots; a single part
 * begins with a letter, so that a duration is no event. */
bool fault__is_event(struct rt_slice text);

/* "fault.<id>.fired" and "fault.<id>.fired#k"; `out_number` 0 without "#k". */
bool fault__is_fired_event(struct rt_slice text, struct rt_slice *out_id, uint64_t *out_number);

#endif
