/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/glob.h"

#include <stdlib.h>

/* One element of a pattern: a byte that must be there, any one byte, or any bytes. */
enum glob_kind { GLOB_BYTE, GLOB_ONE, GLOB_ANY };

struct glob_item {
    enum glob_kind kind;
    uint8_t byte;
};

/* The edit table: costs[i * width + j] is what it takes to turn the items from i on into a pattern
 * of the text from j on. */
struct edit {
    struct glob_item *items;
    size_t item_count;
    struct rt_slice text;
    uint32_t *costs;
    size_t width;
};

static struct glob_item next_item(struct rt_slice glob, size_t *at);
static void fill_costs(struct edit *edit);
static uint32_t cost_at(const struct edit *edit, size_t item, size_t at);
static bool is_fit(const struct edit *edit, size_t item, size_t at);
static void print_path(FILE *out, const struct edit *edit);
static void print_byte(FILE *out, uint8_t byte);

static struct glob_item next_item(struct rt_slice glob, size_t *at)
{
    uint8_t byte = glob.data[(*at)++];

    if (byte == '*') {
        return (struct glob_item){.kind = GLOB_ANY};
    }
    if (byte == '?') {
        return (struct glob_item){.kind = GLOB_ONE};
    }
    if (byte == '\\' && *at < glob.len_bytes) {
        byte = glob.data[(*at)++];
    }
    return (struct glob_item){.kind = GLOB_BYTE, .byte = byte};
}

bool fault__glob_is_valid(struct rt_slice glob)
{
    for (size_t i = 0; i < glob.len_bytes; i++) {
        if (glob.data[i] == '\\' && ++i == glob.len_bytes) {
            return false;
        }
    }
    return true;
}

bool fault__glob_is_literal(struct rt_slice glob, char *out_text, size_t *out_len_bytes)
{
    size_t len_bytes = 0;

    for (size_t at = 0; at < glob.len_bytes;) {
        struct glob_item item = next_item(glob, &at);

        if (item.kind != GLOB_BYTE) {
            return false;
        }
        out_text[len_bytes++] = (char)item.byte;
    }
    *out_len_bytes = len_bytes;
    return true;
}

/* After a mismatch only the last `*` is worth another try: what an earlier one could give, the
 * last one can give too. */
bool fault__glob_matches(struct rt_slice glob, struct rt_slice text)
{
    size_t at = 0;
    size_t i = 0;
    size_t star_at = SIZE_MAX; /* just behind the last `*` */
    size_t star_i = 0;         /* where its bytes end so far */

    while (i < text.len_bytes) {
        if (at < glob.len_bytes) {
            size_t next = at;
            struct glob_item item = next_item(glob, &next);

            if (item.kind == GLOB_ANY) {
                at = star_at = next;
                star_i = i;
                continue;
            }
            if (item.kind == GLOB_ONE || item.byte == text.data[i]) {
                at = next;
                i++;
                continue;
            }
        }
        if (star_at == SIZE_MAX) {
            return false;
        }
        at = star_at;
        i = ++star_i;
    }
    while (at < glob.len_bytes && glob.data[at] == '*') {
        at++;
    }
    return at == glob.len_bytes;
}

enum rt_status fault__glob_print_edit(FILE *out, struct rt_slice glob, struct rt_slice text)
{
    struct edit edit = {.text = text, .width = text.len_bytes + 1};
    enum rt_status status = RT_E_NOMEM;

    edit.items = calloc(glob.len_bytes + 1, sizeof(*edit.items));
    edit.costs = calloc((glob.len_bytes + 1) * edit.width, sizeof(*edit.costs));
    if (edit.items != NULL && edit.costs != NULL) {
        for (size_t at = 0; at < glob.len_bytes;) {
            edit.items[edit.item_count++] = next_item(glob, &at);
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
        if (item < edit->item_count && edit->items[item].kind == GLOB_ANY && here[1] < best) {
            best = here[1];
        }
    }
    if (item < edit->item_count) {
        uint32_t removed = here[edit->width] + (edit->items[item].kind == GLOB_ANY ? 0 : 1);

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
    return edit->items[item].kind == GLOB_ONE ||
           (edit->items[item].kind == GLOB_BYTE && edit->items[item].byte == edit->text.data[at]);
}

/* Walks one cheapest way through the table. A kept `*` is written when it is left. */
static void print_path(FILE *out, const struct edit *edit)
{
    size_t i = 0;
    size_t j = 0;

    while (i < edit->item_count || j < edit->text.len_bytes) {
        const uint32_t *here = &edit->costs[i * edit->width + j];
        bool is_more = j < edit->text.len_bytes;

        if (i < edit->item_count && edit->items[i].kind == GLOB_ANY) {
            if (*here == here[edit->width]) {
                fputc('*', out);
                i++;
            } else { /* the star takes this byte: it is never dearer than inserting it */
                j++;
            }
        } else if (i < edit->item_count && is_more && is_fit(edit, i, j) &&
                   *here == here[edit->width + 1]) {
            if (edit->items[i].kind == GLOB_ONE) {
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
