/* debezium_expr.h - the expressions of Debezium's Filter and ContentBasedRouter: the part of Groovy
 * that such conditions are written in (docs/EXPRESSIONS.md), parsed once into a tree that is walked
 * for each record.
 *
 *     value.op == 'u' && value.before?.id != 2
 *     value.source.table =~ /^order/ ? 'orders' : null
 *
 * Whatever else Groovy knows is refused when it is parsed, with its place. Names and methods are in
 * tables (debezium_expr_parse.c, debezium_expr_call.c). Owner: the transform's task; a node keeps
 * where its field stands in the schema that it saw last. */
#ifndef SLUICE_DATA_TRANSFORMS_DEBEZIUM_EXPR_H
#define SLUICE_DATA_TRANSFORMS_DEBEZIUM_EXPR_H

#include <stdbool.h>

#include "data/batch.h"
#include "data/java_regex.h"

#define EXPR_TEXT_MAX 16384 /* characters of an expression */
#define EXPR_DEPTH_MAX 100  /* operators and parentheses within each other */

/* ---- values ---- */

enum expr_kind {
    EXPR_NULL,
    EXPR_BOOL,
    EXPR_INT, /* Byte, Short, Integer: 32 bits */
    EXPR_LONG,
    EXPR_DOUBLE,  /* Float, Double */
    EXPR_DECIMAL, /* BigDecimal as its text (STRING): literals, Decimal fields */
    EXPR_STRING,
    EXPR_BYTES,
    EXPR_LIST, /* ARRAY with its schema */
    EXPR_MAP,
    EXPR_STRUCT,
    EXPR_ITEMS,   /* a list that was written in the expression: v.len of items */
    EXPR_SCHEMA,  /* schema itself is the value */
    EXPR_HEADERS, /* all headers of rec, by name */
    EXPR_HEADER   /* v with schema */
};

struct expr_value {
    enum expr_kind kind;
    struct sluice_value v;
    const struct sluice_schema *schema; /* of LIST, MAP, STRUCT, HEADER; may be NULL */
    union {
        const struct expr_value *items;  /* ITEMS */
        const struct sluice_record *rec; /* HEADERS */
    } u;
};

/* ---- the tree ---- */

enum expr_type {
    NODE_CONST,  /* value */
    NODE_ROOT,   /* root */
    NODE_MEMBER, /* a.text, a?.text */
    NODE_INDEX,  /* a[b] */
    NODE_CALL,   /* a.method(items) */
    NODE_LIST,   /* [items] */
    NODE_NOT,
    NODE_NEGATE,
    NODE_AND,
    NODE_OR,
    NODE_CHOOSE, /* a ? b : c */
    NODE_ELVIS,  /* a ?: b */
    NODE_EQUAL,
    NODE_UNEQUAL,
    NODE_LESS,
    NODE_LESS_EQUAL,
    NODE_MORE,
    NODE_MORE_EQUAL,
    NODE_COMPARE, /* a <=> b */
    NODE_IN,
    NODE_NOT_IN,
    NODE_FIND,  /* a =~ regex */
    NODE_MATCH, /* a ==~ regex */
    NODE_ADD,
    NODE_SUBTRACT,
    NODE_MULTIPLY,
    NODE_DIVIDE,
    NODE_MODULO
};

enum expr_root {
    ROOT_KEY,
    ROOT_VALUE,
    ROOT_KEY_SCHEMA,
    ROOT_VALUE_SCHEMA,
    ROOT_TOPIC,
    ROOT_HEADER
};

struct expr_node {
    enum expr_type type;
    bool safe;   /* ?. */
    unsigned at; /* where it stands, from 1 */
    enum expr_root root;
    struct expr_value value;
    struct expr_node *a, *b, *c;
    struct expr_node **items;
    size_t n;
    const char *text; /* member's or method's name */
    size_t text_len;
    const struct expr_method *method;
    struct sluice_java_regex *regex;
    const struct sluice_schema *seen; /* held: text is its field number index (-1: has none) */
    int index;
};

struct expr {
    struct sluice_arena arena; /* nodes and texts */
    struct expr_node *top;
    struct expr_node **owners; /* nodes that hold a regex or may hold a schema */
    size_t owners_n, owners_cap;
};

/* Fills a zeroed expression. False: err says what was found at which character, and what is known.
 * Fini it in either case. */
bool expr_parse(struct expr *expr, const char *text, struct sluice_err *err);
void expr_fini(struct expr *expr); /* takes a zeroed one */

/* ---- evaluation: false sets err; what a value points to lives in the record or the batch ---- */

struct expr_run {
    struct sluice_batch *batch;
    const struct sluice_record *rec;
    struct sluice_err *err;
};

bool expr_eval(struct expr_run *run, struct expr_node *node, struct expr_value *out);
/* Groovy's truth: null, false, 0, "" and what is empty are false. */
bool expr_truth(const struct expr_value *value);
/* The value as part of a text; false: it has none. */
bool expr_text(struct expr_run *run, const struct expr_value *value, struct sluice_value *out);
const char *expr_kind_name(enum expr_kind kind);

struct expr_value expr_of(struct expr_run *run, const struct sluice_schema *schema,
                          const struct sluice_value *v);
static inline struct expr_value expr_bool(bool b)
{
    return (struct expr_value){.kind = EXPR_BOOL, .v = sluice_bool(b)};
}
static inline struct expr_value expr_int(int64_t i)
{
    return (struct expr_value){.kind = EXPR_INT, .v = sluice_int32((int32_t)i)};
}
static inline struct expr_value expr_string(const char *s, size_t len)
{
    return (struct expr_value){.kind = EXPR_STRING, .v = sluice_string(s, len)};
}

/* a ? b in Groovy's order, -1, 0, 1; null comes first. False: they cannot be compared (err). */
bool expr_compare(struct expr_run *run, const struct expr_value *a, const struct expr_value *b,
                  int *order);
bool expr_equal(const struct expr_value *a, const struct expr_value *b);
/* A member by name: a struct's field, a map's entry, a header, a schema's property. at: where. */
bool expr_member(struct expr_run *run, struct expr_node *node, const struct expr_value *of,
                 const char *name, size_t len, struct expr_value *out);

/* ---- methods ---- */

struct expr_method {
    const char *name;
    uint8_t args_min, args_max;
    unsigned on;     /* receivers: bits 1 << enum expr_kind */
    uint8_t pattern; /* the first argument is a regex, written out */
    bool (*call)(struct expr_run *run, struct expr_node *node, const struct expr_value *self,
                 const struct expr_value *args, size_t n, struct expr_value *out);
};

#define EXPR_ARGS_MAX 2

/* NULL: no such method. */
const struct expr_method *expr_method_find(const char *name, size_t len);
/* All names, for error messages. */
void expr_method_names(struct sluice_buf *buf);

#endif
