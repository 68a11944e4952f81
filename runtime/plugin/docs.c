/* docs.c - see docs.h. The same registry gives the same bytes, so that a check can compare. */
#include "plugin/docs.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "plugin/describe.h"
#include "plugin/option_rows.h"
#include "plugin/option_value.h"

/* Text inside a table's cell: one line, and no bar that would end the cell. */
static void print_cell(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\n') fputc(' ', out);
        else if (*p == '|') fputs("\\|", out);
        else if (*p == '<') fputs("&lt;", out);
        else if (*p == '*') fputs("\\*", out);
        else fputc(*p, out);
    }
}

/* The same within back-ticks, where Markdown changes nothing but bars. */
static void print_code(FILE *out, const char *text)
{
    fputc('`', out);
    for (const char *p = text; *p; p++) {
        if (*p == '|') fputs("\\|", out);
        else if (*p == '\n') fputs("\\n", out);
        else fputc(*p, out);
    }
    fputc('`', out);
}

static void print_default(FILE *out, const struct sluice_option *row)
{
    if (row->flags & SLUICE_OPT_REQUIRED) fputs("**required**", out);
    else if (!row->fallback) fputs("none", out);
    else if (!*row->fallback) fputs("empty", out);
    else print_code(out, row->fallback);
}

static void print_valid(FILE *out, const struct sluice_option *row)
{
    const char *dots = row->valid ? strstr(row->valid, "..") : NULL;
    if (!row->valid) return;
    fputs(" Valid: ", out);
    if (dots) {
        int n = (int)(dots - row->valid);
        if (n && dots[2]) fprintf(out, "%.*s to %s", n, row->valid, dots + 2);
        else if (n) fprintf(out, "%.*s and above", n, row->valid);
        else fprintf(out, "up to %s", dots + 2);
    } else {
        for (const char *at = row->valid; at;) {
            const char *bar = strchr(at, '|');
            fprintf(out, "`%.*s`%s", (int)(bar ? bar - at : (long)strlen(at)), at, bar ? ", " : "");
            at = bar ? bar + 1 : NULL;
        }
        if (row->flags & SLUICE_OPT_NOCASE) fputs(" in any case", out);
    }
    fputc('.', out);
}

static void print_type(FILE *out, const struct sluice_option *row)
{
    for (const char *p = sluice_option_type_name((enum sluice_option_type)row->type); *p; p++) {
        fputc(tolower((unsigned char)*p), out);
    }
}

static void print_row(FILE *out, const struct sluice_option *row)
{
    fputs("| ", out);
    print_code(out, row->key);
    fputs(" | ", out);
    print_type(out, row);
    fputs(" | ", out);
    print_default(out, row);
    fputs(" | ", out);
    print_cell(out, row->doc);
    print_valid(out, row);
    fputs(" |\n", out);
}

static bool same_group(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

/* Rows of one group, in table order. */
static void print_group(FILE *out, const struct sluice_option *options, size_t stride,
                        const char *group)
{
    if (group) fprintf(out, "\n**%s**\n", group);
    fputs("\n| option | type | default | meaning |\n|---|---|---|---|\n", out);
    for (const struct sluice_option *row = options; row->key;
         row = sluice_option_next(row, stride)) {
        if (!(row->flags & SLUICE_OPT_IGNORED) && same_group(row->group, group)) {
            print_row(out, row);
        }
    }
}

/* Whether the row is the first shown one of its group. */
static bool opens_group(const struct sluice_option *options, size_t stride,
                        const struct sluice_option *row)
{
    for (const struct sluice_option *other = options; other != row;
         other = sluice_option_next(other, stride)) {
        if (!(other->flags & SLUICE_OPT_IGNORED) && same_group(other->group, row->group))
            return false;
    }
    return !(row->flags & SLUICE_OPT_IGNORED);
}

static void print_ignored(FILE *out, const struct sluice_option *options, size_t stride)
{
    size_t n = 0;
    for (const struct sluice_option *row = options; row->key;
         row = sluice_option_next(row, stride)) {
        if (!(row->flags & SLUICE_OPT_IGNORED)) continue;
        fputs(n++ ? ", " : "\nAccepted without effect, with one warning: ", out);
        print_code(out, row->key);
    }
    if (n) fputs(".\n", out);
}

static void print_options(FILE *out, const struct sluice_option *options, size_t stride)
{
    if (!options || !options->key) {
        fputs("\nNo options.\n", out);
        return;
    }
    for (const struct sluice_option *row = options; row->key;
         row = sluice_option_next(row, stride)) {
        if (opens_group(options, stride, row)) print_group(out, options, stride, row->group);
    }
    print_ignored(out, options, stride);
}

static void print_plugin(FILE *out, const struct sluice_plugin *plugin)
{
    char kind[32];
    snprintf(kind, sizeof(kind), "%s", sluice_kind_name(plugin->kind));
    for (char *p = kind; *p; p++) {
        if (*p == '_') *p = ' ';
    }
    fprintf(out, "\n## %s: `%s`\n", kind, plugin->name);
    for (const char *const *alias = plugin->aliases; alias && *alias; alias++) {
        fprintf(out, "%s`%s`", alias == plugin->aliases ? "\nAlso known as " : ", ", *alias);
    }
    if (plugin->aliases && *plugin->aliases) fputs(".\n", out);
    if (plugin->max_tasks) {
        fprintf(out, "\nAt most %u task%s.\n", plugin->max_tasks,
                plugin->max_tasks == 1 ? "" : "s");
    }
    print_options(out, plugin->options, plugin->option_size);
}

void sluice_docs_print(const struct sluice_registry *registry,
                       const struct sluice_docs_table *tables, size_t n, FILE *out)
{
    assert(n == 0 || tables);
    fputs("# Options\n\nWritten by `sluice config-docs` from the tables that check configs; do "
          "not edit.\nNames, defaults and meanings are those of Kafka Connect and of the "
          "connectors whose place\na plugin takes.\n",
          out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "\n## %s\n", tables[i].title);
        if (tables[i].intro) fprintf(out, "\n%s\n", tables[i].intro);
        print_options(out, tables[i].options, sizeof(struct sluice_option));
    }
    const struct sluice_plugin *plugin;
    for (size_t i = 0; (plugin = sluice_registry_at(registry, i)); i++) print_plugin(out, plugin);
}
