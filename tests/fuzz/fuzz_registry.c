/* fuzz_registry.c - the client of the schema registry, answered with any bytes: a file of
 * tests/fuzz/corpus/registry or what a fuzzer makes. Nothing may crash, leak or go on for ever, and
 * what was accepted must be what the client promises.
 *
 *     fuzz_registry file...                   replays files
 *     clang -fsanitize=fuzzer ...         the same function, with SLUICE_FUZZER defined */
#include "fuzz/fuzz_registry.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef SLUICE_FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_registry(data, len);
    return 0;
}
#else
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!fuzz_registry_file(argv[i])) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
#endif
