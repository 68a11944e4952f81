#!/usr/bin/env bash
# People's own clients of Kafka Connect's REST API, from PyPI, each in a Python of its own: two of them
# are packages of one name. Only "install" of lib.sh's commands; it prints the directory that holds
# NAME-VERSION/bin/python of each. Only that is used, so that a directory can be moved once complete.
NAME=connect_clients
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CLIENTS=(kafka-connect-py-1.0.0 kafkaconnect-1.3.1 kafka-connect-cli-0.2.5)

fetch() { # the directory's name says which
    local package more=()
    package=$(basename "$1" .part)
    case $package in kafkaconnect-*) more=(click requests confluent-kafka) ;; esac # it names none
    python3 -m venv "$1" &&
        "$1/bin/python" -m pip install -q --disable-pip-version-check \
            "${package%-*}==${package##*-}" "${more[@]}" >&2
}

service_install() {
    local client
    for client in "${CLIENTS[@]}"; do once "$CACHE/connect-clients/$client" fetch; done
    echo "$CACHE/connect-clients"
}

service_start() { die "there is nothing to start: use install"; }

main "$@"
