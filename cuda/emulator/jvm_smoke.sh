#!/usr/bin/env bash
# Unmodified JCuda and JCublas2 on the emulated device: jvm_smoke.sh <build folder> [faults] [options for java...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
build=$(cd "${1:?usage: jvm_smoke.sh <build folder> [faults] [java options]}" && pwd)
faults=${2:-1000}
shift $(($# < 2 ? $# : 2))
version=12.6.0
repository=${MAVEN_REPOSITORY:-$HOME/.m2/repository}/org/jcuda

jars=
for artifact in jcuda:: jcuda-natives:linux-x86_64: jcublas:: jcublas-natives:linux-x86_64:; do
    IFS=: read -r name classifier _ <<<"$artifact"
    jar=$repository/$name/$version/$name-$version${classifier:+-$classifier}.jar
    if [ ! -f "$jar" ]; then
        mvn -q dependency:get -Dtransitive=false "-Dartifact=org.jcuda:$name:$version:jar${classifier:+:$classifier}"
    fi
    jars=$jars${jars:+:}$jar
done

# JCuda unpacks its natives into java.io.tmpdir under fixed names and takes whatever lies there: a folder of our own.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
EMU_VERBOSE=${EMU_VERBOSE:-0} "$java" "-Djava.io.tmpdir=$work" --enable-native-access=ALL-UNNAMED "$@" \
    -cp "$jars" jvm/JvmSmoke.java "$build/lib" "$faults"
