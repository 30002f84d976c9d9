# SPDX-License-Identifier: Apache-2.0
if(WITH_SANITIZERS)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()
if(WITH_THREAD_SANITIZER)
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
    add_link_options(-fsanitize=thread)
endif()
if(WITH_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
endif()
