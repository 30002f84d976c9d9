/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_VERDICT_HANG_H
#define HARNESS_VERDICT_HANG_H

#include "harness/verdict/judge.h"

/* A call that does not end: what the client waits for, what each worker and etcd saw and sent last,
 * which etcd is down, frozen or without a leader, which fault is holding something. `why` is how
 * the loop ended. */
void scn_report_hang(struct scn_judge *judge, const struct scn_call *call, enum rt_status why);

#endif
