#!/usr/bin/env python3
"""Checks rules on the C sources that no compiler knows, and prints the numbers to hold.

Exits 1 when a rule is broken: header homes, direction of includes, banned functions, sizes.
"""
import pathlib
import re
import statistics
import subprocess
import sys

MAX_C, MAX_H, MAX_COLUMNS = 800, 250, 100
# Layers of runtime/: each may name those left of it (CMakeLists.txt has the same order).
LAYERS = ["base", "http", "registry", "data", "plugin", "providers", "kafka", "store", "worker",
          "herder", "rest", "ctl"]
HOMES = {  # third-party header -> where it may be named
    "librdkafka/rdkafka.h": ("runtime/kafka/",),
    "dlfcn.h": ("runtime/plugin/load.c",),
    "microhttpd.h": ("runtime/rest/",),
    "libpq-fe.h": ("plugins/postgres-cdc/",),
}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def without_comments(text):
    """Comments and the insides of literals blanked, line breaks kept."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(m):
        s = m.group(0)
        if s[0] in "\"'":
            return s[0] + s[0]
        return re.sub(r"[^\n]", " ", s)

    return token.sub(blank, text)


def function_lengths(code):
    """Lines of each function body: from a '{' in column 0 to the '}' in column 0."""
    start = None
    for n, line in enumerate(code.split("\n")):
        if line.startswith("{"):
            start = n
        elif line.startswith("}") and start is not None:
            yield n - start + 1, start + 1
            start = None


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p))] if ordered else 0


def main():
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"],
        check=True, capture_output=True, text=True).stdout.split()
    files = {n: pathlib.Path(n).read_text() for n in names if pathlib.Path(n).is_file()}
    broken = []
    source, tests, long_lines, lines_total = 0, 0, 0, 0
    asserts, runtime_lines = 0, 0
    c_lengths, h_lengths, functions = [], [], []

    for name, text in files.items():
        lines = text.split("\n")
        count = len(lines) - 1
        code = without_comments(text)
        product = not name.startswith("tests/")
        limit = MAX_C if name.endswith(".c") else MAX_H
        if count > limit:
            broken.append(f"{name}: {count} lines, at most {limit}")
        for n, line in enumerate(lines, 1):
            if len(line.expandtabs(4)) > MAX_COLUMNS:
                broken.append(f"{name}:{n}: {len(line)} columns, at most {MAX_COLUMNS}")
                long_lines += 1
        for n, line in enumerate(code.split("\n"), 1):
            m = BANNED.search(line)
            if m:
                broken.append(f"{name}:{n}: {m.group(1)}() is banned")
        lines_total += count
        if product:
            source += count
            (c_lengths if name.endswith(".c") else h_lengths).append(count)
            functions += [(length, f"{name}:{at}") for length, at in function_lengths(code)]
        else:
            tests += count
        if name.startswith("runtime/"):
            runtime_lines += count
            asserts += len(re.findall(r"\bassert\s*\(", code))

        for header in INCLUDE.findall(text):
            homes = next((h for k, h in HOMES.items() if header.endswith(k.split("/")[-1])), None)
            if product and homes and not name.startswith(homes):
                broken.append(f"{name}: names {header}, whose home is {homes[0]}")
            top = header.split("/")[0]
            layer = name.split("/")[1] if name.startswith("runtime/") and name.count("/") > 1 else None
            if layer in LAYERS and top in LAYERS and LAYERS.index(top) > LAYERS.index(layer):
                broken.append(f"{name}: {layer} must not know {header}")
            if name.startswith("plugins/") and top in LAYERS:
                broken.append(f"{name}: a plugin sees include/sluice only, not {header}")

    short = sum(1 for length, _ in functions if length <= 60)
    share = 100.0 * short / len(functions) if functions else 100.0
    for length, where in sorted(functions, reverse=True)[:5]:
        if length > 60:
            print(f"  long function: {where}: {length} lines")
    print(f"  files: {len(files)}, source lines: {source}, test lines: {tests} "
          f"(with Python: {tests + python_test_lines()})")
    print(f"  .c lines median/p90/max: {int(statistics.median(c_lengths or [0]))}/"
          f"{percentile(c_lengths, 0.9)}/{max(c_lengths or [0])} (hold 300/600/800); "
          f".h max: {max(h_lengths or [0])} (150)")
    print(f"  functions of at most 60 lines: {share:.1f} % of {len(functions)} (95); "
          f"lines within {MAX_COLUMNS} columns: {100 - 100.0 * long_lines / max(1, lines_total):.2f} % (100)")
    print(f"  asserts per 1000 lines of runtime/: {1000.0 * asserts / max(1, runtime_lines):.1f} (8); "
          f"test to source lines: {(tests + python_test_lines()) / max(1, source):.2f} (1.0)")
    abi = INCLUDE.findall(files.get("include/sluice/plugin.h", ""))
    print(f"  includes in include/sluice/plugin.h: {len(abi)} (2)")
    for line in broken:
        print(f"  BROKEN {line}")
    return 1 if broken else 0


def python_test_lines():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "tests/*.py"],
                           check=True, capture_output=True, text=True).stdout.split()
    return sum(len(pathlib.Path(n).read_text().split("\n")) - 1 for n in names)


if __name__ == "__main__":
    sys.exit(main())
