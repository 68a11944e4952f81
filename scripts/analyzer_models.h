/* What the analyzer cannot see, because it looks at one file at a time: our allocators return
 * memory that is to be freed and is never NULL, and the functions that set an error return false,
 * or SLUICE_FAIL. scripts/analyze.py --tool clang includes this before each file but those that
 * define them. Nothing of it is ever built. */
#ifndef SLUICE_ANALYZER_MODELS_H
#define SLUICE_ANALYZER_MODELS_H

#include <stdlib.h>
#include <string.h>

#if __has_include("base/err.h")
#include "base/err.h"
#include "base/mem.h"
#endif
#if __has_include("util.h")
#include "util.h"
#endif
#if __has_include("names.h")
#include "names.h"
#endif

static inline void *model_alloc(size_t size)
{
    void *p = malloc(size);
    if (!p) abort();
    return p;
}

static inline void *model_zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p) abort();
    return p;
}

static inline void *model_realloc(void *old, size_t size)
{
    void *p = realloc(old, size);
    if (!p) abort();
    return p;
}

static inline char *model_strdup(const char *s)
{
    char *p = s ? strdup(s) : NULL;
    if (s && !p) abort();
    return p;
}

static inline char *model_strndup(const char *s, size_t n)
{
    char *p = strndup(s, n);
    if (!p) abort();
    return p;
}

/* The real ones are still called where their arguments matter: a macro does not expand itself. */
#define sluice_xmalloc(size) model_alloc(size)
#define sluice_xcalloc(n, size) model_zeroed(n, size)
#define sluice_xrealloc(p, size) model_realloc(p, size)
#define sluice_xstrdup(s) model_strdup(s)
#define sluice_xstrndup(s, n) model_strndup(s, n)
#define sluice_xasprintf(...) ((void)sluice_xasprintf(__VA_ARGS__), (char *)model_zeroed(1, 1))
#define cdc_alloc(size) model_zeroed(1, size)
#define cdc_realloc(p, size) model_realloc(p, size)
#define cdc_strdup(s) model_strdup(s)
#define cdc_strndup(s, n) model_strndup(s, n)
#define cdc_format(...) ((void)cdc_format(__VA_ARGS__), (char *)model_zeroed(1, 1))
#define bq_strdup(s, n) model_strndup(s, n)

#define sluice_err_set(...) ((void)sluice_err_set(__VA_ARGS__), 0)
#define sluice_err_wrap(...) ((void)sluice_err_wrap(__VA_ARGS__), 0)
#define sluice_fail(...) ((void)sluice_fail(__VA_ARGS__), SLUICE_FAIL)
#define cdc_error(...) ((void)cdc_error(__VA_ARGS__), 0)

#endif
