# SPDX-License-Identifier: Apache-2.0
#
# The API reference, printed from the public headers: comments become text, declarations code.
#   awk -f docs/api_reference.awk HEADER... >docs/reference/api.md
#
# A comment that begins a line at the left margin belongs to what follows; comments inside
# declarations stay where they are.

function close_code() {
    if (in_code) {
        sub(/\n+$/, "\n", code)
        if (code != "") {
            printf "```c\n%s```\n\n", code
        }
        code = ""
        in_code = 0
    }
}

# Text of a comment: what is indented in it (tables, drawings, code) stays as it is.
function tell(line) {
    if (line ~ /^ *---- .* -+$/) {
        gsub(/^[ -]+|[ -]+$/, "", line)
        printf "### %s\n\n", line
        was_indented = 0
        return
    }
    if (line ~ /^  /) {
        if (!was_indented && line !~ /^ *$/) {
            print ""
        }
        was_indented = 1
        printf "    %s\n", line
        return
    }
    if (was_indented && line !~ /^ *$/) {
        print ""
    }
    was_indented = line ~ /^ *$/ && was_indented
    print line
}

FNR == 1 {
    close_code()
    name = FILENAME
    sub(/^connector\/include\//, "", name)
    sub(/^fake[a-z]+\/include\//, "", name)
    printf "## %s\n\n", name
    in_comment = 0
    next # the SPDX line
}

FNR <= 3 && /^#(ifndef|define) [A-Z_]+_H$/ { next }
/^#include/ { next }
/^#endif$/ { next }

in_comment {
    line = $0
    ends = line ~ /\*\/ *$/
    sub(/ *\*\/ *$/, "", line)
    sub(/^ \* ?/, "", line)
    tell(line)
    if (ends) {
        in_comment = 0
        print ""
        was_indented = 0
    }
    next
}

/^\/\*/ {
    close_code()
    line = $0
    ends = line ~ /\*\/ *$/
    sub(/ *\*\/ *$/, "", line)
    sub(/^\/\*+ ?/, "", line)
    if (line !~ /^ *$/) {
        tell(line)
    }
    in_comment = !ends
    if (ends) {
        print ""
        was_indented = 0
    }
    next
}

/^ *$/ {
    if (in_code) {
        code = code "\n"
    }
    next
}

{
    in_code = 1
    code = code $0 "\n"
}

END { close_code() }
