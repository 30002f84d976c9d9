/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/include/omniconnect.h"

const char *omni_version(void)
{
    return OMNI_VERSION;
}
