# SPDX-License-Identifier: Apache-2.0

# What `cmake --install` puts where, in two components:
#
#   connector   libomniconnect (shared and static), its headers, pkg-config file, CMake package
#   fakes       libomniconnect-fakes, fakeds.h, fakeetcd.h, and the programs
#
# Rooms are static libraries; here their objects become the libraries that are installed. Both
# shared ones stand on libomniconnect-core, so that a program with both has one event loop's code.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(INSTALL_DIR ${CMAKE_CURRENT_LIST_DIR}/install)
set(INSTALL_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/omniconnect)

# shared_library(TARGET MAP LINKS ROOMS...): a library of the objects of these rooms.
function(shared_library target map links)
    set(objects)
    foreach(room ${ARGN})
        list(APPEND objects $<TARGET_OBJECTS:${room}>)
    endforeach()
    string(REPLACE "_" "-" file ${target})
    add_library(${target} SHARED ${objects})
    target_link_libraries(${target} PRIVATE ${links})
    target_link_options(${target} PRIVATE -Wl,--version-script=${map} -Wl,--no-undefined
                        -Wl,--as-needed)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${file} LINKER_LANGUAGE C
        LINK_DEPENDS ${map} VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
        INSTALL_RPATH "$ORIGIN" BUILD_RPATH "$ORIGIN")
endfunction()

# The functions that a public header declares, as lines of a version script.
function(exports_of header out_lines)
    file(STRINGS ${header} lines REGEX "^[a-z].*[ *]fake[a-z]+_[a-z_0-9]+\\(")
    set(found "")
    foreach(line ${lines})
        string(REGEX REPLACE "^.*[ *](fake[a-z]+_[a-z_0-9]+)\\(.*$" "\\1" name "${line}")
        string(APPEND found "    ${name};\n")
    endforeach()
    set(${out_lines} "${found}" PARENT_SCOPE)
endfunction()

set(third_parties PkgConfig::LIBEVENT PkgConfig::LIBFYAML PkgConfig::PROTOBUF_C PkgConfig::NGHTTP2
    PkgConfig::OPENSSL PkgConfig::BSD Threads::Threads m z)

# ---- the connector ----

shared_library(omniconnect_core ${INSTALL_DIR}/core.map "${third_parties}"
    runtime document wire wire_proto)
shared_library(omniconnect ${INSTALL_DIR}/connector.map
    "omniconnect_core;PkgConfig::MSGPACK;PkgConfig::PROTOBUF_C;PkgConfig::BSD;Threads::Threads;m"
    connector)
add_library(omniconnect_static STATIC
    $<TARGET_OBJECTS:runtime> $<TARGET_OBJECTS:document> $<TARGET_OBJECTS:wire>
    $<TARGET_OBJECTS:wire_proto> $<TARGET_OBJECTS:connector>)
set_target_properties(omniconnect_static PROPERTIES OUTPUT_NAME omniconnect LINKER_LANGUAGE C)

# Public headers lie below the rooms they come from, so that they include each other as here.
set(public_headers
    connector/ds_binding.h connector/ds_blocking.h connector/ds_client.h connector/ds_discovery.h
    connector/ds_status.h
    connector/omni_blocking.h connector/omni_blocking_set.h connector/omni_connector.h
    connector/omni_connector_set.h connector/omni_factory.h connector/omni_metrics_text.h
    connector/omni_notation.h connector/omni_serializer.h connector/omni_transfer_config.h
    connector/omni_value.h document/error.h runtime/blob.h runtime/bytes.h runtime/journal.h
    runtime/loop.h runtime/network.h runtime/slice.h runtime/status.h wire/dsrpc/dsrpc.h
    wire/dsrpc/dsrpc_code.h wire/zmtp/zmtp.h)
foreach(header ${public_headers})
    get_filename_component(room ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${INSTALL_HEADERS}/${room}
        COMPONENT connector)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/connector/include/omniconnect.h DESTINATION ${INSTALL_HEADERS}
    COMPONENT connector)
install(TARGETS omniconnect omniconnect_core omniconnect_static
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT connector
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT connector)

# ---- the fakes ----

set(fake_rooms faults fakeds)
set(fake_programs fakeds_program dstest dscall)
set(fake_headers fakeds/include/fakeds.h)
if(TARGET fakeetcd_program)
    list(APPEND fake_rooms fakeetcd)
    list(APPEND fake_programs fakeetcd_program)
    list(APPEND fake_headers fakeetcd/include/fakeetcd.h)
endif()
set(FAKES_EXPORTS "")
foreach(header ${fake_headers})
    exports_of(${PROJECT_SOURCE_DIR}/${header} lines)
    string(APPEND FAKES_EXPORTS "${lines}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
endforeach()
configure_file(${INSTALL_DIR}/fakes.map ${PROJECT_BINARY_DIR}/fakes.map @ONLY)
shared_library(omniconnect_fakes ${PROJECT_BINARY_DIR}/fakes.map
    "omniconnect_core;${third_parties};PkgConfig::JANSSON" ${fake_rooms})
foreach(header ${fake_headers})
    install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${INSTALL_HEADERS} COMPONENT fakes)
endforeach()
install(TARGETS omniconnect_fakes LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT fakes)
install(TARGETS ${fake_programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT fakes)

# ---- how others find them ----

set(STATIC_REQUIRES "libevent_core libevent_pthreads libfyaml libprotobuf-c libnghttp2 libssl libcrypto libbsd-overlay msgpack")
foreach(name omniconnect omniconnect-fakes)
    configure_file(${INSTALL_DIR}/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/omniconnect.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT connector)
install(FILES ${PROJECT_BINARY_DIR}/omniconnect-fakes.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT fakes)
set(PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/omniconnect)
configure_package_config_file(${INSTALL_DIR}/omniconnectConfig.cmake.in
    ${PROJECT_BINARY_DIR}/omniconnectConfig.cmake INSTALL_DESTINATION ${PACKAGE_DIR}
    PATH_VARS CMAKE_INSTALL_LIBDIR INSTALL_HEADERS)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/omniconnectConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/omniconnectConfig.cmake
    ${PROJECT_BINARY_DIR}/omniconnectConfigVersion.cmake DESTINATION ${PACKAGE_DIR}
    COMPONENT connector)
