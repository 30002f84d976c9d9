/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/error.h"

struct row {
    int32_t code;
    int32_t code_3_4;
    const char *text;
};

static const struct row ROWS[] = {
#define ERROR_ROW(name, code, code_3_4, text) {code, code_3_4, text},
    FAKEETCD_ERROR_LIST(ERROR_ROW)
#undef ERROR_ROW
};

const char *fakeetcd_error_text(enum fakeetcd_error error)
{
    return ROWS[error].text;
}

int32_t fakeetcd_error_code(enum fakeetcd_error error, bool is_3_4)
{
    return is_3_4 ? ROWS[error].code_3_4 : ROWS[error].code;
}
