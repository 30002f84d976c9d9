# SPDX-License-Identifier: Apache-2.0

# room(NAME SOURCES ... LINKS ... PRIVATE_LINKS ...): a static library named after its folder.
# Sources include headers as "room/header.h"; LINKS are the rooms and libraries that it may use.
function(room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    add_library(${name} STATIC ${ROOM_SOURCES})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${ROOM_LINKS} PRIVATE project_warnings ${ROOM_PRIVATE_LINKS})
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# cmocka_test(unit.runtime.loop SOURCES test_loop.c LINKS runtime): one ctest entry per program.
# A program whose tests were all skipped exits 77.
function(cmocka_test name)
    cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;LINKS;ARGS" ${ARGN})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 60)
    endif()
    add_executable(${name} ${TEST_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name} PRIVATE ${TEST_LINKS} project_warnings PkgConfig::CMOCKA)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_compile_definitions(${name} PRIVATE
        TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data"
        PROJECT_DIR="${PROJECT_SOURCE_DIR}"
        BUILD_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
    add_test(NAME ${name} COMMAND ${name} ${TEST_ARGS})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT ${TEST_TIMEOUT}
        ENVIRONMENT "CMOCKA_MESSAGE_OUTPUT=TAP")
endfunction()

# failing_memory(unit.runtime.nomem): its allocations go through tests/support/failing_memory.c.
function(failing_memory target)
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/failing_memory.c)
    target_link_options(${target} PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
endfunction()
