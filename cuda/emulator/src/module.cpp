#include "module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <vector>

#include "../include/emu_driver.h"
#include "settings.h"

namespace emu {
namespace {

struct SharedRange {
    uint64_t module;
    void* begin;
    size_t bytes;
};

struct Search {
    uintptr_t base;
    void* begin;
    size_t bytes;
};

int find_tls(dl_phdr_info* info, size_t, void* data) {
    auto* search = static_cast<Search*>(data);
    if (info->dlpi_addr != search->base) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_TLS) search->bytes = info->dlpi_phdr[i].p_memsz;
    }
    search->begin = info->dlpi_tls_data;
    return 1;
}

// The image carries no length; its section header table is the last thing a linker writes.
size_t image_bytes(const Elf64_Ehdr& header) { return header.e_shoff + size_t{header.e_shnum} * header.e_shentsize; }

bool write_all(int file, const char* bytes, size_t count) {
    while (count > 0) {
        const ssize_t written = write(file, bytes, count);
        if (written <= 0) return false;
        bytes += written;
        count -= static_cast<size_t>(written);
    }
    return true;
}

}  // namespace

Module::~Module() {
    if (handle != nullptr) dlclose(handle);
    if (file >= 0) close(file);
}

std::unique_ptr<Module> Module::load(const void* image, int* status) {
    static std::atomic<uint64_t> next_id{1};
    const auto* header = static_cast<const Elf64_Ehdr*>(image);
    *status = CUDA_ERROR_INVALID_IMAGE;
    if (std::memcmp(image, ELFMAG, SELFMAG) != 0) return nullptr;
    // A cubin is an ELF file too, for another machine.
    *status = CUDA_ERROR_NO_BINARY_FOR_GPU;
    if (header->e_machine != EM_X86_64 || header->e_type != ET_DYN) return nullptr;
    // A file of its own for each load, open as long as the module lives: dlopen would return the same library again for
    // the same file or the same path.
    const int file = memfd_create("emulated-module", MFD_CLOEXEC);
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    auto module = std::make_unique<Module>();
    module->file = file;
    if (file >= 0 && write_all(file, static_cast<const char*>(image), image_bytes(*header))) {
        module->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (module->handle == nullptr) {
        const char* reason = dlerror();
        std::fprintf(stderr, "emulated CUDA: cuModuleLoadData: %s\n",
                     reason != nullptr ? reason : "memfd_create failed");
        return nullptr;
    }
    link_map* map = nullptr;
    dlinfo(module->handle, RTLD_DI_LINKMAP, &map);
    module->base = map->l_addr;
    module->id = next_id++;
    auto kernels = reinterpret_cast<const EmuKernel* (*)()>(dlsym(module->handle, "emu_module_kernels"));
    module->touch_shared = reinterpret_cast<void (*)()>(dlsym(module->handle, "emu_module_touch_shared"));
    if (kernels == nullptr || module->touch_shared == nullptr) return nullptr;
    for (const EmuKernel* kernel = kernels(); kernel != nullptr; kernel = kernel->next) {
        auto function = std::make_unique<Function>();
        function->kernel = kernel;
        function->module = module.get();
        module->functions[kernel->name] = std::move(function);
    }
    *status = CUDA_SUCCESS;
    return module;
}

Function* Module::function(const std::string& name) {
    auto found = functions.find(name);
    return found == functions.end() ? nullptr : found->second.get();
}

bool Module::global(const std::string& name, uintptr_t* address, size_t* bytes) const {
    void* symbol = dlsym(handle, name.c_str());
    if (symbol == nullptr) return false;
    Dl_info info;
    ElfW(Sym)* entry = nullptr;
    if (dladdr1(symbol, &info, reinterpret_cast<void**>(&entry), RTLD_DL_SYMENT) == 0 || entry == nullptr) return false;
    *address = reinterpret_cast<uintptr_t>(symbol);
    *bytes = entry->st_size;
    return true;
}

void Module::poison_static_shared() const {
    // __shared__ variables are thread-local variables of the module, one copy for each worker.
    static thread_local std::vector<SharedRange> known;
    for (const SharedRange& range : known) {
        if (range.module == id) {
            std::memset(range.begin, 0xff, range.bytes);
            return;
        }
    }
    touch_shared();  // glibc allocates the block on the first access
    Search search = {base, nullptr, 0};
    dl_iterate_phdr(find_tls, &search);
    if (search.begin == nullptr) search.bytes = 0;
    known.push_back({id, search.begin, search.bytes});
    if (search.bytes != 0) std::memset(search.begin, 0xff, search.bytes);
}

}  // namespace emu
