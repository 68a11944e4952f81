/* source.c - file-source: every line of a file becomes a record, as Kafka's FileStreamSource does.
 *
 * The file may not be there yet, may grow, be truncated or be replaced. Source partition
 * {"filename": f}, offset {"position": characters so far}: interchangeable with Kafka's. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "tail.h"

/* How soon new lines are seen: the longer there were none, the later, so that many quiet files cost
 * next to nothing. */
#define LOOK_MIN_MS 100
#define LOOK_MAX_MS 1000
#define LOOK_SHARE 10 /* of the quiet time */

struct file_source {
    struct sluice_task *task;
    const struct sluice_host *host;
    const char *topic; /* the conf's */
    size_t batch_records;
    const struct sluice_schema *schema; /* STRING, held */
    uint32_t partition;
    struct tail tail;
    int64_t last_line_ms; /* when there were lines, or it was opened */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const struct sluice_option options[] = {
    {.key = "file",
     .type = SLUICE_OPT_STRING,
     .importance = SLUICE_HIGH,
     .doc = "File to read; standard input when not given."},
    {.key = "topic",
     .type = SLUICE_OPT_STRING,
     .importance = SLUICE_HIGH,
     .flags = SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY,
     .doc = "Topic to write to."},
    {.key = "batch.size",
     .type = SLUICE_OPT_INT,
     .importance = SLUICE_LOW,
     .fallback = "2000",
     .valid = "1..",
     .doc = "Most lines that one poll takes."},
    {.key = NULL},
};

static const struct sluice_value *entry_of(const struct sluice_value *map, const char *key)
{
    size_t n = strlen(key);
    for (uint32_t i = 0; map && i < map->len; i++) {
        const struct sluice_value *name = &map->u.v[2 * i];
        if (name->type == SLUICE_STRING && name->len == n && memcmp(name->u.s, key, n) == 0)
            return name + 1;
    }
    return NULL;
}

/* Offsets of other files are taken too, and everything may be forgotten: they may stem from former
 * configs. Whether the file is that long, the task finds out. */
static enum sluice_verdict alter_offsets(const struct sluice_host *host,
                                         const struct sluice_conf *conf,
                                         const struct sluice_offset_change *changes, size_t n,
                                         struct sluice_err *err)
{
    const char *path = host->str(conf, "file");
    if (!path || !*path)
        return file_fail(err, "Offsets cannot be modified if the 'file' configuration is "
                              "unspecified: standard input has none");
    for (size_t i = 0; i < n; i++) {
        if (!changes[i].offset) continue;
        const struct sluice_value *position = entry_of(changes[i].offset, "position");
        if (!position)
            return file_fail(err, "Offset objects should either be null or contain the key "
                                  "'position'");
        if (position->type != SLUICE_INT64)
            return file_fail(err, "The value for the 'position' key in the offset is expected to "
                                  "be a Long value: a number of characters");
        if (position->u.i < 0)
            return file_fail(err, "The value for the 'position' key in the offset should be a "
                                  "non-negative value");
        if (!changes[i].partition) return file_fail(err, "Partition objects cannot be null");
        if (!entry_of(changes[i].partition, "filename"))
            return file_fail(err, "Partition objects should contain the key 'filename'");
    }
    return SLUICE_OK;
}

/* The stored position of this file; false: there is one that cannot be read. */
static bool stored_position(struct file_source *source, int64_t *position, struct sluice_err *err)
{
    const struct sluice_value *map = source->host->resume(source->task, source->partition);
    const struct sluice_value *value = entry_of(map, "position");
    *position = 0;
    if (!value || value->type == SLUICE_NULL) return true;
    if (value->type == SLUICE_INT64 && value->u.i >= 0) {
        *position = value->u.i;
        return true;
    }
    file_fail(
        err,
        "the stored offset of %s has a position that is not a number of characters; reset the "
        "connector's offsets",
        source->tail.path ? source->tail.path : "standard input");
    return false;
}

static enum sluice_verdict open_source(struct sluice_task *task, const struct sluice_host *host,
                                       const struct sluice_conf *conf, void **self,
                                       struct sluice_err *err)
{
    struct file_source *source = calloc(1, sizeof(*source));
    if (!source) return file_fail(err, "out of memory while opening file-source");
    *self = source;
    const char *path = host->str(conf, "file");
    if (path && !*path) path = NULL;
    tail_init(&source->tail, path, 0);
    source->task = task;
    source->last_line_ms = now_ms();
    source->host = host;
    source->topic = host->str(conf, "topic");
    source->batch_records = (size_t)host->num(conf, "batch.size");
    source->schema = host->schema(&(struct sluice_schema){.type = SLUICE_STRING});
    const struct sluice_value entry[2] = {sluice_string("filename", 8),
                                          path ? sluice_string(path, strlen(path)) : sluice_null()};
    const struct sluice_value map = sluice_nested(SLUICE_MAP, entry, 1);
    source->partition = host->partition(task, &map);
    int64_t position;
    if (!stored_position(source, &position, err)) return SLUICE_FAIL;
    /* What a pipe has given is gone: only a file can be read again. */
    tail_init(&source->tail, path, path ? position : 0);
    return SLUICE_OK;
}

static void close_source(void *self)
{
    struct file_source *source = self;
    if (!source) return;
    source->host->schema_free(source->schema);
    tail_fini(&source->tail);
    free(source);
}

static void emit(struct file_source *source, struct sluice_batch *batch, const char *line,
                 size_t len)
{
    const struct sluice_host *host = source->host;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char *value = host->alloc(batch, len * 3 + 1);
    int64_t *position = host->alloc(batch, sizeof(*position));
    *position = source->tail.position;
    struct sluice_record *rec = host->append(batch);
    rec->topic = source->topic;
    rec->timestamp_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    rec->value_schema = source->schema;
    rec->value = sluice_string(value, text_repair(line, len, value));
    rec->source_partition = source->partition;
    rec->position = position;
    rec->position_len = sizeof(*position);
}

/* Until ms passed, the task is to stop, or standard input has something. */
static void wait_for_more(struct file_source *source, int ms)
{
    struct pollfd pfds[2] = {{.fd = source->host->wake_fd(source->task), .events = POLLIN},
                             {.fd = STDIN_FILENO, .events = POLLIN}};
    if (poll(pfds, source->tail.path ? 1 : 2, ms) > 0 && pfds[1].revents & POLLHUP) {
        poll(pfds, 1, ms); /* the end of a pipe stays readable */
    }
}

/* Whether the task wants its thread back. */
static bool woken(struct file_source *source)
{
    struct pollfd pfd = {.fd = source->host->wake_fd(source->task), .events = POLLIN};
    return poll(&pfd, 1, 0) > 0;
}

static int64_t look_again_ms(const struct file_source *source)
{
    int64_t ms = (now_ms() - source->last_line_ms) / LOOK_SHARE;
    return ms < LOOK_MIN_MS ? LOOK_MIN_MS : ms > LOOK_MAX_MS ? LOOK_MAX_MS : ms;
}

/* Lines that are there into the batch. TAIL_LINE: the room is full. */
static enum tail_state read_lines(struct file_source *source, struct sluice_batch *batch,
                                  const struct sluice_room *room, size_t *n, struct sluice_err *err)
{
    size_t max = room->records < source->batch_records ? room->records : source->batch_records;
    size_t bytes = 0, len;
    const char *line;
    while (*n < max && bytes < room->bytes) {
        enum tail_state state = tail_next(&source->tail, &line, &len, err);
        if (state == TAIL_NEW) {
            source->host->log(source->task, SLUICE_WARN,
                              "%s was truncated or replaced; reading it from its start",
                              source->tail.path);
            continue;
        }
        if (state != TAIL_LINE) return state;
        emit(source, batch, line, len);
        bytes += len;
        (*n)++;
    }
    return TAIL_LINE;
}

static enum sluice_verdict poll_source(void *self, struct sluice_batch *batch,
                                       const struct sluice_room *room, struct sluice_err *err)
{
    struct file_source *source = self;
    int64_t deadline = now_ms() + room->wait_ms;
    size_t n = 0;
    for (;;) {
        enum tail_state state = read_lines(source, batch, room, &n, err);
        if (state == TAIL_ERROR) return SLUICE_FAIL;
        if (state == TAIL_MISSING) {
            char what[512];
            snprintf(what, sizeof(what), "waiting for the file %s, which does not exist",
                     source->tail.path);
            source->host->trouble(source->task, what);
        } else {
            source->host->trouble(source->task, NULL);
        }
        int64_t now = now_ms(), left = deadline - now, look = look_again_ms(source);
        if (n > 0) source->last_line_ms = now;
        if (n > 0 || left <= 0 || woken(source)) return SLUICE_OK;
        wait_for_more(source, (int)(left < look ? left : look));
    }
}

static enum sluice_verdict source_offset(void *self, const void *position, size_t len,
                                         struct sluice_batch *scratch, struct sluice_value *out,
                                         struct sluice_err *err)
{
    struct file_source *source = self;
    int64_t units;
    if (len != sizeof(units)) return file_fail(err, "a position of %zu bytes is not mine", len);
    memcpy(&units, position, sizeof(units));
    struct sluice_value *entry = source->host->alloc(scratch, 2 * sizeof(*entry));
    entry[0] = sluice_string("position", 8);
    entry[1] = source->tail.path ? sluice_int64(units) : sluice_null();
    *out = sluice_nested(SLUICE_MAP, entry, 1);
    return SLUICE_OK;
}

/* What standard input has given cannot be read again. */
static unsigned exactly_once(const struct sluice_host *host, const struct sluice_conf *conf)
{
    const char *path = host->str(conf, "file");
    return path && *path ? SLUICE_EXACTLY_ONCE : 0;
}

static const struct sluice_source callbacks = {
    .size = sizeof(callbacks),
    .poll = poll_source,
    .offset = source_offset,
    .exactly_once = exactly_once,
};

static const char *const aliases[] = {"org.apache.kafka.connect.file.FileStreamSourceConnector",
                                      NULL};

const struct sluice_plugin file_source_plugin = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_SOURCE,
    .max_tasks = 1,
    .name = "file-source",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open_source,
    .close = close_source,
    .source = &callbacks,
    .alter_offsets = alter_offsets,
};
