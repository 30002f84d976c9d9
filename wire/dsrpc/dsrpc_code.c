/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc_code.h"

#include <string.h>

/* Status codes of the Datasystem, one table: number, name, text. */
struct code_row {
    int32_t number;
    const char *name; /* with K_ */
    const char *text;
};

static const struct code_row *row_of(int32_t code);
static bool parse_number(const char *text, size_t len_bytes, int32_t *out_number);

static const struct code_row CODES[] = {
#define DSRPC_CODE_ROW(name, number, text) {number, "K_" #name, text},
    DSRPC_CODE_LIST(DSRPC_CODE_ROW)
#undef DSRPC_CODE_ROW
};

#define CODE_COUNT (sizeof(CODES) / sizeof(CODES[0]))

const char *dsrpc_code_text(int32_t code)
{
    const struct code_row *row = row_of(code);
    return row == NULL ? "UNKNOWN_TYPE" : row->text;
}

const char *dsrpc_code_name(int32_t code)
{
    const struct code_row *row = row_of(code);
    return row == NULL ? NULL : row->name;
}

bool dsrpc_code_parse(const char *text, size_t len_bytes, int32_t *out_code)
{
    int32_t number = 0;
    if (parse_number(text, len_bytes, &number)) {
        if (row_of(number) == NULL) {
            return false;
        }
        *out_code = number;
        return true;
    }
    for (size_t i = 0; i < CODE_COUNT; i++) {
        const char *name = CODES[i].name;
        const char *short_name = name + strlen("K_");
        if ((strlen(name) == len_bytes && memcmp(name, text, len_bytes) == 0) ||
            (strlen(short_name) == len_bytes && memcmp(short_name, text, len_bytes) == 0)) {
            *out_code = CODES[i].number;
            return true;
        }
    }
    return false;
}

/* ---- helpers ------------------------------------------------------------------------------- */

static const struct code_row *row_of(int32_t code)
{
    for (size_t i = 0; i < CODE_COUNT; i++) {
        if (CODES[i].number == code) {
            return &CODES[i];
        }
    }
    return NULL;
}

/* Decimal digits only, small enough that no row could be missed by an overflow. */
static bool parse_number(const char *text, size_t len_bytes, int32_t *out_number)
{
    int32_t number = 0;
    if (len_bytes == 0 || len_bytes > 6) {
        return false;
    }
    for (size_t i = 0; i < len_bytes; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        number = number * 10 + (text[i] - '0');
    }
    *out_number = number;
    return true;
}
