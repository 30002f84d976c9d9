/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_VERDICT_LAWS_H
#define HARNESS_VERDICT_LAWS_H

#include "harness/verdict/judge.h"

/*
 * What must hold after every scenario, whatever faults fired. Nobody has to
 * ask for it.
 */

/* Before the world stops: requests, metrics, values. `calls` in the order started. */
void scn_laws_check(struct scn_judge *judge, const struct scn_call *calls);

/* What existed before a world was built, to be compared with what exists after it is gone. */
struct scn_leftovers {
    size_t blobs;
    size_t descriptors; /* sockets only: 0 in sim */
};
void scn_leftovers_take(enum rt_loop_mode mode, struct scn_leftovers *out_leftovers);
void scn_laws_check_leftovers(struct scn_findings *findings, enum rt_loop_mode mode,
                              const struct scn_leftovers *before);

/* Streams and listeners that the stopped world still has. Call between stop and destroy. */
void scn_laws_check_stopped(struct scn_judge *judge);

/* ---- among the files of the laws ---- */

/* A finding about the whole run. NULL: no memory; the functions that add to it take that. */
struct scn_finding *scn__law_broken(struct scn_judge *judge, const char *law);
void scn__laws_check_etcds(struct scn_judge *judge);

#endif
