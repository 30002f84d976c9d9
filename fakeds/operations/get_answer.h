/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_OPERATIONS_GET_ANSWER_H
#define FAKEDS_OPERATIONS_GET_ANSWER_H

#include "fakeds/request/call.h"
#include "wire/proto/datasystem.pb-c.h"

/* Answers a get with what was found: `contents[i]` for key i, NULL: missing. */
void fakeds__get_answer(struct fakeds__call *call, const Ds__GetReq *request,
                        struct fakeds__content *const *contents);

/* What the faults last-rc and reply-no-entries make of a finished answer. False: no memory, and the
 * call has ended. */
bool fakeds__get_alter(struct fakeds__call *call, const struct fault_action *action,
                       struct fakeds__answer *answer);

#endif
