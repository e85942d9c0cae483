#!/usr/bin/env bash
# Builds and tests the native library, plain, with sanitizers or without intrinsics, in a folder of its own for each mode.
#   native/test.sh [--in FOLDER] [MODE...]     MODE: plain, address,undefined, thread, portable; all of them if none is given
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=
if [ "${1:-}" = --in ]; then
    folder=${2:?"native/test.sh: --in needs a folder"}
    shift 2
fi
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
[ $# -gt 0 ] || set -- plain address,undefined thread portable
for mode in "$@"; do
    case $mode in
    plain | address,undefined | thread | portable) ;;
    *)
        echo "native/test.sh: unknown mode '$mode', expected plain, address,undefined, thread or portable" >&2
        exit 2
        ;;
    esac
done

jobs=$(getconf _NPROCESSORS_ONLN)
for mode in "$@"; do
    build=$folder/${mode//,/-}
    mkdir -p "$build"
    log=$build/test.log
    started=$SECONDS
    sanitize=$mode
    portable=OFF
    case $mode in
    plain) sanitize= ;;
    portable) sanitize= portable=ON ;;
    esac
    if ! {
        cmake -S "$source" -B "$build" -DELBO4J_WERROR=ON -DELBO4J_SANITIZE="$sanitize" \
            -DELBO4J_PORTABLE=$portable &&
            cmake --build "$build" --parallel "$jobs" &&
            # Without a test this would pass.
            (cd "$build" && ctest --output-on-failure --no-tests=error --parallel "$jobs")
    } >"$log" 2>&1; then
        cat "$log" >&2
        echo "native/test.sh: $mode failed" >&2
        exit 1
    fi
    echo "native, $mode: $(grep '% tests passed' "$log") in $((SECONDS - started)) s"
done
