/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/maintenance/bolt_file.h"

#include "fakeetcd/grow.h"

#include <stdlib.h>
#include <string.h>

/*
 * A page: id (u64), flags (u16), count (u16), overflow (u32: so many pages more are its own), then
 * its elements, then their bytes. All little-endian.
 *
 *   0, 1  meta: one of them must be right
 *   2     freelist, empty
 *   3...  of the buckets that are not small; last the leaf that names them all
 */
#define PAGE_BYTES     ((size_t)FAKEETCD__BOLT_PAGE_BYTES)
#define HEAD_BYTES     ((size_t)16)
#define ELEMENT_BYTES  ((size_t)16)
#define META_BYTES     ((size_t)64)
#define BUCKET_BYTES   ((size_t)16)
#define FLAG_BRANCH    1u
#define FLAG_LEAF      2u
#define FLAG_META      4u
#define FLAG_FREELIST  16u
#define FLAG_OF_BUCKET 1u
#define MAGIC          UINT32_C(0xed0cdaed)
#define VERSION        2u
#define FREELIST_PAGE  2u

static void put(uint8_t *at, uint64_t number, size_t byte_count)
{
    for (size_t i = 0; i < byte_count; i++) {
        at[i] = (uint8_t)(number >> 8 * i);
    }
}

static void fail(struct fakeetcd__bolt *bolt, enum rt_status status)
{
    bolt->status = bolt->status == RT_OK ? status : bolt->status;
}

/* Zeroed pages at the end; NULL: it has failed. */
static uint8_t *take_pages(struct fakeetcd__bolt *bolt, size_t used_bytes, unsigned flags,
                           size_t count, uint64_t *out_page)
{
    size_t page_count = (used_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    size_t wanted_bytes = bolt->len_bytes + page_count * PAGE_BYTES;

    if (bolt->status == RT_OK && wanted_bytes > bolt->room_bytes) {
        size_t room_bytes =
            bolt->room_bytes < 64 * PAGE_BYTES ? 64 * PAGE_BYTES : 2 * bolt->room_bytes;
        room_bytes = room_bytes < wanted_bytes ? wanted_bytes : room_bytes;
        uint8_t *grown = realloc(bolt->bytes, room_bytes);
        if (grown == NULL) {
            fail(bolt, RT_E_NOMEM);
        } else {
            bolt->bytes = grown;
            bolt->room_bytes = room_bytes;
        }
    }
    if (bolt->status != RT_OK) {
        return NULL;
    }
    uint8_t *page = bolt->bytes + bolt->len_bytes;
    memset(page, 0, page_count * PAGE_BYTES);
    *out_page = bolt->len_bytes / PAGE_BYTES;
    put(page, *out_page, 8);
    put(page + 8, flags, 2);
    put(page + 10, count, 2);
    put(page + 12, page_count - 1, 4);
    bolt->len_bytes = wanted_bytes;
    return page;
}

void fakeetcd__bolt_init(struct fakeetcd__bolt *bolt)
{
    uint64_t page;

    *bolt = (struct fakeetcd__bolt){.status = RT_OK};
    (void)take_pages(bolt, HEAD_BYTES + META_BYTES, FLAG_META, 0, &page);
    (void)take_pages(bolt, HEAD_BYTES + META_BYTES, FLAG_META, 0, &page);
    (void)take_pages(bolt, HEAD_BYTES, FLAG_FREELIST, 0, &page);
}

void fakeetcd__bolt_fini(struct fakeetcd__bolt *bolt)
{
    free(bolt->bytes);
    free(bolt->staged);
    free(bolt->children);
    *bolt = (struct fakeetcd__bolt){.status = RT_E_INVALID};
}

/* ---- leaves ---- */

static void add_child(struct fakeetcd__bolt *bolt, uint64_t page, struct rt_slice key)
{
    struct fakeetcd__bolt_child *children = fakeetcd__grow(
        bolt->children, bolt->child_count, &bolt->child_room_count, sizeof(*children));
    if (children == NULL) {
        fail(bolt, RT_E_NOMEM);
        return;
    }
    bolt->children = children;
    struct fakeetcd__bolt_child *child = &bolt->children[bolt->child_count++];
    *child = (struct fakeetcd__bolt_child){.page = page, .key_bytes = (uint8_t)key.len_bytes};
    if (key.len_bytes > 0) {
        memcpy(child->key, key.data, key.len_bytes);
    }
}

static size_t leaf_bytes(const struct fakeetcd__bolt *bolt)
{
    return HEAD_BYTES + bolt->item_count * ELEMENT_BYTES + bolt->staged_bytes;
}

/* Into zeroed bytes; their id is not said. */
static void fill_leaf(const struct fakeetcd__bolt *bolt, uint8_t *bytes)
{
    size_t elements_bytes = bolt->item_count * ELEMENT_BYTES;

    put(bytes + 8, FLAG_LEAF, 2);
    put(bytes + 10, bolt->item_count, 2);
    for (size_t i = 0; i < bolt->item_count; i++) {
        const struct fakeetcd__bolt_item *item = &bolt->items[i];
        uint8_t *element = bytes + HEAD_BYTES + i * ELEMENT_BYTES;
        put(element, bolt->is_of_buckets ? FLAG_OF_BUCKET : 0, 4);
        put(element + 4, elements_bytes - i * ELEMENT_BYTES + item->offset, 4);
        put(element + 8, item->key_bytes, 4);
        put(element + 12, item->value_bytes, 4);
    }
    if (bolt->staged_bytes > 0) {
        memcpy(bytes + HEAD_BYTES + elements_bytes, bolt->staged, bolt->staged_bytes);
    }
}

static void write_leaf(struct fakeetcd__bolt *bolt)
{
    uint64_t page;
    struct rt_slice first = {0};
    uint8_t *bytes = take_pages(bolt, leaf_bytes(bolt), FLAG_LEAF, 0, &page);

    if (bytes == NULL) {
        return;
    }
    fill_leaf(bolt, bytes);
    if (bolt->item_count > 0) {
        first = rt_slice_of(bolt->staged, bolt->items[0].key_bytes);
    }
    add_child(bolt, page, first);
    bolt->item_count = 0;
    bolt->staged_bytes = 0;
}

static bool has_staging_room(struct fakeetcd__bolt *bolt, size_t more_bytes)
{
    size_t wanted_bytes = bolt->staged_bytes + more_bytes;

    if (wanted_bytes > bolt->staged_room_bytes) {
        size_t room_bytes = wanted_bytes < PAGE_BYTES ? PAGE_BYTES : wanted_bytes;
        uint8_t *grown = realloc(bolt->staged, room_bytes);
        if (grown == NULL) {
            fail(bolt, RT_E_NOMEM);
            return false;
        }
        bolt->staged = grown;
        bolt->staged_room_bytes = room_bytes;
    }
    return true;
}

void fakeetcd__bolt_begin(struct fakeetcd__bolt *bolt, const char *name)
{
    if (bolt->bucket_count == FAKEETCD__BOLT_BUCKETS) {
        fail(bolt, RT_E_LIMIT);
        return;
    }
    bolt->buckets[bolt->bucket_count++].name = name;
}

/* What does not fit into one page any more begins another leaf; one that never fits has its own. */
uint8_t *fakeetcd__bolt_add(struct fakeetcd__bolt *bolt, struct rt_slice key, size_t value_bytes)
{
    size_t more_bytes = key.len_bytes + value_bytes;

    if (key.len_bytes > FAKEETCD__BOLT_KEY_MAX || value_bytes > INT32_MAX / 2) {
        fail(bolt, RT_E_LIMIT);
    }
    if (bolt->status == RT_OK && bolt->item_count > 0 &&
        leaf_bytes(bolt) + ELEMENT_BYTES + more_bytes > PAGE_BYTES) {
        write_leaf(bolt);
    }
    if (bolt->status != RT_OK || !has_staging_room(bolt, more_bytes)) {
        return NULL;
    }
    uint8_t *at = bolt->staged + bolt->staged_bytes;
    bolt->items[bolt->item_count++] =
        (struct fakeetcd__bolt_item){.offset = bolt->staged_bytes,
                                     .key_bytes = (uint32_t)key.len_bytes,
                                     .value_bytes = (uint32_t)value_bytes};
    memcpy(at, key.data, key.len_bytes);
    bolt->staged_bytes += more_bytes;
    return at + key.len_bytes;
}

/* ---- branches ---- */

/* As many children as one page holds; how many that were. */
static size_t write_branch(struct fakeetcd__bolt *bolt, const struct fakeetcd__bolt_child *children,
                           size_t count, uint64_t *out_page)
{
    size_t taken = 0;
    size_t keys_bytes = 0;

    while (taken < count &&
           HEAD_BYTES + (taken + 1) * ELEMENT_BYTES + keys_bytes + children[taken].key_bytes <=
               PAGE_BYTES) {
        keys_bytes += children[taken++].key_bytes;
    }
    uint8_t *bytes = take_pages(bolt, HEAD_BYTES + taken * ELEMENT_BYTES + keys_bytes, FLAG_BRANCH,
                                taken, out_page);
    uint8_t *key = bytes == NULL ? NULL : bytes + HEAD_BYTES + taken * ELEMENT_BYTES;
    for (size_t i = 0; bytes != NULL && i < taken; i++) {
        uint8_t *element = bytes + HEAD_BYTES + i * ELEMENT_BYTES;
        put(element, (uint64_t)(key - element), 4);
        put(element + 4, children[i].key_bytes, 4);
        put(element + 8, children[i].page, 8);
        memcpy(key, children[i].key, children[i].key_bytes);
        key += children[i].key_bytes;
    }
    return taken;
}

/* Level above level, until one page is above all. A level takes the place of the one below. */
static uint64_t write_tree(struct fakeetcd__bolt *bolt)
{
    if (bolt->item_count > 0 || bolt->child_count == 0) {
        write_leaf(bolt);
    }
    while (bolt->status == RT_OK && bolt->child_count > 1) {
        size_t above = 0;
        for (size_t at = 0; at < bolt->child_count && bolt->status == RT_OK;) {
            struct fakeetcd__bolt_child child = bolt->children[at];
            at += write_branch(bolt, bolt->children + at, bolt->child_count - at, &child.page);
            bolt->children[above++] = child;
        }
        bolt->child_count = above;
    }
    uint64_t root = bolt->status == RT_OK ? bolt->children[0].page : 0;
    bolt->child_count = 0;
    return root;
}

void fakeetcd__bolt_end(struct fakeetcd__bolt *bolt)
{
    struct fakeetcd__bolt_bucket *bucket = &bolt->buckets[bolt->bucket_count - 1];

    if (bolt->status != RT_OK) {
        return;
    }
    if (bolt->child_count > 0 || leaf_bytes(bolt) > sizeof(bucket->leaf)) {
        bucket->root = write_tree(bolt);
        return;
    }
    bucket->inline_bytes = leaf_bytes(bolt);
    fill_leaf(bolt, bucket->leaf);
    bolt->item_count = 0;
    bolt->staged_bytes = 0;
}

/* ---- the whole ---- */

static uint64_t fnv_1a(const uint8_t *bytes, size_t len_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len_bytes; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void write_meta(struct fakeetcd__bolt *bolt, uint64_t page, uint64_t root)
{
    uint8_t *meta = bolt->bytes + page * PAGE_BYTES + HEAD_BYTES;

    put(meta, MAGIC, 4);
    put(meta + 4, VERSION, 4);
    put(meta + 8, PAGE_BYTES, 4);
    put(meta + 16, root, 8); /* of the leaf of buckets; its sequence is 0 */
    put(meta + 32, FREELIST_PAGE, 8);
    put(meta + 40, bolt->len_bytes / PAGE_BYTES, 8); /* pages there are */
    put(meta + 48, page, 8);                         /* transaction: the later one counts */
    put(meta + 56, fnv_1a(meta, 56), 8);
}

enum rt_status fakeetcd__bolt_finish(struct fakeetcd__bolt *bolt, uint8_t **out_bytes,
                                     size_t *out_len_bytes)
{
    bolt->is_of_buckets = true;
    for (size_t i = 0; i < bolt->bucket_count; i++) {
        const struct fakeetcd__bolt_bucket *bucket = &bolt->buckets[i];
        uint8_t *value = fakeetcd__bolt_add(bolt, rt_slice_text(bucket->name),
                                            BUCKET_BYTES + bucket->inline_bytes);
        if (value != NULL) {
            put(value, bucket->root, 8);
            put(value + 8, 0, 8); /* its sequence */
            memcpy(value + BUCKET_BYTES, bucket->leaf, bucket->inline_bytes);
        }
    }
    uint64_t root = write_tree(bolt);
    if (bolt->status != RT_OK) {
        return bolt->status;
    }
    write_meta(bolt, 0, root);
    write_meta(bolt, 1, root);
    *out_bytes = bolt->bytes;
    *out_len_bytes = bolt->len_bytes;
    bolt->bytes = NULL;
    return RT_OK;
}
