/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/grow.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define FIRST_COUNT 16

void *fakeetcd__grow(void *items, size_t count, size_t *io_capacity, size_t item_bytes)
{
    size_t capacity = count * 2 + FIRST_COUNT;

    if (count < *io_capacity) {
        return items;
    }
    bool is_possible = capacity > count && capacity <= SIZE_MAX / item_bytes;
    void *grown = is_possible ? realloc(items, capacity * item_bytes) : NULL;
    if (grown != NULL) {
        *io_capacity = capacity;
    }
    return grown;
}
