/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/language/etcd_method.h"

#include <string.h>

#define WORDS_MAX 128

/* Fault rules call the operation `etcd-put`; inside a step `etcd:` the prefix would be said twice.
 */
static const char *short_word(const struct fakeetcd_method *method)
{
    return strncmp(method->word, "etcd-", 5) == 0 ? method->word + 5 : method->word;
}

const struct fakeetcd_method *scn_etcd_method(const char *word)
{
    for (size_t i = 0; i < fakeetcd_method_count(); i++) {
        if (strcmp(short_word(&fakeetcd_methods[i]), word) == 0) {
            return &fakeetcd_methods[i];
        }
    }
    return NULL;
}

const char *const *scn_etcd_method_words(void)
{
    static const char *words[WORDS_MAX + 1];

    for (size_t i = 0; i < fakeetcd_method_count() && i < WORDS_MAX; i++) {
        words[i] = short_word(&fakeetcd_methods[i]);
    }
    return words;
}
