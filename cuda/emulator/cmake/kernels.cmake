# emu_add_module(<target> <file.cu>...): compiles kernel sources to a module image for cuModuleLoadData.
# Each source is wrapped in a generated file that includes it and registers every `KERNEL name(` in it.

function(emu_add_module target)
    set(wrappers)
    foreach(source IN LISTS ARGN)
        get_filename_component(path "${source}" ABSOLUTE)
        get_filename_component(name "${source}" NAME_WE)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
        file(STRINGS "${path}" lines REGEX "^KERNEL ")
        set(code "#include \"emu_cuda.h\"\n\n#include \"${path}\"\n\n")
        foreach(line IN LISTS lines)
            set(pattern "^KERNEL +(__launch_bounds__\\([^)]*\\) +)?([A-Za-z_0-9]+) *\\(.*")
            string(REGEX REPLACE "${pattern}" "\\2" kernel "${line}")
            string(APPEND code "EMU_REGISTER(${kernel})\n")
        endforeach()
        set(wrapper "${CMAKE_CURRENT_BINARY_DIR}/${target}_${name}.cpp")
        file(CONFIGURE OUTPUT "${wrapper}" CONTENT "${code}" @ONLY)
        list(APPEND wrappers "${wrapper}")
    endforeach()
    add_library(${target} MODULE ${wrappers})
    target_include_directories(${target} PRIVATE "${EMU_INCLUDE_DIR}")
    target_link_libraries(${target} PRIVATE emu_cuda)
    # A kernel may have the name of a function that the process has already, such as glibc's `advance`.
    set_target_properties(${target} PROPERTIES PREFIX "" LINK_FLAGS "-Wl,-z,defs -Wl,-Bsymbolic")
    # Traps on misaligned accesses, and on nothing else: the driver reports them as 716. A trap that the compiler puts
    # where it proves undefined behaviour would look the same. Vectorising would merge accesses that a device keeps
    # apart, contraction would change rounding, and unique symbols would be shared between modules and keep them loaded.
    target_compile_options(${target} PRIVATE -fno-sanitize=undefined -fsanitize=alignment
        -fsanitize-undefined-trap-on-error -fno-isolate-erroneous-paths-dereference -fno-tree-vectorize
        -ffp-contract=off -fno-gnu-unique)
endfunction()
