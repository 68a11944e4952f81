/* fuzz_header.c - SimpleHeaderConverter over any bytes: a file of tests/fuzz/corpus/header or what
 * a fuzzer makes. What is read must fit its schema, and its text be read again; nothing may crash
 * or leak.
 *
 *     fuzz_header file...                   replays files
 *     clang -fsanitize=fuzzer ...         the same function, with SLUICE_FUZZER defined */
#include "fuzz/fuzz_header.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef SLUICE_FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_header(data, len);
    return 0;
}
#else
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!fuzz_header_file(argv[i])) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
#endif
