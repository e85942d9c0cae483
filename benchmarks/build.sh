# Sourced by the scripts beside it, in the root of the checkout: finds a JDK 25 and builds what is missing or older than its sources.

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 2
}

# Prints the home of an installed JDK 25.
jdk() {
    local release
    for release in "${JAVA_HOME:-}"/release /usr/lib/jvm/*/release; do
        if [ -f "$release" ] && grep -q '^JAVA_VERSION="25[.\"]' "$release"; then
            dirname "$release"
            return
        fi
    done
    fail "no JDK 25 under JAVA_HOME or /usr/lib/jvm; install one (Temurin 25)"
}

# Whether sources or poms of modules are newer than a stamp.
outdated() {
    local stamp=$1
    shift
    [ -f "$stamp" ] || return 0
    [ -n "$(find pom.xml "${@/%//pom.xml}" "${@/%//src}" -newer "$stamp" -print -quit)" ]
}

# Builds modules and what they need; their tests are neither compiled nor run.
package() {
    # shellcheck disable=SC2086 # ELBO4J_MAVEN_OPTIONS are words
    JAVA_HOME=$home mvn -q -B -ntp ${ELBO4J_MAVEN_OPTIONS:-} -Dmaven.test.skip=true -Djacoco.skip=true "$@" package </dev/null >&2
}

home=$(jdk)
modules=()
for module in java native cuda cli benchmarks; do
    [ ! -f "$module/pom.xml" ] || modules+=("$module")
done
if outdated benchmarks/target/.built "${modules[@]}"; then
    echo "building the benchmarks..." >&2
    package -pl benchmarks -am
fi
classpath=$(echo benchmarks/target/elbo4j-benchmarks-*.jar):benchmarks/target/lib/*
