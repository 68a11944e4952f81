#!/bin/sh
# Writes the golden files of tests/golden/avro anew, from Java's AvroData and Avro's own library.
# Needs a JDK 17 or later and Maven; tests read only the files.
#     tests/golden/java/avro/run.sh [bench]      bench: only times the Java classes
set -eu
here=$(cd "$(dirname "$0")" && pwd)
jars="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/golden-jars-avro-2.6.13"
if [ ! -e "$jars/.complete" ]; then
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars"
    touch "$jars/.complete"
fi
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
javac -d "$classes" -cp "$jars/*" "$here"/*.java "$here/../Text.java"
mkdir -p "$here/../../avro"
run() { java -Duser.timezone=UTC -Xmx512m -cp "$classes:$jars/*" "$@" ; }
if [ "${1:-}" = bench ]; then run AvroBench; exit; fi
run AvroVectors write > "$here/../../avro/write.txt"
run AvroVectors read > "$here/../../avro/read.txt"
wc -lc "$here"/../../avro/*.txt
