/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/log.h"

#include "fakeetcd/gateway/text.h"
#include "runtime/wall_clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MICROSECONDS_PER_S 1000000u

static const char *const WORDS[] = {"debug", "info", "warn", "error", "fatal"};
static enum log_level lowest = LOG_INFO;

bool log_set_level(const char *word)
{
    if (strcmp(word, "panic") == 0) {
        lowest = LOG_FATAL;
        return true;
    }
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (strcmp(WORDS[i], word) == 0) {
            lowest = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_line(enum log_level level, const char *message, ...)
{
    if (level < lowest) {
        return;
    }
    uint64_t now_us = rt_wall_clock_us(NULL);
    time_t now_s = (time_t)(now_us / MICROSECONDS_PER_S);
    struct tm date = {0};
    struct fakeetcd_text line = {0};
    gmtime_r(&now_s, &date);
    fakeetcd_text_print(&line,
                        "{\"level\":\"%s\",\"ts\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06uZ\","
                        "\"caller\":\"program/main.c\",\"msg\":",
                        WORDS[level], date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
                        date.tm_hour, date.tm_min, date.tm_sec,
                        (unsigned)(now_us % MICROSECONDS_PER_S));
    fakeetcd_text_json(&line, rt_slice_text(message));
    va_list pairs;
    va_start(pairs, message);
    for (const char *name = va_arg(pairs, const char *); name != NULL;
         name = va_arg(pairs, const char *)) {
        fakeetcd_text_print(&line, ",\"%s\":", name);
        fakeetcd_text_json(&line, rt_slice_text(va_arg(pairs, const char *)));
    }
    va_end(pairs);
    fakeetcd_text_word(&line, "}\n");
    if (!line.is_failed) {
        fwrite(line.data, 1, line.len_bytes, stderr); /* one write: stderr has no buffer */
    }
    fakeetcd_text_fini(&line);
}
