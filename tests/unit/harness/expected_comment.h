/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EXPECTED_COMMENT_H
#define TESTS_EXPECTED_COMMENT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Data-driven tests over a folder of scenario files: each file says in comments `# expect: TEXT`
 * what must appear in what is printed about it, one or more lines, and the first word of
 * `# verdict: WORD` how it ends.
 */
#define EXPECTED_MAX  8
#define EXPECTED_LINE 512

struct expected {
    char verdict[EXPECTED_LINE];
    char texts[EXPECTED_MAX][EXPECTED_LINE];
    size_t count;
};

static inline void expected_read(const char *path, struct expected *out_expected)
{
    char line[EXPECTED_LINE];
    FILE *in = fopen(path, "r");

    memset(out_expected, 0, sizeof(*out_expected));
    while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "# verdict: ", 11) == 0) {
            (void)snprintf(out_expected->verdict, sizeof(out_expected->verdict), "%s", line + 11);
        } else if (strncmp(line, "# expect: ", 10) == 0 && out_expected->count < EXPECTED_MAX) {
            (void)snprintf(out_expected->texts[out_expected->count++],
                           sizeof(out_expected->texts[0]), "%s", line + 10);
        }
    }
    if (in != NULL) {
        (void)fclose(in);
    }
}

/* Every line's text is in `text`, in order. Gives the one that is not, or NULL. */
static inline const char *expected_missing(const struct expected *expected, const char *text)
{
    for (size_t i = 0; i < expected->count; i++) {
        const char *found = strstr(text, expected->texts[i]);
        if (found == NULL) {
            return expected->texts[i];
        }
        text = found;
    }
    return NULL;
}

static inline int expected_is_yaml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

#endif
