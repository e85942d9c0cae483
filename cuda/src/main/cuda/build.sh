#!/bin/sh
# Builds the device code: elbo4j.fatbin, and kernels.txt with name and parameter types of each kernel, one character a
# parameter: p pointer, l long long, i int, u unsigned, f float, d double. Without nvcc it says so, and writes no fatbin;
# with it the first line of kernels.txt names the targets. What is newer than its sources is kept.
#
# usage: build.sh OUT_FOLDER
set -eu
targets="sm_75 sm_80 sm_86 sm_89 sm_90 sm_100 sm_120 compute_75"
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# Fails on a parameter whose type has no code, so that no argument is ever passed in a wrong size.
signatures() {
    awk '
        function code(type) {
            if (type ~ /\*/) return "p"
            if (type == "long long") return "l"
            if (type == "int") return "i"
            if (type == "unsigned") return "u"
            if (type == "float") return "f"
            if (type == "double") return "d"
            printf "%s: kernel %s: no code for a parameter of type \"%s\"\n", FILENAME, name, type >"/dev/stderr"
            exit failed = 1
        }
        function finish(count, parameters, i, codes) {
            match(text, /[A-Za-z_0-9]+\(/)
            name = substr(text, RSTART, RLENGTH - 1)
            text = substr(text, RSTART + RLENGTH)
            sub(/\).*/, "", text)
            count = split(text, parameters, ",")
            for (i = 1; i <= count; i++) {
                gsub(/^ +| +$/, "", parameters[i])
                sub(/ *[A-Za-z_0-9]+$/, "", parameters[i])
                sub(/^const /, "", parameters[i])
                codes = codes code(parameters[i])
            }
            print name, codes
            text = ""
        }
        /^KERNEL / { text = " " }
        text != "" { sub(/^KERNEL /, ""); text = text " " $0 }
        text ~ /\)/ { finish() }
        END { exit failed }
    ' "$@"
}

compile() {
    gencode=
    for target in $targets; do
        gencode="$gencode -gencode arch=compute_${target#*_},code=$target"
    done
    # Rounding is what the source says (--fmad=false), and no kernel spills.
    # shellcheck disable=SC2086
    "$nvcc" -fatbin -std=c++17 -O3 --fmad=false --threads 2 $gencode \
        -Xptxas -Werror,--warn-on-spills -Werror all-warnings -o "$out/elbo4j.fatbin.new" elbo4j.cu
    mv "$out/elbo4j.fatbin.new" "$out/elbo4j.fatbin"
}

nvcc=
for candidate in nvcc "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"; do
    if command -v "$candidate" >/dev/null 2>&1; then
        nvcc=$candidate
        break
    fi
done
if [ -z "$nvcc" ]; then
    rm -f "$out/elbo4j.fatbin"
    echo "kernels: not compiled, there is no nvcc in PATH, CUDA_HOME or /usr/local/cuda; this jar cannot use a GPU"
elif [ ! -f "$out/elbo4j.fatbin" ] || [ -n "$(find . -newer "$out/elbo4j.fatbin" -type f)" ]; then
    rm -f "$out/elbo4j.fatbin"
    compile
fi

signatures ./*.cu >"$out/kernels.txt.new"
{
    if [ -n "$nvcc" ]; then echo "# $targets"; fi
    LC_ALL=C sort "$out/kernels.txt.new"
} >"$out/kernels.txt"
rm "$out/kernels.txt.new"
if [ -n "$nvcc" ]; then
    echo "kernels: $(grep -vc '^#' "$out/kernels.txt") for $targets"
fi
