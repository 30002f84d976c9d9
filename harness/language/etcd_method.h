/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_ETCD_METHOD_H
#define HARNESS_LANGUAGE_ETCD_METHOD_H

#include "fakeetcd/request/call.h"

/* By the word of the step: "put", "lease-grant"; NULL: no method has it. */
const struct fakeetcd_method *scn_etcd_method(const char *word);
/* All words, ended by NULL, for messages. */
const char *const *scn_etcd_method_words(void);

#endif
