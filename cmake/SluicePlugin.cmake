# sluice_plugin(NAME <name> [LIBS <target>...] [LIB_SOURCES <file of plugins/lib>...])
#
# Builds plugins/<name>.so from every .c file of the calling folder and the named helpers of
# plugins/lib. A plugin sees include/, its own folder and plugins/lib ("lib/http.h"), links nothing
# of the runtime and exports only what plugin.h marks with SLUICE_EXPORT. The objects are a target
# of their own, <name>_objects, which unit tests link.
set_property(GLOBAL PROPERTY SLUICE_PLUGINS)

# Under the prefix; the executable in bin/ looks into ../lib/sluice/plugins.
set(SLUICE_PLUGIN_DIR lib/sluice/plugins)

function(sluice_plugin)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "LIBS;LIB_SOURCES")
    if(NOT arg_NAME OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "sluice_plugin: NAME is required; unknown: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
    foreach(helper IN LISTS arg_LIB_SOURCES)
        list(APPEND sources "${CMAKE_SOURCE_DIR}/plugins/lib/${helper}")
    endforeach()
    if(NOT sources)
        return()
    endif()

    add_library(${arg_NAME}_objects OBJECT ${sources})
    target_include_directories(${arg_NAME}_objects PUBLIC
        "${CMAKE_SOURCE_DIR}/include" "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/plugins")
    target_compile_definitions(${arg_NAME}_objects PRIVATE
        SLUICE_VERSION="${PROJECT_VERSION}")
    target_link_libraries(${arg_NAME}_objects PUBLIC ${arg_LIBS} Threads::Threads m)

    add_library(${arg_NAME} MODULE)
    target_link_libraries(${arg_NAME} PRIVATE ${arg_NAME}_objects)
    target_link_options(${arg_NAME} PRIVATE -Wl,-z,defs)
    set_target_properties(${arg_NAME} PROPERTIES
        PREFIX "" LINKER_LANGUAGE C LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")
    install(TARGETS ${arg_NAME} LIBRARY DESTINATION ${SLUICE_PLUGIN_DIR})
    set_property(GLOBAL APPEND PROPERTY SLUICE_PLUGINS ${arg_NAME})
endfunction()
