/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "faults/trigger.h"
#include "faults/words.h"
#include "runtime/hex.h"
#include "wire/dsrpc/dsrpc_code.h"
#include "wire/grpc/grpc_code.h"

/* Arguments of actions: first cut into pieces, then each read by the action's row below. */

#define ARGUMENT_MAX 2
#define HTTP2_CANCEL 8 /* what resets a stream unless another error is given */
#define SKIP_MAX     UINT64_C(1000000000)

struct argument {
    struct rt_slice text; /* without quotes, escapes resolved */
    bool is_quoted;
    size_t offset_bytes; /* quotes included */
    size_t len_bytes;
};

struct argument_list {
    struct argument items[ARGUMENT_MAX];
    size_t count;
    size_t offset_bytes; /* of "(" */
};

typedef bool argument_fn(struct fault__scanner *scanner, const struct argument *argument,
                         struct fault__term *term);

static bool take_list(struct fault__scanner *scanner, struct argument_list *list);
static bool take_one(struct fault__scanner *scanner, struct argument *argument);
static bool take_quoted(struct fault__scanner *scanner, struct argument *argument);
static bool take_bare(struct fault__scanner *scanner, struct argument *argument);
static bool complain_argument(struct fault__scanner *scanner, const struct argument *argument,
                              const char *message, const char *help);
static bool complain_words(struct fault__scanner *scanner, const struct argument *argument,
                           const char *message, const char *const *words, size_t count);

static argument_fn read_code;
static argument_fn read_text;
static argument_fn read_duration;
static argument_fn read_positive_duration;
static argument_fn read_event;
static argument_fn read_state;
static argument_fn read_hex;
static argument_fn read_symbol;
static argument_fn read_http2_error;
static argument_fn read_http_status;
static argument_fn read_revision;
static argument_fn read_key;

static const struct {
    size_t min_count;
    size_t max_count;
    argument_fn *read[ARGUMENT_MAX];
} shapes[FAULT_ACTION_COUNT] = {
    [FAULT_STATUS] = {1, 2, {read_code, read_text}},
    [FAULT_LAST_RC] = {1, 1, {read_code}},
    [FAULT_DELAY] = {1, 1, {read_positive_duration}},
    [FAULT_HOLD] = {0, 1, {read_event}},
    [FAULT_STALL] = {0, 1, {read_positive_duration}}, /* 0 would mean for ever */
    [FAULT_RESTART] = {1, 2, {read_state, read_duration}},
    [FAULT_BYTES] = {0, 1, {read_hex}}, /* none: zero bytes */
    [FAULT_RAISE] = {1, 2, {read_code, read_text}},
    [FAULT_HOLE] = {1, 1, {read_symbol}},
    [FAULT_GOAWAY] = {0, 1, {read_http2_error}},
    [FAULT_RST_STREAM] = {0, 1, {read_http2_error}},
    [FAULT_HTTP_STATUS] = {1, 1, {read_http_status}},
    [FAULT_DRIP] = {1, 1, {read_positive_duration}},
    [FAULT_SHORTEN] = {1, 1, {read_duration}},
    [FAULT_FREEZE] = {0, 1, {read_positive_duration}},
    [FAULT_LOSE_LEADER] = {0, 1, {read_positive_duration}},
    [FAULT_READ_ONLY] = {0, 1, {read_positive_duration}},
    [FAULT_COMPACT] = {0, 1, {read_revision}},
    [FAULT_RESTORE] = {1, 1, {read_revision}},
    [FAULT_EXPIRE_LEASE] = {1, 1, {read_key}},
};

bool fault__take_arguments(struct fault__scanner *scanner, struct fault__term *term)
{
    enum fault_action_kind kind = term->action.kind;
    const char *word = term->is_off ? "off" : fault_action_word(kind);
    const char *usage = term->is_off ? "" : fault__action_arguments(kind);
    size_t max_count = term->is_off ? 0 : shapes[kind].max_count;
    size_t min_count = term->is_off ? 0 : shapes[kind].min_count;
    struct argument_list list = {.count = 0};

    if (scanner->at < scanner->text.len_bytes && scanner->text.data[scanner->at] == '(' &&
        max_count == 0) {
        fault__complain(scanner, scanner->at, 1, "%s takes no argument", word);
        return false;
    }
    list.offset_bytes = scanner->at;
    if (!take_list(scanner, &list)) {
        return false;
    }
    if (list.count < min_count) {
        fault__complain(scanner, term->offset_bytes, scanner->at - term->offset_bytes,
                        "%s needs an argument: %s(%s)", word, word, usage);
        return false;
    }
    if (list.count > max_count) {
        fault__complain(scanner, list.offset_bytes, scanner->at - list.offset_bytes,
                        "too many arguments: %s(%s)", word, usage);
        return false;
    }
    if (kind == FAULT_RST_STREAM) {
        term->action.number = HTTP2_CANCEL;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!shapes[kind].read[i](scanner, &list.items[i], term)) {
            return false;
        }
    }
    return true;
}

bool fault__take_skip_count(struct fault__scanner *scanner, size_t word_offset_bytes,
                            uint64_t *out_count)
{
    struct argument_list list = {.count = 0};
    int64_t count;

    if (!take_list(scanner, &list)) {
        return false;
    }
    if (list.count != 1 || doc_parse_integer(list.items[0].text, &count, NULL) != RT_OK ||
        count < 1 || (uint64_t)count > SKIP_MAX) {
        fault__complain(scanner, word_offset_bytes, scanner->at - word_offset_bytes,
                        "skip needs how many matches to skip, from 1, as in skip(2)");
        return false;
    }
    *out_count = (uint64_t)count;
    return true;
}

/* ---- cutting ----------------------------------------------------------------------------- */

static bool take_list(struct fault__scanner *scanner, struct argument_list *list)
{
    size_t offset_bytes = scanner->at;

    if (!fault__take(scanner, '(')) {
        return true;
    }
    fault__skip_blanks(scanner);
    if (fault__take(scanner, ')')) {
        return true;
    }
    for (;;) {
        struct argument spare; /* one too many is counted, more are not worth counting */
        struct argument *argument = list->count < ARGUMENT_MAX ? &list->items[list->count] : &spare;

        if (scanner->at < scanner->text.len_bytes && !take_one(scanner, argument)) {
            return false;
        }
        list->count++;
        fault__skip_blanks(scanner);
        if (fault__take(scanner, ')')) {
            return true;
        }
        if (scanner->at == scanner->text.len_bytes) {
            fault__complain(scanner, offset_bytes, 1, "this bracket is never closed");
            return false;
        }
        if (!fault__take(scanner, ',')) {
            fault__complain(scanner, scanner->at, 1, "expected a comma or a closing bracket");
            return false;
        }
        fault__skip_blanks(scanner);
    }
}

static bool take_one(struct fault__scanner *scanner, struct argument *argument)
{
    *argument = (struct argument){.offset_bytes = scanner->at};
    if (scanner->at < scanner->text.len_bytes && scanner->text.data[scanner->at] == '"') {
        argument->is_quoted = true;
        return take_quoted(scanner, argument);
    }
    return take_bare(scanner, argument);
}

static bool take_quoted(struct fault__scanner *scanner, struct argument *argument)
{
    const uint8_t *data = scanner->text.data;
    char *text = fault__alloc(scanner->memory, scanner->text.len_bytes - scanner->at);
    size_t len_bytes = 0;

    if (text == NULL) {
        scanner->status = RT_E_NOMEM;
        return false;
    }
    for (scanner->at++; scanner->at < scanner->text.len_bytes; scanner->at++) {
        uint8_t byte = data[scanner->at];

        if (byte == '"') {
            scanner->at++;
            argument->text = rt_slice_of(text, len_bytes);
            argument->len_bytes = scanner->at - argument->offset_bytes;
            return true;
        }
        if (byte == '\\') {
            if (++scanner->at == scanner->text.len_bytes) {
                break;
            }
            byte = data[scanner->at];
            if (byte != '"' && byte != '\\' && byte != 'n') {
                fault__complain(scanner, scanner->at - 1, 2,
                                "in a text only \\\" and \\\\ and \\n are escapes");
                return false;
            }
            byte = byte == 'n' ? '\n' : byte;
        }
        text[len_bytes++] = (char)byte;
    }
    fault__complain(scanner, argument->offset_bytes, 1, "this quote is never closed");
    return false;
}

static bool take_bare(struct fault__scanner *scanner, struct argument *argument)
{
    size_t start = scanner->at;

    while (scanner->at < scanner->text.len_bytes &&
           strchr(",() \t\n\"", scanner->text.data[scanner->at]) == NULL) {
        scanner->at++;
    }
    argument->text = rt_slice_of(scanner->text.data + start, scanner->at - start);
    argument->len_bytes = scanner->at - start;
    if (argument->len_bytes == 0) {
        fault__complain(scanner, start, start < scanner->text.len_bytes ? 1 : 0,
                        "an argument is missing");
        return false;
    }
    return true;
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool complain_argument(struct fault__scanner *scanner, const struct argument *argument,
                              const char *message, const char *help)
{
    struct doc_error *error =
        fault__complain(scanner, argument->offset_bytes, argument->len_bytes, "%s", message);

    if (help != NULL) {
        doc_error_help(scanner->errors, error, "%s", help);
    }
    return false;
}

static bool complain_words(struct fault__scanner *scanner, const struct argument *argument,
                           const char *message, const char *const *words, size_t count)
{
    struct doc_error *error =
        fault__complain(scanner, argument->offset_bytes, argument->len_bytes, "%s", message);

    doc_error_allow(scanner->errors, error, argument->text, words, count);
    return false;
}

/* Which of the two is meant depends on who answers; that is known when the rule is placed. A word
 * that is a code of one only, or a number, leaves the other FAULT_NO_CODE, or is both. */
static bool read_both_codes(struct rt_slice text, struct fault_action *action)
{
    int64_t number = 0;
    int32_t code = FAULT_NO_CODE;
    int32_t grpc_code = FAULT_NO_CODE;

    if (!dsrpc_code_parse((const char *)text.data, text.len_bytes, &code)) {
        code = FAULT_NO_CODE;
    }
    if (doc_parse_integer(text, &number, NULL) == RT_OK) {
        grpc_code = number >= 0 && number <= INT32_MAX ? (int32_t)number : FAULT_NO_CODE;
    } else if (!grpc_code_by_name(text, &grpc_code)) {
        grpc_code = FAULT_NO_CODE;
    }
    action->code = code;
    action->grpc_code = grpc_code;
    return code != FAULT_NO_CODE || grpc_code != FAULT_NO_CODE;
}

static bool read_code(struct fault__scanner *scanner, const struct argument *argument,
                      struct fault__term *term)
{
    static const char *const names[] = {
#define CODE_WORD(name, number, text) "K_" #name,
        DSRPC_CODE_LIST(CODE_WORD)
#undef CODE_WORD
#define GRPC_WORD(name, number, word) word,
            GRPC_CODE_LIST(GRPC_WORD)
#undef GRPC_WORD
    };
    const char *nearest;
    struct doc_error *error;

    if (!argument->is_quoted && read_both_codes(argument->text, &term->action)) {
        return true;
    }
    /* Not doc_error_allow(): nobody wants to read all of them. */
    nearest = doc_nearest_word(argument->text, names, sizeof(names) / sizeof(names[0]));
    error =
        fault__complain(scanner, argument->offset_bytes, argument->len_bytes, "not a status code");
    if (nearest != NULL) {
        doc_error_help(scanner->errors, error, "did you mean %s?", nearest);
    } else {
        doc_error_help(scanner->errors, error,
                       "a name as in K_TRY_AGAIN, for etcd as in UNAVAILABLE, or its number");
    }
    return false;
}

static bool read_text(struct fault__scanner *scanner, const struct argument *argument,
                      struct fault__term *term)
{
    if (!argument->is_quoted) {
        return complain_argument(scanner, argument, "a text stands in double quotes", NULL);
    }
    if (memchr(argument->text.data, '\0', argument->text.len_bytes) != NULL) {
        return complain_argument(scanner, argument, "a text has no NUL byte", NULL);
    }
    term->action.text = (const char *)argument->text.data; /* zeroed memory behind it */
    return true;
}

static bool read_duration(struct fault__scanner *scanner, const struct argument *argument,
                          struct fault__term *term)
{
    struct doc_mistake mistake = {.message = "not a duration"};

    if (argument->is_quoted) {
        return complain_argument(scanner, argument, "a duration stands without quotes", NULL);
    }
    if (doc_parse_duration(argument->text, &term->action.duration_us, &mistake) != RT_OK) {
        struct doc_error *error =
            fault__complain(scanner, argument->offset_bytes + mistake.offset_bytes,
                            mistake.len_bytes, "%s", mistake.message);

        if (mistake.help != NULL) {
            doc_error_help(scanner->errors, error, "%s", mistake.help);
        }
        return false;
    }
    return true;
}

static bool read_positive_duration(struct fault__scanner *scanner, const struct argument *argument,
                                   struct fault__term *term)
{
    if (!read_duration(scanner, argument, term)) {
        return false;
    }
    if (term->action.duration_us == 0) {
        return complain_argument(scanner, argument, "this duration must be more than 0", NULL);
    }
    return true;
}

static bool read_event(struct fault__scanner *scanner, const struct argument *argument,
                       struct fault__term *term)
{
    if (argument->is_quoted || !fault__is_event(argument->text)) {
        return complain_argument(scanner, argument, "not the name of an event",
                                 "as in step.s1.done, worker-1.restarted, fault.x.fired");
    }
    term->event_offset_bytes = argument->offset_bytes;
    term->action.event = fault__copy(scanner->memory, argument->text);
    if (term->action.event == NULL) {
        scanner->status = RT_E_NOMEM;
        return false;
    }
    return true;
}

static bool read_state(struct fault__scanner *scanner, const struct argument *argument,
                       struct fault__term *term)
{
    static const char *const words[] = {"kept", "lost"};

    if (!rt_slice_is_text(argument->text, "kept") && !rt_slice_is_text(argument->text, "lost")) {
        return complain_words(scanner, argument, "is the worker's state kept or lost?", words, 2);
    }
    term->action.is_state_kept = rt_slice_is_text(argument->text, "kept");
    return true;
}

static bool read_hex(struct fault__scanner *scanner, const struct argument *argument,
                     struct fault__term *term)
{
    size_t len_bytes = argument->text.len_bytes / 2;
    uint8_t *bytes = fault__alloc(scanner->memory, len_bytes + 1);

    if (bytes == NULL) {
        scanner->status = RT_E_NOMEM;
        return false;
    }
    for (size_t i = 0; i < argument->text.len_bytes; i++) {
        int digit = rt_hex_digit(argument->text.data[i]);

        if (argument->is_quoted || digit < 0) {
            return complain_argument(scanner, argument, "bytes are hexadecimal digits",
                                     "as in bytes(00ff)");
        }
        if (i / 2 < len_bytes) {
            bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
        }
    }
    if (argument->text.len_bytes % 2 != 0) {
        return complain_argument(scanner, argument, "a byte is two hexadecimal digits", NULL);
    }
    term->action.bytes = rt_slice_of(bytes, len_bytes);
    return true;
}

static bool read_symbol(struct fault__scanner *scanner, const struct argument *argument,
                        struct fault__term *term)
{
    static const char *const words[] = {"KVClient", "SetParam", "WriteMode"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (rt_slice_is_text(argument->text, words[i])) {
            term->action.text = words[i];
            return true;
        }
    }
    return complain_words(scanner, argument, "no such symbol", words, 3);
}

static bool read_http2_error(struct fault__scanner *scanner, const struct argument *argument,
                             struct fault__term *term)
{
    static const char *const words[] = {
        "NO_ERROR",           "PROTOCOL_ERROR",   "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",   "REFUSED_STREAM",   "CANCEL",
        "COMPRESSION_ERROR",  "CONNECT_ERROR",    "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY"};
    const size_t count = sizeof(words) / sizeof(words[0]);

    for (size_t i = 0; i < count; i++) {
        if (rt_slice_is_text(argument->text, words[i])) {
            term->action.number = (int64_t)i; /* RFC 9113 numbers them so */
            return true;
        }
    }
    return complain_words(scanner, argument, "not an error code of HTTP/2", words, count);
}

static bool read_http_status(struct fault__scanner *scanner, const struct argument *argument,
                             struct fault__term *term)
{
    if (argument->is_quoted ||
        doc_parse_integer(argument->text, &term->action.number, NULL) != RT_OK ||
        term->action.number < 100 || term->action.number > 599) {
        return complain_argument(scanner, argument, "not an HTTP status",
                                 "a number from 100 to 599, as in http-status(502)");
    }
    return true;
}

static bool read_revision(struct fault__scanner *scanner, const struct argument *argument,
                          struct fault__term *term)
{
    if (argument->is_quoted ||
        doc_parse_integer(argument->text, &term->action.number, NULL) != RT_OK ||
        term->action.number < 1) {
        return complain_argument(scanner, argument, "not a revision", "a number from 1 on");
    }
    return true;
}

static bool read_key(struct fault__scanner *scanner, const struct argument *argument,
                     struct fault__term *term)
{
    const char *key = fault__copy(scanner->memory, argument->text);

    if (key == NULL) {
        scanner->status = RT_E_NOMEM;
        return false;
    }
    term->action.bytes = rt_slice_of(key, argument->text.len_bytes);
    return true;
}
