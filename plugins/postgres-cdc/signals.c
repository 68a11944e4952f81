/* signals.c - see signals.h. */
#include "signals.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdc.h"

#define FILE_MAX ((size_t)1 << 20)
#define MESSAGES_MAX 100 /* of the topic, in one go */
#define OPEN_AGAIN_MS 10000
#define KAFKA_POLL_MS 1000 /* messages wake the task; this keeps the group alive */

/* ---- what a signal means ---- */

static void ignored(struct cdc *cdc, const char *id, const char *type, const char *why)
{
    cdc->host->log(cdc->task, SLUICE_WARN, "signal '%.100s' of type '%.100s' is ignored: %s", id,
                   type, why);
}

static void say(struct cdc *cdc, const char *id, const char *type, const json_t *data)
{
    const char *text = json_string_value(json_object_get(data, "message"));
    if (!text || !*text) {
        ignored(cdc, id, type, "its data has no message");
        return;
    }
    char lsn[24];
    const char *hole = strstr(text, "{}");
    cdc_lsn_text(cdc->position.lsn, lsn);
    size_t n = hole ? (size_t)(hole - text) : strlen(text);
    cdc->host->log(cdc->task, SLUICE_INFO, "%.*s%s%s", (int)n, text, hole ? lsn : "",
                   hole ? hole + 2 : "");
}

/* A list of strings; may_lack: it need not be there. */
static bool names_tables(const json_t *data, bool may_lack, const char **why)
{
    const json_t *names = json_object_get(data, "data-collections"), *name;
    size_t i;
    *why = "its data-collections are missing, empty or no list of strings";
    if (!json_array_size(names)) return may_lack && (!names || json_is_array(names));
    json_array_foreach(names, i, name)
    {
        struct cdc_patterns pattern = {0};
        struct sluice_err err;
        const char *regex = json_string_value(name);
        bool ok = regex && cdc_patterns_add(&pattern, regex, strlen(regex), &err);
        cdc_patterns_free(&pattern);
        if (regex && !ok) *why = "one of its data-collections is no regular expression";
        if (!ok) return false;
    }
    return true;
}

static void execute(struct cdc *cdc, const char *id, const char *type, const json_t *data)
{
    const char *kind = json_string_value(json_object_get(data, "type")), *why;
    bool blocking = kind && !strcasecmp(kind, "BLOCKING");
    if (kind && !blocking && strcasecmp(kind, "INCREMENTAL") != 0)
        ignored(cdc, id, type, "snapshots are of type INCREMENTAL or BLOCKING");
    else if (!names_tables(data, false, &why)) ignored(cdc, id, type, why);
    else if (!blocking && !cdc->settings.signal_table && !cdc->settings.read_only)
        ignored(cdc, id, type,
                "an incremental snapshot needs signal.data.collection, or read.only=true");
    else cdc_incremental_request(cdc, id, data, blocking);
}

/* pgoutput tells of them, so there is nothing to do; but what is wrong with the signal is said. */
static void change_schema(struct cdc *cdc, const char *id, const char *type, const json_t *data)
{
    if (!json_is_array(json_object_get(data, "changes")))
        ignored(cdc, id, type, "its data has no list changes");
    else if (!json_is_string(json_object_get(data, "database")))
        ignored(cdc, id, type, "its data has no database");
    else
        cdc->host->log(cdc->task, SLUICE_INFO,
                       "signal '%.100s' of type '%.100s' has no effect: what changes of a table "
                       "comes with the stream",
                       id, type);
}

static bool is_incremental(const json_t *data)
{
    const char *kind = json_string_value(json_object_get(data, "type"));
    return !kind || !strcasecmp(kind, "INCREMENTAL");
}

static void obey(struct cdc *cdc, const char *id, const char *type, const json_t *data)
{
    const char *why;
    if (!strcmp(type, "execute-snapshot")) execute(cdc, id, type, data);
    else if (!strcmp(type, "log")) say(cdc, id, type, data);
    else if (!strcmp(type, "stop-snapshot")) {
        if (!is_incremental(data))
            ignored(cdc, id, type, "only snapshots of type INCREMENTAL can be stopped");
        else if (!names_tables(data, true, &why)) ignored(cdc, id, type, why);
        else cdc_incremental_stop(cdc, json_object_get(data, "data-collections"));
    } else if (!strcmp(type, "pause-snapshot") || !strcmp(type, "resume-snapshot")) {
        if (!is_incremental(data))
            ignored(cdc, id, type, "only snapshots of type INCREMENTAL can be paused");
        else cdc_incremental_pause(cdc, *type == 'p');
    } else if (!strcmp(type, "schema-changes")) {
        change_schema(cdc, id, type, data);
    } else {
        ignored(cdc, id, type, "its type is not known");
    }
}

void cdc_signal(struct cdc *cdc, const char *id, const char *type, const char *data)
{
    json_t *json = json_loads(data && *data ? data : "{}", 0, NULL);
    if (json_is_object(json)) obey(cdc, id, type, json);
    else ignored(cdc, id, type, "its data is no JSON object");
    json_decref(json);
}

/* {"id": ..., "type": ..., "data": {...} or "..."}; where: for the warning. */
static void take(struct cdc *cdc, const char *text, size_t len, const char *where)
{
    json_error_t error;
    json_t *json = json_loadb(text, len, 0, &error);
    const char *type = json_string_value(json_object_get(json, "type"));
    const json_t *given = json_object_get(json, "id"), *data = json_object_get(json, "data");
    char uuid[37];
    if (!type) {
        cdc->host->log(cdc->task, SLUICE_WARN, "a signal of %s is ignored: %s", where,
                       json ? "it has no type, or is no object" : error.text);
        json_decref(json);
        return;
    }
    cdc_uuid(uuid);
    char *number = json_is_integer(given) ? json_dumps(given, JSON_ENCODE_ANY) : NULL;
    const char *id = json_is_string(given) ? json_string_value(given) : number ? number : uuid;
    char *dumped = data && !json_is_null(data) && !json_is_string(data)
                       ? json_dumps(data, JSON_ENCODE_ANY | JSON_COMPACT)
                       : NULL;
    cdc_signal(cdc, id, type, dumped ? dumped : json_string_value(data));
    free(dumped);
    free(number);
    json_decref(json);
}

/* ---- the file ---- */

/* Read and emptied, as long as nobody adds to it in between. */
static void read_file(struct cdc *cdc)
{
    const char *path = cdc->settings.signal_file;
    struct stat before, after;
    FILE *file = fopen(path, "r+");
    if (!file) {
        if (errno != ENOENT && !cdc->signal_told)
            cdc->host->log(cdc->task, SLUICE_WARN,
                           "the file of signals %s cannot be read and emptied: %s; trying again",
                           path, strerror(errno));
        cdc->signal_told = errno != ENOENT;
        return;
    }
    cdc->signal_told = false;
    char *text = NULL;
    size_t n = 0;
    bool ok = fstat(fileno(file), &before) == 0 && S_ISREG(before.st_mode) && before.st_size > 0;
    if (ok && (size_t)before.st_size > FILE_MAX) {
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "the file of signals %s is emptied without being read: it has %lld bytes, "
                       "and %zu are allowed",
                       path, (long long)before.st_size, FILE_MAX);
        ok = false;
        if (ftruncate(fileno(file), 0) != 0)
            cdc->host->log(cdc->task, SLUICE_WARN, "emptying it failed (errno %d)", errno);
    }
    if (ok) {
        text = cdc_alloc((size_t)before.st_size + 1);
        n = fread(text, 1, (size_t)before.st_size, file);
        ok = n == (size_t)before.st_size && fstat(fileno(file), &after) == 0 &&
             after.st_size == before.st_size && ftruncate(fileno(file), 0) == 0;
    }
    fclose(file);
    for (char *line = text, *end; ok && line < text + n; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + n - line));
        if (!end) end = text + n;
        size_t len = (size_t)(end - line);
        if (len > strspn(line, " \t\r") && line[strspn(line, " \t\r")] != '\n')
            take(cdc, line, len, path);
    }
    free(text);
}

/* ---- the topic ---- */

static void open_reader(struct cdc *cdc, int64_t now_ms)
{
    const struct cdc_settings *s = &cdc->settings;
    struct sluice_err err = {{0}};
    if (now_ms < cdc->reader_again_ms) return;
    cdc->reader = cdc->host->reader_open(cdc->task, s->signal_topic, s->signal_props,
                                         s->signal_props_n, &err);
    cdc->reader_again_ms = now_ms + OPEN_AGAIN_MS;
    if (!cdc->reader)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "signals of topic %s cannot be read: %s; next try "
                       "in %d s",
                       s->signal_topic, err.msg, OPEN_AGAIN_MS / 1000);
}

static void take_message(struct cdc *cdc, const struct sluice_read_message *m)
{
    const char *prefix = cdc->settings.prefix;
    uint16_t before = cdc->position.state;
    if (!m->key || m->key_len != strlen(prefix) || memcmp(m->key, prefix, m->key_len) != 0)
        cdc->host->log(cdc->task, SLUICE_INFO,
                       "a signal of topic %s at offset %lld is not ours: its key is not '%s'",
                       cdc->settings.signal_topic, (long long)m->offset, prefix);
    else take(cdc, m->value ? m->value : "", m->value_len, cdc->settings.signal_topic);
    if (cdc->position.state == before && !cdc->signals_n) {
        cdc->host->reader_commit(cdc->reader, m->partition, m->offset);
        return;
    }
    cdc->signals = cdc_realloc(cdc->signals, (cdc->signals_n + 1) * sizeof(*cdc->signals));
    cdc->signals[cdc->signals_n++] =
        (struct cdc_signal_mark){cdc->position.state, m->partition, m->offset};
}

static void read_topic(struct cdc *cdc, int64_t now_ms)
{
    struct sluice_read_message message;
    struct sluice_err err = {{0}};
    enum sluice_verdict verdict = SLUICE_OK;
    if (!cdc->reader) open_reader(cdc, now_ms);
    for (int i = 0; cdc->reader && i < MESSAGES_MAX && verdict == SLUICE_OK; i++) {
        verdict = cdc->host->reader_next(cdc->reader, &message, &err);
        if (verdict == SLUICE_OK) take_message(cdc, &message);
    }
    if (verdict != SLUICE_FAIL) return;
    cdc->host->log(cdc->task, SLUICE_WARN,
                   "signals of topic %s cannot be read: %s; next try in "
                   "%d s",
                   cdc->settings.signal_topic, err.msg, OPEN_AGAIN_MS / 1000);
    cdc_signals_fini(cdc);
}

void cdc_signals_poll(struct cdc *cdc)
{
    const struct cdc_settings *s = &cdc->settings;
    if ((!s->signal_file && !s->signal_topic) || cdc->in_transaction || cdc->message) return;
    int64_t now_ms = cdc_now_ms();
    uint16_t before = cdc->position.state;
    if (!cdc_has_room(cdc)) return;
    if (s->signal_file && now_ms >= cdc->signal_file_ms) {
        cdc->signal_file_ms = now_ms + s->signal_poll_ms;
        read_file(cdc);
    }
    if (s->signal_topic) read_topic(cdc, now_ms);
    if (cdc->position.state == before) return;
    cdc_position_begins(cdc);
    cdc_emit_position(cdc, &cdc->position); /* so that the new state gets durable */
}

int cdc_signals_wait(const struct cdc *cdc, int most)
{
    const struct cdc_settings *s = &cdc->settings;
    if (s->signal_topic && most > KAFKA_POLL_MS) most = KAFKA_POLL_MS;
    if (s->signal_file && most > s->signal_poll_ms) most = s->signal_poll_ms;
    return most;
}

void cdc_signals_acked(struct cdc *cdc, uint16_t state)
{
    size_t done = 0;
    while (done < cdc->signals_n && (int16_t)(uint16_t)(state - cdc->signals[done].state) >= 0)
        done++;
    if (!done) return;
    const struct cdc_signal_mark *last = &cdc->signals[done - 1];
    if (cdc->reader) cdc->host->reader_commit(cdc->reader, last->partition, last->offset);
    cdc->signals_n -= done;
    memmove(cdc->signals, cdc->signals + done, cdc->signals_n * sizeof(*cdc->signals));
}

void cdc_signals_fini(struct cdc *cdc)
{
    if (cdc->reader) cdc->host->reader_close(cdc->reader);
    cdc->reader = NULL;
    free(cdc->signals);
    cdc->signals = NULL;
    cdc->signals_n = 0;
}
