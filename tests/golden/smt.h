/* smt.h - replays what Kafka's transforms and predicates did: the twin of java/SmtCase.java.
 * Columns:
 *
 *     class, config, (source|sink)|topic|partition|offset|timestamp, schema, value, headers,
 *     then: drop, true, false, ?"why it does not configure", !"why it fails"; or
 *     schema, value, headers ("=": as it came in) and, when they changed,
 *     topic|partition|offset|timestamp, schema and value of the other side
 *
 * The other side than the class works on is the text "other" before. smt_replay(cols, line,
 * differs) runs a row twice, so that the second record finds a plan; then with the transform
 * closed it compares. differs() may accept another message than Java's: where we say it better,
 * each has its reason beside the test. */
#ifndef SLUICE_TESTS_GOLDEN_SMT_H
#define SLUICE_TESTS_GOLDEN_SMT_H

#include "data/builtins.h"
#include "fake_host.h"
#include "golden/smt_record.h"
#include "golden/text.h"
#include "plugin/registry.h"

#define SMT_OTHER "other"

typedef bool (*smt_differs)(char **cols, const char *java, const char *ours);

static const struct sluice_plugin *smt_find_plugin(const char *name)
{
    char class[256];
    const struct sluice_plugin *const *all = sluice_builtins();
    snprintf(class, sizeof class, "org.apache.kafka.connect.transforms.%s", name);
    for (; *all; all++) {
        for (const char *const *alias = (*all)->aliases; *alias; alias++) {
            if (strcmp(*alias, class) == 0) return *all;
        }
    }
    FAIL("there is no %s", class);
}

static void smt_compare(struct sluice_buf *text, int line, const char *what, const char *want)
{
    const char *got = sluice_buf_str(text);
    if (strcmp(got, want) != 0) {
        FAIL("line %d, %s:\n got  %s\n want %s", line, what, got, want);
    }
    sluice_buf_clear(text);
}

static void smt_compare_side(struct sluice_buf *text, int line, const char *what, bool key,
                             const struct sluice_record *rec, const char *schema, const char *value)
{
    text_schema(text, key ? rec->key_schema : rec->value_schema);
    smt_compare(text, line, what, schema);
    text_value(text, key ? &rec->key : &rec->value);
    smt_compare(text, line, what, value);
}

static void smt_check_error(struct sluice_batch *batch, char **cols, int line,
                            const struct sluice_err *err, smt_differs differs)
{
    struct text_reader r = {cols[6] + 1, batch};
    const char *want = text_string(&r, NULL);
    char ours[sizeof err->msg];
    snprintf(ours, sizeof ours, "%s", err->msg);
    for (char *at = ours; *at; at++) {
        if (*at == '\t' || *at == '\n' || *at == '\r') *at = ' ';
    }
    if (strcmp(ours, want) == 0) return;
    if (differs && differs(cols, want, ours)) return;
    FAIL("line %d:\n error  \"%s\"\n wanted \"%s\"", line, ours, want);
}

static const char *smt_or(const char *col, const char *same)
{
    return strcmp(col, "=") == 0 ? same : col;
}

static void smt_check_record(char **cols, int line, bool key, const struct sluice_record *rec)
{
    struct sluice_buf text;
    bool moved = cols[9][0] != '\0';
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    smt_compare_side(&text, line, "result", key, rec, smt_or(cols[6], cols[3]),
                     smt_or(cols[7], cols[4]));
    smt_write_headers(&text, rec);
    smt_compare(&text, line, "headers", smt_or(cols[8], cols[5]));
    smt_write_meta(&text, rec);
    smt_compare(&text, line, "place", smt_or(moved ? cols[9] : "=", strchr(cols[2], '|') + 1));
    smt_compare_side(&text, line, "other side", !key, rec, moved ? cols[10] : "STRING",
                     moved ? cols[11] : "\"" SMT_OTHER "\"");
    sluice_buf_fini(&text);
}

static void smt_read_record(char **cols, bool key, struct sluice_batch *batch,
                            struct sluice_record *rec)
{
    struct text_reader schema_text = {cols[3], batch}, value_text = {cols[4], batch};
    struct text_reader other_text = {"STRING", batch};
    const struct sluice_schema *schema = smt_read_schema(batch, &schema_text);
    const struct sluice_schema *other = smt_read_schema(batch, &other_text);
    struct sluice_value value = text_read_value(&value_text);
    struct sluice_value other_value = sluice_string(SMT_OTHER, strlen(SMT_OTHER));
    smt_read_meta(batch, cols[2], rec);
    rec->key_schema = key ? schema : other;
    rec->key = key ? value : other_value;
    rec->value_schema = key ? other : schema;
    rec->value = key ? other_value : value;
    smt_read_headers(batch, cols[5], rec);
}

static void smt_replay_predicate(struct fake_host *fake, char **cols, int line,
                                 const struct sluice_record *rec)
{
    for (int again = 0; again < 2; again++) {
        bool holds = false;
        CHECK_INT(fake->plugin->predicate->test(fake->self, rec, &holds, &fake->err), SLUICE_OK);
        if (strcmp(holds ? "true" : "false", cols[6]) != 0) {
            FAIL("line %d: got %s, wanted %s", line, holds ? "true" : "false", cols[6]);
        }
    }
}

static void smt_replay_transform(struct fake_host *fake, char **cols, int line, smt_differs differs)
{
    struct sluice_batch batches[2];
    struct sluice_record *recs[2];
    struct sluice_err err = {""};
    bool key = strstr(cols[0], "$Key") != NULL, ok = false;
    for (int i = 0; i < 2; i++) {
        sluice_batch_init(&batches[i]);
        recs[i] = sluice_batch_append(&batches[i]);
        smt_read_record(cols, key, &batches[i], recs[i]);
        enum sluice_verdict verdict =
            fake->plugin->transform->apply(fake->self, &batches[i], recs[i], &err);
        if (strcmp(cols[6], "drop") == 0) {
            if (verdict != SLUICE_DROP) FAIL("line %d: not dropped", line);
        } else if (cols[6][0] == '!') {
            if (verdict != SLUICE_FAIL) FAIL("line %d: no error, wanted %s", line, cols[6]);
            smt_check_error(&batches[i], cols, line, &err, differs);
        } else {
            ok = true;
            if (verdict != SLUICE_OK) FAIL("line %d: %s", line, err.msg);
        }
    }
    fake_close(fake); /* what records point to must not need the transform */
    for (int i = 0; i < 2; i++) {
        if (ok) smt_check_record(cols, line, key, recs[i]);
        sluice_batch_fini(&batches[i]);
    }
}

__attribute__((unused)) static void smt_replay(char **cols, int line, smt_differs differs)
{
    struct fake_host fake;
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    fake_init(&fake, smt_find_plugin(cols[0]), NULL);
    fake_configure(&fake, cols[1]);
    enum sluice_verdict opened = fake_open(&fake);
    if (strncmp(cols[6], "?\"", 2) == 0) {
        if (opened != SLUICE_FAIL)
            FAIL("line %d: opens with %s, wanted %s", line, cols[1], cols[6]);
        smt_check_error(&batch, cols, line, &fake.err, differs);
    } else if (opened != SLUICE_OK) {
        FAIL("line %d: %s", line, fake.err.msg);
    } else if (fake.plugin->kind == SLUICE_KIND_PREDICATE) {
        struct sluice_record *rec = sluice_batch_append(&batch);
        smt_read_record(cols, false, &batch, rec);
        smt_replay_predicate(&fake, cols, line, rec);
    } else {
        smt_replay_transform(&fake, cols, line, differs);
    }
    fake_fini(&fake);
    sluice_batch_fini(&batch);
}

#endif
