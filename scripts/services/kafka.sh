#!/usr/bin/env bash
# One Apache Kafka broker (KRaft, broker and controller in one process) for demo and tests.
# Commands: see lib.sh. KAFKA_PORT, KAFKA_HEAP (512m), KAFKA_EXTRA (lines for server.properties).
NAME=kafka
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=${SLUICE_KAFKA_VERSION:-4.3.1}
JARS=$CACHE/kafka-$VERSION

fetch() {
    maven_jars "$1" "org.apache.kafka:kafka_2.13:$VERSION" \
        org.apache.logging.log4j:log4j-slf4j-impl:2.25.4 org.apache.logging.log4j:log4j-core:2.25.4
}

service_install() { once "$JARS" fetch; }

ready() { kcat -L -m 2 -b "127.0.0.1:$broker_port" 2>/dev/null | grep -q 'broker 1 at'; }

service_start() {
    local broker_port controller_port config=$STATE/server.properties java
    broker_port=$(port KAFKA_PORT)
    controller_port=$(port KAFKA_CONTROLLER_PORT)
    java=$(java17)
    cat >"$config" <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
listeners=PLAINTEXT://127.0.0.1:$broker_port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=PLAINTEXT://127.0.0.1:$broker_port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$STATE/data
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=4000
controlled.shutdown.max.retries=1
${KAFKA_EXTRA:-}
CONFIG
    log4j_config "$STATE/log4j2.properties"
    if [ ! -f "$STATE/data/meta.properties" ]; then
        "$java" -XX:TieredStopAtLevel=1 -cp "$JARS/*" kafka.tools.StorageTool format \
            --cluster-id "${KAFKA_CLUSTER_ID:-sluiceTestClusterAAAAA}" --config "$config" >>"$STATE/log" 2>&1 || return 1
    fi
    spawn "$java" "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseSerialGC \
        "-Dlog4j2.configurationFile=$STATE/log4j2.properties" -cp "$JARS/*" kafka.Kafka "$config"
    wait_until 60 ready || return 1
    settings KAFKA_PORT "$broker_port" KAFKA_CONTROLLER_PORT "$controller_port" \
        KAFKA_BOOTSTRAP "127.0.0.1:$broker_port" KAFKA_PID "$(alive_pid)" KAFKA_LOG "$STATE/log"
}

main "$@"
