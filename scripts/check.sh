#!/usr/bin/env bash
# make check: format, source rules, exported symbols, static analysis. Exits 1 when one fails.
# usage: check.sh [BUILD_DIR]   (a configured and built release tree; default build/release)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/release}
failed=0

step() { # step NAME COMMAND...
    local name=$1
    shift
    echo "$name"
    if "$@"; then
        echo "  ok"
    else
        echo "  FAILED: $name"
        failed=1
    fi
}

format() {
    git ls-files -zco --exclude-standard '*.c' '*.h' |
        xargs -0 -r clang-format-14 --dry-run --Werror --ferror-limit=3
}

exports() { # a plugin exports its entry and nothing else
    local plugin symbols bad=0 n=0
    for plugin in "$build"/plugins/*.so; do
        [ -e "$plugin" ] || { echo "  no plugins in $build/plugins"; return 1; }
        symbols=$(nm -D --defined-only "$plugin" | awk '{ print $NF }' | sort | tr '\n' ' ')
        n=$((n + 1))
        if [ "$symbols" != "sluice_plugins_v1 " ]; then
            echo "  BROKEN $plugin exports: $symbols"
            bad=1
        fi
    done
    echo "  $n plugins, each exporting sluice_plugins_v1 only"
    return $bad
}

step "format (clang-format 14)" format
step "rules" python3 scripts/source_rules.py
step "exported symbols" exports
step "analysis (gcc -fanalyzer)" python3 scripts/analyze.py "$build"
exit $failed
