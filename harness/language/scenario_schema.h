/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_SCENARIO_SCHEMA_H
#define HARNESS_LANGUAGE_SCENARIO_SCHEMA_H

#include "harness/language/scenario.h"

/* The tables behind the language, shared by the files that read it. */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* SCHEMA(put, "put", "...") makes put_schema of put_fields. */
#define SCHEMA(variable, word, text)                                                               \
    static const struct doc_schema variable##_schema = {.name = word,                              \
                                                        .help = text,                              \
                                                        .fields = variable##_fields,               \
                                                        .fields_count =                            \
                                                            COUNT_OF(variable##_fields)}

extern const struct doc_schema scn__expect_schema;
extern const struct doc_schema scn__step_schema;
extern const struct doc_schema scn__check_schema;
extern const struct doc_schema scn__etcd_server_schema;
extern const struct doc_schema scn__etcd_call_schema;
extern const struct doc_schema scn__switch_schema;
extern const struct doc_word scn__write_modes[];

/* A list of steps in which `repeat: N` is expanded; into a doc_list of struct scn_step. */
enum rt_status scn__steps_read(struct doc_reader *reader, const struct doc_node *node,
                               struct doc_list *out_steps);

/* Custom readers of fields: a K_ code (int32_t), an operation (int), a write mode (int). */
doc_field_read_fn scn__read_key;   /* const char *: text, or {repeat: TEXT, count: N} */
doc_field_read_fn scn__read_keys;  /* doc_list of them: a, [a, b], {count: N, pattern: "k-${i}"} */
doc_field_read_fn scn__read_texts; /* doc_list of const char *: one text or a list */
doc_field_read_fn scn__read_code;
doc_field_read_fn scn__read_grpc_code; /* int32_t */
doc_field_read_fn scn__read_op;
doc_field_read_fn scn__read_mode;

#endif
