/* source_headers.c - headers of the messages that a source sends.
 *
 * A source's headers are mostly the same in each record, and cost librdkafka a piece of memory for
 * each, made on one thread and freed on another: a quarter of what such a record costs. So those of
 * the last records are kept: a message gets them lent, and its report brings them back for the
 * next. Only text that is written as it is takes part: what else a header converter writes may
 * depend on more than the value. Owner: the task's thread. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/builtins.h"
#include "worker/source_run.h"

#define HEADERS_MAX 8 /* of a set that is kept, and the bytes of its texts */
#define TEXT_MAX 512

struct sluice_lent_headers {
    struct sluice_lent_headers *next; /* among the spare ones */
    struct rd_kafka_headers_s *handle;
    unsigned set; /* which headers these are */
};

struct header_set {
    uint32_t n; /* 0: none */
    uint32_t key_len[HEADERS_MAX], value_len[HEADERS_MAX];
    char text[TEXT_MAX]; /* key and value, one after the other */
};

struct sluice_source_headers {
    struct sluice_task *task;
    struct header_set known, last; /* last: seen once; again, and it is the known one */
    unsigned set;                  /* of known */
    struct sluice_lent_headers *spare;
};

static void lent_free(void *arg)
{
    struct sluice_lent_headers *lent = arg;
    sluice_headers_free(lent->handle);
    free(lent);
}

void sluice_source_headers_rest(struct sluice_source_headers *own)
{
    while (own->spare) {
        struct sluice_lent_headers *lent = own->spare;
        own->spare = lent->next;
        lent_free(lent);
    }
}

static void take_back(void *arg, void *given)
{
    struct sluice_source_headers *own = arg;
    struct sluice_lent_headers *lent = given;
    if (lent->set != own->set) {
        lent_free(lent);
        return;
    }
    lent->next = own->spare;
    own->spare = lent;
}

struct sluice_source_headers *sluice_source_headers_new(struct sluice_task *task)
{
    struct sluice_source_headers *own = sluice_xcalloc(1, sizeof *own);
    own->task = task;
    sluice_window_lends(task->window, take_back, own, lent_free);
    return own;
}

void sluice_source_headers_free(struct sluice_source_headers *own)
{
    if (!own) return;
    sluice_window_lends(own->task->window, NULL, NULL, lent_free);
    sluice_source_headers_rest(own);
    free(own);
}

/* ---- sets ---- */

static bool plain(const struct sluice_header *header)
{
    const struct sluice_schema *schema = header->schema;
    return header->key && header->value.type == SLUICE_STRING &&
           (!schema || (schema->type == SLUICE_STRING && !schema->name));
}

static bool same(const struct header_set *set, const struct sluice_record *rec)
{
    const char *text = set->text;
    if (set->n != rec->headers_len) return false;
    for (uint32_t i = 0; i < set->n; i++) {
        const struct sluice_header *header = &rec->headers[i];
        uint32_t key_len = set->key_len[i], value_len = set->value_len[i];
        if (!plain(header) || header->value.len != value_len ||
            strncmp(text, header->key, key_len) != 0 || header->key[key_len] ||
            (value_len > 0 && memcmp(text + key_len, header->value.u.s, value_len) != 0))
            return false;
        text += key_len + value_len;
    }
    return true;
}

/* Sets of other kinds are left empty, which no record's headers are the same as. */
static void remember(struct header_set *set, const struct sluice_record *rec)
{
    size_t used = 0;
    set->n = 0;
    if (rec->headers_len > HEADERS_MAX) return;
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        const struct sluice_header *header = &rec->headers[i];
        if (!plain(header)) return;
        size_t key_len = strlen(header->key);
        if (key_len > TEXT_MAX - used || header->value.len > TEXT_MAX - used - key_len) return;
        memcpy(set->text + used, header->key, key_len);
        if (header->value.len > 0)
            memcpy(set->text + used + key_len, header->value.u.s, header->value.len);
        used += key_len + header->value.len;
        set->key_len[i] = (uint32_t)key_len;
        set->value_len[i] = header->value.len;
    }
    set->n = rec->headers_len;
}

/* Whether the record's headers are those that are kept. */
static bool known(struct sluice_source_headers *own, const struct sluice_record *rec)
{
    if (own->task->pipe.header.plugin != &sluice_simple_header_converter) return false;
    if (same(&own->known, rec)) return true;
    if (!same(&own->last, rec)) {
        remember(&own->last, rec);
        return false;
    }
    sluice_source_headers_rest(own);
    own->known = own->last;
    own->set++;
    return true;
}

/* ---- messages ---- */

static struct rd_kafka_headers_s *make(struct sluice_task *task, const struct sluice_record *rec,
                                       struct sluice_failure *failure, bool *ok)
{
    struct rd_kafka_headers_s *headers = sluice_headers_new(rec->headers_len);
    *ok = true;
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        bool null;
        *ok = sluice_pipeline_encode_header(&task->pipe, rec->topic, &rec->headers[i], &null,
                                            failure);
        if (!*ok) {
            sluice_headers_free(headers);
            return NULL;
        }
        const struct sluice_buf *bytes = &task->pipe.header_bytes;
        sluice_headers_add(headers, rec->headers[i].key,
                           null          ? NULL
                           : bytes->data ? bytes->data
                                         : "",
                           bytes->len);
    }
    return headers;
}

bool sluice_source_headers_make(struct sluice_source_headers *own, const struct sluice_record *rec,
                                struct sluice_message *message, struct sluice_lent_headers **lent,
                                struct sluice_failure *failure)
{
    bool ok = true;
    *lent = NULL;
    message->headers = NULL;
    message->headers_lent = false;
    if (rec->headers_len == 0) return true;
    bool lend = known(own, rec);
    if (lend && own->spare) {
        *lent = own->spare;
        own->spare = (*lent)->next;
        message->headers = (*lent)->handle;
    } else {
        message->headers = make(own->task, rec, failure, &ok);
        if (!ok || !lend) return ok;
        *lent = sluice_xcalloc(1, sizeof **lent);
        (*lent)->handle = message->headers;
        (*lent)->set = own->set;
    }
    assert((*lent)->set == own->set);
    message->headers_lent = true;
    return true;
}

void sluice_source_headers_unsent(struct sluice_source_headers *own, struct sluice_message *message,
                                  struct sluice_lent_headers *lent)
{
    if (lent) take_back(own, lent);
    else sluice_headers_free(message->headers);
    message->headers = NULL;
}
