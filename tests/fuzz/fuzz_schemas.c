/* fuzz_schemas.c - the readers of what a schema registry and its records bring, over any bytes: a
 * file of tests/fuzz/corpus/schemas or what a fuzzer makes. Nothing may crash, hang or leak; what
 * is read must be written and read again to the same.
 *
 *     fuzz_schemas file...                replays files
 *     clang -fsanitize=fuzzer ...         the same function, with SLUICE_FUZZER defined */
#include "fuzz/fuzz_schemas.h"

#include <stdio.h>

#ifdef SLUICE_FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_schemas(data, len);
    return 0;
}
#else
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!fuzz_schemas_file(argv[i])) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
#endif
