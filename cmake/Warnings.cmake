# SPDX-License-Identifier: Apache-2.0
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
add_compile_definitions(_GNU_SOURCE)
add_library(project_warnings INTERFACE)
target_compile_options(project_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wvla)
# Off where code is built that nobody changes: coverage without optimisation, new compilers.
option(WARNINGS_ARE_ERRORS "a warning stops the build" ON)
if(WARNINGS_ARE_ERRORS)
    target_compile_options(project_warnings INTERFACE -Werror)
endif()

# Assertions stay on: they are how bugs are found, and none is on a hot path.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
