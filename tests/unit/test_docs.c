/* test_docs.c - docs/CONFIG.md's generator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "plugin/docs.h"

static const struct sluice_option table[] = {
    {.key = "a.key", .type = SLUICE_OPT_STRING, .flags = SLUICE_OPT_REQUIRED, .doc = "A < b | c."},
    {.key = "mode",
     .type = SLUICE_OPT_STRING,
     .fallback = "x",
     .valid = "x|y",
     .flags = SLUICE_OPT_NOCASE,
     .group = "More",
     .doc = "Which one."},
    {.key = "n", .type = SLUICE_OPT_INT, .fallback = "5", .valid = "1..9", .doc = "How many."},
    {.key = "m.*.x", .type = SLUICE_OPT_LONG, .valid = "1..", .group = "More", .doc = "Much."},
    {.key = "list", .type = SLUICE_OPT_LIST, .fallback = "", .doc = "List."},
    {.key = "old",
     .type = SLUICE_OPT_INT,
     .flags = SLUICE_OPT_IGNORED,
     .group = "Old",
     .doc = "Nothing."},
    {.key = "older", .type = SLUICE_OPT_INT, .flags = SLUICE_OPT_IGNORED, .doc = "Nothing."},
    {.key = NULL},
};

TEST(docs_show_every_table_and_plugin)
{
    static const struct sluice_option none[] = {{.key = NULL}};
    const struct sluice_docs_table tables[] = {{"Worker", "In its properties.", table},
                                               {"Empty", NULL, none}};
    struct sluice_registry *registry = sluice_registry_new();
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CHECK(out != NULL);
    sluice_docs_print(registry, tables, 2, out);
    fclose(out);
    CHECK_HAS(text, "\n## Worker\n\nIn its properties.\n\n"
                    "| option | type | default | meaning |\n|---|---|---|---|\n"
                    "| `a.key` | string | **required** | A &lt; b \\| c. |\n"
                    "| `n` | int | `5` | How many. Valid: 1 to 9. |\n"
                    "| `list` | list | empty | List. |\n"
                    "\n**More**\n\n"
                    "| option | type | default | meaning |\n|---|---|---|---|\n"
                    "| `mode` | string | `x` | Which one. Valid: `x`, `y` in any case. |\n"
                    "| `m.*.x` | long | none | Much. Valid: 1 and above. |\n"
                    "\nAccepted without effect, with one warning: `old`, `older`.\n"
                    "\n## Empty\n\nNo options.\n");
    const struct sluice_plugin *plugin;
    for (size_t i = 0; (plugin = sluice_registry_at(registry, i)); i++) {
        char title[128];
        snprintf(title, sizeof(title), ": `%s`\n", plugin->name);
        CHECK_HAS(text, title);
    }
    CHECK_HAS(text, "\n## converter: `");
    CHECK_HAS(text, "Also known as `org.apache.kafka.connect.json.JsonConverter`");
    free(text);
    sluice_registry_free(registry);
}
