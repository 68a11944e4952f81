#!/usr/bin/env bash
# A schema registry (Apicurio Registry, which speaks Confluent's API) for demo and tests.
# Commands: see lib.sh. REGISTRY_PORT. It keeps everything in memory: a restart forgets.
NAME=registry
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=2.6.13.Final
ROOT=$CACHE/apicurio-registry-$VERSION

fetch() {
    say "fetching apicurio-registry $VERSION from Maven Central (150 MB)"
    (cd "$1" && mvn -q -B -Dstyle.color=never \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack \
        -Dartifact="io.apicurio:apicurio-registry-app:$VERSION:tar.gz:all" -DoutputDirectory="$1") >&2
}

service_install() { once "$ROOT" fetch; }

ready() { curl -fsS "http://127.0.0.1:$registry_port/apis/ccompat/v7/subjects"; }

service_start() {
    local registry_port
    registry_port=$(port REGISTRY_PORT)
    spawn "$(java17)" -Xmx256m -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$registry_port" \
        -Dquarkus.log.console.json=false -jar "$ROOT/apicurio-registry-app-$VERSION-runner.jar"
    wait_until 600 ready || return 1
    settings REGISTRY_PORT "$registry_port" \
        REGISTRY_URL "http://127.0.0.1:$registry_port/apis/ccompat/v7" \
        REGISTRY_PID "$(alive_pid)" REGISTRY_LOG "$STATE/log"
}

main "$@"
