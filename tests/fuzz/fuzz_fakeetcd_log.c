/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/crc.h"
#include "fakeetcd/disk/data_dir_internal.h"
#include "fuzz_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The log of a data directory, a hostile one. Input: a byte, then (odd) a log as it is, or (even)
 * bodies of frames, each behind its length in two bytes, to which right heads are made: CRCs keep
 * out accidents, not malice. What is taken can be written as a snapshot, and that is taken again
 * and is the same.
 */
static void write_u32(uint8_t *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(number >> 8 * i);
    }
}

/* `out_log` has room for 12 bytes a frame more; a frame is 2 bytes at least. */
static size_t frame(const uint8_t *data, size_t size, uint8_t *out_log)
{
    size_t log_bytes = 0;

    while (size >= 2) {
        size_t len_bytes = (size_t)data[0] | (size_t)data[1] << 8;
        uint8_t *head = out_log + log_bytes;
        len_bytes = len_bytes > size - 2 ? size - 2 : len_bytes;
        write_u32(head, (uint32_t)len_bytes);
        write_u32(head + 4, fakeetcd__crc_add(0, data + 2, len_bytes));
        write_u32(head + 8, fakeetcd__crc_add(0, head, 8));
        if (len_bytes > 0) {
            memcpy(head + FAKEETCD__FRAME_HEAD_BYTES, data + 2, len_bytes);
        }
        log_bytes += FAKEETCD__FRAME_HEAD_BYTES + len_bytes;
        data += 2 + len_bytes;
        size -= 2 + len_bytes;
    }
    return log_bytes;
}

static void make(struct fakeetcd_state *state, struct rt_random *random)
{
    *state = (struct fakeetcd_state){0};
    rt_random_init(random, 1, "fuzz");
    FUZZ_CHECK(fakeetcd_store_create(&state->store) == RT_OK);
    FUZZ_CHECK(fakeetcd_leases_create(state->store, 2, &state->leases) == RT_OK);
    FUZZ_CHECK(fakeetcd_auth_create(random, 1000, &state->auth) == RT_OK);
}

static void drop(struct fakeetcd_state *state)
{
    fakeetcd_leases_destroy(state->leases);
    fakeetcd_store_destroy(state->store);
    fakeetcd_auth_destroy(state->auth);
    fakeetcd_members_clear(&state->members);
}

/* Into memory that looks like a file. */
static uint8_t *snapshot(const struct fakeetcd_state *state, size_t *out_len_bytes)
{
    static FILE *file;
    uint64_t len_bytes = 0;

    file = file == NULL ? tmpfile() : file;
    FUZZ_CHECK(file != NULL && ftruncate(fileno(file), 0) == 0);
    FUZZ_CHECK(lseek(fileno(file), 0, SEEK_SET) == 0);
    FUZZ_CHECK(fakeetcd__log_snapshot(state, fileno(file), &len_bytes) == RT_OK);
    uint8_t *bytes = malloc((size_t)len_bytes);
    FUZZ_CHECK(bytes != NULL);
    FUZZ_CHECK(pread(fileno(file), bytes, (size_t)len_bytes, 0) == (ssize_t)len_bytes);
    *out_len_bytes = (size_t)len_bytes;
    return bytes;
}

static void check_again(const struct fakeetcd_state *state)
{
    struct fakeetcd_state again;
    struct rt_random random;
    struct fakeetcd__restored restored;
    size_t first_bytes = 0;
    size_t second_bytes = 0;
    uint8_t *first = snapshot(state, &first_bytes);

    make(&again, &random);
    FUZZ_CHECK(fakeetcd__log_restore(rt_slice_of(first, first_bytes), &again, 0, &restored) ==
               RT_OK);
    FUZZ_CHECK(restored.good_bytes == first_bytes);
    uint8_t *second = snapshot(&again, &second_bytes);
    FUZZ_CHECK(first_bytes == second_bytes && memcmp(first, second, first_bytes) == 0);
    free(second);
    free(first);
    drop(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fakeetcd_state state;
    struct rt_random random;
    struct fakeetcd__restored restored;

    if (size == 0) {
        return 0;
    }
    uint8_t *log = malloc(size * 7 + FAKEETCD__FRAME_HEAD_BYTES);
    FUZZ_CHECK(log != NULL);
    size_t log_bytes = size - 1;
    if (data[0] % 2 == 0) {
        log_bytes = frame(data + 1, size - 1, log);
    } else {
        memcpy(log, data + 1, size - 1);
    }
    make(&state, &random);
    enum rt_status status =
        fakeetcd__log_restore(rt_slice_of(log, log_bytes), &state, 0, &restored);
    FUZZ_CHECK(status == RT_OK || status == RT_E_MALFORMED);
    FUZZ_CHECK((status == RT_OK) == (restored.problem == NULL));
    FUZZ_CHECK(restored.good_bytes <= log_bytes && restored.problem_at <= log_bytes);
    if (status == RT_OK) {
        check_again(&state);
    }
    drop(&state);
    free(log);
    return 0;
}
