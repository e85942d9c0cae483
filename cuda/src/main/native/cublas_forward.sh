#!/bin/sh
# Builds the library that gives JCublas2, which asks for libcublas.so.12, the functions of a newer cuBLAS.
# The names come from JCublas2's own undefined symbols. Without gcc and nm it says so and the build goes on.
#
# usage: cublas_forward.sh LIBJCUBLAS2 WORK_FOLDER OUT_FOLDER
set -eu
jcublas=$1
work=$2
out=$3
source=$(cd "$(dirname "$0")" && pwd)
name=libelbo4j_cublas_forward.so

# What an earlier build left is not of this one.
rm -f "$out/$name" "$out/cublas_functions.txt"
for tool in gcc nm; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "cublas_forward: not built, there is no $tool; with this jar only a cuBLAS 12 can be used"
        exit 0
    fi
done

mkdir -p "$work" "$out"
nm -D --undefined-only "$jcublas" |
    sed -n 's/^ *U \(cublas[A-Za-z0-9_]*\)\(@.*\)\{0,1\}$/forward \1/p' |
    LC_ALL=C sort -u >"$work/cublas_functions.inc"
if [ ! -s "$work/cublas_functions.inc" ]; then
    echo "cublas_forward: nm finds no cuBLAS function in $jcublas" >&2
    exit 1
fi
# For the loader: calling a function that a cuBLAS lacks would end the process.
sed 's/^forward //' "$work/cublas_functions.inc" >"$out/cublas_functions.txt"

cd "$source"
gcc -shared -nostdlib -I"$work" \
    -Wl,-soname,libcublas.so.12 -Wl,--version-script=cublas_forward.map -Wl,-z,defs -Wl,-z,relro,-z,noexecstack \
    -Wl,--strip-all -o "$work/$name" cublas_forward.S
mv "$work/$name" "$out/$name"
echo "cublas_forward: $(wc -l <"$work/cublas_functions.inc") functions"
