/* mallocs.h - counts allocations of the process, so that a test can say that none is made per
 * record. Included by one file of a test program. */
#ifndef SLUICE_TESTS_MALLOCS_H
#define SLUICE_TESTS_MALLOCS_H

#include <stdatomic.h>
#include <stdlib.h>

static atomic_size_t mallocs;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* of the sanitizers' runtime; gcc ships no header for it */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void count_malloc(const volatile void *p, size_t size)
{
    (void)p;
    (void)size;
    atomic_fetch_add(&mallocs, 1);
}

static void count_free(const volatile void *p) { (void)p; }

__attribute__((constructor)) static void count_install(void)
{
    __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
    atomic_fetch_add(&mallocs, 1);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    atomic_fetch_add(&mallocs, 1);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    atomic_fetch_add(&mallocs, 1);
    return __libc_realloc(p, size);
}
#endif

#endif
