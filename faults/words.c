/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/words.h"

static const char *const point_words[] = {
#define POINT_WORD(name, word) [name] = (word),
    FAULT_POINT_LIST(POINT_WORD)
#undef POINT_WORD
};

static const struct {
    const char *word;
    const char *arguments;
    const char *help;
} actions[] = {
#define ACTION(name, word, arguments, help) [name] = {(word), (arguments), (help)},
    FAULT_ACTION_LIST(ACTION)
#undef ACTION
};

static bool is_name_byte(uint8_t byte);
static bool take_number(struct rt_slice text, uint64_t *out_number);

const char *fault_point_word(enum fault_point point)
{
    return point_words[point];
}

const char *fault_action_word(enum fault_action_kind kind)
{
    return actions[kind].word;
}

const char *fault__action_arguments(enum fault_action_kind kind)
{
    return actions[kind].arguments;
}

const char *fault__action_help(enum fault_action_kind kind)
{
    return actions[kind].help;
}

bool fault__action_parse(struct rt_slice word, enum fault_action_kind *out_kind)
{
    for (int kind = 0; kind < FAULT_ACTION_COUNT; kind++) {
        if (rt_slice_is_text(word, actions[kind].word)) {
            *out_kind = (enum fault_action_kind)kind;
            return true;
        }
    }
    return false;
}

bool fault__is_id(struct rt_slice text)
{
    for (size_t i = 0; i < text.len_bytes; i++) {
        uint8_t byte = text.data[i];

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') && byte != '-') {
            return false;
        }
    }
    return text.len_bytes > 0;
}

bool fault__is_event(struct rt_slice text)
{
    size_t dot_count = 0;
    size_t part_len = 0;
    size_t i = 0;

    for (; i < text.len_bytes && text.data[i] != '#'; i++) {
        if (text.data[i] == '.') {
            if (part_len == 0) {
                return false;
            }
            dot_count++;
            part_len = 0;
        } else if (is_name_byte(text.data[i])) {
            part_len++;
        } else {
            return false;
        }
    }
    if (part_len == 0 || (dot_count == 0 && text.data[0] >= '0' && text.data[0] <= '9')) {
        return false;
    }
    if (i < text.len_bytes) {
        uint64_t number;

        return dot_count > 0 &&
               take_number(rt_slice_of(text.data + i + 1, text.len_bytes - i - 1), &number);
    }
    return true;
}

bool fault__is_fired_event(struct rt_slice text, struct rt_slice *out_id, uint64_t *out_number)
{
    static const char PREFIX[] = "fault.";
    static const char SUFFIX[] = ".fired";
    const size_t prefix_len = sizeof(PREFIX) - 1;
    const size_t suffix_len = sizeof(SUFFIX) - 1;
    size_t end = prefix_len;
    uint64_t number = 0;

    if (text.len_bytes < prefix_len || memcmp(text.data, PREFIX, prefix_len) != 0) {
        return false;
    }
    while (end < text.len_bytes && text.data[end] != '.') {
        end++;
    }
    if (text.len_bytes - end < suffix_len || memcmp(text.data + end, SUFFIX, suffix_len) != 0) {
        return false;
    }
    if (end + suffix_len < text.len_bytes) {
        const uint8_t *rest = text.data + end + suffix_len;

        if (*rest != '#' ||
            !take_number(rt_slice_of(rest + 1, text.len_bytes - end - suffix_len - 1), &number)) {
            return false;
        }
    }
    *out_id = rt_slice_of(text.data + prefix_len, end - prefix_len);
    *out_number = number;
    return true;
}

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* Which time, from 1: digits without a leading zero. */
static bool take_number(struct rt_slice text, uint64_t *out_number)
{
    uint64_t number = 0;

    if (text.len_bytes == 0 || text.len_bytes > 18 || text.data[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < text.len_bytes; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out_number = number;
    return true;
}
