/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>

#include "harness/dstest/command.h"

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_scenario_name(const char *name)
{
    size_t len = strlen(name);

    return (len > 5 && strcmp(name + len - 5, ".yaml") == 0) ||
           (len > 4 && strcmp(name + len - 4, ".yml") == 0);
}

static bool add(struct dstest_files *files, const char *path)
{
    char **paths = realloc(files->paths, (files->count + 1) * sizeof(*paths));

    if (paths == NULL) {
        return false;
    }
    files->paths = paths;
    files->paths[files->count] = strdup(path);
    if (files->paths[files->count] == NULL) {
        return false;
    }
    files->count++;
    return true;
}

/* A file that is named is taken whatever it is called; folders are searched for *.yaml. */
static bool find_below(const char *path, struct dstest_files *files)
{
    char *roots[] = {(char *)(uintptr_t)path, NULL};
    size_t before = files->count;
    bool is_good = true;
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_entries);
    FTSENT *entry = NULL;

    if (walk == NULL) {
        return false;
    }
    while (is_good && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR) {
            (void)fprintf(stderr, "dstest: %s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            is_good = false;
        } else if (entry->fts_info == FTS_F &&
                   (entry->fts_level == 0 || is_scenario_name(entry->fts_name))) {
            is_good = add(files, entry->fts_path);
        }
    }
    (void)fts_close(walk);
    if (is_good && files->count == before) {
        (void)fprintf(stderr, "dstest: %s: no scenario files (*.yaml) are here\n", path);
        return false;
    }
    return is_good;
}

bool dstest_files_find(char *const *paths, size_t path_count, struct dstest_files *out_files)
{
    *out_files = (struct dstest_files){0};
    for (size_t i = 0; i < path_count; i++) {
        if (!find_below(paths[i], out_files)) {
            dstest_files_free(out_files);
            return false;
        }
    }
    return true;
}

void dstest_files_free(struct dstest_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->paths[i]);
    }
    free(files->paths);
    *files = (struct dstest_files){0};
}
