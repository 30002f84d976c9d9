/* SPDX-License-Identifier: Apache-2.0 */
/* A watch from exactly the compacted revision, where a key was deleted: etcd since 3.5.16 tells the
 * deletion, 3.4.23 does not (etcd#19179; seen on the real one). */
#include "lab.h"

#include "fakeetcd/profile.h"

static void as_3_4(struct fakeetcd_options *options)
{
    options->profile = fakeetcd_profile_find("etcd-3.4");
    assert_non_null(options->profile);
}

/* Deletes at 3 and compacts at 3; the mod revisions that a watch from 3 is told, as text. */
static void watch_from_compacted(lab_options_fn *change, char *out_text, size_t text_bytes)
{
    struct lab lab;
    struct talk watch = {0};

    lab_start(&lab, change);
    assert_int_equal(lab_put(&lab, "a", "1"), 2);
    lab_delete(&lab, "a");
    assert_int_equal(lab_put(&lab, "b", "2"), 4);
    lab_compact(&lab, 3);
    talk_open(&lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "a", "c", 3);
    lab_pass(&lab, SECOND_US);
    out_text[0] = '\0';
    for (size_t i = 0; i < watch.message_count; i++) {
        const Etcdserverpb__WatchResponse *said = watch_said(&watch, i);
        assert_false(said->canceled);
        for (size_t j = 0; j < said->n_events; j++) {
            size_t used = strlen(out_text);
            snprintf(out_text + used, text_bytes - used, "%lld ",
                     (long long)said->events[j]->kv->mod_revision);
        }
    }
    talk_cancel(&watch);
    lab_settle(&lab);
    talk_free(&watch);
    lab_stop(&lab);
}

static void watch__from_the_compacted_revision_of_a_deletion__is_told_it(void **state)
{
    char text[64];

    (void)state;
    watch_from_compacted(NULL, text, sizeof(text));
    assert_string_equal(text, "3 4 ");
}

static void watch__from_the_compacted_revision_of_a_deletion_in_3_4__misses_it(void **state)
{
    char text[64];

    (void)state;
    watch_from_compacted(as_3_4, text, sizeof(text));
    assert_string_equal(text, "4 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watch__from_the_compacted_revision_of_a_deletion__is_told_it),
        cmocka_unit_test(watch__from_the_compacted_revision_of_a_deletion_in_3_4__misses_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
