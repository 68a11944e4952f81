/* fuzz_cdc.c - postgres-cdc's readers of values and messages over any bytes: a file of
 * tests/fuzz/corpus/cdc or what a fuzzer makes. Nothing may crash or leak.
 *
 *     fuzz_cdc file...                   replays files
 *     clang -fsanitize=fuzzer ...         the same function, with SLUICE_FUZZER defined */
#include "fuzz/fuzz_cdc.h"

#ifdef SLUICE_FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_cdc(data, len);
    return 0;
}
#else
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!fuzz_cdc_file(argv[i])) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
    }
    fuzz_cdc_end();
    return 0;
}
#endif
