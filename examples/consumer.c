/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 1 of a pipeline: waits for what stage 0 puts. usage: consumer PORT KEY */
#include <omniconnect.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argument_count, char **arguments)
{
    struct omni_arena *arena = omni_arena_create();
    struct omni_blocking *connector = NULL;
    char why[OMNI_BLOCKING_TEXT_BYTES] = "usage: consumer PORT KEY";
    if (argument_count != 3 || arena == NULL) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    struct omni_pair extra[] = {
        {omni_text(arena, rt_slice_text("port")), omni_int(arena, strtol(arguments[1], NULL, 10))},
        {omni_text(arena, rt_slice_text("get_sub_timeout_ms")), omni_int(arena, 5000)}};
    struct omni_blocking_config config = {.connector.extra = omni_map(arena, extra, 2)};
    struct omni_call_result result = {.outcome = OMNI_FAILED};
    if (omni_blocking_create(&config, &connector, why) == RT_OK &&
        omni_blocking_get(connector, "0", "1", rt_slice_text(arguments[2]), &result) == RT_OK &&
        result.outcome == OMNI_DONE) {
        omni_value_describe(result.data, why, sizeof(why));
        printf("got %s: %s\n", arguments[2], why);
    } else {
        fprintf(stderr, "get failed: %s%s\n", connector == NULL ? why : "", result.text);
    }
    omni_arena_destroy(result.arena); /* the value's views end here */
    omni_blocking_destroy(connector);
    omni_arena_destroy(arena);
    return result.outcome == OMNI_DONE ? 0 : 1;
}
