/* elf.h - the dynamic symbols that a shared object defines. */
#ifndef SLUICE_TESTS_ELF_H
#define SLUICE_TESTS_ELF_H

#include <stddef.h>

/* Names of the defined global and weak symbols, one a line (caller frees); fails the test when the
 * file is no ELF object of this machine's class. */
char *elf_exports(const char *path);

#endif
