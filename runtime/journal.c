/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/journal.h"

#include <stdlib.h>

/*
 * A ring of slots, each with room for its record's texts, so that appending allocates nothing.
 * Texts that together do not fit are cut, each at its share, and end in an ellipsis; sinks have
 * seen them whole.
 */
#define SLOT_TEXT_BYTES  192
#define TEXT_SHARE_BYTES 38 /* of each when not all fit; the last, detail, gets what is left */
#define SINK_MAX_COUNT   8

struct slot {
    struct rt_record record; /* its texts point into `text` */
    char text[SLOT_TEXT_BYTES];
};

struct sink {
    rt_journal_sink_fn *run;
    void *arg;
};

struct rt_journal {
    struct rt_loop *loop;
    struct sink sinks[SINK_MAX_COUNT];
    size_t sink_count;
    struct slot *slots;
    size_t ring_count;
    size_t next; /* slot of the next record */
    uint64_t appended_count;
};

/* The free part of a slot's text. */
struct shelf {
    char *at;
    size_t left_bytes;
    size_t share_bytes; /* of each text */
};

static void keep(struct slot *slot, const struct rt_record *record);
static const char *put_text(struct shelf *shelf, const char *text);
static struct rt_slice put_key(struct shelf *shelf, struct rt_slice key);

enum rt_status rt_journal_create(struct rt_loop *loop, size_t ring_count,
                                 struct rt_journal **out_journal)
{
    struct rt_journal *journal = calloc(1, sizeof(*journal));

    if (journal == NULL) {
        return RT_E_NOMEM;
    }
    journal->loop = loop;
    journal->ring_count = ring_count;
    journal->slots = ring_count == 0 ? NULL : calloc(ring_count, sizeof(*journal->slots));
    if (journal->slots == NULL && ring_count > 0) {
        free(journal);
        return RT_E_NOMEM;
    }
    *out_journal = journal;
    return RT_OK;
}

void rt_journal_destroy(struct rt_journal *journal)
{
    if (journal != NULL) {
        free(journal->slots);
        free(journal);
    }
}

enum rt_status rt_journal_attach(struct rt_journal *journal, rt_journal_sink_fn *sink, void *arg)
{
    if (journal->sink_count == SINK_MAX_COUNT) {
        return RT_E_LIMIT;
    }
    journal->sinks[journal->sink_count++] = (struct sink){sink, arg};
    return RT_OK;
}

void rt_journal_append(struct rt_journal *journal, const struct rt_record *record)
{
    struct rt_record whole;

    if (journal == NULL) {
        return;
    }
    whole = *record;
    whole.actor = record->actor == NULL ? "" : record->actor;
    whole.subject = record->subject == NULL ? "" : record->subject;
    whole.cause = record->cause == NULL ? "" : record->cause;
    whole.detail = record->detail == NULL ? "" : record->detail;
    whole.seq = ++journal->appended_count;
    whole.time_us = rt_loop_now_us(journal->loop);
    if (journal->ring_count > 0) {
        keep(&journal->slots[journal->next], &whole);
        journal->next = journal->next + 1 == journal->ring_count ? 0 : journal->next + 1;
    }
    for (size_t i = 0; i < journal->sink_count; i++) {
        journal->sinks[i].run(journal->sinks[i].arg, &whole);
    }
}

static void keep(struct slot *slot, const struct rt_record *record)
{
    struct shelf shelf = {slot->text, sizeof(slot->text), SIZE_MAX};
    size_t all_bytes = strlen(record->actor) + strlen(record->subject) + strlen(record->cause) +
                       strlen(record->detail) + record->key.len_bytes + 4;

    if (all_bytes > shelf.left_bytes) {
        shelf.share_bytes = TEXT_SHARE_BYTES;
    }
    slot->record = *record;
    slot->record.actor = put_text(&shelf, record->actor);
    slot->record.subject = put_text(&shelf, record->subject);
    slot->record.cause = put_text(&shelf, record->cause);
    slot->record.key = put_key(&shelf, record->key);
    shelf.share_bytes = SIZE_MAX;
    slot->record.detail = put_text(&shelf, record->detail);
}

/* With its NUL; cut between characters when it does not fit. */
static const char *put_text(struct shelf *shelf, const char *text)
{
    static const char ELLIPSIS[] = "\xe2\x80\xa6";
    size_t room_bytes =
        shelf->left_bytes < shelf->share_bytes ? shelf->left_bytes : shelf->share_bytes;
    size_t len_bytes = strlen(text);
    size_t used_bytes = len_bytes + 1;
    char *copy = shelf->at;

    if (used_bytes <= room_bytes) {
        memcpy(copy, text, used_bytes);
    } else {
        len_bytes = room_bytes - sizeof(ELLIPSIS);
        while (len_bytes > 0 && ((unsigned char)text[len_bytes] & 0xc0) == 0x80) {
            len_bytes--;
        }
        memcpy(copy, text, len_bytes);
        memcpy(copy + len_bytes, ELLIPSIS, sizeof(ELLIPSIS));
        used_bytes = len_bytes + sizeof(ELLIPSIS);
    }
    shelf->at += used_bytes;
    shelf->left_bytes -= used_bytes;
    return copy;
}

static struct rt_slice put_key(struct shelf *shelf, struct rt_slice key)
{
    size_t len_bytes = key.len_bytes < shelf->share_bytes ? key.len_bytes : shelf->share_bytes;
    struct rt_slice copy = rt_slice_of(shelf->at, len_bytes);

    if (len_bytes > 0) {
        memcpy(shelf->at, key.data, len_bytes);
    }
    shelf->at += len_bytes;
    shelf->left_bytes -= len_bytes;
    return copy;
}

uint64_t rt_journal_count(const struct rt_journal *journal)
{
    return journal->appended_count;
}

uint64_t rt_journal_overwritten(const struct rt_journal *journal)
{
    return journal->appended_count <= journal->ring_count
               ? 0
               : journal->appended_count - journal->ring_count;
}

uint64_t rt_journal_lost(const struct rt_journal *journal)
{
    (void)journal;
    return 0; /* the ring is allocated up front, so no record can fail to find memory */
}

void rt_journal_walk(const struct rt_journal *journal, rt_journal_sink_fn *sink, void *arg)
{
    size_t kept_count = (size_t)(journal->appended_count - rt_journal_overwritten(journal));
    size_t first = kept_count < journal->ring_count ? 0 : journal->next;

    for (size_t i = 0; i < kept_count; i++) {
        sink(arg, &journal->slots[(first + i) % journal->ring_count].record);
    }
}

const char *rt_record_kind_text(enum rt_record_kind kind)
{
    switch (kind) {
#define RT_RECORD_CASE(name, text)                                                                 \
    case name:                                                                                     \
        return text;
        RT_RECORD_LIST(RT_RECORD_CASE)
#undef RT_RECORD_CASE
    case RT_RECORD_KIND_COUNT:
        break;
    }
    return "unknown";
}
