/* fuzz_rest.c - what parses requests and the properties of REST, over any bytes: a file of
 * tests/fuzz/corpus/rest or what a fuzzer makes. See fuzz_rest.h.
 *
 *     fuzz_rest file...                   replays files
 *     clang -fsanitize=fuzzer ...         the same function, with SLUICE_FUZZER defined */
#include "fuzz/fuzz_rest.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef SLUICE_FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_rest(data, len);
    return 0;
}
#else
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!fuzz_rest_file(argv[i])) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
#endif
