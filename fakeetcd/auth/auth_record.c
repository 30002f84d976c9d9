/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of auth as bytes and back: revision, enabled, roles with their permissions, users with their
 * digests and roles. Tokens are not in it: they die with the server.
 */
#include "fakeetcd/auth/auth_internal.h"
#include "fakeetcd/log_frame.h"

#include <stdlib.h>

static void save_role(struct fakeetcd__log_writer *writer, const struct fakeetcd__role *role)
{
    fakeetcd__write_bytes(writer, role->named.name, NULL);
    fakeetcd__write_number(writer, role->grant_count);
    for (struct fakeetcd__grant *grant = fakeetcd__grant_first(role); grant != NULL;
         grant = fakeetcd__grant_next(grant)) {
        fakeetcd__write_number(writer, (uint64_t)grant->access);
        fakeetcd__write_bytes(writer, grant->key, NULL);
        fakeetcd__write_bytes(writer, grant->end, NULL);
    }
}

static uint64_t count_of(const struct fakeetcd__names *names)
{
    uint64_t count = 0;

    for (const struct fakeetcd__named *named = fakeetcd__named_first(names); named != NULL;
         named = fakeetcd__named_next(named)) {
        count++;
    }
    return count;
}

static void save_user(struct fakeetcd__log_writer *writer, const struct fakeetcd__user *user)
{
    fakeetcd__write_bytes(writer, user->named.name, NULL);
    fakeetcd__write_number(writer, user->is_without_password);
    fakeetcd__write_raw(writer, rt_slice_of(user->salt, sizeof(user->salt)));
    fakeetcd__write_raw(writer, rt_slice_of(user->digest, sizeof(user->digest)));
    fakeetcd__write_number(writer, count_of(&user->roles));
    for (const struct fakeetcd__named *role = fakeetcd__named_first(&user->roles); role != NULL;
         role = fakeetcd__named_next(role)) {
        fakeetcd__write_bytes(writer, role->name, NULL);
    }
}

static void save(struct fakeetcd__log_writer *writer, const struct fakeetcd_auth *auth)
{
    const struct fakeetcd__named *named = NULL;

    fakeetcd__write_number(writer, auth->revision);
    fakeetcd__write_number(writer, auth->is_enabled);
    fakeetcd__write_number(writer, count_of(&auth->roles));
    for (named = fakeetcd__named_first(&auth->roles); named != NULL;
         named = fakeetcd__named_next(named)) {
        save_role(writer, (const struct fakeetcd__role *)named);
    }
    fakeetcd__write_number(writer, count_of(&auth->users));
    for (named = fakeetcd__named_first(&auth->users); named != NULL;
         named = fakeetcd__named_next(named)) {
        save_user(writer, (const struct fakeetcd__user *)named);
    }
}

enum rt_status fakeetcd__auth_save(const struct fakeetcd_auth *auth, uint8_t **out_bytes,
                                   size_t *out_len_bytes)
{
    struct fakeetcd__log_writer writer;
    enum rt_status status = fakeetcd__log_writer_init(&writer);

    if (status != RT_OK) {
        return status;
    }
    save(&writer, auth);
    uint8_t *bytes = writer.is_short_of_memory ? NULL : malloc(writer.len_bytes);
    if (bytes != NULL) {
        rt_outbox_copy(writer.body, bytes, writer.len_bytes);
        *out_bytes = bytes;
        *out_len_bytes = writer.len_bytes;
    }
    fakeetcd__log_writer_fini(&writer);
    return bytes == NULL ? RT_E_NOMEM : RT_OK;
}

/* ---- back ---- */

static enum rt_status status_of(enum fakeetcd_error error)
{
    return error == FAKEETCD_OK        ? RT_OK
           : error == FAKEETCD_E_NOMEM ? RT_E_NOMEM
                                       : RT_E_MALFORMED; /* there twice, or without a name */
}

static enum rt_status load_role(struct fakeetcd_auth *auth, struct fakeetcd__log_reader *reader)
{
    struct rt_slice name = fakeetcd__read_bytes(reader);
    uint64_t count = fakeetcd__read_number(reader);
    enum rt_status status = status_of(fakeetcd_role_add(auth, name));

    for (uint64_t i = 0; status == RT_OK && i < count; i++) {
        uint64_t access = fakeetcd__read_number(reader);
        struct fakeetcd_permission permission = {.access = (enum fakeetcd_access)access};
        permission.interval.key = fakeetcd__read_bytes(reader);
        permission.interval.end = fakeetcd__read_bytes(reader);
        if (reader->is_bad || access > FAKEETCD_READWRITE) {
            return RT_E_MALFORMED;
        }
        status = status_of(fakeetcd__grant_add(auth, fakeetcd__role_find(auth, name), &permission));
    }
    return status;
}

static enum rt_status load_user(struct fakeetcd_auth *auth, struct fakeetcd__log_reader *reader)
{
    struct rt_slice name = fakeetcd__read_bytes(reader);
    uint64_t is_without_password = fakeetcd__read_number(reader);
    struct rt_slice salt = fakeetcd__read_raw(reader, FAKEETCD__SALT_BYTES);
    struct rt_slice digest = fakeetcd__read_raw(reader, FAKEETCD__DIGEST_BYTES);
    uint64_t count = fakeetcd__read_number(reader);

    if (reader->is_bad) {
        return RT_E_MALFORMED;
    }
    enum rt_status status = status_of(fakeetcd_user_add(auth, name, (struct rt_slice){0}, true));
    if (status != RT_OK) {
        return status;
    }
    struct fakeetcd__user *user = fakeetcd__user_find(auth, name);
    user->is_without_password = is_without_password != 0;
    memcpy(user->salt, salt.data, sizeof(user->salt));
    memcpy(user->digest, digest.data, sizeof(user->digest));
    for (uint64_t i = 0; status == RT_OK && i < count; i++) {
        struct rt_slice role = fakeetcd__read_bytes(reader);
        status = reader->is_bad ? RT_E_MALFORMED : status_of(fakeetcd_user_grant(auth, name, role));
    }
    return status;
}

static enum rt_status load(struct fakeetcd_auth *auth, struct fakeetcd__log_reader *reader)
{
    enum rt_status status = RT_OK;

    uint64_t role_count = fakeetcd__read_number(reader);
    for (uint64_t i = 0; status == RT_OK && i < role_count; i++) {
        status = load_role(auth, reader);
    }
    uint64_t user_count = status == RT_OK ? fakeetcd__read_number(reader) : 0;
    for (uint64_t i = 0; status == RT_OK && i < user_count; i++) {
        status = load_user(auth, reader);
    }
    bool is_whole = !reader->is_bad && reader->at == reader->end;
    return status == RT_OK && !is_whole ? RT_E_MALFORMED : status;
}

enum rt_status fakeetcd__auth_load(struct fakeetcd_auth *auth, struct rt_slice bytes)
{
    struct fakeetcd__log_reader reader = {.at = bytes.data, .end = bytes.data + bytes.len_bytes};
    uint64_t revision = fakeetcd__read_number(&reader);
    uint64_t is_enabled = fakeetcd__read_number(&reader);
    bool is_any_interval_taken = auth->is_any_interval_taken;

    fakeetcd__auth_forget_all(auth);
    auth->is_enabled = false;
    auth->is_any_interval_taken = true;
    enum rt_status status = load(auth, &reader);
    auth->is_any_interval_taken = is_any_interval_taken;
    auth->is_enabled = is_enabled != 0;
    auth->revision = revision;
    return status == RT_OK && revision == 0 ? RT_E_MALFORMED : status;
}
