/* gauges.c - see gauges.h. Samples are rendered when they are told, on the task's thread; asking
 * sorts them by name. */
#include "base/gauges.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

#define LABEL_MAX 1024 /* bytes of one label's value; the rest is cut off */
#define SAMPLE_MAX ((size_t)16 << 10)

struct sample {
    char *name, *help, *line; /* help NULL: none */
    bool counter;
};

struct owner {
    struct owner *next;
    const void *who;
    struct sample *samples;
    size_t n;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static struct owner *owners;

static void free_owner(struct owner *owner)
{
    if (!owner) return;
    for (size_t i = 0; i < owner->n; i++) {
        free(owner->samples[i].name);
        free(owner->samples[i].help);
        free(owner->samples[i].line);
    }
    free(owner->samples);
    free(owner);
}

static bool good_name(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    if (!name || !*name || !strchr(first, *name)) return false;
    for (const char *c = name; *c; c++)
        if (!strchr(first, *c) && (*c < '0' || *c > '9')) return false;
    return true;
}

static void add_label(struct sluice_buf *buf, const char *before, const char *key,
                      const char *value)
{
    sluice_buf_addf(buf, "%s%s=\"", before, key);
    for (size_t i = 0; value && value[i] && i < LABEL_MAX; i++) {
        if (value[i] == '\n') sluice_buf_adds(buf, "\\n");
        else if (value[i] == '"' || value[i] == '\\') sluice_buf_addf(buf, "\\%c", value[i]);
        else sluice_buf_add(buf, value + i, 1);
    }
    sluice_buf_adds(buf, "\"");
}

static void render(struct sample *out, const struct sluice_metric *metric, const char *connector,
                   int task)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SAMPLE_MAX);
    add_label(&buf, "{", "connector", connector);
    sluice_buf_addf(&buf, ",task=\"%d\"", task);
    for (size_t i = 0; i < metric->labels_n; i++)
        if (good_name(metric->labels[i].key))
            add_label(&buf, ",", metric->labels[i].key, metric->labels[i].value);
    if (isinf(metric->value)) sluice_buf_addf(&buf, "} %cInf", metric->value > 0 ? '+' : '-');
    else sluice_buf_addf(&buf, "} %.15g", metric->value);
    out->name = sluice_xstrdup(metric->name);
    out->help = sluice_xstrdup(metric->help);
    out->line = sluice_xstrdup(sluice_buf_str(&buf));
    out->counter = metric->counter;
    sluice_buf_fini(&buf);
}

/* Takes the owner's set out; NULL: it has none. */
static struct owner *take(const void *who)
{
    struct owner **at = &owners;
    while (*at && (*at)->who != who) at = &(*at)->next;
    struct owner *owner = *at;
    if (owner) *at = owner->next;
    return owner;
}

void sluice_gauges_set(const void *owner, const char *connector, int task,
                       const struct sluice_metric *list, size_t n)
{
    assert(owner && connector && (list || !n));
    struct owner *made = sluice_xcalloc(1, sizeof *made);
    size_t most = n < SLUICE_GAUGES_MAX ? n : SLUICE_GAUGES_MAX;
    made->who = owner;
    made->samples = sluice_xcalloc(most + 1, sizeof *made->samples);
    for (size_t i = 0; i < n && made->n < most; i++)
        if (good_name(list[i].name) && !isnan(list[i].value))
            render(&made->samples[made->n++], &list[i], connector, task);
    sluice_lock(&lock);
    struct owner *former = take(owner);
    made->next = owners;
    owners = made;
    sluice_unlock(&lock);
    free_owner(former);
}

void sluice_gauges_drop(const void *owner)
{
    sluice_lock(&lock);
    struct owner *former = take(owner);
    sluice_unlock(&lock);
    free_owner(former);
}

static int by_name(const void *a, const void *b)
{
    const struct sample *x = *(const struct sample *const *)a;
    const struct sample *y = *(const struct sample *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->line, y->line);
}

void sluice_gauges_write(struct sluice_buf *buf)
{
    sluice_lock(&lock);
    size_t n = 0, at = 0;
    for (const struct owner *o = owners; o; o = o->next) n += o->n;
    const struct sample **all = sluice_xcalloc(n + 1, sizeof *all);
    for (const struct owner *o = owners; o; o = o->next)
        for (size_t i = 0; i < o->n; i++) all[at++] = &o->samples[i];
    assert(at == n);
    qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0; i < n; i++) {
        if (!i || strcmp(all[i]->name, all[i - 1]->name) != 0) {
            if (all[i]->help) sluice_buf_addf(buf, "# HELP %s %s\n", all[i]->name, all[i]->help);
            sluice_buf_addf(buf, "# TYPE %s %s\n", all[i]->name,
                            all[i]->counter ? "counter" : "gauge");
        }
        sluice_buf_addf(buf, "%s%s\n", all[i]->name, all[i]->line);
    }
    sluice_unlock(&lock);
    free(all);
}
