# cmake -DSLUICE=<executable> -DPAGE=docs/CONFIG.md -DWRITE=ON|OFF -P ConfigDocs.cmake
# Writes the page of all options, or fails when it is not what the executable would write.
execute_process(COMMAND "${SLUICE}" config-docs OUTPUT_VARIABLE wanted ERROR_VARIABLE said
                RESULT_VARIABLE code)
if(NOT code EQUAL 0 OR NOT said STREQUAL "")
    message(FATAL_ERROR "${SLUICE} config-docs ended with ${code}: ${said}")
endif()
if(WRITE)
    file(WRITE "${PAGE}" "${wanted}")
    return()
endif()
set(found "")
if(EXISTS "${PAGE}")
    file(READ "${PAGE}" found)
endif()
if(NOT found STREQUAL wanted)
    message(FATAL_ERROR "docs/CONFIG.md is not what the option tables say; write it again with "
                        "cmake --build <build directory> --target config_docs, and commit it")
endif()
