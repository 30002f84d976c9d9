/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz_target.h"

/*
 * Runs a corpus through a fuzz target: each file of each folder named, whole, then cut at a few
 * places and with single bytes changed, so that a small corpus goes a long way. What is wrong ends
 * the program, by an assertion or a sanitizer.
 */
static int run_folder(const char *folder, size_t *count);
static int run_file(const char *path);
static void run_variants(uint8_t *data, size_t len_bytes);

#define FILE_MAX_BYTES (1024u * 1024)
#define VARIANT_COUNT  64u

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        if (run_folder(argv[i], &count) != 0) {
            return 1;
        }
    }
    if (count == 0) {
        (void)fprintf(stderr, "%s: no corpus: name a folder with files\n", argv[0]);
        return 2;
    }
    (void)printf("%zu files and their variants\n", count);
    return 0;
}

static int run_folder(const char *folder, size_t *count)
{
    DIR *files = opendir(folder);
    int result = 0;
    if (files == NULL) {
        perror(folder);
        return 1;
    }
    for (struct dirent *entry = readdir(files); entry != NULL && result == 0;
         entry = readdir(files)) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        result = run_file(path);
        (*count)++;
    }
    (void)closedir(files);
    return result;
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX_BYTES);
    int result = 1;
    if (file == NULL || data == NULL) {
        perror(path);
    } else {
        size_t len_bytes = fread(data, 1, FILE_MAX_BYTES, file);
        (void)LLVMFuzzerTestOneInput(data, len_bytes);
        run_variants(data, len_bytes);
        result = 0;
    }
    free(data);
    if (file != NULL) {
        (void)fclose(file);
    }
    return result;
}

/* The same ones in every run. */
static void run_variants(uint8_t *data, size_t len_bytes)
{
    uint32_t random = 12345;
    for (unsigned i = 0; i < VARIANT_COUNT && len_bytes > 0; i++) {
        random = random * 1664525u + 1013904223u;
        size_t offset_bytes = (random >> 8) % len_bytes;
        uint8_t kept = data[offset_bytes];
        (void)LLVMFuzzerTestOneInput(data, offset_bytes);
        data[offset_bytes] = (uint8_t)(kept ^ (1u << (i % 8)));
        (void)LLVMFuzzerTestOneInput(data, len_bytes);
        data[offset_bytes] = kept;
    }
}
