/* relation.h - what is known of a table: columns, key, schemas, and the plan for its rows.
 *
 * A relation is made once per shape (pgoutput announces each change of it) and is constant. The
 * server's announcement gives names and types; the catalog, asked at that moment, gives what it
 * lacks: nullability, defaults, the primary key. */
#ifndef CDC_RELATION_H
#define CDC_RELATION_H

#include "conn.h"
#include "pgoutput.h"
#include "types.h"

#define CDC_SOURCE_FIELDS 16
enum { /* fields of the source block that differ between records */
       CDC_SRC_TS_MS = 3,
       CDC_SRC_SNAPSHOT = 4,
       CDC_SRC_SEQUENCE = 6,
       CDC_SRC_TS_US = 7,
       CDC_SRC_TS_NS = 8,
       CDC_SRC_SCHEMA = 9,
       CDC_SRC_TABLE = 10,
       CDC_SRC_TXID = 11,
       CDC_SRC_LSN = 12,
       CDC_SRC_XMIN = 13,
       CDC_SRC_ORIGIN = 14,
       CDC_SRC_ORIGIN_LSN = 15
};

struct cdc_column {
    const char *name;
    uint32_t oid;
    int32_t typmod;
    bool identity; /* part of the replica identity */
    bool required; /* NOT NULL */
    bool warned;   /* a value of it could not be converted, and it was said once */
    int field;     /* in the row's value; -1: left out */
    struct cdc_binding binding;
    const struct sluice_schema *schema; /* NULL: the type has no mapping */
    struct sluice_value absent;         /* when the value was not sent */
    struct cdc_column *unmapped;        /* how keys have it; NULL: no other way */
};

struct cdc_key_part {
    uint32_t column;       /* its number */
    int field;             /* in the row's value, when the same value stands there; else -1 */
    struct cdc_column *as; /* that column, or one that is not masked and so on */
};

struct cdc_relation {
    uint32_t oid;
    bool signals;  /* the signal table */
    bool captured; /* false: only oid and names below are set */
    char identity; /* d, n, f, i */
    struct cdc_pool pool;
    const char *schema, *table, *topic;
    struct cdc_column *columns; /* as they come on the wire */
    uint32_t columns_n;
    uint32_t fields_n;
    struct cdc_key_part *key;
    uint32_t key_n;
    const char *key_tag; /* what a last field of the key says of the table; NULL: there is none */
    uint32_t key_fields; /* of the key's schema: the columns, and the tag */
    bool old_key; /* an old tuple of kind K tells which key is gone: it holds the whole key; or the
                     key holds all of the tuple and is null in the rest, as with Debezium, so that
                     no other row can have it */
    struct cdc_key_part *primary; /* the table's own key, where reselect.c asks for it and
                                     message.key.columns gives another; else NULL */
    uint32_t primary_n;
    uint8_t *reselect; /* per column: bits of the post processors that may ask for it; or NULL */
    const struct sluice_schema *key_schema, *row_schema, *envelope;
    struct sluice_value source[CDC_SOURCE_FIELDS];
    uint64_t count_number; /* transaction.c: its events of this transaction are counted there: */
    uint32_t count_slot;
    struct cdc_relation *next; /* in the table, or among the retired */
};

/* The key that a table had when the catalog was last asked: for changes from before it was dropped
 * or given another. */
struct cdc_known_key {
    uint32_t oid, n;
    char **names;
    struct cdc_known_key *next;
};

struct cdc_relations { /* by oid */
    struct cdc_relation *buckets[256];
    struct cdc_known_key *keys[256];
    struct cdc_relation *retired; /* records may still point to them */
    int64_t behind_since_ms;      /* since when a table waits for the catalog; 0: none does */
};

static inline struct cdc_relation *cdc_relations_find(const struct cdc_relations *relations,
                                                      uint32_t oid)
{
    struct cdc_relation *r = relations->buckets[oid & 255];
    while (r && r->oid != oid) r = r->next;
    return r;
}

struct cdc; /* cdc.h */

/* Asks the catalog over the ordinary connection and makes the relation. message: the server's
 * announcement, or NULL to take the columns from the catalog too (snapshot). New, owned by the
 * caller. */
enum cdc_step cdc_relation_load(struct cdc *cdc, uint32_t oid, const char *schema,
                                const char *table, const struct cdc_relation_message *message,
                                const struct cdc_wait *wait, struct cdc_relation **out,
                                struct sluice_err *err);
/* Whether records have anything of a column, by its number; the role need not be able to read
 * others. */
bool cdc_relation_reads(const struct cdc_relation *relation, uint32_t column);
/* SQL that tells ("t") whether a transaction is not yet visible to other sessions, with the
 * semicolon: its commit is streamed from the log before they see it, with synchronous standbys long
 * before. txid 0: none, "f". */
void cdc_behind_sql(struct cdc_text *sql, uint64_t txid);
/* One that is not captured. */
struct cdc_relation *cdc_relation_ignored(uint32_t oid, const char *schema, const char *table);
/* Puts it in place of the one of this oid, which retires. */
void cdc_relations_put(struct cdc_relations *relations, struct cdc_relation *relation);
void cdc_relation_retire(struct cdc_relations *relations, struct cdc_relation *relation);
/* Frees the retired ones. */
void cdc_relations_sweep(struct cdc_relations *relations, const struct sluice_host *host);
void cdc_relations_free(struct cdc_relations *relations, const struct sluice_host *host);
void cdc_relation_free(struct cdc_relation *relation, const struct sluice_host *host);

#endif
