# cmake -DNAMES=<list> -DSOURCES=<dir/*.cpp;...> -DSTATUS=<n> -DOUTPUT=<file> -DINCLUDE=<header> -P stubs.cmake
# Writes one function for each listed name that none of the sources defines: it logs its name once and returns STATUS.
cmake_minimum_required(VERSION 3.22)
file(STRINGS "${NAMES}" names)
set(defined "")
foreach(source IN LISTS SOURCES)
    file(READ "${source}" text)
    string(REGEX MATCHALL "EMU_API [A-Za-z_0-9* ]+[ *][A-Za-z_0-9]+\\(" found "${text}")
    list(APPEND defined ${found})
endforeach()
list(TRANSFORM defined REPLACE "EMU_API .*[ *]([A-Za-z_0-9]+)\\(" "\\1")
set(code [[
// Generated: what JCuda binds and the emulator does not implement.
#include <atomic>
#include <cstdio>

#define STUB(name)                                                                     \
    extern "C" __attribute__((visibility("default"))) int name() {                     \
        static std::atomic<bool> told{false};                                          \
        if (!told.exchange(true)) std::fprintf(stderr, "emulated CUDA: " #name " is not implemented\n"); \
        return STATUS;                                                                 \
    }

]])
string(REPLACE "STATUS" "${STATUS}" code "${code}")
set(count 0)
foreach(name IN LISTS names)
    if(NOT name IN_LIST defined)
        string(APPEND code "STUB(${name})\n")
        math(EXPR count "${count} + 1")
    endif()
endforeach()
file(WRITE "${OUTPUT}" "${code}")
list(LENGTH names all)
message(STATUS "${OUTPUT}: ${count} stubs of ${all} names")
