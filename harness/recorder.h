/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_RECORDER_H
#define HARNESS_RECORDER_H

#include <stdio.h>

#include "runtime/journal.h"

/*
 * A sink of the journal that keeps everything: what statements about records, the laws, the
 * failure report and the journal file read. Texts that repeat (actors, subjects, causes) are
 * stored once.
 */
struct scn_recorder;

RT_NODISCARD struct scn_recorder *scn_recorder_create(void);
void scn_recorder_destroy(struct scn_recorder *recorder);
void scn_recorder_reset(struct scn_recorder *recorder); /* keeps its memory */

/* For rt_journal_attach(); `arg` is the recorder. */
void scn_recorder_sink(void *arg, const struct rt_record *record);

size_t scn_recorder_count(const struct scn_recorder *recorder);
const struct rt_record *scn_recorder_at(const struct scn_recorder *recorder, size_t index);

/* Records that found no memory. */
size_t scn_recorder_lost(const struct scn_recorder *recorder);

/* Heartbeats and the like, which go on whatever happens: left out where a reader looks for what
 * happened last. */
bool scn_record_is_housekeeping(const struct rt_record *record);

/* "   0.003000 worker-1  rpc.arrived  set req-1:0_1 (5 B)" without a newline. */
void scn_record_print(FILE *out, const struct rt_record *record);

/* One JSON object and a newline. */
void scn_record_print_json(FILE *out, const struct rt_record *record);

#endif
