/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_FIXTURE_H
#define DOCUMENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "document/tree.h"

/* One document and the errors of reading it. */
struct fixture {
    struct doc_error_list *errors;
    struct doc *doc;
};

static inline int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    fx->errors = doc_error_list_create();
    *state = fx;
    return fx->errors == NULL;
}

static inline int tear_down(void **state)
{
    struct fixture *fx = *state;

    doc_destroy(fx->doc);
    doc_error_list_destroy(fx->errors);
    free(fx);
    return 0;
}

static inline enum rt_status load(struct fixture *fx, enum doc_mode mode, const char *text)
{
    doc_destroy(fx->doc);
    fx->doc = NULL;
    doc_error_list_clear(fx->errors);
    return doc_load_text("file.yaml", rt_slice_text(text), mode, NULL, fx->errors, &fx->doc);
}

/* Loads what must be valid and answers its root. */
static inline const struct doc_node *root_of(struct fixture *fx, enum doc_mode mode,
                                             const char *text)
{
    assert_int_equal(load(fx, mode, text), RT_OK);
    return doc_root(fx->doc);
}

static inline void assert_place(struct doc_position position, uint32_t line, uint32_t column)
{
    assert_int_equal(position.line, line);
    assert_int_equal(position.column, column);
}

/* The text must be refused with exactly this as the first error. */
static inline void assert_refused(struct fixture *fx, enum doc_mode mode, const char *text,
                                  uint32_t line, uint32_t column, const char *message)
{
    const struct doc_error *error;

    assert_int_equal(load(fx, mode, text), RT_E_MALFORMED);
    error = doc_error_at(fx->errors, 0);
    assert_non_null(error);
    assert_string_equal(error->message, message);
    assert_int_equal(error->line, line);
    assert_int_equal(error->column, column);
}

#endif
