/* config_writes.c - records for the config topic, with the bytes that Connect's JsonConverter
 * (schemas.enable=false) gives them; see config_log.h. A config's keys keep the order that they
 * came in, as in Java they have the order of some hash map. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/json_io.h"
#include "data/json_text.h"
#include "store/config_log.h"

/* Buffers here grow to 1 GiB, and what is written was capped on its way in. */
static void must(bool ok)
{
    assert(ok);
    (void)ok;
}

static void text(struct sluice_buf *buf, const char *s)
{
    must(sluice_json_string(buf, s, strlen(s), NULL));
}

static void raw(struct sluice_buf *buf, const char *s) { must(sluice_buf_adds(buf, s)); }

/* Takes the value over; NULL: tombstone. */
static void add(struct sluice_writes *w, const char *prefix, const char *name,
                struct sluice_buf *value)
{
    w->items = sluice_xgrow(w->items, w->n, &w->cap, sizeof *w->items);
    w->items[w->n++] = (struct sluice_write){
        .key = sluice_xasprintf("%s%s", prefix, name),
        .value = value ? sluice_xstrdup(sluice_buf_str(value)) : NULL,
    };
    if (value) sluice_buf_fini(value);
}

void sluice_writes_fini(struct sluice_writes *writes)
{
    for (size_t i = 0; i < writes->n; i++) {
        free(writes->items[i].key);
        free(writes->items[i].value);
    }
    free(writes->items);
    *writes = (struct sluice_writes){0};
}

static void properties(struct sluice_buf *buf, const struct sluice_map *config)
{
    sluice_buf_init(buf, SLUICE_BUF_MAX);
    raw(buf, "{\"properties\":{");
    for (size_t i = 0; i < config->n; i++) {
        if (i) raw(buf, ",");
        text(buf, config->items[i].key);
        raw(buf, ":");
        if (config->items[i].value) text(buf, config->items[i].value);
        else raw(buf, "null");
    }
    raw(buf, "}}");
}

void sluice_write_connector(struct sluice_writes *w, const char *name,
                            const struct sluice_map *config)
{
    struct sluice_buf buf;
    if (config) properties(&buf, config);
    add(w, "connector-", name, config ? &buf : NULL);
}

void sluice_write_tasks(struct sluice_writes *w, const char *name, const struct sluice_map *configs,
                        int n)
{
    struct sluice_buf buf;
    assert(n >= 0);
    for (int i = 0; i < n; i++) {
        char *task = sluice_xasprintf("%s-%d", name, i);
        properties(&buf, &configs[i]);
        add(w, "task-", task, &buf);
        free(task);
    }
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    must(sluice_buf_addf(&buf, "{\"tasks\":%d}", n));
    add(w, "commit-", name, &buf);
}

void sluice_write_target(struct sluice_writes *w, const char *name, enum sluice_target target)
{
    static const char *const words[] = {"STARTED", "PAUSED", "STOPPED"};
    struct sluice_buf buf;
    assert((size_t)target < sizeof words / sizeof *words);
    /* Workers before 3.5 know no STOPPED: to them it is PAUSED. */
    const char *old = target == SLUICE_TARGET_STOPPED ? "PAUSED" : words[target];
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    must(sluice_buf_addf(&buf, "{\"state\":\"%s\",\"state.v2\":\"%s\"}", old, words[target]));
    add(w, "target-state-", name, &buf);
}

void sluice_write_no_target(struct sluice_writes *w, const char *name)
{
    add(w, "target-state-", name, NULL);
}

void sluice_write_session_key(struct sluice_writes *w, const char *key_base64,
                              const char *algorithm, int64_t created_ms)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    raw(&buf, "{\"key\":");
    text(&buf, key_base64);
    raw(&buf, ",\"algorithm\":");
    text(&buf, algorithm);
    must(sluice_buf_addf(&buf, ",\"creation-timestamp\":%lld}", (long long)created_ms));
    add(w, "session-key", "", &buf);
}

void sluice_write_restart(struct sluice_writes *w, const char *name, bool include_tasks,
                          bool only_failed)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    must(sluice_buf_addf(&buf, "{\"include-tasks\":%s,\"only-failed\":%s}",
                         include_tasks ? "true" : "false", only_failed ? "true" : "false"));
    add(w, "restart-connector-", name, &buf);
}

void sluice_write_fencing(struct sluice_writes *w, const char *name, int tasks)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    must(sluice_buf_addf(&buf, "{\"task-count\":%d}", tasks));
    add(w, "tasks-fencing-", name, &buf);
}

void sluice_write_logger(struct sluice_writes *w, const char *logger, const char *level)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    raw(&buf, "{\"level\":");
    text(&buf, level);
    raw(&buf, "}");
    add(w, "logger-cluster-", logger, &buf);
}

void sluice_write_leader(struct sluice_writes *w, const char *member, int32_t generation)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    raw(&buf, "{\"member\":");
    text(&buf, member);
    must(sluice_buf_addf(&buf, ",\"generation\":%d}", generation));
    add(w, "sluice-leader", "", &buf);
}

static void put_owner(struct sluice_buf *buf, const struct sluice_owner *owner)
{
    if (!owner->member) {
        raw(buf, "null");
        return;
    }
    if (owner->leaving) raw(buf, "{\"leaving\":");
    text(buf, owner->member);
    if (owner->leaving) raw(buf, "}");
}

void sluice_write_assignment(struct sluice_writes *w, const char *name, int32_t generation,
                             const struct sluice_owner *owner, const struct sluice_owner *tasks,
                             int n)
{
    struct sluice_buf buf;
    if (!owner) {
        add(w, "sluice-assignment-", name, NULL);
        return;
    }
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    must(sluice_buf_addf(&buf, "{\"generation\":%d,\"connector\":", generation));
    put_owner(&buf, owner);
    raw(&buf, ",\"tasks\":[");
    for (int i = 0; i < n; i++) {
        if (i) raw(&buf, ",");
        put_owner(&buf, &tasks[i]);
    }
    raw(&buf, "]}");
    add(w, "sluice-assignment-", name, &buf);
}
