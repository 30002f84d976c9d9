/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/members.h"

#include <stdio.h>
#include <string.h>

static bool add(struct members *members, const char *name, size_t name_bytes, const char *url,
                size_t url_bytes);
static size_t find(const struct members *members, const char *name, size_t name_bytes);

bool members_parse(const char *initial_cluster, const char *own_name, const char *own_peer_urls,
                   struct members *out_members, char *out_error, size_t error_bytes)
{
    *out_members = (struct members){0};
    if (initial_cluster == NULL || initial_cluster[0] == '\0') {
        snprintf(out_members->names[0], sizeof(out_members->names[0]), "%s", own_name);
        snprintf(out_members->peer_urls[0], sizeof(out_members->peer_urls[0]), "%s", own_peer_urls);
        out_members->count = 1;
        return true;
    }
    for (const char *at = initial_cluster; *at != '\0';) {
        size_t len_bytes = strcspn(at, ",");
        size_t name_bytes = strcspn(at, "=");
        if (name_bytes >= len_bytes ||
            !add(out_members, at, name_bytes, at + name_bytes + 1, len_bytes - name_bytes - 1)) {
            snprintf(out_error, error_bytes,
                     "error setting up initial cluster: empty URL, or too many or too long ones, "
                     "at \"%.*s\"",
                     (int)len_bytes, at);
            return false;
        }
        at += len_bytes + (at[len_bytes] == ',' ? 1 : 0);
    }
    out_members->own = find(out_members, own_name, strlen(own_name));
    if (out_members->own == out_members->count) {
        snprintf(out_error, error_bytes,
                 "couldn't find local name \"%s\" in the initial cluster configuration", own_name);
        return false;
    }
    return true;
}

static bool add(struct members *members, const char *name, size_t name_bytes, const char *url,
                size_t url_bytes)
{
    size_t index = find(members, name, name_bytes);
    if (name_bytes == 0 || name_bytes >= sizeof(members->names[0]) || url_bytes == 0 ||
        index == MEMBERS_MAX) {
        return false;
    }
    char *urls = members->peer_urls[index];
    size_t used = strlen(urls);
    if (used + url_bytes + 2 > sizeof(members->peer_urls[0])) {
        return false;
    }
    snprintf(members->names[index], sizeof(members->names[0]), "%.*s", (int)name_bytes, name);
    snprintf(urls + used, sizeof(members->peer_urls[0]) - used, "%s%.*s", used == 0 ? "" : ",",
             (int)url_bytes, url);
    members->count += index == members->count ? 1 : 0;
    return true;
}

static size_t find(const struct members *members, const char *name, size_t name_bytes)
{
    for (size_t i = 0; i < members->count; i++) {
        if (strlen(members->names[i]) == name_bytes &&
            memcmp(members->names[i], name, name_bytes) == 0) {
            return i;
        }
    }
    return members->count;
}
