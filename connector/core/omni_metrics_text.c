/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_metrics_text.h"

#include "runtime/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Both texts come from the same tables: plain numbers, failures by cause, histograms. A text is
 * written through `struct out`, which goes on counting when the caller's buffer is full.
 */

/* Row: member of struct omni_metrics, name, help. */
#define COUNTERS(ROW)                                                                              \
    ROW(puts, "puts", "Puts that succeeded.")                                                      \
    ROW(gets, "gets", "Gets that brought data.")                                                   \
    ROW(bytes_transferred, "bytes_transferred", "Serialized bytes of puts that succeeded.")        \
    ROW(errors, "errors", "Puts that failed.")                                                     \
    ROW(timeouts, "timeouts", "Gets that failed, for whatever reason.")                            \
    ROW(empties, "empties", "Gets to which the client gave nothing without a failure.")            \
    ROW(put_calls, "put_calls", "Calls of put.")                                                   \
    ROW(get_calls, "get_calls", "Calls of get.")                                                   \
    ROW(puts_refused_closed, "puts_refused", "Puts refused because the connector was closed.")     \
    ROW(gets_refused_closed, "gets_refused", "Gets refused because the connector was closed.")     \
    ROW(puts_cancelled, "puts_cancelled", "Puts that their caller gave up.")                       \
    ROW(gets_cancelled, "gets_cancelled", "Gets that their caller gave up.")

#define GAUGES(ROW)                                                                                \
    ROW(puts_in_flight, "puts_in_flight", "Puts that have not ended.")                             \
    ROW(gets_in_flight, "gets_in_flight", "Gets that have not ended.")

#define HISTOGRAMS(ROW)                                                                            \
    ROW(store, "store", "Time of the client's set.")                                               \
    ROW(fetch, "fetch", "Time of the client's get; of a polling connector, of each look.")         \
    ROW(serialize, "serialize", "Time of encoding a value.")                                       \
    ROW(deserialize, "deserialize", "Time of decoding a value.")

#define BUCKETS 32

struct number_row {
    size_t offset;
    const char *name;
    const char *help;
};

#define NUMBER_ROW(member, name, help) {offsetof(struct omni_metrics, member), name, help},
static const struct number_row COUNTER_ROWS[] = {COUNTERS(NUMBER_ROW)};
static const struct number_row GAUGE_ROWS[] = {GAUGES(NUMBER_ROW)};
static const struct number_row HISTOGRAM_ROWS[] = {HISTOGRAMS(NUMBER_ROW)};
#undef NUMBER_ROW
static const struct number_row PUT_FAILURES = {offsetof(struct omni_metrics, put_causes),
                                               "put_failures", "Failed puts by cause."};
static const struct number_row GET_FAILURES = {offsetof(struct omni_metrics, get_causes),
                                               "get_failures", "Failed gets by cause."};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct out {
    char *text;
    size_t capacity_bytes;
    size_t length;
};

typedef size_t write_fn(const struct omni_metrics_source *sources, size_t count, char *out_text,
                        size_t text_bytes);

static void add(struct out *out, const char *format, ...) RT_PRINTF(2, 3);
static void add_quoted(struct out *out, const char *text, bool is_json);
static void json_source(struct out *out, const struct omni_metrics_source *source);
static void json_causes(struct out *out, const struct omni_metrics *metrics,
                        const struct number_row *row);
static void json_histogram(struct out *out, const char *name,
                           const struct omni_histogram *histogram);
static void family(struct out *out, const char *name, const char *unit, const char *type,
                   const char *help);
static void causes(struct out *out, const struct omni_metrics_source *sources, size_t count,
                   const struct number_row *row);
static void histogram_lines(struct out *out, const char *metric, const char *connector,
                            const struct omni_histogram *histogram);

static uint64_t number_of(const struct omni_metrics *metrics, const struct number_row *row)
{
    uint64_t number = 0;
    memcpy(&number, (const char *)metrics + row->offset, sizeof(number));
    return number;
}

static const struct omni_histogram *histogram_of(const struct omni_metrics *metrics,
                                                 const struct number_row *row)
{
    return (const void *)((const char *)metrics + row->offset);
}

static const uint64_t *causes_of(const struct omni_metrics *metrics, const struct number_row *row)
{
    return (const void *)((const char *)metrics + row->offset);
}

/* A failed get that does not decode, a failed put that does not encode: one cause, two words. */
static const char *cause_word(enum ds_cause cause, const struct number_row *row)
{
    if (cause != DS_CAUSE_CODEC) {
        return ds_cause_word(cause);
    }
    return row == &PUT_FAILURES ? "encode" : "decode";
}

/* A put is never "not found". */
static bool has_cause(enum ds_cause cause, const struct number_row *row)
{
    return cause != DS_CAUSE_NONE && (row == &GET_FAILURES || cause != DS_CAUSE_NOT_FOUND);
}

/* The longest time in a bucket, in microseconds; the last one has none. */
static uint64_t bucket_limit_us(size_t bucket)
{
    return (UINT64_C(1) << bucket) - 1;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

size_t omni_metrics_write_json(const struct omni_metrics_source *sources, size_t count,
                               char *out_text, size_t text_bytes)
{
    struct out out = {.text = out_text, .capacity_bytes = text_bytes};

    add(&out, "{\"connectors\":[");
    for (size_t i = 0; i < count; i++) {
        add(&out, "%s", i == 0 ? "" : ",");
        json_source(&out, &sources[i]);
    }
    add(&out, "]}");
    return out.length;
}

static void json_source(struct out *out, const struct omni_metrics_source *source)
{
    add(out, "{\"connector\":");
    add_quoted(out, source->name, true);
    for (size_t i = 0; i < COUNT_OF(COUNTER_ROWS); i++) {
        add(out, ",\"%s\":%" PRIu64, COUNTER_ROWS[i].name,
            number_of(source->metrics, &COUNTER_ROWS[i]));
    }
    for (size_t i = 0; i < COUNT_OF(GAUGE_ROWS); i++) {
        add(out, ",\"%s\":%" PRIu64, GAUGE_ROWS[i].name,
            number_of(source->metrics, &GAUGE_ROWS[i]));
    }
    json_causes(out, source->metrics, &PUT_FAILURES);
    json_causes(out, source->metrics, &GET_FAILURES);
    add(out, ",\"latency\":{");
    for (size_t i = 0; i < COUNT_OF(HISTOGRAM_ROWS); i++) {
        add(out, "%s", i == 0 ? "" : ",");
        json_histogram(out, HISTOGRAM_ROWS[i].name,
                       histogram_of(source->metrics, &HISTOGRAM_ROWS[i]));
    }
    add(out, "}}");
}

static void json_causes(struct out *out, const struct omni_metrics *metrics,
                        const struct number_row *row)
{
    const char *comma = "";

    add(out, ",\"%s\":{", row->name);
    for (int cause = 0; cause < DS_CAUSE_COUNT; cause++) {
        if (has_cause((enum ds_cause)cause, row)) {
            add(out, "%s\"%s\":%" PRIu64, comma, cause_word((enum ds_cause)cause, row),
                causes_of(metrics, row)[cause]);
            comma = ",";
        }
    }
    add(out, "}");
}

static void json_histogram(struct out *out, const char *name,
                           const struct omni_histogram *histogram)
{
    const char *comma = "";

    add(out, "\"%s\":{\"count\":%" PRIu64 ",\"sum_us\":%" PRIu64 ",\"max_us\":%" PRIu64, name,
        histogram->count, histogram->sum_us, histogram->max_us);
    add(out, ",\"buckets\":[");
    for (size_t i = 0; i < BUCKETS; i++) {
        if (histogram->buckets[i] == 0) {
            continue;
        }
        if (i == BUCKETS - 1) {
            add(out, "%s{\"le_us\":null", comma);
        } else {
            add(out, "%s{\"le_us\":%" PRIu64, comma, bucket_limit_us(i));
        }
        add(out, ",\"count\":%" PRIu64 "}", histogram->buckets[i]);
        comma = ",";
    }
    add(out, "]}");
}

/* ---- Prometheus: all samples of a family stand together, under its HELP and TYPE ----------- */

size_t omni_metrics_write_prometheus(const struct omni_metrics_source *sources, size_t count,
                                     char *out_text, size_t text_bytes)
{
    struct out out = {.text = out_text, .capacity_bytes = text_bytes};

    for (size_t row = 0; row < COUNT_OF(COUNTER_ROWS); row++) {
        family(&out, COUNTER_ROWS[row].name, "_total", "counter", COUNTER_ROWS[row].help);
        for (size_t i = 0; i < count; i++) {
            add(&out, "omniconnect_%s_total{connector=", COUNTER_ROWS[row].name);
            add_quoted(&out, sources[i].name, false);
            add(&out, "} %" PRIu64 "\n", number_of(sources[i].metrics, &COUNTER_ROWS[row]));
        }
    }
    causes(&out, sources, count, &PUT_FAILURES);
    causes(&out, sources, count, &GET_FAILURES);
    for (size_t row = 0; row < COUNT_OF(GAUGE_ROWS); row++) {
        family(&out, GAUGE_ROWS[row].name, "", "gauge", GAUGE_ROWS[row].help);
        for (size_t i = 0; i < count; i++) {
            add(&out, "omniconnect_%s{connector=", GAUGE_ROWS[row].name);
            add_quoted(&out, sources[i].name, false);
            add(&out, "} %" PRIu64 "\n", number_of(sources[i].metrics, &GAUGE_ROWS[row]));
        }
    }
    for (size_t row = 0; row < COUNT_OF(HISTOGRAM_ROWS); row++) {
        family(&out, HISTOGRAM_ROWS[row].name, "_seconds", "histogram", HISTOGRAM_ROWS[row].help);
        for (size_t i = 0; i < count; i++) {
            histogram_lines(&out, HISTOGRAM_ROWS[row].name, sources[i].name,
                            histogram_of(sources[i].metrics, &HISTOGRAM_ROWS[row]));
        }
    }
    return out.length;
}

static void family(struct out *out, const char *name, const char *unit, const char *type,
                   const char *help)
{
    add(out, "# HELP omniconnect_%s%s %s\n", name, unit, help);
    add(out, "# TYPE omniconnect_%s%s %s\n", name, unit, type);
}

static void causes(struct out *out, const struct omni_metrics_source *sources, size_t count,
                   const struct number_row *row)
{
    family(out, row->name, "_total", "counter", row->help);
    for (size_t i = 0; i < count; i++) {
        for (int cause = 0; cause < DS_CAUSE_COUNT; cause++) {
            if (has_cause((enum ds_cause)cause, row)) {
                add(out, "omniconnect_%s_total{connector=", row->name);
                add_quoted(out, sources[i].name, false);
                add(out, ",cause=\"%s\"} %" PRIu64 "\n", cause_word((enum ds_cause)cause, row),
                    causes_of(sources[i].metrics, row)[cause]);
            }
        }
    }
}

static void bucket_line(struct out *out, const char *metric, const char *connector,
                        const char *limit, uint64_t total)
{
    add(out, "omniconnect_%s_seconds_bucket{connector=", metric);
    add_quoted(out, connector, false);
    add(out, ",le=\"%s\"} %" PRIu64 "\n", limit, total);
}

/* Microseconds are counted whole, so the limits of the buckets are exact. */
static void histogram_lines(struct out *out, const char *metric, const char *connector,
                            const struct omni_histogram *histogram)
{
    char limit[32];
    uint64_t total = 0;

    for (size_t i = 0; i < BUCKETS - 1; i++) {
        uint64_t limit_us = bucket_limit_us(i);
        total += histogram->buckets[i];
        (void)snprintf(limit, sizeof(limit), "%" PRIu64 ".%06" PRIu64, limit_us / 1000000,
                       limit_us % 1000000);
        bucket_line(out, metric, connector, limit, total);
    }
    bucket_line(out, metric, connector, "+Inf", histogram->count);
    add(out, "omniconnect_%s_seconds_sum{connector=", metric);
    add_quoted(out, connector, false);
    add(out, "} %" PRIu64 ".%06" PRIu64 "\n", histogram->sum_us / 1000000,
        histogram->sum_us % 1000000);
    add(out, "omniconnect_%s_seconds_count{connector=", metric);
    add_quoted(out, connector, false);
    add(out, "} %" PRIu64 "\n", histogram->count);
}

/* ---- in memory of its own ------------------------------------------------------------------ */

static char *write_anew(write_fn *write, const struct omni_metrics_source *sources, size_t count)
{
    size_t text_bytes = write(sources, count, NULL, 0) + 1;
    char *text = malloc(text_bytes);

    if (text != NULL) {
        (void)write(sources, count, text, text_bytes);
    }
    return text;
}

char *omni_metrics_json(const struct omni_metrics_source *sources, size_t count)
{
    return write_anew(omni_metrics_write_json, sources, count);
}

char *omni_metrics_prometheus(const struct omni_metrics_source *sources, size_t count)
{
    return write_anew(omni_metrics_write_prometheus, sources, count);
}

/* ---- the buffer ---------------------------------------------------------------------------- */

static void add(struct out *out, const char *format, ...)
{
    size_t room_bytes = out->length < out->capacity_bytes ? out->capacity_bytes - out->length : 0;
    va_list arguments;

    va_start(arguments, format);
    int length =
        vsnprintf(room_bytes == 0 ? NULL : out->text + out->length, room_bytes, format, arguments);
    va_end(arguments);
    out->length += length > 0 ? (size_t)length : 0;
}

/* Prometheus knows three escapes, JSON one for every control character. */
static void add_quoted(struct out *out, const char *text, bool is_json)
{
    struct rt_slice rest = rt_slice_text(text);

    add(out, "\"");
    while (rest.len_bytes > 0) {
        size_t length = rt_utf8_character_bytes(rest);
        uint8_t first = rest.data[0];
        if (first == '"' || first == '\\') {
            add(out, "\\%c", first);
        } else if (first == '\n') {
            add(out, "\\n");
        } else if (is_json && first < 0x20) {
            add(out, "\\u%04x", (unsigned)first);
        } else if (length == 0) {
            add(out, "\xef\xbf\xbd");
        } else {
            add(out, "%.*s", (int)length, (const char *)rest.data);
        }
        length = length == 0 ? 1 : length;
        rest = rt_slice_of(rest.data + length, rest.len_bytes - length);
    }
    add(out, "\"");
}
