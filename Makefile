# Thin: CMake builds, scripts/ does the rest. PREFIX and DESTDIR are for install.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

release: ; cmake --preset release && cmake --build --preset release -j $(JOBS)
dev:     ; cmake --preset dev && cmake --build --preset dev -j $(JOBS)
tsan:    ; cmake --preset tsan && cmake --build --preset tsan -j $(JOBS)

setup:   ; scripts/setup.sh
test:    setup ; python3 scripts/test.py
demo:    setup release ; python3 scripts/demo.py $(if $(KEEP),--keep)
bench:   setup release ; python3 tests/bench/run.py $(BENCH)
check:   setup release ; scripts/check.sh build/release
analyze: release ; scripts/setup.sh clang-14 && python3 scripts/analyze.py build/release --tool clang
install: release ; cmake --install build/release --prefix "$(PREFIX)"
clean:   ; rm -rf build

.PHONY: release dev tsan setup test demo bench check analyze install clean
.NOTPARALLEL:
