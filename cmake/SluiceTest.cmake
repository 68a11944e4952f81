# Unit tests: every tests/unit/test_*.c is one executable and one ctest of the label "unit".
#
# A test links harness and fake host, the runtime layers that it includes ("worker/task.h") with
# those below them, and the plugin whose name shares a word with its own: test_cdc_types.c links
# postgres-cdc. So a test builds while layers above it do not.

# Layers that the file's includes name, nearest first, base, data and plugin always.
function(sluice_test_layers source out)
    file(STRINGS "${source}" includes REGEX "^#include \"[a-z]+/")
    set(needed)
    set(count 0)
    list(FIND SLUICE_LAYERS plugin highest)
    math(EXPR highest "${highest} + 1")
    foreach(layer IN LISTS SLUICE_LAYERS)
        math(EXPR count "${count} + 1")
        if(includes MATCHES "\"${layer}/")
            if(count GREATER highest)
                set(highest ${count})
            endif()
        endif()
    endforeach()
    list(SUBLIST SLUICE_LAYERS 0 ${highest} layers)
    foreach(layer IN LISTS layers)
        if(TARGET sluice_${layer})
            list(PREPEND needed sluice_${layer})
        endif()
    endforeach()
    set(${out} ${needed} PARENT_SCOPE)
endfunction()

# The plugin that test_<word>_... belongs to, or nothing.
function(sluice_test_plugin test out)
    set(${out} "" PARENT_SCOPE)
    get_property(plugins GLOBAL PROPERTY SLUICE_PLUGINS)
    string(REGEX REPLACE "^test_([a-z0-9]+).*" "\\1" first "${test}")
    foreach(plugin IN LISTS plugins)
        string(REPLACE "-" ";" words "${plugin}")
        list(REMOVE_ITEM words source sink)
        if(first IN_LIST words)
            set(${out} ${plugin} PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

function(sluice_unit_tests)
    add_library(sluice_test_support STATIC
        "${CMAKE_SOURCE_DIR}/tests/harness.c" "${CMAKE_SOURCE_DIR}/tests/fake_host.c")
    target_include_directories(sluice_test_support PUBLIC
        "${CMAKE_SOURCE_DIR}/tests" "${CMAKE_SOURCE_DIR}/include"
        "${CMAKE_SOURCE_DIR}/runtime")
    target_compile_definitions(sluice_test_support PUBLIC
        SLUICE_TEST_DIR="${CMAKE_SOURCE_DIR}/tests" SLUICE_BUILD_DIR="${CMAKE_BINARY_DIR}")
    target_link_libraries(sluice_test_support PUBLIC PkgConfig::JANSSON OpenSSL::SSL Threads::Threads)

    file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/test_*.c")
    foreach(source IN LISTS tests)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
        get_filename_component(test "${source}" NAME_WE)
        sluice_test_layers("${source}" layers)
        sluice_test_plugin("${test}" plugin)
        add_executable(${test} "${source}")
        set_target_properties(${test} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
        target_link_libraries(${test} PRIVATE sluice_test_support ${layers} OpenSSL::SSL
            OpenSSL::Crypto ZLIB::ZLIB CURL::libcurl)
        if(plugin)
            target_link_libraries(${test} PRIVATE ${plugin}_objects)
        endif()
        add_test(NAME ${test} COMMAND ${test})
        set_tests_properties(${test} PROPERTIES LABELS unit TIMEOUT 600)
    endforeach()
endfunction()
