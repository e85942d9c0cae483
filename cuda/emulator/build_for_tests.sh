#!/bin/sh
# Builds what the tests of the JVM side need of the emulated device. Without cmake, make and g++ it says so and leaves
# nothing; those tests are then skipped.
#
# usage: build_for_tests.sh BUILD_FOLDER
set -eu
source=$(cd "$(dirname "$0")" && pwd)
for tool in cmake make g++; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        # What an earlier build left is not of these sources.
        rm -rf "$1/lib"
        echo "emulated device: not built, there is no $tool; tests on it are skipped"
        exit 0
    fi
done
mkdir -p "$1"
log="$1/build.log"
build() {
    cmake -S "$source" -B "$1" -DCMAKE_BUILD_TYPE=Release || return
    targets="emu_cuda emu_cublas emu_cublas13 sound broken"
    # The library's own kernels, where its sources are part of the checkout.
    if cmake --build "$1" --target help | grep -q ' elbo4j_kernels$'; then targets="$targets elbo4j_kernels"; fi
    # shellcheck disable=SC2086
    cmake --build "$1" -j2 --target $targets
}
if ! build "$1" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
echo "emulated device: $1/lib"
