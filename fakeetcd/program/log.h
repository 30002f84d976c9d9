/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_PROGRAM_LOG_H
#define FAKEETCD_PROGRAM_LOG_H

#include <stdbool.h>

/* Lines of JSON on stderr, as etcd 3.5 writes them: level, ts, caller, msg, then what is told. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL };

/* "debug", "info", "warn", "error", "panic", "fatal"; false: no such level. */
bool log_set_level(const char *word);

/* Pairs of names and texts follow, ended by NULL. */
void log_line(enum log_level level, const char *message, ...) __attribute__((sentinel));

#endif
