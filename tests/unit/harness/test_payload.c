/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/language/payload.h"

struct fixture {
    struct doc *doc;
    struct doc_error_list *errors;
    struct scn_payloads *payloads;
};

static const struct doc_node *payload(struct fixture *fx, const char *text)
{
    fx->errors = doc_error_list_create();
    fx->payloads = scn_payloads_create();
    assert_non_null(fx->errors);
    assert_non_null(fx->payloads);
    assert_int_equal(
        doc_load_text("payload", rt_slice_text(text), DOC_MODE_STRICT, NULL, fx->errors, &fx->doc),
        RT_OK);
    return doc_find(doc_root(fx->doc), "data");
}

static void done(struct fixture *fx)
{
    scn_payloads_destroy(fx->payloads);
    doc_destroy(fx->doc);
    doc_error_list_destroy(fx->errors);
}

static void text__made_raw__is_its_bytes(void **state)
{
    struct fixture fx;
    const struct doc_node *node = payload(&fx, "data: hello\n");

    (void)state;
    assert_int_equal(scn_payload_check(node, SCN_PAYLOAD_RAW, fx.errors), RT_OK);
    assert_true(
        rt_slice_equal(rt_blob_slice(scn_payload_raw(fx.payloads, node)), rt_slice_text("hello")));
    done(&fx);
}

static void hex__made_raw__is_its_bytes(void **state)
{
    struct fixture fx;
    const struct doc_node *node = payload(&fx, "data: { hex: \"00fF7a\" }\n");
    static const uint8_t expected[] = {0x00, 0xff, 0x7a};

    (void)state;
    assert_int_equal(scn_payload_check(node, SCN_PAYLOAD_RAW, fx.errors), RT_OK);
    assert_true(rt_slice_equal(rt_blob_slice(scn_payload_raw(fx.payloads, node)),
                               rt_slice_of(expected, sizeof(expected))));
    done(&fx);
}

static void a_repeated_unit__is_cut_at_the_size__and_made_once(void **state)
{
    struct fixture fx;
    const struct doc_node *node = payload(&fx, "data: { repeat: abc, size: 8B }\n");

    (void)state;
    struct rt_blob *blob = scn_payload_raw(fx.payloads, node);
    assert_true(rt_slice_equal(rt_blob_slice(blob), rt_slice_text("abcabcab")));
    assert_ptr_equal(blob, scn_payload_raw(fx.payloads, node));
    done(&fx);
}

static void a_tensor__filled_with_a_ramp__has_its_shape_and_bytes(void **state)
{
    struct fixture fx;
    const struct doc_node *node =
        payload(&fx, "data: { tensor: int16, shape: [2, 2], fill: ramp }\n");

    (void)state;
    assert_int_equal(scn_payload_check(node, SCN_PAYLOAD_VALUE, fx.errors), RT_OK);
    const struct omni_value *value = scn_payload_value(fx.payloads, node);
    static const uint8_t expected[] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_int_equal(value->kind, OMNI_TENSOR);
    assert_int_equal(value->tensor.dimension_count, 2);
    assert_true(rt_slice_equal(value->tensor.body.bytes, rt_slice_of(expected, 8)));
    done(&fx);
}

/* fixmap 1, fixstr "a", positive fixint 7: worked out from the MessagePack specification. */
static void an_encoded_map__made_raw__is_its_messagepack(void **state)
{
    struct fixture fx;
    const struct doc_node *node = payload(&fx, "data: { encoded: { map: { a: { int: 7 } } } }\n");
    static const uint8_t expected[] = {0x81, 0xa1, 0x61, 0x07};

    (void)state;
    assert_true(rt_slice_equal(rt_blob_slice(scn_payload_raw(fx.payloads, node)),
                               rt_slice_of(expected, sizeof(expected))));
    done(&fx);
}

static void a_tensor__for_a_plain_client__is_refused(void **state)
{
    struct fixture fx;
    const struct doc_node *node = payload(&fx, "data: { tensor: int8, shape: [1] }\n");

    (void)state;
    assert_int_equal(scn_payload_check(node, SCN_PAYLOAD_RAW, fx.errors), RT_E_INVALID);
    assert_int_equal(doc_error_count(fx.errors), 1);
    done(&fx);
}

static void wrong_payloads__are_checked__each_is_refused(void **state)
{
    static const char *const wrong[] = {
        "data: { hex: \"0\" }\n",
        "data: { hex: \"0g\" }\n",
        "data: { repeat: a }\n",
        "data: { repeat: \"\", size: 4B }\n",
        "data: { repeat: a, size: 9999GiB }\n",
        "data: { tensor: float33, shape: [1] }\n",
        "data: { tensor: float32 }\n",
        "data: { tensor: float32, shape: [-1] }\n",
        "data: { tensor: float32, shape: [2000000000, 2000000000] }\n",
        "data: { image: XYZ, shape: [1, 1, 3] }\n",
        "data: { int: 1.5 }\n",
        "data: { float: one }\n",
        "data: { map: [a] }\n",
        "data: { lst: [a] }\n",
        "data: [a]\n",
        "data: { text: a, hex: \"00\" }\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct fixture fx;
        const struct doc_node *node = payload(&fx, wrong[i]);
        if (scn_payload_check(node, SCN_PAYLOAD_VALUE, fx.errors) == RT_OK) {
            fail_msg("accepted: %s", wrong[i]);
        }
        assert_true(doc_error_count(fx.errors) > 0);
        done(&fx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__made_raw__is_its_bytes),
        cmocka_unit_test(hex__made_raw__is_its_bytes),
        cmocka_unit_test(a_repeated_unit__is_cut_at_the_size__and_made_once),
        cmocka_unit_test(a_tensor__filled_with_a_ramp__has_its_shape_and_bytes),
        cmocka_unit_test(an_encoded_map__made_raw__is_its_messagepack),
        cmocka_unit_test(a_tensor__for_a_plain_client__is_refused),
        cmocka_unit_test(wrong_payloads__are_checked__each_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
