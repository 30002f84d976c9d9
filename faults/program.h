/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_PROGRAM_H
#define FAULTS_PROGRAM_H

#include "faults/fault.h"
#include "runtime/journal.h"
#include "runtime/network.h"
#include "runtime/signals.h"

/*
 * What the program of a fake is made of, whichever fake: a loop over TCP, its network, a fault
 * engine, the signals that end it and, when asked for, a journal that goes to standard error. For
 * a fake in somebody else's program see faults/host.h. One thread.
 */
struct fault_program {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal; /* NULL: nothing is recorded */
    struct fault_engine *faults;
    struct rt_signals *signals;
};

/* What the fake adds; the callbacks run from the loop, with `arg`. */
struct fault_program_parts {
    const struct fault_domain *domain;
    uint64_t seed;
    bool is_recorded; /* each record of the journal becomes a line on standard error */
    rt_signal_fn *on_signal;
    fault_process_fn *on_process_fault;
    void *arg;
};

/* `program` is zeroed. After a failure too it is unmade. */
RT_NODISCARD enum rt_status fault_program_make(struct fault_program *program,
                                               const struct fault_program_parts *parts);
/* Arms the faults of a file; what is wrong in it goes to standard error. NULL: no faults. As
 * fault_file_load(). */
RT_NODISCARD enum rt_status fault_program_load(const struct fault_program *program,
                                               const char *path);
/* After the fake itself. */
void fault_program_unmake(struct fault_program *program);

#endif
