/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd/etcd_client_member.h"

#include <inttypes.h>
#include <stdio.h>

static bool parse_number(struct rt_slice text, uint64_t *out_number);
static struct rt_slice next_field(struct rt_slice *rest);

static const char *const STATE_WORDS[] = {
    [ETCD_MEMBER_UNKNOWN] = "",        [ETCD_MEMBER_START] = "start",
    [ETCD_MEMBER_RESTART] = "restart", [ETCD_MEMBER_RECOVER] = "recover",
    [ETCD_MEMBER_READY] = "ready",     [ETCD_MEMBER_EXITING] = "exiting",
    [ETCD_MEMBER_DOWNGRADE] = "d_rst"};
#define STATE_COUNT   (sizeof(STATE_WORDS) / sizeof(STATE_WORDS[0]))
#define NUMBER_DIGITS 20

bool etcd_member_parse(struct rt_slice text, struct etcd_member_value *out_value)
{
    struct etcd_member_value value = {.state = ETCD_MEMBER_UNKNOWN};
    struct rt_slice rest = text;
    if (!parse_number(next_field(&rest), &value.time_ns)) {
        return false;
    }
    struct rt_slice word = next_field(&rest);
    for (size_t i = 1; i < STATE_COUNT; i++) {
        if (rt_slice_is_text(word, STATE_WORDS[i])) {
            value.state = (enum etcd_member_state)i;
        }
    }
    value.host_id = next_field(&rest);
    value.version = next_field(&rest);
    *out_value = value;
    return value.state != ETCD_MEMBER_UNKNOWN;
}

static bool parse_number(struct rt_slice text, uint64_t *out_number)
{
    uint64_t number = 0;
    if (text.len_bytes == 0 || text.len_bytes > NUMBER_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < text.len_bytes; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *out_number = number;
    return true;
}

static struct rt_slice next_field(struct rt_slice *rest)
{
    const uint8_t *end = rest->len_bytes == 0 ? NULL : memchr(rest->data, ';', rest->len_bytes);
    size_t len_bytes = end == NULL ? rest->len_bytes : (size_t)(end - rest->data);
    struct rt_slice field = rt_slice_of(rest->data, len_bytes);
    size_t skip_bytes = len_bytes + (end == NULL ? 0 : 1);
    if (skip_bytes > 0) {
        *rest = rt_slice_of(rest->data + skip_bytes, rest->len_bytes - skip_bytes);
    }
    return field;
}

size_t etcd_member_format(const struct etcd_member_value *value, char *out_text, size_t text_bytes)
{
    bool has_version = value->version.len_bytes > 0;
    bool has_host = value->host_id.len_bytes > 0 || has_version;
    int len_bytes =
        snprintf(out_text, text_bytes, "%" PRIu64 ";%s%s%.*s%s%.*s", value->time_ns,
                 STATE_WORDS[value->state], has_host ? ";" : "", (int)value->host_id.len_bytes,
                 value->host_id.len_bytes == 0 ? "" : (const char *)value->host_id.data,
                 has_version ? ";" : "", (int)value->version.len_bytes,
                 has_version ? (const char *)value->version.data : "");
    return len_bytes < 0 || (size_t)len_bytes >= text_bytes ? 0 : (size_t)len_bytes;
}
