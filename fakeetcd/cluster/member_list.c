/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/cluster/member_list.h"

#include <stdlib.h>

static bool is_whole(const struct fakeetcd_member *member)
{
    return member->name != NULL && member->peer_urls != NULL && member->client_urls != NULL;
}

static void free_texts(const struct fakeetcd_member *member)
{
    free(member->name);
    free(member->peer_urls);
    free(member->client_urls);
}

/* Takes the texts, also when it fails. */
static enum rt_status take(struct fakeetcd_members *members, const struct fakeetcd_member *member)
{
    struct fakeetcd_member *grown =
        is_whole(member) ? realloc(members->items, (members->count + 1) * sizeof(*grown)) : NULL;

    if (grown == NULL) {
        free_texts(member);
        return RT_E_NOMEM;
    }
    members->items = grown;
    members->items[members->count++] = *member;
    return RT_OK;
}

enum rt_status fakeetcd_members_add(struct fakeetcd_members *members,
                                    const struct fakeetcd_member *member)
{
    const struct fakeetcd_member copied = {
        .id = member->id,
        .name = strdup(member->name),
        .peer_urls = strdup(member->peer_urls),
        .client_urls = strdup(member->client_urls),
        .is_learner = member->is_learner,
    };

    return take(members, &copied);
}

void fakeetcd_members_remove(struct fakeetcd_members *members, size_t index)
{
    struct fakeetcd_member *removed = &members->items[index];

    free_texts(removed);
    members->count--;
    memmove(removed, removed + 1, (members->count - index) * sizeof(*removed));
}

void fakeetcd_members_clear(struct fakeetcd_members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        free_texts(&members->items[i]);
    }
    free(members->items);
    *members = (struct fakeetcd_members){0};
}

enum rt_status fakeetcd_members_copy(const struct fakeetcd_members *members,
                                     struct fakeetcd_members *out_members)
{
    enum rt_status status = RT_OK;

    for (size_t i = 0; i < members->count && status == RT_OK; i++) {
        status = fakeetcd_members_add(out_members, &members->items[i]);
    }
    if (status != RT_OK) {
        fakeetcd_members_clear(out_members);
        return status;
    }
    out_members->is_changed = members->is_changed;
    return RT_OK;
}

/* ---- as an entry of a log ---- */

void fakeetcd__members_save(struct fakeetcd__log_writer *writer,
                            const struct fakeetcd_members *members)
{
    fakeetcd__write_number(writer, members->count);
    for (size_t i = 0; i < members->count; i++) {
        const struct fakeetcd_member *member = &members->items[i];
        const uint64_t numbers[] = {member->id, member->is_learner};
        fakeetcd__write_numbers(writer, numbers, 2);
        fakeetcd__write_bytes(writer, rt_slice_text(member->name), NULL);
        fakeetcd__write_bytes(writer, rt_slice_text(member->peer_urls), NULL);
        fakeetcd__write_bytes(writer, rt_slice_text(member->client_urls), NULL);
    }
}

static bool read_text(struct fakeetcd__log_reader *reader, char **out_text)
{
    struct rt_slice bytes = fakeetcd__read_bytes(reader);

    *out_text =
        bytes.len_bytes == 0 ? strdup("") : strndup((const char *)bytes.data, bytes.len_bytes);
    return bytes.len_bytes == 0 || memchr(bytes.data, '\0', bytes.len_bytes) == NULL;
}

static enum rt_status load_one(struct fakeetcd__log_reader *reader,
                               struct fakeetcd_members *members)
{
    struct fakeetcd_member member = {.id = fakeetcd__read_number(reader)};
    uint64_t is_learner = fakeetcd__read_number(reader);
    bool is_name = read_text(reader, &member.name);
    bool is_peer = read_text(reader, &member.peer_urls);
    bool is_client = read_text(reader, &member.client_urls);

    member.is_learner = is_learner == 1;
    enum rt_status status = take(members, &member);
    if (status != RT_OK) {
        return status;
    }
    return is_learner <= 1 && is_name && is_peer && is_client ? RT_OK : RT_E_MALFORMED;
}

enum rt_status fakeetcd__members_load(struct fakeetcd__log_reader *reader,
                                      struct fakeetcd_members *members)
{
    struct fakeetcd_members loaded = {.is_changed = true};
    uint64_t count = fakeetcd__read_number(reader);
    enum rt_status status = count > 0 || reader->is_bad ? RT_OK : RT_E_MALFORMED;

    for (uint64_t i = 0; i < count && status == RT_OK && !reader->is_bad; i++) {
        status = load_one(reader, &loaded);
    }
    if (status != RT_OK || reader->is_bad) {
        fakeetcd_members_clear(&loaded);
        return status;
    }
    fakeetcd_members_clear(members);
    *members = loaded;
    return RT_OK;
}
