/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 0 of a pipeline: makes a tensor and puts it for stage 1. usage: producer PORT KEY */
#include <omniconnect.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argument_count, char **arguments)
{
    struct omni_arena *arena = omni_arena_create();
    struct omni_blocking *connector = NULL;
    char why[OMNI_BLOCKING_TEXT_BYTES] = "usage: producer PORT KEY";
    uint8_t *bytes = NULL;
    const int64_t shape[] = {2, 3};
    struct rt_blob *blob = rt_blob_create(6 * sizeof(float), &bytes);
    if (argument_count != 3 || arena == NULL || blob == NULL) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    for (int i = 0; i < 6; i++) {
        memcpy(bytes + (size_t)i * sizeof(float), &(float){(float)i}, sizeof(float));
    }
    struct omni_value *tensor = omni_tensor(arena, OMNI_TENSOR, "float32", shape, 2, blob);
    struct omni_pair port = {omni_text(arena, rt_slice_text("port")),
                             omni_int(arena, strtol(arguments[1], NULL, 10))};
    struct omni_blocking_config config = {.connector.extra = omni_map(arena, &port, 1)};
    struct omni_call_result result = {.outcome = OMNI_FAILED};
    if (omni_blocking_create(&config, &connector, why) == RT_OK &&
        omni_blocking_put(connector, "0", "1", rt_slice_text(arguments[2]), tensor, &result) ==
            RT_OK &&
        result.outcome == OMNI_DONE) {
        printf("put %s: %llu bytes\n", arguments[2], (unsigned long long)result.size_bytes);
    } else {
        fprintf(stderr, "put failed: %s%s\n", connector == NULL ? why : "", result.text);
    }
    omni_blocking_destroy(connector);
    omni_arena_destroy(arena);
    rt_blob_release(blob);
    return result.outcome == OMNI_DONE ? 0 : 1;
}
