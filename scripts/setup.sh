#!/usr/bin/env bash
# Installs what building, testing and the demo need on Debian 12. Run as root or with sudo at hand.
# Does nothing, and asks no package server, when everything is there already.
# usage: setup.sh [PACKAGE...]   these too
set -euo pipefail

packages=(
    # build
    build-essential cmake ninja-build pkg-config git ca-certificates
    librdkafka-dev libpq-dev libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev
    libssl-dev zlib1g-dev libzstd-dev libpcre2-dev libjemalloc-dev
    # checks
    clang-format-14
    # services for tests and demo, and the clients that look at them
    openjdk-17-jre-headless maven postgresql-15 postgresql-15-postgis-3 postgresql-client-15 kcat
    python3 python3-venv curl jq procps util-linux openssl patchelf unzip xz-utils
    "$@"
)

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} packages are installed"
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: missing: ${missing[*]}" >&2
        echo "setup: run this script as root, or install sudo" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
