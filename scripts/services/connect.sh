#!/usr/bin/env bash
# The Java Kafka Connect worker with its file connectors and Debezium's Postgres connector, for
# benches and as an oracle. Commands: see lib.sh. Needs KAFKA_BOOTSTRAP. CONNECT_MODE (standalone, or
# distributed), CONNECT_GROUP (group.id, and what the three topics' names begin with; default
# connect-cluster), CONNECT_PORT, CONNECT_HEAP (512m), CONNECT_EXTRA (lines for the worker's
# properties; they win). CONNECT_NAME: the state's name in the directory (connect), so that several
# workers can share one.
NAME=${CONNECT_NAME:-connect}
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=${SLUICE_CONNECT_VERSION:-4.1.0}
DEBEZIUM=${SLUICE_DEBEZIUM_VERSION:-3.6.3.Final}
JARS=$CACHE/connect-$VERSION
PLUGINS=$CACHE/connect-plugins

fetch_worker() {
    local artifacts=() a
    for a in connect-runtime connect-json connect-file connect-transforms; do
        artifacts+=("org.apache.kafka:$a:$VERSION")
    done
    maven_jars "$1" "${artifacts[@]}" \
        org.apache.logging.log4j:log4j-slf4j-impl:2.25.4 org.apache.logging.log4j:log4j-core:2.25.4
}
fetch_debezium() { maven_jars "$1" "io.debezium:debezium-connector-postgres:$DEBEZIUM"; }

service_install() {
    once "$JARS" fetch_worker
    once "$PLUGINS/debezium-postgres-$DEBEZIUM" fetch_debezium
}

ready() { curl -fsS "http://127.0.0.1:$rest_port/connectors"; }

# What only one of the modes has. The internal topics of a cluster have few partitions here: a test
# waits for each of them.
mode_properties() {
    local group=${CONNECT_GROUP:-connect-cluster}
    if [ "$mode" = standalone ]; then
        echo "offset.storage.file.filename=$STATE/offsets"
        return
    fi
    cat <<CONFIG
group.id=$group
config.storage.topic=$group-configs
offset.storage.topic=$group-offsets
status.storage.topic=$group-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=5
status.storage.partitions=2
CONFIG
}

service_start() {
    local rest_port config=$STATE/worker.properties mode=${CONNECT_MODE:-standalone} class
    case $mode in
    standalone) class=ConnectStandalone ;;
    distributed) class=ConnectDistributed ;;
    *) say "CONNECT_MODE=$mode: it is standalone or distributed"; return 1 ;;
    esac
    rest_port=$(port CONNECT_PORT)
    [ -n "${KAFKA_BOOTSTRAP:-}" ] || { say "KAFKA_BOOTSTRAP is not set"; return 1; }
    cat >"$config" <<CONFIG
bootstrap.servers=$KAFKA_BOOTSTRAP
listeners=http://127.0.0.1:$rest_port
rest.advertised.host.name=127.0.0.1
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.flush.interval.ms=1000
plugin.path=$PLUGINS
plugin.discovery=service_load
CONFIG
    mode_properties >>"$config"
    echo "${CONNECT_EXTRA:-}" >>"$config"
    log4j_config "$STATE/log4j2.properties"
    spawn "$(java17)" "-Xmx${CONNECT_HEAP:-512m}" \
        "-Dlog4j2.configurationFile=$STATE/log4j2.properties" -cp "$JARS/*" \
        "org.apache.kafka.connect.cli.$class" "$config"
    wait_until 600 ready || return 1
    settings CONNECT_PORT "$rest_port" CONNECT_URL "http://127.0.0.1:$rest_port" \
        CONNECT_PID "$(alive_pid)" CONNECT_LOG "$STATE/log" CONNECT_OFFSETS "$STATE/offsets"
}

main "$@"
