/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "document/error.h"

/* Longer words are never misspelled key words. */
#define LONGEST_WORD_BYTES 63

static size_t smallest(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many insertions, deletions, replacements and swaps of neighbours make `a` of `b`; letters
 * of different case are equal. Three rows of the usual table: this one and the two before. */
static size_t distance(struct rt_slice a, struct rt_slice b)
{
    size_t rows[3][LONGEST_WORD_BYTES + 1];
    size_t i;
    size_t j;

    for (j = 0; j <= b.len_bytes; j++) {
        rows[0][j] = j;
    }
    for (i = 1; i <= a.len_bytes; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (j = 1; j <= b.len_bytes; j++) {
            int x = tolower(a.data[i - 1]);
            int y = tolower(b.data[j - 1]);

            row[j] = smallest(above[j] + 1, row[j - 1] + 1);
            row[j] = smallest(row[j], above[j - 1] + (x == y ? 0 : 1));
            if (i > 1 && j > 1 && x == tolower(b.data[j - 2]) && y == tolower(a.data[i - 2])) {
                row[j] = smallest(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[a.len_bytes % 3][b.len_bytes];
}

const char *doc_nearest_word(struct rt_slice text, const char *const *words, size_t words_count)
{
    const char *nearest = NULL;
    size_t nearest_distance = 0;
    size_t i;

    if (text.len_bytes == 0 || text.len_bytes > LONGEST_WORD_BYTES) {
        return NULL;
    }
    for (i = 0; i < words_count; i++) {
        struct rt_slice word = rt_slice_text(words[i]);
        size_t allowed = smallest(text.len_bytes, word.len_bytes) / 3;
        size_t found;

        if (word.len_bytes == 0 || word.len_bytes > LONGEST_WORD_BYTES) {
            continue;
        }
        found = distance(text, word);
        if (found <= (allowed == 0 ? 1 : allowed) && found < word.len_bytes &&
            (nearest == NULL || found < nearest_distance)) {
            nearest = words[i];
            nearest_distance = found;
        }
    }
    return nearest;
}
