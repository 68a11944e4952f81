/* docs.h - option tables as Markdown: docs/CONFIG.md is what `sluice config-docs` prints. */
#ifndef SLUICE_PLUGIN_DOCS_H
#define SLUICE_PLUGIN_DOCS_H

#include <stdio.h>

#include "plugin/registry.h"

/* A table that belongs to no plugin: the worker's, the connectors' common ones. */
struct sluice_docs_table {
    const char *title, *intro;           /* intro: a sentence or two; NULL: none */
    const struct sluice_option *options; /* rows of this build; NULL-key ended */
};

/* The whole page: the n tables first, then every plugin of the registry by kind and name. */
void sluice_docs_print(const struct sluice_registry *registry,
                       const struct sluice_docs_table *tables, size_t n, FILE *out);

#endif
