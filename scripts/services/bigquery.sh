#!/usr/bin/env bash
# A BigQuery emulator (local-bigquery, DuckDB inside) for demo and tests.
# Commands: see lib.sh. BIGQUERY_PORT, BIGQUERY_PROJECT (proj), BIGQUERY_REMEMBERS_S (60): how long
# it knows insert ids; the real one says at least a minute.
#
# It needs Python 3.13: SLUICE_PYTHON313, else the one on PATH, else pyenv's, else one that uv (from
# PyPI) finds or downloads; that download is not from PyPI, so where it cannot be reached, the one
# of Debian 13 is unpacked into the cache, with its own C library, from the mirror that apt uses.
NAME=bigquery
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=0.3.2
DUCKDB=1.5.5
ROOT=$CACHE/local-bigquery-$VERSION
DEBIAN_PYTHON=$CACHE/debian-13-python

python313() { # prints the path of a Python 3.13, or fails
    local candidate found
    for candidate in "${SLUICE_PYTHON313:-}" python3.13 \
        "$(pyenv prefix 3.13 2>/dev/null || true)/bin/python3.13"; do
        [ -n "$candidate" ] || continue
        found=$("$candidate" -c 'import sys; print(sys.executable if sys.version_info[:2] == (3, 13) else "")' \
            2>/dev/null) || continue
        [ -z "$found" ] || { echo "$found"; return; }
    done
    return 1
}

python313_by_uv() { # python313_by_uv DIR
    say "no Python 3.13 on PATH or in pyenv: asking uv for one"
    python3 -m venv "$1/uv" && "$1/uv/bin/pip" install -q --disable-pip-version-check uv >&2 || return 1
    "$1/uv/bin/uv" python find --quiet 3.13 2>/dev/null && return
    "$1/uv/bin/uv" python install --quiet 3.13 2>"$1/uv.log" && "$1/uv/bin/uv" python find --quiet 3.13
}

fetch_debian_python() {
    local apt=$1/apt mirror lib loader options package
    command -v apt-get >/dev/null && command -v patchelf >/dev/null || return 1
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m 1 '/debian/*$') || return 1
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status" # as if nothing were installed: the C library and all else come along
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
    options=(-qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$apt/state"
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o Debug::NoLocking=1)
    apt-get "${options[@]}" update 2>"$apt/log" || return 1
    apt-get "${options[@]}" install -y --download-only --no-install-recommends \
        python3.13 python3.13-venv libstdc++6 >>"$apt/log" 2>&1 || return 1
    for package in "$apt"/cache/archives/*.deb; do
        dpkg -x "$package" "$1"
    done
    rm -rf "$apt"
    lib=$(cd "$1" && echo usr/lib/*-linux-gnu)
    loader=$(cd "$1" && echo "$lib"/ld-linux-*.so.*)
    patchelf --set-interpreter "$DEBIAN_PYTHON/$loader" \
        --force-rpath --set-rpath "$DEBIAN_PYTHON/$lib" "$1/usr/bin/python3.13"
}

python313_by_debian() {
    say "uv found none: taking the one of Debian 13"
    once "$DEBIAN_PYTHON" fetch_debian_python || return 1
    echo "$DEBIAN_PYTHON/usr/bin/python3.13"
}

make_venv() { # make_venv PYTHON DIR
    "$1" -m venv "$2" >/dev/null 2>&1 && return
    # Debian's looks for pip's wheel below /usr, where this one's is not.
    "$1" -m venv --clear --without-pip "$2" || return 1
    PYTHONPATH=$(echo "$DEBIAN_PYTHON"/usr/share/python-wheels/pip-*.whl) \
        "$2/bin/python" -m pip install -q --disable-pip-version-check pip >&2
}

fetch() { # of the venv only bin/python is used below, so that it can be moved once complete
    local python
    python=$(python313) || python=$(python313_by_uv "$1") || python=$(python313_by_debian) ||
        die "no Python 3.13: install it, or set SLUICE_PYTHON313 to it"
    say "installing local-bigquery $VERSION for $python (about 600 MB)"
    make_venv "$python" "$1/venv" || return 1
    "$1/venv/bin/python" -m pip install -q --disable-pip-version-check \
        "local-bigquery==$VERSION" "duckdb==$DUCKDB" "duckdb-extensions==$DUCKDB" \
        "duckdb-extension-icu==$DUCKDB" "duckdb-extension-ducklake==$DUCKDB" \
        "duckdb-extension-spatial==$DUCKDB" >&2 || return 1
    mkdir "$1/home" # DuckDB keeps its extensions below HOME
    HOME=$1/home "$1/venv/bin/python" -c "from duckdb_extensions import import_extension as i
for e in ('icu', 'ducklake', 'spatial'): i(e)" >&2
}

service_install() { once "$ROOT" fetch; }

ready() { curl -fsS "http://127.0.0.1:$bq_port/bigquery/v2/projects/$project/datasets"; }

service_start() {
    local bq_port project=${BIGQUERY_PROJECT:-proj}
    bq_port=$(port BIGQUERY_PORT)
    mkdir -p "$STATE/data"
    spawn env HOME="$ROOT/home" DATA_DIR="$STATE/data" DEFAULT_PROJECT_ID="$project" \
        "$ROOT/venv/bin/python" -c "import uvicorn
from local_bigquery.catalog import tabledata
assert tabledata.DEDUP_SECONDS
tabledata.DEDUP_SECONDS = ${BIGQUERY_REMEMBERS_S:-60}
uvicorn.run('local_bigquery:app', host='127.0.0.1', port=$bq_port, timeout_keep_alive=300,
            log_level='warning')"
    wait_until 600 ready || return 1
    settings BIGQUERY_PORT "$bq_port" BIGQUERY_PROJECT "$project" \
        BIGQUERY_ENDPOINT "http://127.0.0.1:$bq_port" BIGQUERY_PID "$(alive_pid)" BIGQUERY_LOG "$STATE/log"
}

main "$@"
