/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_FORMAT_H
#define DOCUMENT_FORMAT_H

#include "document/error.h"

/*
 * The formatter of scenario files. It changes blanks between tokens and never writes a token anew,
 * so comments and quoting stay: two spaces a level, one space after `:`, `-` and commas and inside
 * braces, no trailing blanks, at most one empty line in a row, a newline at the end.
 *
 * Formatting twice changes nothing, and the tree stays the same: the result is read again and
 * compared, and RT_E_INVALID is returned instead of a text that would mean something else.
 *
 *   RT_OK           *out_text is malloc'd, NUL-terminated and the caller's
 *   RT_E_MALFORMED  not a strict document; see `errors`
 *   RT_E_LIMIT      too large or too deep; see `errors`
 *   RT_E_INVALID    cannot be formatted without changing its meaning; see `errors`
 *   RT_E_NOMEM
 */
RT_NODISCARD enum rt_status doc_format_text(const char *name, struct rt_slice text,
                                            struct doc_error_list *errors, char **out_text,
                                            size_t *out_len_bytes);

#endif
