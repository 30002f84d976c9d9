/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_keys.h"

#include <inttypes.h>

static bool check_alphabet(struct rt_slice key, struct ds__text *why);

/* Letters, digits and - _ ! @ # % ^ * ( ) + = : ; */
static bool is_legal_byte(uint8_t byte)
{
    static const char MARKS[] = "-_!@#%^*()+=:;";
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= '0' && byte <= '9')) {
        return true;
    }
    return byte != 0 && strchr(MARKS, byte) != NULL;
}

bool ds__key_is_legal(struct rt_slice key)
{
    if (key.len_bytes > DS__KEY_LIMIT_BYTES) {
        return false;
    }
    for (size_t i = 0; i < key.len_bytes; i++) {
        if (!is_legal_byte(key.data[i])) {
            return false;
        }
    }
    return true;
}

bool ds__check_set(struct rt_slice key, uint64_t value_bytes, struct ds__text *why)
{
    if (!check_alphabet(key, why)) {
        return false;
    }
    if (key.len_bytes == 0) {
        ds__text_printf(why, "The objectKey should not be empty.");
        return false;
    }
    return ds__check_value_size(value_bytes, why);
}

bool ds__check_value_size(uint64_t value_bytes, struct ds__text *why)
{
    if (value_bytes == 0) {
        ds__text_printf(why, "The dataSize value should be bigger than zero.");
        return false;
    }
    if (value_bytes >= DS__VALUE_LIMIT_BYTES) {
        ds__text_printf(why,
                        "Buffer size should not be too large, curr: %" PRIu64 ", max: %" PRIu64,
                        value_bytes, DS__VALUE_LIMIT_BYTES);
        return false;
    }
    return true;
}

bool ds__check_keys(const struct rt_slice *keys, size_t key_count, struct ds__text *why)
{
    if (key_count == 0) {
        ds__text_printf(why, "The keys are empty");
        return false;
    }
    if (keys[0].len_bytes == 0) {
        ds__text_printf(why, "keys[0] can not be empty");
        return false;
    }
    if (!check_alphabet(keys[0], why)) {
        return false;
    }
    if (key_count > DS__BATCH_LIMIT) {
        ds__text_printf(why, "The objectKeys size exceed %u.", DS__BATCH_LIMIT);
        return false;
    }
    return true;
}

bool ds__check_mset_keys(const struct rt_slice *keys, size_t key_count, struct ds__text *why)
{
    if (key_count == 0) {
        ds__text_printf(why, "The keys should not be empty.");
        return false;
    }
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].len_bytes == 0) {
            ds__text_printf(why, "The key should not be empty.");
            return false;
        }
    }
    return check_alphabet(keys[0], why);
}

bool ds__check_transaction(const struct rt_slice *keys, size_t key_count, bool only_if_absent,
                           struct ds__text *why)
{
    if (!only_if_absent) {
        ds__text_printf(why, "The MSetTx only supports set not existence key now.");
        return false;
    }
    if (key_count > DS__TX_LIMIT) {
        ds__text_printf(why, "The maximum size of keys in single operation is %u.", DS__TX_LIMIT);
        return false;
    }
    for (size_t i = 0; i < key_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (rt_slice_equal(keys[i], keys[j])) {
                ds__text_printf(why, "The input parameter contains duplicate key ");
                ds__text_add(why, keys[i]);
                ds__text_printf(why, ".");
                return false;
            }
        }
    }
    return true;
}

/* A key that is too long is shown by its first 255 bytes and its length. */
static bool check_alphabet(struct rt_slice key, struct ds__text *why)
{
    if (ds__key_is_legal(key)) {
        return true;
    }
    ds__text_printf(why,
                    "The key contains illegal char(s), allowed regex format: "
                    "^[a-zA-Z0-9\\-_!@#%%\\^\\*\\(\\)\\+\\=\\:;]*$ or the length of key must be "
                    "no more than 255. Current key: ");
    if (key.len_bytes > DS__KEY_LIMIT_BYTES) {
        ds__text_add(why, rt_slice_of(key.data, DS__KEY_LIMIT_BYTES));
        ds__text_printf(why, "... [total: %zu]", key.len_bytes);
    } else {
        ds__text_add(why, key);
    }
    ds__text_printf(why, ", length: %zu.", key.len_bytes);
    return false;
}
