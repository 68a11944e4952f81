/* field_path.c - see field_path.h. Backticks are read as Connect reads them: one closes a name only
 * before a dot or at the end, a backslash before it there makes it part of the name. */
#include "data/transforms/field_path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/schema.h"

static void add_step(struct field_path *path, size_t *cap, const char *s, size_t len)
{
    path->steps = sluice_xgrow(path->steps, path->n, cap, sizeof *path->steps);
    path->steps[path->n++] = sluice_xstrndup(s, len);
}

/* at: behind the opening backtick. The name comes to out; returns the place behind the closing
 * backtick, NULL when there is none. */
static const char *read_quoted(const char *at, struct sluice_buf *out)
{
    assert(at[-1] == '`');
    for (const char *from = at;; at++) {
        at = strchr(at, '`');
        if (!at) return NULL;
        bool escaped = at[-1] == '\\';
        if (at[1] && at[1] != '.') continue;
        if (!escaped) {
            sluice_buf_add(out, from, (size_t)(at - from));
            return at + 1;
        }
        if (!at[1]) return NULL;
        sluice_buf_add(out, from, (size_t)(at - 1 - from));
        sluice_buf_add(out, "`", 1);
        from = at + 1;
    }
}

static bool parse_steps(struct field_path *path, struct sluice_err *err)
{
    const char *at = path->text;
    size_t cap = 0;
    struct sluice_buf name;
    sluice_buf_init(&name, SLUICE_BUF_MAX);
    while (*at) {
        const char *start = at;
        sluice_buf_clear(&name);
        if (*at == '`') at = read_quoted(at + 1, &name);
        else at += strcspn(at, ".");
        if (!at) {
            sluice_buf_fini(&name);
            return sluice_err_set(err,
                                  "Incomplete backtick pair in path: [%s], consider adding a "
                                  "backslash before backtick at position %zu to escape it",
                                  path->text, (size_t)(start - path->text));
        }
        if (*start == '`') add_step(path, &cap, sluice_buf_str(&name), name.len);
        else add_step(path, &cap, start, (size_t)(at - start));
        if (*at == '.' && !*++at) add_step(path, &cap, "", 0);
    }
    sluice_buf_fini(&name);
    return true;
}

bool field_path_parse(struct field_path *path, const char *text, bool v2, struct sluice_err *err)
{
    size_t cap = 0;
    assert(!path->text && !path->steps);
    path->text = sluice_xstrdup(text);
    if (v2) return parse_steps(path, err);
    add_step(path, &cap, text, strlen(text));
    return true;
}

void field_path_fini(struct field_path *path)
{
    for (size_t i = 0; i < path->n; i++) free(path->steps[i]);
    free(path->steps);
    free(path->text);
    memset(path, 0, sizeof *path);
}

const struct sluice_schema *field_path_find(const struct field_path *path,
                                            const struct sluice_schema *schema, int *at,
                                            struct sluice_err *err)
{
    assert(path->n > 0);
    for (size_t i = 0; i < path->n; i++) {
        if (schema->type != SLUICE_STRUCT) {
            sluice_err_set(err, "Cannot look up fields on non-struct type");
            return NULL;
        }
        at[i] = sluice_schema_field(schema, path->steps[i], strlen(path->steps[i]));
        if (at[i] < 0) {
            sluice_err_set(err, "Unknown field: %s", path->text);
            return NULL;
        }
        assert((uint32_t)at[i] < schema->fields_len);
        schema = schema->fields[at[i]].schema;
    }
    return schema;
}

bool field_path_is_v2(const struct sluice_host *host, const struct sluice_conf *conf)
{
    return strcasecmp(host->str(conf, "field.syntax.version"), "V2") == 0;
}
