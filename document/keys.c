/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "document/internal.h"

/*
 * What becomes of a mapping's pairs when it has ended:
 *
 *   pairs of the file --expand_merges--> [merged…, own…] --find_duplicates--> the node's pairs
 *
 * Keys are compared by sorting, so that no choice of keys makes it slow.
 */

/* A pair on its way. */
struct entry {
    struct doc_pair pair;
    size_t index;     /* in the sequence of insertions */
    bool is_merged;   /* came from a merge key: may be overwritten without a word */
    bool is_repeated; /* another entry holds the place of this key */
};

static enum rt_status expand_merges(struct doc__load *load, struct doc__node *mapping,
                                    const struct doc_pair *pairs, size_t pairs_count,
                                    struct entry **out_entries, size_t *out_count);
static enum rt_status find_duplicates(struct doc__load *load, struct entry *entries, size_t count);
static enum rt_status on_duplicate(struct doc__load *load, struct entry *first,
                                   struct entry *previous, struct entry *later);
static enum rt_status store(struct doc__load *load, struct doc__node *mapping,
                            const struct entry *entries, size_t count);

enum rt_status doc__settle_pairs(struct doc__load *load, struct doc__node *mapping,
                                 const struct doc_pair *pairs, size_t pairs_count)
{
    struct entry *entries = NULL;
    size_t count = 0;
    enum rt_status status;

    status = expand_merges(load, mapping, pairs, pairs_count, &entries, &count);
    if (status != RT_OK) {
        return status;
    }
    status = find_duplicates(load, entries, count);
    if (status == RT_OK || status == RT_E_MALFORMED) {
        enum rt_status stored = store(load, mapping, entries, count);
        status = stored == RT_OK ? status : stored;
    }
    free(entries);
    return status;
}

/* ---- merge keys ------------------------------------------------------------------------- */

static bool is_merge_key(const struct doc__load *load, const struct doc_node *key)
{
    const struct doc__node *node = (const struct doc__node *)key;

    return load->mode != DOC_MODE_JSON && key->style == DOC_STYLE_PLAIN && !node->has_tag &&
           rt_slice_is_text(doc_text(key), "<<");
}

/* The mappings that a merge key names, the one that wins last. NULL: `value` is none. */
static const struct doc_node *merged_mapping(const struct doc_node *value, size_t index)
{
    const struct doc_node *mapping = value;

    if (value->kind == DOC_KIND_SEQUENCE) {
        mapping = value->items[value->count - 1 - index]; /* the first of a list wins */
    }
    return mapping->kind == DOC_KIND_MAPPING ? mapping : NULL;
}

static size_t merged_mappings_count(const struct doc_node *value)
{
    return value->kind == DOC_KIND_SEQUENCE ? value->count : 1;
}

/* How many pairs the merge keys bring in; or a complaint. */
static enum rt_status count_merged(struct doc__load *load, const struct doc_pair *pairs,
                                   size_t pairs_count, size_t *out_count)
{
    size_t count = 0;
    size_t i;
    size_t j;

    for (i = 0; i < pairs_count; i++) {
        if (!is_merge_key(load, pairs[i].key)) {
            continue;
        }
        if (load->mode == DOC_MODE_STRICT) {
            doc_error_add(load->errors, pairs[i].key, "merge keys are not allowed here");
            return RT_E_MALFORMED;
        }
        for (j = 0; j < merged_mappings_count(pairs[i].value); j++) {
            const struct doc_node *mapping = merged_mapping(pairs[i].value, j);

            if (mapping == NULL) {
                doc_error_add(load->errors, pairs[i].value,
                              "a merge key takes a mapping or a list of mappings");
                return RT_E_MALFORMED;
            }
            count += mapping->count;
        }
    }
    *out_count = count;
    return RT_OK;
}

static size_t add_entry(struct entry *entries, size_t count, struct doc_pair pair, bool is_merged)
{
    entries[count] = (struct entry){.pair = pair, .index = count, .is_merged = is_merged};
    return count + 1;
}

static enum rt_status expand_merges(struct doc__load *load, struct doc__node *mapping,
                                    const struct doc_pair *pairs, size_t pairs_count,
                                    struct entry **out_entries, size_t *out_count)
{
    size_t merged_count = 0;
    size_t count = 0;
    struct entry *entries;
    enum rt_status status = count_merged(load, pairs, pairs_count, &merged_count);
    size_t i;
    size_t j;
    size_t k;

    if (status != RT_OK) {
        return status;
    }
    entries = calloc(pairs_count + merged_count + 1, sizeof(*entries));
    if (entries == NULL) {
        return RT_E_NOMEM;
    }
    for (i = 0; i < pairs_count && merged_count > 0; i++) {
        for (j = 0; is_merge_key(load, pairs[i].key) && j < merged_mappings_count(pairs[i].value);
             j++) {
            const struct doc_node *from = merged_mapping(pairs[i].value, j);
            for (k = 0; k < from->count; k++) {
                count = add_entry(entries, count, from->pairs[k], true);
            }
        }
    }
    for (i = 0; i < pairs_count; i++) {
        if (!is_merge_key(load, pairs[i].key)) {
            count = add_entry(entries, count, pairs[i], false);
        }
    }
    mapping->weight_count += merged_count; /* so that merging merged mappings meets the limit */
    *out_entries = entries;
    *out_count = count;
    return RT_OK;
}

/* ---- duplicates ------------------------------------------------------------------------- */

static int compare_slices(struct rt_slice a, struct rt_slice b)
{
    size_t shorter = a.len_bytes < b.len_bytes ? a.len_bytes : b.len_bytes;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

    if (order != 0) {
        return order;
    }
    return (a.len_bytes > b.len_bytes) - (a.len_bytes < b.len_bytes);
}

static bool is_number(const struct doc_node *node)
{
    return node->type == DOC_TYPE_BOOL || node->type == DOC_TYPE_INTEGER ||
           node->type == DOC_TYPE_FLOAT;
}

/* The value of a number as text: 1, 1.0 and True are one key for Python's dict. */
static struct rt_slice number_text(const struct doc_node *node)
{
    struct rt_slice text = rt_slice_text(node->canonical);

    if (node->type == DOC_TYPE_BOOL) {
        return rt_slice_text(node->boolean ? "1" : "0");
    }
    if (node->type == DOC_TYPE_FLOAT && text.len_bytes > 2 &&
        memcmp(text.data + text.len_bytes - 2, ".0", 2) == 0) {
        text.len_bytes -= 2;
    }
    if (rt_slice_is_text(text, "-0")) {
        return rt_slice_text("0");
    }
    return text;
}

static int compare_keys(const struct doc_node *a, const struct doc_node *b)
{
    if (is_number(a) && is_number(b)) {
        return compare_slices(number_text(a), number_text(b));
    }
    if (is_number(a) || is_number(b)) {
        return is_number(a) ? -1 : 1;
    }
    if (a->type != b->type) {
        return a->type < b->type ? -1 : 1;
    }
    if (a->type == DOC_TYPE_NULL) {
        return 0;
    }
    return compare_slices(doc_text(a), doc_text(b));
}

/* By key, then by order of insertion. */
static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = *(const struct entry *const *)left;
    const struct entry *b = *(const struct entry *const *)right;
    int order = compare_keys(a->pair.key, b->pair.key);

    if (order != 0) {
        return order;
    }
    return (a->index > b->index) - (a->index < b->index);
}

static enum rt_status find_duplicates(struct doc__load *load, struct entry *entries, size_t count)
{
    enum rt_status status = RT_OK;
    struct entry **sorted;
    size_t first = 0;
    size_t i;

    if (count < 2) {
        return RT_OK;
    }
    sorted = calloc(count, sizeof(*sorted));
    if (sorted == NULL) {
        return RT_E_NOMEM;
    }
    for (i = 0; i < count; i++) {
        sorted[i] = &entries[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare_entries);
    for (i = 1; i < count; i++) {
        if (compare_keys(sorted[first]->pair.key, sorted[i]->pair.key) != 0) {
            first = i;
            continue;
        }
        status = on_duplicate(load, sorted[first], sorted[i - 1], sorted[i]);
    }
    free(sorted);
    return status;
}

/* STRICT refuses. Elsewhere the key keeps its first place and gets its last value, as in a
 * Python dict. RT_E_MALFORMED sticks: all duplicates of a mapping are STRICT or none is. */
static enum rt_status on_duplicate(struct doc__load *load, struct entry *first,
                                   struct entry *previous, struct entry *later)
{
    const struct doc_node *key = later->pair.key;
    struct doc_position before = previous->pair.key->start;

    later->is_repeated = true;
    if (load->mode == DOC_MODE_STRICT) {
        doc_error_add(load->errors, key, "the key \"%s\" stands here again, first at %u:%u",
                      key->text, first->pair.key->start.line, first->pair.key->start.column);
        return RT_E_MALFORMED;
    }
    if (!previous->is_merged) {
        doc_error_add(load->doc->warnings, key,
                      "the key \"%s\" stands here again and replaces the value at %u:%u", key->text,
                      before.line, before.column);
    }
    first->pair.value = later->pair.value;
    return RT_OK;
}

static enum rt_status store(struct doc__load *load, struct doc__node *mapping,
                            const struct entry *entries, size_t count)
{
    struct doc_pair *pairs = doc__arena_alloc_array(&load->doc->arena, count, sizeof(*pairs));
    size_t stored_count = 0;
    size_t i;

    if (pairs == NULL) {
        return RT_E_NOMEM;
    }
    for (i = 0; i < count; i++) {
        if (!entries[i].is_repeated) {
            pairs[stored_count++] = entries[i].pair;
        }
    }
    mapping->node.pairs = pairs;
    mapping->node.count = stored_count;
    return RT_OK;
}
