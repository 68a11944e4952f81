/* registry.h - client of a Confluent schema registry, for the converters that write its format.
 *
 * One client per opened converter, synchronous; what a registry answered is shared by all clients
 * of the process that ask the same URLs (cache.c, thread-safe, capped). Trouble that may pass (no
 * connection, a time-out, HTTP 429, 5xx) is retried within a call, at each URL in turn and with
 * growing waits, as configured; then the call returns SLUICE_RETRY with the reason, and the worker
 * decides. What the registry refuses is SLUICE_FAIL, in its own words, with subject and id.
 * Owner: the converter's thread. */
#ifndef SLUICE_REGISTRY_REGISTRY_H
#define SLUICE_REGISTRY_REGISTRY_H

#include "sluice/plugin.h"

enum sluice_sr_type { SLUICE_SR_AVRO, SLUICE_SR_PROTOBUF, SLUICE_SR_JSON };

struct sluice_sr_ref { /* one schema that another one imports */
    const char *name, *subject;
    int32_t version;
};

/* A schema to write with, as its converter made it; everything is borrowed for the call. */
struct sluice_sr_text {
    const char *text;
    size_t len;
    const struct sluice_sr_ref *refs;
    size_t refs_n;
};

/* What a registry knows of one schema. Constant and counted: sluice_sr_schema_free(). */
struct sluice_sr_schema {
    int32_t id;      /* stands in front of each record */
    int32_t version; /* within subject; 0: not asked for */
    enum sluice_sr_type type;
    const char *subject; /* NULL: not asked for */
    const char *text;    /* terminated */
    size_t len;
    const struct sluice_sr_ref *refs; /* not resolved: sluice_sr_refs() */
    size_t refs_n;
};

struct sluice_sr;

/* A client for one converter; conf holds the rows of SLUICE_SR_OPTIONS (registry/options.h) and
 * converter.type. Sends nothing yet. NULL: err, an option is wrong. */
struct sluice_sr *sluice_sr_new(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, enum sluice_sr_type type,
                                struct sluice_err *err);
void sluice_sr_free(struct sluice_sr *sr); /* takes NULL */

/* The subject of a record by the configured strategy. record_name: full name of the schema's record
 * or message, NULL when it is none (TopicName takes it; the others refuse it). Valid until the next
 * call. NULL: err. */
const char *sluice_sr_subject(struct sluice_sr *sr, const char *topic, const char *record_name,
                              struct sluice_err *err);
/* Whether the strategy asks for the record's name: then a subject depends on the schema. */
bool sluice_sr_subject_needs_name(const struct sluice_sr *sr);

/* The schema under which records of this text are to be written, as auto.register.schemas,
 * use.latest.version, use.schema.id and normalize.schemas say: registered, looked up, or the latest
 * one. The text of the answer may differ from the one given (use.latest.version, use.schema.id):
 * then the converter writes by that one. *out is held for the caller. */
enum sluice_verdict sluice_sr_for_writing(struct sluice_sr *sr, const char *subject,
                                          const struct sluice_sr_text *text,
                                          const struct sluice_sr_schema **out,
                                          struct sluice_err *err);
/* The schema of an id; subject serves the error text and may be NULL. *out is held. */
enum sluice_verdict sluice_sr_by_id(struct sluice_sr *sr, int32_t id, const char *subject,
                                    const struct sluice_sr_schema **out, struct sluice_err *err);
/* A version of a subject, 0: the latest. *out is held. */
enum sluice_verdict sluice_sr_by_version(struct sluice_sr *sr, const char *subject, int32_t version,
                                         const struct sluice_sr_schema **out,
                                         struct sluice_err *err);
/* The subject's version that holds this text, without registering it. When there is none: SLUICE_OK
 * and *out NULL. *out is held. */
enum sluice_verdict sluice_sr_lookup(struct sluice_sr *sr, const char *subject,
                                     const struct sluice_sr_text *text,
                                     const struct sluice_sr_schema **out, struct sluice_err *err);
/* Registers a schema and says its version, whatever the options say: for the references of a schema
 * that is going to be written (Protobuf's imports). *out is held. */
enum sluice_verdict sluice_sr_register(struct sluice_sr *sr, const char *subject,
                                       const struct sluice_sr_text *text,
                                       const struct sluice_sr_schema **out, struct sluice_err *err);
/* Everything that the schema imports, directly or not, those that are imported before those that
 * import them, each name once; names[i] is the name that schemas[i] is imported by. The arrays are
 * the caller's: sluice_sr_refs_free(). */
struct sluice_sr_refs {
    const struct sluice_sr_schema **schemas;
    char **names;
    size_t n, cap;
};
enum sluice_verdict sluice_sr_refs(struct sluice_sr *sr, const struct sluice_sr_schema *schema,
                                   struct sluice_sr_refs *out, struct sluice_err *err);
void sluice_sr_refs_free(struct sluice_sr_refs *refs); /* takes a zeroed one */

const struct sluice_sr_schema *sluice_sr_schema_hold(const struct sluice_sr_schema *schema);
void sluice_sr_schema_free(const struct sluice_sr_schema *schema); /* takes NULL */

/* Options that converters look at themselves. */
bool sluice_sr_auto_register(const struct sluice_sr *sr);
bool sluice_sr_use_latest(const struct sluice_sr *sr);
/* Whether what sluice_sr_for_writing() answered is another schema than the one given, whose
 * compatibility the converter must check. */
bool sluice_sr_must_check(const struct sluice_sr *sr);
/* Milliseconds that an answer of sluice_sr_for_writing() may be kept; -1: for good (only the latest
 * schema grows old: latest.cache.ttl.sec). */
int64_t sluice_sr_writing_ttl_ms(const struct sluice_sr *sr);

/* ---- the frame of a record ---- */

#define SLUICE_SR_HEAD 5 /* bytes: 0, then the id, big-endian */

static inline void sluice_sr_head_write(char to[SLUICE_SR_HEAD], int32_t id)
{
    uint32_t u = (uint32_t)id;
    to[0] = 0;
    to[1] = (char)(u >> 24);
    to[2] = (char)(u >> 16);
    to[3] = (char)(u >> 8);
    to[4] = (char)u;
}

/* False: these bytes are not framed so ("Unknown magic byte!", or too short). */
bool sluice_sr_head_read(const void *data, size_t len, int32_t *id, struct sluice_err *err);

#endif
