/* smt_record.h - see smt.h: a record's headers and place, from text and to text. */
#ifndef SLUICE_TESTS_GOLDEN_SMT_RECORD_H
#define SLUICE_TESTS_GOLDEN_SMT_RECORD_H

#include "golden/text.h"

static const struct sluice_schema *smt_read_schema(struct sluice_batch *batch,
                                                   struct text_reader *r)
{
    const struct sluice_schema *description = text_read_schema(r);
    if (!description) return NULL;
    const struct sluice_schema *schema = sluice_schema_intern(description);
    sluice_batch_hold(batch, schema);
    sluice_schema_free(schema);
    return schema;
}

/* "key|schema|value key|..." */
static void smt_read_headers(struct sluice_batch *batch, const char *text,
                             struct sluice_record *rec)
{
    if (strcmp(text, "-") == 0) return;
    struct sluice_header *headers = sluice_batch_alloc(batch, 32 * sizeof *headers);
    while (*text) {
        size_t n = strcspn(text, "|");
        CHECK(rec->headers_len < 32);
        struct sluice_header *header = &headers[rec->headers_len++];
        header->key = sluice_arena_strndup(&batch->arena, text, n);
        struct text_reader r = {text + n + 1, batch};
        header->schema = smt_read_schema(batch, &r);
        CHECK(text_take(&r, "|"));
        header->value = text_read_value(&r);
        text = r.at + (*r.at == ' ');
    }
    rec->headers = headers;
}

static void smt_write_headers(struct sluice_buf *text, const struct sluice_record *rec)
{
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        sluice_buf_addf(text, "%s%s|", i ? " " : "", rec->headers[i].key);
        text_schema(text, rec->headers[i].schema);
        sluice_buf_adds(text, "|");
        text_value(text, &rec->headers[i].value);
    }
    if (!rec->headers_len) sluice_buf_adds(text, "-");
}

/* "sink|topic|partition|offset|timestamp", "-" for null. */
static void smt_read_meta(struct sluice_batch *batch, const char *text, struct sluice_record *rec)
{
    char *at = sluice_arena_strndup(&batch->arena, text, strlen(text)), *cols[5];
    for (int i = 0; i < 5; i++) {
        cols[i] = at;
        at += strcspn(at, "|");
        if (*at) *at++ = '\0';
    }
    rec->topic = cols[1];
    rec->partition = *cols[2] == '-' ? SLUICE_ANY_PARTITION : (int32_t)strtol(cols[2], NULL, 10);
    rec->timestamp_ms = *cols[4] == '-' ? SLUICE_NO_TIMESTAMP : strtoll(cols[4], NULL, 10);
    if (strcmp(cols[0], "sink") != 0) return;
    rec->offset = strtoll(cols[3], NULL, 10);
    rec->origin_topic = rec->topic;
    rec->origin_partition = rec->partition;
}

static void smt_write_meta(struct sluice_buf *text, const struct sluice_record *rec)
{
    sluice_buf_addf(text, "%s|", rec->topic);
    if (rec->partition == SLUICE_ANY_PARTITION) sluice_buf_adds(text, "-|");
    else sluice_buf_addf(text, "%d|", (int)rec->partition);
    if (rec->origin_topic) sluice_buf_addf(text, "%lld|", (long long)rec->offset);
    else sluice_buf_adds(text, "-|");
    if (rec->timestamp_ms == SLUICE_NO_TIMESTAMP) sluice_buf_adds(text, "-");
    else sluice_buf_addf(text, "%lld", (long long)rec->timestamp_ms);
}

#endif
