#!/bin/sh
# Builds the library for this machine's platform, checks what it needs and shows, and puts it with its SHA-256 where the
# jar keeps it. Without CMake or compilers that know vectors and the instruction sets it says so, and the build goes on.
#
# usage: build.sh WORK_FOLDER OUT_FOLDER
set -eu
newest_glibc=2.28
module=$(cd "$(dirname "$0")/../../.." && pwd)
mkdir -p "$1" "$2"
work=$(cd "$1" && pwd)
out=$(cd "$2" && pwd)

case $(uname -s) in
    Linux) os=linux file=libelbo4j.so ;;
    Darwin) os=macos file=libelbo4j.dylib ;;
    MINGW* | MSYS* | CYGWIN*) os=windows file=elbo4j.dll ;;
    *) os=$(uname -s | tr '[:upper:]' '[:lower:]') file=libelbo4j.so ;;
esac
case $(uname -m) in
    x86_64 | amd64) architecture=x86_64 ;;
    aarch64 | arm64) architecture=aarch64 ;;
    *) architecture=$(uname -m) ;;
esac
if [ "$os" = linux ] && ldd --version 2>&1 | grep -qi musl; then
    os=linux-musl
fi
platform=$os-$architecture
target=$out/$platform

missing() {
    # What an earlier build left is not of this one.
    rm -rf "$target"
    echo "native kernels: not built for $platform, $1; this jar computes in Java"
    exit 0
}

# The tools are there, and will not do: nobody need try again until they change.
unsuitable() {
    echo "$1" >"$work/unsuitable"
    missing "$1"
}

has() { command -v "$1" >/dev/null 2>&1; }

# Linkers and tools differ in what they tell; each platform has its own.
check_linux() {
    has objdump || {
        echo "native kernels: not checked, there is no objdump"
        return 0
    }
    objdump -T "$1" >"$work/symbols.txt"
    others=$(awk '/^[0-9a-f]+ / && !/\*UND\*/ { print $NF }' "$work/symbols.txt" | grep -v '^elbo4j_' || true)
    if [ -n "$others" ]; then
        echo "native kernels: $1 shows more than its interface: $others" >&2
        exit 1
    fi
    needed=$(sed -n 's/.*GLIBC_\([0-9.]*\).*/\1/p' "$work/symbols.txt" | sort -uV | tail -n 1)
    if [ -n "$needed" ] && [ "$(printf '%s\n%s\n' "$needed" "$newest_glibc" | sort -V | tail -n 1)" != "$newest_glibc" ]; then
        echo "native kernels: $1 needs glibc $needed, newer than $newest_glibc:" >&2
        grep "GLIBC_$needed" "$work/symbols.txt" >&2
        exit 1
    fi
    libraries=$(objdump -p "$1" | awk '$1 == "NEEDED" { print $2 }' | grep -Ev '^(libc|libm|ld-linux|ld-musl|libc\.musl)[-.]' || true)
    if [ -n "$libraries" ]; then
        echo "native kernels: $1 needs libraries that not every system has: $libraries" >&2
        exit 1
    fi
}

check_macos() {
    others=$(nm -gU "$1" | awk '{ print $NF }' | grep -v '^_elbo4j_' || true)
    if [ -n "$others" ]; then
        echo "native kernels: $1 shows more than its interface: $others" >&2
        exit 1
    fi
}

rm -f "$work/unsuitable"
compiler=
for candidate in "${CXX:-c++}" g++ clang++; do
    # It may stand with flags.
    if has "${candidate%% *}"; then
        compiler=$candidate
        break
    fi
done
has cmake || missing "there is no cmake"
[ -n "$compiler" ] || missing "there is no C++ compiler"
generator=
if ! has make && [ -z "${CMAKE_GENERATOR:-}" ]; then
    has ninja || unsuitable "there is neither make nor ninja"
    generator=Ninja
fi

# The smallest project that asks of the tools what the library does.
try_tools() {
    rm -rf "$work/trial"
    mkdir "$work/trial"
    cat >"$work/trial/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(trial LANGUAGES C CXX)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "GCC ${CMAKE_CXX_COMPILER_VERSION} is older than 12")
endif()
set(CMAKE_CXX_STANDARD 17)
add_library(trial SHARED trial.cpp)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  target_compile_options(trial PRIVATE -march=x86-64-v4)
endif()
set_target_properties(trial PROPERTIES LINKER_LANGUAGE C)
END
    cat >"$work/trial/trial.cpp" <<'END'
typedef float Pair __attribute__((vector_size(8)));
extern "C" void trial(const Pair* in, Pair* out) { *out = *in * __builtin_shufflevector(*in, *in, 1, 0); }
END
    cmake ${generator:+-G "$generator"} -S "$work/trial" -B "$work/trial/build" && cmake --build "$work/trial/build"
}

# Once: CMake keeps the compilers that it has found.
if [ ! -f "$work/trial/passed" ]; then
    try_tools >"$work/trial.log" 2>&1 ||
        unsuitable "it needs CMake 3.22, a C compiler, and GCC 12 or Clang 12 for C++, see $work/trial.log"
    touch "$work/trial/passed"
fi

# Compilers to come may warn of more.
case ${CI:-false} in
    false | 0) werror=OFF ;;
    *) werror=ON ;;
esac
if ! cmake ${generator:+-G "$generator"} -S "$module" -B "$work" -DCMAKE_BUILD_TYPE=Release -DELBO4J_TESTS=OFF \
    -DELBO4J_WERROR=$werror >"$work/configure.log" 2>&1; then
    cat "$work/configure.log" >&2
    exit 1
fi
if ! cmake --build "$work" -j 2 >"$work/build.log" 2>&1; then
    cat "$work/build.log" >&2
    exit 1
fi

mkdir -p "$target"
cp "$work/$file" "$target/$file.new"
case $os in
    linux*)
        strip --strip-unneeded "$target/$file.new"
        check_linux "$target/$file.new"
        ;;
    macos)
        strip -x "$target/$file.new"
        check_macos "$target/$file.new"
        ;;
esac
if has sha256sum; then
    sum=$(sha256sum "$target/$file.new")
else
    sum=$(shasum -a 256 "$target/$file.new")
fi
printf '%s\n' "${sum%% *}" >"$target/$file.sha256"
mv "$target/$file.new" "$target/$file"
echo "native kernels: $(wc -c <"$target/$file") bytes for $platform"
