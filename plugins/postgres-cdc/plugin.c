/* plugin.c - postgres-cdc's description and callbacks: the drop-in for Debezium's Postgres
 * connector.
 *
 * Reading order: cdc.h (state and phases), setup.c (connect, slot), publication.c, snapshot.c,
 * stream.c, envelope.c (records), relation.c and typemap.c (schemas), types*.c (values),
 * position.c (offsets). All callbacks run on the task's thread and never block: poll() gives way
 * when its time is up or the host calls. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"

#define BACKOFF_FIRST_MS 250
#define SLOT_BUSY_MS 500
#define DROP_SLOT_MS 5000
#define CHUNK_MS 5 /* between looks at what an incremental snapshot waits for */

/* ---- open and close ---- */

static void first_complaint(void *arg, const char *key, const char *why)
{
    struct sluice_err *err = arg;
    if (!err->msg[0])
        snprintf(err->msg, sizeof(err->msg), "invalid value for configuration %s: %s", key, why);
}

static bool load_offset(struct cdc *cdc, struct sluice_err *err)
{
    const char *prefix = cdc->settings.prefix;
    const struct sluice_value pair[2] = {sluice_string("server", 6),
                                         sluice_string(prefix, strlen(prefix))};
    const struct sluice_value map = sluice_nested(SLUICE_MAP, pair, 1);
    cdc->partition = cdc->host->partition(cdc->task, &map);
    const struct sluice_value *offset = cdc->host->resume(cdc->task, cdc->partition);
    if (!offset || offset->type == SLUICE_NULL) return true;
    cdc->has_position = true;
    if (cdc_position_load(&cdc->position, offset, err)) return true;
    size_t len = strlen(err->msg);
    snprintf(err->msg + len, sizeof(err->msg) - len,
             "; delete the connector's offsets to start with a new snapshot");
    return false;
}

/* What existing configs may have, and what has no effect. */
static void warn_of_settings(const struct cdc *cdc)
{
    const struct cdc_settings *s = &cdc->settings;
    if (s->driver.ignored)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "these settings of the Java driver have no effect, as libpq has none like "
                       "them: %s",
                       s->driver.ignored);
    if (s->signal_jmx)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "jmx in signal.enabled.channels has no effect, as there is no Java that "
                       "could take signals; send them through source, kafka or file");
    if (s->notify_jmx)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "jmx in notification.enabled.channels has no effect, as there is no Java "
                       "that could tell them; use sink or log, or look at the metrics");
}

static enum sluice_verdict cdc_open(struct sluice_task *task, const struct sluice_host *host,
                                    const struct sluice_conf *conf, void **self,
                                    struct sluice_err *err)
{
    struct cdc *cdc = cdc_alloc(sizeof(*cdc));
    *self = cdc;
    cdc->task = task;
    cdc->host = host;
    cdc->memory.host = host;
    cdc->phase = CDC_CONNECT;
    cdc->first_start = true;
    cdc->marks = host->abi_minor >= 1 && host->marks_boundaries(task);
    err->msg[0] = 0;
    if (!cdc_settings_read(&cdc->settings, host, conf, first_complaint, err) ||
        !load_offset(cdc, err))
        return SLUICE_FAIL;
    warn_of_settings(cdc);
    cdc->before_cells = cdc_alloc(CDC_COLUMNS_MAX * sizeof(struct cdc_cell));
    cdc->after_cells = cdc_alloc(CDC_COLUMNS_MAX * sizeof(struct cdc_cell));
    cdc->relation_columns = cdc_alloc(CDC_COLUMNS_MAX * sizeof(struct cdc_relation_column));
    cdc_envelope_init(cdc, host->connector(task), host->task_id(task));
    cdc_reselect_init(cdc);
    cdc_incremental_init(cdc, host->resume(task, cdc->partition));
    if (cdc->settings.signal_topic && host->abi_minor < 2)
        return cdc_fail(err, "signal.enabled.channels=kafka needs a newer sluice");
    return SLUICE_OK;
}

static void free_kept(struct cdc *cdc)
{
    for (size_t i = 0; i < cdc->kept_n; i++) PQfreemem(cdc->kept[i]);
    cdc->kept_n = 0;
}

static void disconnect(struct cdc *cdc)
{
    cdc_snapshot_abandon(cdc);
    cdc_stream_abandon(cdc);
    free(cdc->identity_sql);
    cdc->identity_sql = NULL;
    cdc_incremental_abandon(cdc);
    cdc_reselect_abandon(cdc);
    cdc_conn_close(&cdc->general);
    cdc_conn_close(&cdc->replication);
}

static void cdc_close(void *self)
{
    struct cdc *cdc = self;
    if (!cdc) return;
    bool drop = cdc->settings.slot_drop_on_stop && cdc->closed_well && !cdc->hopeless;
    disconnect(cdc);
    if (drop) cdc_drop_slot(cdc, DROP_SLOT_MS);
    cdc_conn_close(&cdc->general);
    cdc_signals_fini(cdc);
    cdc_incremental_fini(cdc);
    cdc_reselect_fini(cdc);
    cdc_streamed_fini(&cdc->streamed);
    free(cdc->identity_sql);
    free_kept(cdc);
    free(cdc->kept);
    cdc_relations_free(&cdc->relations, cdc->host);
    cdc_types_free(&cdc->types);
    cdc_envelope_fini(cdc);
    free(cdc->before_cells);
    free(cdc->after_cells);
    free(cdc->relation_columns);
    cdc_settings_free(&cdc->settings);
    free(cdc);
}

/* ---- poll ---- */

static enum sluice_verdict stumble(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    bool busy = cdc->slot_wait_since_ms != 0;
    cdc->failures += !busy; /* slot.max.retries counts these */
    bool retriable = s->retriable.code && cdc_rewrite_matches(&s->retriable, err->msg);
    bool give_up = (cdc_hopeless(cdc) && !retriable) ||
                   (s->max_retries >= 0 && cdc->failures > s->max_retries);
    disconnect(cdc);
    if (give_up) return SLUICE_FAIL;
    int shift = cdc->failures < 12 ? cdc->failures - 1 : 11;
    int64_t wait_ms = busy ? SLOT_BUSY_MS : (int64_t)BACKOFF_FIRST_MS << shift;
    if (wait_ms > s->retry_wait_ms) wait_ms = s->retry_wait_ms;
    struct cdc_text text = {0};
    cdc_text_addf(&text, "%s; next try in %lld.%lld s", err->msg, (long long)wait_ms / 1000,
                  (long long)wait_ms % 1000 / 100);
    cdc->host->trouble(cdc->task, text.s);
    cdc_text_free(&text);
    cdc->next_try_ms = cdc_now_ms() + wait_ms;
    cdc->phase = CDC_BACKOFF;
    return SLUICE_OK;
}

static enum cdc_step advance(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    enum cdc_phase phase = cdc->phase;
    int64_t until;
    switch (phase) {
    case CDC_BACKOFF:
        until = cdc->next_try_ms < wait->until_ms ? cdc->next_try_ms : wait->until_ms;
        cdc_sleep(wait->wake_fd, until);
        if (cdc_now_ms() < cdc->next_try_ms) return CDC_WAIT;
        cdc->phase = CDC_CONNECT;
        return CDC_DONE;
    case CDC_IDLE:
        cdc_conn_close(&cdc->general);
        cdc_sleep(wait->wake_fd, wait->until_ms);
        return CDC_WAIT;
    case CDC_SNAPSHOT_BEGIN:
    case CDC_SNAPSHOT_TABLE:
    case CDC_SNAPSHOT_OPEN:
    case CDC_SNAPSHOT_COPY:
    case CDC_SNAPSHOT_END: return cdc_snapshot(cdc, wait, err);
    case CDC_STREAM: return cdc_stream(cdc, wait, err);
    default: return cdc_setup(cdc, wait, err);
    }
}

static bool works(enum cdc_phase phase)
{
    return phase == CDC_SNAPSHOT_COPY || phase == CDC_STREAM || phase == CDC_IDLE;
}

static int shortest(const struct cdc *cdc, int wait_ms)
{
    if (cdc->phase != CDC_STREAM) return wait_ms;
    if (cdc_incremental_busy(cdc) && wait_ms > CHUNK_MS) wait_ms = CHUNK_MS;
    if (cdc->status_ms < wait_ms) wait_ms = cdc->status_ms;
    wait_ms = cdc_signals_wait(cdc, wait_ms);
    int beat = cdc->settings.heartbeat_ms;
    return beat && beat < wait_ms ? beat : wait_ms;
}

static enum sluice_verdict cdc_poll(void *self, struct sluice_batch *batch,
                                    const struct sluice_room *room, struct sluice_err *err)
{
    struct cdc *cdc = self;
    free_kept(cdc);
    cdc_relations_sweep(&cdc->relations, cdc->host);
    cdc->memory.batch = batch;
    cdc->memory.next = cdc->memory.end = NULL;
    cdc->room = room;
    cdc->emitted = cdc->emitted_bytes = cdc->copied_bytes = 0;
    cdc->part = 0;
    cdc->last = NULL;
    cdc->now_ns = cdc_wall_ns();
    struct cdc_wait wait = {cdc->host->wake_fd(cdc->task),
                            cdc_now_ms() + shortest(cdc, room->wait_ms)};
    enum cdc_step step;
    do {
        bool worked = works(cdc->phase);
        step = advance(cdc, &wait, err);
        if (!worked && works(cdc->phase)) cdc->host->trouble(cdc->task, NULL);
    } while (step == CDC_DONE && cdc_now_ms() < wait.until_ms);
    cdc_notify_flush(cdc);
    cdc_meters_tell(cdc);
    if (!cdc->message) cdc_mark(cdc); /* rows of a snapshot, heartbeats, messages */
    return step == CDC_ERROR ? stumble(cdc, err) : SLUICE_OK;
}

/* ---- offsets ---- */

static bool take_position(struct cdc_counted_position *out, const void *position, size_t len,
                          struct sluice_err *err)
{
    memset(out, 0, sizeof(*out));
    if (len != sizeof(out->at) && len != sizeof(*out))
        return cdc_error(err, "a position of %zu bytes is none of this connector's", len);
    memcpy(out, position, len);
    return true;
}

static enum sluice_verdict cdc_offset(void *self, const void *position, size_t len,
                                      struct sluice_batch *scratch, struct sluice_value *out,
                                      struct sluice_err *err)
{
    struct cdc *cdc = self;
    struct cdc_counted_position p;
    if (!take_position(&p, position, len, err)) return SLUICE_FAIL;
    struct cdc_memory memory = {.host = cdc->host, .batch = scratch};
    struct cdc_position_count counts[CDC_COUNTS_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < p.n; i++) {
        const struct cdc_relation *rel = cdc_relations_find(&cdc->relations, p.counts[i].oid);
        if (!rel) continue;
        counts[n].schema = rel->schema;
        counts[n].table = rel->table;
        counts[n++].count = p.counts[i].count;
    }
    *out = cdc_position_store(&p.at, len == sizeof(p), counts, n, &memory);
    struct sluice_value *pairs =
        cdc_take(&memory, 2 * ((size_t)out->len + CDC_INCREMENTAL_KEYS) * sizeof(*pairs));
    memcpy(pairs, out->u.v, 2 * (size_t)out->len * sizeof(*pairs));
    n = cdc_incremental_store(cdc, p.at.state, &memory, pairs + 2 * (size_t)out->len);
    *out = sluice_nested(SLUICE_MAP, pairs, out->len + n);
    return SLUICE_OK;
}

static enum sluice_verdict cdc_acked(void *self, uint32_t partition, const void *position,
                                     size_t len, struct sluice_err *err)
{
    struct cdc *cdc = self;
    struct cdc_counted_position p;
    (void)partition;
    if (!take_position(&p, position, len, err)) return SLUICE_FAIL;
    cdc_incremental_acked(cdc, p.at.state);
    cdc_signals_acked(cdc, p.at.state);
    if (p.at.age != cdc->position.age) return SLUICE_OK;
    uint64_t lsn = cdc_streamed_holds(&cdc->streamed, cdc_position_confirms(&p.at));
    if (lsn <= cdc->confirmed_lsn) return SLUICE_OK;
    cdc->confirmed_lsn = lsn;
    /* Nobody may poll for a while (a full window): what is durable is told at once. A connection
     * that breaks here is found broken, and mended, by the next poll(). */
    struct sluice_err ignored;
    cdc_stream_status(cdc, true, &ignored);
    return SLUICE_OK;
}

/* A change comes once. Rows of a snapshot that was interrupted come again, as it starts anew. */
static unsigned cdc_exactly_once(const struct sluice_host *host, const struct sluice_conf *conf)
{
    (void)host;
    (void)conf;
    return SLUICE_EXACTLY_ONCE | SLUICE_BOUNDARIES;
}

/* ---- validate ---- */

struct findings {
    const struct sluice_host *host;
    struct sluice_report *report;
};

static void find(void *arg, const char *key, const char *why)
{
    const struct findings *f = arg;
    f->host->finding(f->report, key, "%s", why);
}

static void cdc_validate(const struct sluice_host *host, const struct sluice_conf *conf,
                         struct sluice_report *report)
{
    struct cdc_settings settings = {0};
    struct findings findings = {host, report};
    const char *key, *value;
    bool starts = false;
    for (size_t i = 0; host->entry(conf, i, &key, &value); i++)
        starts |= !strcmp(key, "connector.starts");
    if (cdc_settings_read(&settings, host, conf, find, &findings))
        cdc_probe(&settings, host, starts, find, &findings);
    cdc_settings_free(&settings);
}

/* ---- description ---- */

static const char *const aliases[] = {"io.debezium.connector.postgresql.PostgresConnector",
                                      "PostgresConnector", "PostgresCdcSource",
                                      "PostgresCdcSourceV2", NULL};

static const struct sluice_source source = {.size = sizeof(source),
                                            .poll = cdc_poll,
                                            .offset = cdc_offset,
                                            .acked = cdc_acked,
                                            .exactly_once = cdc_exactly_once};

static const struct sluice_plugin plugin = {
    SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_SOURCE, .max_tasks = 1,
    .name = "postgres-cdc", .version = SLUICE_VERSION,  .aliases = aliases,
    .options = cdc_options, .validate = cdc_validate,   .open = cdc_open,
    .close = cdc_close,     .source = &source,
};

static const struct sluice_plugin *const plugins[] = {&plugin, NULL};

const struct sluice_plugin *const *sluice_plugins_v1(void) { return plugins; }
