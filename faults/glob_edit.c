/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/glob_edit.h"

#include <stdlib.h>

#include "runtime/glob.h"

/* The edit table: costs[i * width + j] is what it takes to turn the items from i on into a pattern
 * of the text from j on. */
struct edit {
    struct rt_glob_item *items;
    size_t item_count;
    struct rt_slice text;
    uint32_t *costs;
    size_t width;
};

static void fill_costs(struct edit *edit);
static uint32_t cost_at(const struct edit *edit, size_t item, size_t at);
static bool is_fit(const struct edit *edit, size_t item, size_t at);
static void print_path(FILE *out, const struct edit *edit);
static void print_byte(FILE *out, uint8_t byte);

enum rt_status fault__glob_print_edit(FILE *out, struct rt_slice glob, struct rt_slice text)
{
    struct edit edit = {.text = text, .width = text.len_bytes + 1};
    enum rt_status status = RT_E_NOMEM;

    edit.items = calloc(glob.len_bytes + 1, sizeof(*edit.items));
    edit.costs = calloc((glob.len_bytes + 1) * edit.width, sizeof(*edit.costs));
    if (edit.items != NULL && edit.costs != NULL) {
        for (size_t at = 0; at < glob.len_bytes;) {
            edit.items[edit.item_count++] = rt_glob_next(glob, &at);
        }
        fill_costs(&edit);
        print_path(out, &edit);
        status = RT_OK;
    }
    free(edit.items);
    free(edit.costs);
    return status;
}

static void fill_costs(struct edit *edit)
{
    for (size_t i = edit->item_count + 1; i-- > 0;) {
        for (size_t j = edit->text.len_bytes + 1; j-- > 0;) {
            edit->costs[i * edit->width + j] = cost_at(edit, i, j);
        }
    }
}

static uint32_t cost_at(const struct edit *edit, size_t item, size_t at)
{
    const uint32_t *here = &edit->costs[item * edit->width + at];
    uint32_t best = UINT32_MAX;

    if (item == edit->item_count && at == edit->text.len_bytes) {
        return 0;
    }
    if (at < edit->text.len_bytes) {
        best = here[1] + 1; /* the pattern lacks this byte */
        if (item < edit->item_count && edit->items[item].kind == RT_GLOB_ANY && here[1] < best) {
            best = here[1];
        }
    }
    if (item < edit->item_count) {
        uint32_t removed = here[edit->width] + (edit->items[item].kind == RT_GLOB_ANY ? 0 : 1);

        best = removed < best ? removed : best;
        if (at < edit->text.len_bytes) {
            uint32_t replaced = here[edit->width + 1] + (is_fit(edit, item, at) ? 0 : 1);

            best = replaced < best ? replaced : best;
        }
    }
    return best;
}

static bool is_fit(const struct edit *edit, size_t item, size_t at)
{
    return edit->items[item].kind == RT_GLOB_ONE || (edit->items[item].kind == RT_GLOB_BYTE &&
                                                     edit->items[item].byte == edit->text.data[at]);
}

/* Walks one cheapest way through the table. A kept `*` is written when it is left. */
static void print_path(FILE *out, const struct edit *edit)
{
    size_t i = 0;
    size_t j = 0;

    while (i < edit->item_count || j < edit->text.len_bytes) {
        const uint32_t *here = &edit->costs[i * edit->width + j];
        bool is_more = j < edit->text.len_bytes;

        if (i < edit->item_count && edit->items[i].kind == RT_GLOB_ANY) {
            if (*here == here[edit->width]) {
                fputc('*', out);
                i++;
            } else { /* the star takes this byte: it is never dearer than inserting it */
                j++;
            }
        } else if (i < edit->item_count && is_more && is_fit(edit, i, j) &&
                   *here == here[edit->width + 1]) {
            if (edit->items[i].kind == RT_GLOB_ONE) {
                fputc('?', out);
            } else {
                print_byte(out, edit->items[i].byte);
            }
            i++;
            j++;
        } else if (i < edit->item_count && is_more && *here == here[edit->width + 1] + 1) {
            print_byte(out, edit->text.data[j]);
            i++;
            j++;
        } else if (i < edit->item_count && *here == here[edit->width] + 1) {
            i++;
        } else {
            print_byte(out, edit->text.data[j]);
            j++;
        }
    }
}

static void print_byte(FILE *out, uint8_t byte)
{
    if (byte == '*' || byte == '?' || byte == '\\') {
        fputc('\\', out);
    }
    fputc(byte, out);
}
