/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/recorder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define CHUNK_BYTES   ((size_t)64 << 10)
#define FIRST_RECORDS 256
#define SHORT_TEXT    64
#define KNOWN_TEXTS   64 /* a power of two */

/* Texts live in chunks that never move. */
struct chunk {
    struct chunk *next;
    size_t used_bytes;
    size_t size_bytes;
    char bytes[];
};

struct scn_recorder {
    struct rt_record *records;
    size_t count;
    size_t capacity;
    size_t lost;
    struct chunk *chunks;           /* the first one is being filled */
    const char *known[KNOWN_TEXTS]; /* texts that came lately, by a hash of theirs */
};

struct scn_recorder *scn_recorder_create(void)
{
    return calloc(1, sizeof(struct scn_recorder));
}

void scn_recorder_reset(struct scn_recorder *recorder)
{
    while (recorder->chunks != NULL && recorder->chunks->next != NULL) {
        struct chunk *chunk = recorder->chunks;
        recorder->chunks = chunk->next;
        free(chunk);
    }
    if (recorder->chunks != NULL) {
        recorder->chunks->used_bytes = 0;
    }
    memset(recorder->known, 0, sizeof(recorder->known));
    recorder->count = 0;
    recorder->lost = 0;
}

void scn_recorder_destroy(struct scn_recorder *recorder)
{
    if (recorder == NULL) {
        return;
    }
    scn_recorder_reset(recorder);
    free(recorder->chunks);
    free(recorder->records);
    free(recorder);
}

static char *room_for(struct scn_recorder *recorder, size_t len_bytes)
{
    struct chunk *chunk = recorder->chunks;

    if (chunk == NULL || chunk->size_bytes - chunk->used_bytes < len_bytes) {
        size_t size_bytes = len_bytes > CHUNK_BYTES ? len_bytes : CHUNK_BYTES;
        chunk = malloc(sizeof(*chunk) + size_bytes);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = recorder->chunks;
        chunk->used_bytes = 0;
        chunk->size_bytes = size_bytes;
        recorder->chunks = chunk;
    }
    char *room = chunk->bytes + chunk->used_bytes;
    chunk->used_bytes += len_bytes;
    return room;
}

static const char *keep_text(struct scn_recorder *recorder, const char *text)
{
    size_t len_bytes = strlen(text);
    size_t slot = 0;

    if (len_bytes == 0) {
        return "";
    }
    if (len_bytes <= SHORT_TEXT) {
        for (size_t i = 0; i < len_bytes; i++) {
            slot = slot * 31 + (unsigned char)text[i];
        }
        slot &= KNOWN_TEXTS - 1;
        if (recorder->known[slot] != NULL && strcmp(recorder->known[slot], text) == 0) {
            return recorder->known[slot];
        }
    }
    char *copy = room_for(recorder, len_bytes + 1);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, text, len_bytes + 1);
    if (len_bytes <= SHORT_TEXT) {
        recorder->known[slot] = copy;
    }
    return copy;
}

static bool grow(struct scn_recorder *recorder)
{
    size_t capacity = recorder->capacity == 0 ? FIRST_RECORDS : recorder->capacity * 2;
    struct rt_record *records = realloc(recorder->records, capacity * sizeof(*records));

    if (records == NULL) {
        return false;
    }
    recorder->records = records;
    recorder->capacity = capacity;
    return true;
}

void scn_recorder_sink(void *arg, const struct rt_record *record)
{
    struct scn_recorder *recorder = arg;
    struct rt_record copy = *record;

    if (recorder->count == recorder->capacity && !grow(recorder)) {
        recorder->lost++;
        return;
    }
    copy.actor = keep_text(recorder, record->actor);
    copy.subject = keep_text(recorder, record->subject);
    copy.cause = keep_text(recorder, record->cause);
    copy.detail = keep_text(recorder, record->detail);
    uint8_t *key = (uint8_t *)room_for(recorder, record->key.len_bytes);
    if (copy.actor == NULL || copy.subject == NULL || copy.cause == NULL || copy.detail == NULL ||
        key == NULL) {
        recorder->lost++;
        return;
    }
    if (record->key.len_bytes > 0) {
        memcpy(key, record->key.data, record->key.len_bytes);
    }
    copy.key = rt_slice_of(key, record->key.len_bytes);
    recorder->records[recorder->count++] = copy;
}

size_t scn_recorder_count(const struct scn_recorder *recorder)
{
    return recorder->count;
}

const struct rt_record *scn_recorder_at(const struct scn_recorder *recorder, size_t index)
{
    return &recorder->records[index];
}

size_t scn_recorder_lost(const struct scn_recorder *recorder)
{
    return recorder->lost;
}

bool scn_record_is_housekeeping(const struct rt_record *record)
{
    static const char *const subjects[] = {"heartbeat", "zmq-heartbeat", "reconcile"};
    bool is_rpc = record->kind >= RT_REC_RPC_SENT && record->kind <= RT_REC_RPC_LATE;

    for (size_t i = 0; is_rpc && i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        if (strcmp(record->subject, subjects[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- printing ---- */

static void print_visible(FILE *out, const uint8_t *data, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        if (data[i] == '\n') {
            (void)fputs("; ", out);
        } else if (data[i] < 0x20 || data[i] == 0x7f) {
            (void)fprintf(out, "\\x%02x", data[i]);
        } else {
            (void)fputc(data[i], out);
        }
    }
}

void scn_record_print(FILE *out, const struct rt_record *record)
{
    (void)fprintf(out, "%12.6f  %-10s %-14s %s", (double)record->time_us / 1e6, record->actor,
                  rt_record_kind_text(record->kind), record->subject);
    if (record->key.len_bytes > 0) {
        (void)fputc(' ', out);
        print_visible(out, record->key.data,
                      record->key.len_bytes > 80 ? 80 : record->key.len_bytes);
    }
    if (record->id != 0) {
        (void)fprintf(out, " #%" PRIx64, record->id & 0xffffff);
    }
    if (record->code != 0) {
        (void)fprintf(out, " code %d", record->code);
    }
    if (record->number != 0) {
        (void)fprintf(out, " (%" PRIu64 ")", record->number);
    }
    if (record->detail[0] != '\0') {
        (void)fputs(": ", out);
        print_visible(out, (const uint8_t *)record->detail, strlen(record->detail));
    }
    if (record->cause[0] != '\0') {
        (void)fprintf(out, "  <- %s", record->cause);
    }
}

static void set_text(json_t *object, const char *name, struct rt_slice text)
{
    if (text.len_bytes == 0) {
        return;
    }
    json_t *value = json_stringn((const char *)text.data, text.len_bytes);
    if (value == NULL) { /* not UTF-8 */
        value = json_string("(bytes)");
    }
    (void)json_object_set_new(object, name, value);
}

void scn_record_print_json(FILE *out, const struct rt_record *record)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "seq", json_integer((json_int_t)record->seq));
    (void)json_object_set_new(object, "time_us", json_integer((json_int_t)record->time_us));
    set_text(object, "kind", rt_slice_text(rt_record_kind_text(record->kind)));
    set_text(object, "actor", rt_slice_text(record->actor));
    set_text(object, "subject", rt_slice_text(record->subject));
    set_text(object, "key", record->key);
    if (record->id != 0) {
        char text[24];
        (void)snprintf(text, sizeof(text), "%016" PRIx64, record->id);
        (void)json_object_set_new(object, "id", json_string(text));
    }
    (void)json_object_set_new(object, "code", json_integer(record->code));
    (void)json_object_set_new(object, "number", json_integer((json_int_t)record->number));
    set_text(object, "cause", rt_slice_text(record->cause));
    set_text(object, "detail", rt_slice_text(record->detail));
    (void)json_dumpf(object, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
    (void)fputc('\n', out);
    json_decref(object);
}
