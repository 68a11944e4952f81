#!/usr/bin/env bash
# One Apache Kafka broker (KRaft, broker and controller in one process) for demo and tests.
# Commands: see lib.sh. KAFKA_PORT, KAFKA_HEAP (512m), KAFKA_EXTRA (lines for server.properties).
# Clients that come in at KAFKA_PROXIED_PORT are told that the broker is at KAFKA_PROXY_PORT, where
# nobody listens until a test puts a proxy there.
# KAFKA_SECURE=1: beside PLAINTEXT a SASL_SSL listener (user sluice, KAFKA_PASSWORD; SCRAM-SHA-256
# and -512, PLAIN) and an SSL one that asks for certificates of clients; keys are in KAFKA_TLS, see
# tls_files.
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

# sign NAME EXTENSION: a key and a certificate by the authority, and both in one file.
sign() {
    openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" &&
        openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
            -extfile <(echo "$2") -out "$1.pem" &&
        cat "$1.key" "$1.pem" >"$1.both.pem"
}

# ca.pem (its twin in PKCS#12: ca.p12), broker.both.pem, client.pem/.key/.both.pem/.p12, and
# stranger.pem, an authority that signed nothing. Passwords of stores: KAFKA_PASSWORD.
tls_files() {
    cd "$1"
    for authority in ca stranger; do
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout $authority.key \
            -out $authority.pem -subj "/CN=$authority" || return 1
    done
    sign broker "subjectAltName=IP:127.0.0.1,DNS:localhost" && sign client "keyUsage=digitalSignature" &&
        openssl pkcs12 -export -in client.pem -inkey client.key -passout "pass:$KAFKA_PASSWORD" -out client.p12 &&
        keytool -importcert -noprompt -alias ca -file ca.pem -keystore ca.p12 -storetype PKCS12 \
            -storepass "$KAFKA_PASSWORD"
}

# secure_config BROKER_PORT CONTROLLER_PORT SASL_PORT SSL_PORT: what the two listeners need.
secure_config() {
    local user="required username=\"sluice\" password=\"$KAFKA_PASSWORD\""
    cat <<CONFIG
listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2,SASL_SSL://127.0.0.1:$3,SSL://127.0.0.1:$4
advertised.listeners=PLAINTEXT://127.0.0.1:$1,SASL_SSL://127.0.0.1:$3,SSL://127.0.0.1:$4
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule $user;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule $user;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule $user user_sluice="$KAFKA_PASSWORD";
ssl.keystore.type=PEM
ssl.keystore.location=$STATE/tls/broker.both.pem
ssl.truststore.type=PEM
ssl.truststore.location=$STATE/tls/ca.pem
listener.name.ssl.ssl.client.auth=required
CONFIG
}

service_start() {
    local broker_port controller_port config=$STATE/server.properties java format=() secure=()
    local proxied_port proxy_port
    broker_port=$(port KAFKA_PORT)
    proxied_port=$(port KAFKA_PROXIED_PORT) proxy_port=$(port KAFKA_PROXY_PORT)
    controller_port=$(port KAFKA_CONTROLLER_PORT)
    java=$(java17)
    cat >"$config" <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
listeners=PLAINTEXT://127.0.0.1:$broker_port,CONTROLLER://127.0.0.1:$controller_port,PROXIED://127.0.0.1:$proxied_port
advertised.listeners=PLAINTEXT://127.0.0.1:$broker_port,PROXIED://127.0.0.1:$proxy_port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
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
    if [ -n "${KAFKA_SECURE:-}" ]; then
        local sasl_port ssl_port
        sasl_port=$(port KAFKA_SASL_PORT) ssl_port=$(port KAFKA_SSL_PORT)
        KAFKA_PASSWORD=${KAFKA_PASSWORD:-s3cret-of-kafka}
        once "$STATE/tls" tls_files 2>>"$STATE/log" || return 1
        secure_config "$broker_port" "$controller_port" "$sasl_port" "$ssl_port" >>"$config"
        format=(--add-scram "SCRAM-SHA-256=[name=sluice,password=$KAFKA_PASSWORD]"
            --add-scram "SCRAM-SHA-512=[name=sluice,password=$KAFKA_PASSWORD]")
        secure=(KAFKA_SASL_PORT "$sasl_port" KAFKA_SSL_PORT "$ssl_port" KAFKA_TLS "$STATE/tls"
            KAFKA_PASSWORD "$KAFKA_PASSWORD")
    fi
    log4j_config "$STATE/log4j2.properties"
    if [ ! -f "$STATE/data/meta.properties" ]; then
        "$java" -XX:TieredStopAtLevel=1 -cp "$JARS/*" kafka.tools.StorageTool format \
            --cluster-id "${KAFKA_CLUSTER_ID:-sluiceTestClusterAAAAA}" --config "$config" \
            ${format[@]+"${format[@]}"} >>"$STATE/log" 2>&1 || return 1
    fi
    spawn "$java" "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseSerialGC \
        "-Dlog4j2.configurationFile=$STATE/log4j2.properties" -cp "$JARS/*" kafka.Kafka "$config"
    wait_until 600 ready || return 1
    settings KAFKA_PORT "$broker_port" KAFKA_CONTROLLER_PORT "$controller_port" \
        KAFKA_PROXIED_PORT "$proxied_port" KAFKA_PROXY_PORT "$proxy_port" \
        KAFKA_BOOTSTRAP "127.0.0.1:$broker_port" KAFKA_PID "$(alive_pid)" KAFKA_LOG "$STATE/log" \
        ${secure[@]+"${secure[@]}"}
}

main "$@"
