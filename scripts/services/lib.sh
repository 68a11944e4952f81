# Shared by the service scripts of this directory; sourced, not run.
#
#   SCRIPT start [DIR]     start, wait until ready, print the settings (DIR: a new one under TMPDIR)
#   SCRIPT stop|kill9 DIR  end it in order | as a crash would; data and port are kept
#   SCRIPT restart DIR     stop (if it runs) and start again on the same port and data
#   SCRIPT env DIR         print the settings as KEY=value lines
#   SCRIPT status DIR      exit 0 when it runs
#   SCRIPT install         only fetch what it needs into the cache
#
# State is in DIR/NAME (data, log, pid), the settings in DIR/NAME.env. DIR may also come from
# SLUICE_SERVICES. Ports are random, or what <NAME>_PORT says; all listen on 127.0.0.1 only.
# Downloads are kept in SLUICE_CACHE (default: ~/.cache/sluice).
set -euo pipefail

CACHE=${SLUICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice}

say() { echo "$NAME: $*" >&2; }
die() { say "$*"; exit 1; }

# Ports below the range that the kernel hands out to clients: a client that keeps knocking on a
# service that is down can never be given that very port, and connect to itself.
free_port() {
    python3 - <<'PY'
import random, socket
while True:
    port = random.randint(15000, 32000)
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break
PY
}

# port NAME_PORT: the caller's choice, else the one of an earlier start, else a free one.
port() {
    local wanted=${!1:-} kept=
    [ ! -f "$ENV_FILE" ] || kept=$(sed -n "s/^$1=//p" "$ENV_FILE")
    echo "${wanted:-${kept:-$(free_port)}}"
}

# A pid file holds the pid and the start time of the process, so that a reused pid is never taken
# for ours.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

alive_pid() { # prints the pid when the process of the pid file runs
    local pid at
    [ -f "$STATE/pid" ] && read -r pid at <"$STATE/pid" || return 1
    [ "$(started_at "$pid")" = "$at" ] || return 1
    [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f1)" != Z ] || return 1
    echo "$pid"
}

# spawn COMMAND...: run it in the background in a session of its own, logging to STATE/log.
spawn() {
    setsid "$@" </dev/null >>"$STATE/log" 2>&1 &
    local pid=$!
    echo "$pid $(started_at "$pid")" >"$STATE/pid"
}

# wait_until SECONDS COMMAND...: until the command succeeds; fails when the process ends first.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        alive_pid >/dev/null || return 1
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

wait_gone() { # wait_gone PID SECONDS
    local n=$(($2 * 20))
    while [ -d "/proc/$1" ] && [ $n -gt 0 ]; do
        [ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1)" != Z ] || return 0
        sleep 0.05
        n=$((n - 1))
    done
    [ $n -gt 0 ]
}

end_process() { # end_process SIGNAL: send it, wait, and kill what does not go
    local pid
    pid=$(alive_pid) || { rm -f "$STATE/pid"; return 0; }
    kill "-$1" "$pid" 2>/dev/null || true
    if ! wait_gone "$pid" 30; then
        say "pid $pid did not end on $1 within 30 s: killed"
        kill -KILL "$pid" 2>/dev/null || true
        wait_gone "$pid" 10 || die "pid $pid cannot be killed"
    fi
    rm -f "$STATE/pid"
}

# once DIR FUNCTION: make DIR by calling FUNCTION with a new directory, one caller at a time.
# A run that breaks off leaves nothing that looks complete. FUNCTION must return its failures: they
# do not end it by themselves here.
once() {
    local dir=$1 make=$2
    [ ! -d "$dir" ] || return 0
    mkdir -p "$(dirname "$dir")"
    (
        flock 9
        if [ ! -d "$dir" ]; then
            rm -rf "$dir.part"
            mkdir "$dir.part"
            "$make" "$dir.part" || die "cannot fill $dir.part"
            mv "$dir.part" "$dir"
        fi
    ) 9>"$dir.lock"
}

# maven_jars DIR GROUP:ARTIFACT:VERSION...: put these and all that they need into DIR.
maven_jars() {
    local dir=$1 coordinates=() pom g a v
    shift
    coordinates=("$@")
    pom=$dir/pom.xml
    say "fetching ${coordinates[*]} from Maven Central"
    {
        echo '<project><modelVersion>4.0.0</modelVersion><groupId>sluice</groupId>'
        echo '<artifactId>jars</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
        for c in "${coordinates[@]}"; do
            IFS=: read -r g a v <<<"$c"
            echo "<dependency><groupId>$g</groupId><artifactId>$a</artifactId><version>$v</version></dependency>"
        done
        echo '</dependencies></project>'
    } >"$pom"
    (cd "$dir" && mvn -q -B -Dstyle.color=never \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$dir") >&2 ||
        die "Maven could not fetch ${coordinates[*]}"
}

java17() { # a Java 17 or newer; what Debian installs comes before another one on PATH
    local candidate
    for candidate in "${SLUICE_JAVA:-}" /usr/lib/jvm/java-17-openjdk-*/bin/java java; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
        echo "$candidate"
        return
    done
    die "no java found: run scripts/setup.sh"
}

log4j_config() { # log4j_config FILE: everything from INFO on to standard output
    cat >"$1" <<'LOG'
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %-5p %c{1}: %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
LOG
}

settings() { # settings KEY VALUE...: (re)write the env file
    : >"$ENV_FILE.new"
    while [ $# -gt 0 ]; do
        echo "$1=$2" >>"$ENV_FILE.new"
        shift 2
    done
    mv "$ENV_FILE.new" "$ENV_FILE"
}

# The script defines service_install, service_start (spawns and waits), and, where SIGTERM and a
# plain SIGKILL are not what it takes, service_stop and service_kill9.
service_stop() { end_process TERM; }
service_kill9() { end_process KILL; }

# Whether a start came to its end; one that was broken off leaves a process and no settings of it.
started() {
    local pid
    pid=$(alive_pid) && [ -f "$ENV_FILE" ] && grep -q "_PID=$pid\$" "$ENV_FILE"
}

start() {
    mkdir -p "$STATE"
    if started; then
        say "already runs"
    else
        service_stop
        service_install
        if ! service_start; then
            tail -n 30 "$STATE/log" >&2 || true
            service_stop
            die "did not become ready; its log is $STATE/log"
        fi
    fi
    cat "$ENV_FILE"
}

main() {
    local command=${1:-} dir=${2:-${SLUICE_SERVICES:-}}
    case $command in
    install)
        service_install
        return
        ;;
    start) [ -n "$dir" ] || dir=$(mktemp -d "${TMPDIR:-/tmp}/sluice-services.XXXXXX") ;;
    stop | kill9 | restart | env | status) [ -n "$dir" ] || die "$command needs the directory" ;;
    *) die "usage: $0 start [DIR] | stop|kill9|restart|env|status DIR | install" ;;
    esac
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    STATE=$dir/$NAME
    ENV_FILE=$dir/$NAME.env
    case $command in
    start) start ;;
    stop) service_stop ;;
    kill9) service_kill9 ;;
    restart)
        service_stop
        start
        ;;
    env) cat "$ENV_FILE" ;;
    status) alive_pid >/dev/null ;;
    esac
}
