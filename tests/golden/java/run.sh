#!/bin/sh
# Writes the golden files of tests/golden/json and tests/golden/transforms anew, from the Java
# classes themselves. Needs a JDK 17 or later and Maven; tests read only the files.
#     tests/golden/java/run.sh [bench json|transforms]      bench: only times the Java classes
set -eu
here=$(cd "$(dirname "$0")" && pwd)
jars="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/golden-jars-4.1.0-3.6.1-4"
if [ ! -e "$jars/.complete" ]; then
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars"
    touch "$jars/.complete"
fi
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
run() { java -Duser.timezone=UTC -Xmx512m -cp "$classes:$jars/*" "$@"; }
if [ "${1:-}" = bench ]; then
    javac -d "$classes" -cp "$jars/*" "$here/JsonBench.java"
    run JsonBench "$2"
    exit
fi
javac -d "$classes" -cp "$jars/*" "$here"/*.java
mkdir -p "$here/../json" "$here/../transforms" "$here/../java_text"
run JsonVectors > "$here/../json/json_converter.txt"
run JsonRandom schemas 920 > "$here/../json/json_random_schemas.txt"
run JsonRandom plain 2150 > "$here/../json/json_random_plain.txt"
run HeaderVectors > "$here/../json/simple_header.txt"
run NumberVectors > "$here/../json/numbers.txt"
run EnvelopeVectors > "$here/../transforms/extract_new_record_state.txt"
mkdir -p "$here/../kafka"
run ClientProperties > "$here/../kafka/client_properties.txt"
run VariableVectors > "$here/../kafka/variables.txt"
run JavaTextVectors regex > "$here/../java_text/regex.txt"
run JavaTextVectors dates > "$here/../java_text/dates.txt"
run TransformVectors2 fields > "$here/../transforms/mask_and_replace.txt"
run TransformVectors2 others > "$here/../transforms/times_keys_topics.txt"
run TransformVectors2 converters > "$here/../transforms/primitive_converters.txt"
for file in cast cast_values extract_field flatten header_from hoist_field insert_field headers; do
    run TransformVectors $file > "$here/../transforms/$file.txt"
done
for file in partitions tables outbox messages zones scripts; do
    run DebeziumVectors $file > "$here/../transforms/debezium_$file.txt"
done
wc -l "$here"/../json/*.txt "$here"/../transforms/*.txt
