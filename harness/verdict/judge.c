/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls against what their steps expect: one small function for each line of `expect`.
 */
#include "harness/verdict/judge.h"
#include "runtime/sanitizers.h"

#include "harness/calls/etcd_call.h"
#include "harness/language/etcd_message.h"

#include <inttypes.h>

#define TEXT_BYTES 512
/* What a real clock adds. Sanitizers make everything several times slower. */
#if RT_HAS_ADDRESS_SANITIZER || RT_HAS_THREAD_SANITIZER
#define TOLERANCE_US    200000
#define TOLERANCE_SHARE 40
#else
#define TOLERANCE_US    50000
#define TOLERANCE_SHARE 15
#endif

typedef void judge_fn(struct scn_judge *judge, const struct scn_call *call);

static judge_fn judge_ok, judge_status, judge_detail, judge_cause, judge_texts, judge_took,
    judge_attempts, judge_size, judge_data, judge_empty, judge_exists, judge_failed, judge_sizes,
    judge_healthy, judge_grpc_code, judge_reply;

struct judge_row {
    size_t node_offset;
    judge_fn *judge;
};

static const struct judge_row rows[] = {
#define EXPECTED(node) offsetof(struct scn_expect, node)
    {EXPECTED(ok_node), judge_ok},
    {EXPECTED(status_node), judge_status},
    {EXPECTED(detail_node), judge_detail},
    {EXPECTED(cause_node), judge_cause},
    {EXPECTED(text_node), judge_texts},
    {EXPECTED(took_node), judge_took},
    {EXPECTED(attempts_node), judge_attempts},
    {EXPECTED(size_node), judge_size},
    {EXPECTED(data_node), judge_data},
    {EXPECTED(empty_node), judge_empty},
    {EXPECTED(exists_node), judge_exists},
    {EXPECTED(failed_node), judge_failed},
    {EXPECTED(sizes_node), judge_sizes},
    {EXPECTED(healthy_node), judge_healthy},
    {EXPECTED(code_node), judge_grpc_code},
    {EXPECTED(reply_node), judge_reply},
#undef EXPECTED
};

void scn_judge_call(struct scn_judge *judge, struct scn_call *call)
{
    call->is_judged = true;
    judge->is_status_told = false;
    if (call->step == NULL || call->step->expect.node == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct doc_node *node = NULL;
        memcpy(&node, (const char *)&call->step->expect + rows[i].node_offset, sizeof(node));
        if (node != NULL) {
            judge->findings->evaluated++;
            rows[i].judge(judge, call);
        }
    }
}

static struct scn_finding *add(struct scn_judge *judge, const struct scn_call *call,
                               const struct doc_node *node, const char *what)
{
    struct scn_finding *finding =
        scn_findings_add(judge->findings, SCN_FAIL, node, "%s of %s %s", what,
                         scn_step_word((enum scn_step_kind)call->step->kind),
                         call->etcd != NULL                  ? call->step->arguments.etcd.call
                         : call->step->arguments.key != NULL ? call->step->arguments.key
                                                             : "");

    if (finding != NULL) {
        finding->record_index = scn_recorder_count(judge->world->recorder);
        finding->time_us = scn_world_now_us(judge->world);
        if (call->status.code != K_OK && !judge->is_status_told) {
            char text[TEXT_BYTES];
            judge->is_status_told = true; /* once for all that is wrong with this call */
            if (call->etcd != NULL) {
                (void)snprintf(text, sizeof(text), "code %" PRId32 ": %s", call->status.code,
                               call->status.text);
            } else {
                ds_status_format(&call->status, text, sizeof(text));
            }
            scn_finding_note(finding, "the client said: %s", text);
        }
    }
    return finding;
}

/* ---- plain lines ---- */

static void judge_bool(struct scn_judge *judge, const struct scn_call *call,
                       const struct doc_node *node, const char *what, bool expected, bool actual)
{
    if (expected != actual) {
        struct scn_finding *finding = add(judge, call, node, what);
        scn_finding_expected(finding, "%s", expected ? "true" : "false");
        scn_finding_actual(finding, "%s", actual ? "true" : "false");
    }
}

static void judge_ok(struct scn_judge *judge, const struct scn_call *call)
{
    judge_bool(judge, call, call->step->expect.ok_node, "ok", call->step->expect.is_ok,
               call->is_ok);
}

static void judge_healthy(struct scn_judge *judge, const struct scn_call *call)
{
    judge_bool(judge, call, call->step->expect.healthy_node, "health",
               call->step->expect.is_healthy, call->is_healthy);
}

static void judge_empty(struct scn_judge *judge, const struct scn_call *call)
{
    judge_bool(judge, call, call->step->expect.empty_node, "emptiness", call->step->expect.is_empty,
               call->party->is_connector ? call->data == NULL : call->value_count == 0);
}

static const char *code_word(int32_t code)
{
    const char *name = dsrpc_code_name(code);

    return name == NULL ? "a code without a name" : name;
}

static void judge_status(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;

    if (expect->status_code != call->status.code) {
        struct scn_finding *finding = add(judge, call, expect->status_node, "status");
        scn_finding_expected(finding, "%s (%" PRId32 ")", code_word(expect->status_code),
                             expect->status_code);
        scn_finding_actual(finding, "%s (%" PRId32 ")", code_word(call->status.code),
                           call->status.code);
    }
}

static void judge_grpc_code(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;
    const char *name = grpc_code_name(call->status.code);

    if (expect->grpc_code != call->status.code) {
        struct scn_finding *finding = add(judge, call, expect->code_node, "code");
        scn_finding_expected(finding, "%s", expect->code_node->text);
        scn_finding_actual(finding, "%s (%" PRId32 ")",
                           name == NULL ? "a code without a name" : name, call->status.code);
    }
}

static void judge_reply(struct scn_judge *judge, const struct scn_call *call)
{
    const struct doc_node *node = call->step->expect.reply_node;
    struct scn_message_difference difference = {.node = node, .actual = "no reply"};

    if (call->etcd->reply_count > 0 &&
        scn_message_match(call->etcd->replies[0], node, &difference)) {
        return;
    }
    struct scn_finding *finding = add(judge, call, difference.node, "reply");
    scn_finding_expected(finding, "%s", difference.expected);
    scn_finding_actual(finding, "%s", difference.actual);
}

static void judge_detail(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;

    if (expect->detail != (int)call->status.detail) {
        struct scn_finding *finding = add(judge, call, expect->detail_node, "detail");
        scn_finding_expected(finding, "%s", ds_detail_word((enum ds_detail)expect->detail));
        scn_finding_actual(finding, "%s", ds_detail_word(call->status.detail));
    }
}

static void judge_cause(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;

    if (expect->cause != (int)call->cause) {
        struct scn_finding *finding = add(judge, call, expect->cause_node, "cause");
        scn_finding_expected(finding, "%s", ds_cause_word((enum ds_cause)expect->cause));
        scn_finding_actual(finding, "%s", ds_cause_word(call->cause));
    }
}

static void judge_texts(struct scn_judge *judge, const struct scn_call *call)
{
    const char *const *texts = call->step->expect.texts.items;

    for (size_t i = 0; i < call->step->expect.texts.count; i++) {
        if (strstr(call->status.text, texts[i]) == NULL) {
            struct scn_finding *finding = add(judge, call, call->step->expect.text_node, "message");
            scn_finding_expected(finding, "contains \"%s\"", texts[i]);
            scn_finding_actual(finding, "\"%s\"", call->status.text);
        }
    }
}

/* ---- numbers ---- */

static void judge_range(struct scn_judge *judge, const struct scn_call *call,
                        const struct doc_node *node, const char *what,
                        const struct doc_range *range, uint64_t actual)
{
    if (!doc_range_has(range, (int64_t)actual)) {
        struct scn_finding *finding = add(judge, call, node, what);
        scn_finding_expected(finding, "%s", node->text);
        scn_finding_actual(finding, "%" PRIu64, actual);
    }
}

bool scn_is_duration_in(const struct scn_world *world, const struct doc_range *range,
                        uint64_t duration_us)
{
    struct doc_range wider = *range;

    if (world->mode == RT_LOOP_SOCKETS) {
        int64_t below = range->min / 100 * TOLERANCE_SHARE;
        int64_t above = range->max / 100 * TOLERANCE_SHARE;
        wider.min -= below > TOLERANCE_US ? below : TOLERANCE_US;
        wider.max += above > TOLERANCE_US ? above : TOLERANCE_US;
    }
    return doc_range_has(&wider, (int64_t)duration_us);
}

static void judge_took(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;
    char text[DOC_QUANTITY_TEXT_BYTES];

    if (!scn_is_duration_in(judge->world, &expect->took, call->took_us)) {
        struct scn_finding *finding = add(judge, call, expect->took_node, "duration");
        scn_finding_expected(finding, "%s%s", expect->took_node->text,
                             judge->world->mode == RT_LOOP_SOCKETS ? ", within 15 % or 50ms" : "");
        doc_print_duration(call->took_us, text);
        scn_finding_actual(finding, "%s", text);
    }
}

static void judge_attempts(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;

    judge_range(judge, call, expect->attempts_node, "attempts", &expect->attempts,
                call->has_attempts ? call->attempt_count : 0);
}

static void judge_size(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;
    uint64_t actual = call->size_bytes;

    if (!call->party->is_connector && call->value_count > 0) {
        actual = rt_blob_slice(call->values[0].blob).len_bytes;
    }
    judge_range(judge, call, expect->size_node, "size in bytes", &expect->size, actual);
}

/* ---- lists ---- */

static void judge_exists(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;
    const bool *expected = expect->exists.items;
    bool is_same = expect->exists.count == call->exist_count;

    for (size_t i = 0; is_same && i < call->exist_count; i++) {
        is_same = expected[i] == call->exists[i];
    }
    if (!is_same) {
        char text[TEXT_BYTES] = "[";
        for (size_t i = 0; i < call->exist_count && i < 40; i++) {
            (void)strcat(text, i == 0 ? "" : ", ");
            (void)strcat(text, call->exists[i] ? "true" : "false");
        }
        struct scn_finding *finding = add(judge, call, expect->exists_node, "answer");
        scn_finding_expected(finding, "the %zu values of the file", expect->exists.count);
        scn_finding_actual(finding, "%s]", text);
    }
}

static void judge_failed(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;
    const char *const *expected = expect->failed.items;
    bool is_same = expect->failed.count == call->failed_count;

    for (size_t i = 0; is_same && i < call->failed_count; i++) {
        is_same = strcmp(expected[i], call->failed[i]) == 0;
    }
    if (!is_same) {
        char text[TEXT_BYTES] = "";
        size_t used = 0;
        for (size_t i = 0; i < call->failed_count && used < sizeof(text); i++) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : ", ",
                                     call->failed[i]);
        }
        struct scn_finding *finding = add(judge, call, expect->failed_node, "failed keys");
        scn_finding_expected(finding, "the %zu keys of the file", expect->failed.count);
        scn_finding_actual(finding, "[%s]", text);
    }
}

static void judge_sizes(struct scn_judge *judge, const struct scn_call *call)
{
    const struct scn_expect *expect = &call->step->expect;
    const int64_t *expected = expect->sizes.items;

    if (expect->sizes.count != call->size_count) {
        struct scn_finding *finding = add(judge, call, expect->sizes_node, "number of sizes");
        scn_finding_expected(finding, "%zu", expect->sizes.count);
        scn_finding_actual(finding, "%zu", call->size_count);
        return;
    }
    for (size_t i = 0; i < call->size_count; i++) {
        if ((uint64_t)expected[i] != call->sizes[i]) {
            struct scn_finding *finding =
                add(judge, call, expect->sizes_node->items[i], "size in bytes");
            scn_finding_expected(finding, "%" PRId64, expected[i]);
            scn_finding_actual(finding, "%" PRIu64, call->sizes[i]);
        }
    }
}

/* ---- data ---- */

void scn_describe_difference(struct rt_slice expected, struct rt_slice actual, char *out_text,
                             size_t text_bytes)
{
    size_t at = 0;
    size_t shorter = expected.len_bytes < actual.len_bytes ? expected.len_bytes : actual.len_bytes;

    while (at < shorter && expected.data[at] == actual.data[at]) {
        at++;
    }
    size_t from = at < 4 ? 0 : at - 4;
    size_t used = (size_t)snprintf(out_text, text_bytes,
                                   "%zu and %zu bytes; first difference at byte %zu; from %zu:",
                                   expected.len_bytes, actual.len_bytes, at, from);
    for (int side = 0; side < 2; side++) {
        struct rt_slice bytes = side == 0 ? expected : actual;
        used += (size_t)snprintf(out_text + used, text_bytes - used, side == 0 ? "" : "  |");
        for (size_t i = from; i < from + 12 && i < bytes.len_bytes; i++) {
            used += (size_t)snprintf(out_text + used, text_bytes - used, " %02x", bytes.data[i]);
        }
    }
}

static void judge_bytes(struct scn_judge *judge, const struct scn_call *call,
                        const struct doc_node *node, struct rt_slice expected,
                        const struct scn_got *got)
{
    char text[TEXT_BYTES];

    if (!got->is_present) {
        struct scn_finding *finding = add(judge, call, node, "data");
        scn_finding_expected(finding, "%zu bytes", expected.len_bytes);
        scn_finding_actual(finding, "absent");
        return;
    }
    struct rt_slice actual = rt_blob_slice(got->blob);
    if (!rt_slice_equal(expected, actual)) {
        scn_describe_difference(expected, actual, text, sizeof(text));
        struct scn_finding *finding = add(judge, call, node, "data");
        scn_finding_expected(finding, "%zu bytes as in the file", expected.len_bytes);
        scn_finding_actual(finding, "%s", text);
    }
}

/* Two values of one kind that consist of bytes: how these differ, when short texts do not show it.
 */
static bool has_same_body(const struct omni_value *expected, const struct omni_value *actual,
                          char *out_difference)
{
    bool is_bytes = expected->kind == OMNI_TEXT || expected->kind == OMNI_BYTES;
    bool is_tensor = expected->kind == OMNI_TENSOR || expected->kind == OMNI_NDARRAY ||
                     expected->kind == OMNI_IMAGE;

    if (expected->kind != actual->kind || (!is_bytes && !is_tensor)) {
        return false;
    }
    scn_describe_difference(is_bytes ? expected->body.bytes : expected->tensor.body.bytes,
                            is_bytes ? actual->body.bytes : actual->tensor.body.bytes,
                            out_difference, TEXT_BYTES);
    return true;
}

static void judge_value(struct scn_judge *judge, const struct scn_call *call,
                        const struct doc_node *node, const struct omni_value *expected)
{
    char expected_text[200];
    char actual_text[200] = "nothing";
    char difference[TEXT_BYTES];

    if (call->data != NULL && omni_value_equal(expected, call->data)) {
        return;
    }
    omni_value_describe(expected, expected_text, sizeof(expected_text));
    if (call->data != NULL) {
        omni_value_describe(call->data, actual_text, sizeof(actual_text));
    }
    struct scn_finding *finding = add(judge, call, node, "data");
    scn_finding_expected(finding, "%s", expected_text);
    if (call->data != NULL && has_same_body(expected, call->data, difference)) {
        scn_finding_actual(finding, "%s: %s", actual_text, difference);
    } else {
        scn_finding_actual(finding, "%s", actual_text);
    }
}

/* The payload of the step with this id: what was put or set there, or what was got. */
static void judge_same(struct scn_judge *judge, const struct scn_call *call,
                       const struct doc_node *same)
{
    const struct scn_call *other = judge->find_call(judge->arg, same->text);
    const struct doc_node *payload = other == NULL ? NULL : other->step->arguments.data;

    if (payload != NULL && call->party->is_connector) {
        judge_value(judge, call, same, scn_payload_value(judge->world->payloads, payload));
    } else if (payload != NULL && call->value_count > 0) {
        judge_bytes(judge, call, same,
                    rt_blob_slice(scn_payload_raw(judge->world->payloads, payload)),
                    &call->values[0]);
    } else if (other != NULL && other->data != NULL) {
        judge_value(judge, call, same, other->data);
    } else if (other != NULL && other->value_count > 0 && other->values[0].is_present &&
               call->value_count > 0) {
        judge_bytes(judge, call, same, rt_blob_slice(other->values[0].blob), &call->values[0]);
    } else {
        struct scn_finding *finding = add(judge, call, same, "data");
        scn_finding_expected(finding, "the data of step %s", same->text);
        scn_finding_actual(finding, "%s",
                           call->value_count == 0 ? "nothing came" : "that step brought none");
    }
}

static void judge_several(struct scn_judge *judge, const struct scn_call *call,
                          const struct doc_node *list)
{
    if (list->count != call->value_count) {
        struct scn_finding *finding = add(judge, call, list, "number of values");
        scn_finding_expected(finding, "%zu", list->count);
        scn_finding_actual(finding, "%zu", call->value_count);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct doc_node *node = list->items[i];
        if (!doc_is_text(node, "absent")) {
            judge_bytes(judge, call, node,
                        rt_blob_slice(scn_payload_raw(judge->world->payloads, node)),
                        &call->values[i]);
        } else if (call->values[i].is_present) {
            struct scn_finding *finding = add(judge, call, node, "data");
            scn_finding_expected(finding, "absent");
            scn_finding_actual(finding, "%zu bytes", rt_blob_slice(call->values[i].blob).len_bytes);
        }
    }
}

static void judge_data(struct scn_judge *judge, const struct scn_call *call)
{
    const struct doc_node *node = call->step->expect.data_node;
    const struct doc_node *same = doc_find(node, "same-as");
    static const struct scn_got nothing = {.is_present = false};

    if (same != NULL) {
        judge_same(judge, call, same);
    } else if (call->party->is_connector) {
        judge_value(judge, call, node, scn_payload_value(judge->world->payloads, node));
    } else if (node->kind == DOC_KIND_SEQUENCE) {
        judge_several(judge, call, node);
    } else {
        judge_bytes(judge, call, node, rt_blob_slice(scn_payload_raw(judge->world->payloads, node)),
                    call->value_count > 0 ? &call->values[0] : &nothing);
    }
}
