# cmake -DNM=... -DLIBRARY=... -DNAMES=... [-DVERSION=...] -P symbols.cmake
# Every name that JCuda binds must be exported, with the version it asks for: a missing one kills the JVM.
execute_process(COMMAND "${NM}" -D --defined-only "${LIBRARY}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS "${NAMES}" names)
foreach(name IN LISTS names)
    if(VERSION)
        set(name "${name}@@${VERSION}")
    endif()
    string(FIND "${symbols}" " T ${name}\n" found)
    if(found EQUAL -1)
        message(SEND_ERROR "${LIBRARY} does not export ${name}")
    endif()
endforeach()
