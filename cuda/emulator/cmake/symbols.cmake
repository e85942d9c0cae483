# Names of the functions that JCuda binds, and stubs for those the emulator lacks.

# The driver's names: from JCuda's natives jar if one is given, else from the committed list.
function(emu_driver_names result)
    set(list "${CMAKE_CURRENT_SOURCE_DIR}/driver_symbols.txt")
    if(JCUDA_NATIVES_JAR)
        set(folder "${CMAKE_CURRENT_BINARY_DIR}/jcuda-natives")
        file(ARCHIVE_EXTRACT INPUT "${JCUDA_NATIVES_JAR}" DESTINATION "${folder}" PATTERNS "*JCudaDriver*")
        file(GLOB_RECURSE library "${folder}/*JCudaDriver*.so")
        execute_process(COMMAND ${CMAKE_NM} -D --undefined-only "${library}" OUTPUT_VARIABLE symbols
            COMMAND_ERROR_IS_FATAL ANY)
        string(REGEX MATCHALL " cu[A-Za-z0-9_]+" names "${symbols}")
        list(TRANSFORM names STRIP)
        list(REMOVE_DUPLICATES names)
        list(SORT names)
        list(JOIN names "\n" text)
        set(list "${CMAKE_CURRENT_BINARY_DIR}/driver_symbols.txt")
        file(WRITE "${list}" "${text}\n")
    endif()
    set(${result} "${list}" PARENT_SCOPE)
endfunction()

# A generated source with a stub for each name in the list that none of the given sources defines.
function(emu_generate_stubs result list status)
    set(sources ${ARGN})
    list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
    get_filename_component(name "${list}" NAME_WE)
    set(output "${CMAKE_CURRENT_BINARY_DIR}/${name}_stubs.cpp")
    set(script "${CMAKE_CURRENT_SOURCE_DIR}/cmake/stubs.cmake")
    add_custom_command(OUTPUT "${output}"
        COMMAND ${CMAKE_COMMAND} "-DNAMES=${list}" "-DSOURCES=${sources}" -DSTATUS=${status} "-DOUTPUT=${output}"
            -P "${script}"
        DEPENDS "${list}" ${sources} "${script}" VERBATIM)
    set(${result} "${output}" PARENT_SCOPE)
endfunction()
