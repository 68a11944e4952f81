/* arg.h - the Avro Random Generator as a plan: each Avro type with its arg.properties is checked
 * and compiled once into a node; a record is one walk over the nodes, drawing from
 * java.util.Random in the generator's order, so that a seed gives the same data. */
#ifndef DATAGEN_ARG_H
#define DATAGEN_ARG_H

#include "avro.h"
#include "java_random.h"
#include "regex.h"

#define ARG_MAX_TEXT (1 << 20)  /* bytes of one generated string or bytes value */
#define ARG_MAX_ITEMS (1 << 16) /* items of one generated array, entries of a map */

__extension__ typedef __int128 arg_wide;

enum arg_op {
    ARG_NULL,
    ARG_OPTIONS,
    ARG_COUNT,      /* iteration over whole numbers */
    ARG_COUNT_TEXT, /* the same, as a string with prefix and suffix */
    ARG_STEP,       /* iteration over decimal fractions */
    ARG_FLIP,       /* iteration over booleans */
    ARG_INT,
    ARG_LONG,
    ARG_WHOLE, /* int or long in a range */
    ARG_FLOAT,
    ARG_DOUBLE,
    ARG_BOOL,
    ARG_ODDS,
    ARG_BYTES,
    ARG_DECIMAL,
    ARG_STRING,
    ARG_REGEX,
    ARG_ARRAY,
    ARG_MAP,
    ARG_RECORD,
    ARG_UNION
};

/* Position of an iteration. Decimal fractions are whole numbers of 10^-scale, as BigDecimal has
 * them, so that ten steps of 0.1 make 1.0. modulo 0: never wraps. */
struct arg_iterator {
    arg_wide start, step, modulo, current;
    int scale;
    bool narrow; /* an int, cut to 32 bits as by Java's intValue(), or a float */
};

struct arg_text { /* prefix and suffix of a string */
    const char *prefix, *suffix;
    uint32_t prefix_len, suffix_len;
};

struct arg_node {
    enum arg_op op;
    uint8_t type; /* of its values: enum sluice_type */
    union {
        struct {
            const struct sluice_value *values;
            int32_t len;
        } options;
        struct arg_iterator iter;
        bool flip;
        struct {
            int64_t min;
            double width;
        } whole;
        struct {
            bool ranged;
            double min, max;
        } real;
        double odds;
        int64_t precision;
        struct {
            int32_t min, width; /* length: min + below(width) */
            struct arg_node *elem, *key;
        } many;
        const struct regex *regex;
        struct {
            struct arg_node **nodes;
            int32_t len;
            int32_t *slots; /* of the union's struct; -1: null. NULL: the branch's value itself */
            int32_t slots_len;
        } fields;
    } u;
    struct arg_text text;
};

/* Compiles the type; generation is the count of records generated before (iterations go on from
 * there). The nodes live in the arena. NULL with err set when the schema is not sound. */
struct arg_node *arg_compile(struct datagen_arena *arena, struct avro_type *type,
                             int64_t generation, struct sluice_err *err);
/* One value; memory from mem. */
struct sluice_value arg_generate(struct arg_node *node, struct java_random *random,
                                 struct datagen_mem *mem);

/* Checks and compiles an iteration property into the node; type is INT, LONG, FLOAT, DOUBLE,
 * BOOLEAN or STRING. */
bool arg_iteration(struct arg_node *node, const struct avro_type *type, const json_t *props,
                   int64_t generation, struct sluice_err *err);
/* Sets the iterator up from numbers that were checked. */
bool arg_iterator_init(struct arg_iterator *iter, const json_t *prop, enum avro_kind kind,
                       int64_t generation, struct sluice_err *err);
int64_t arg_iterator_next(struct arg_iterator *iter);
double arg_iterator_next_real(struct arg_iterator *iter);

/* Whole and real numbers of a property; false with err set when they are of another kind. */
bool arg_whole(const json_t *object, const char *field, const char *prop, bool narrow, bool *given,
               int64_t *out, struct sluice_err *err);
bool arg_real(const json_t *object, const char *field, const char *prop, bool narrow, bool *given,
              double *out, struct sluice_err *err);
/* An option or a default as a value of this type. */
bool arg_value(struct datagen_arena *arena, const struct avro_type *type, const json_t *json,
               struct sluice_value *out, struct sluice_err *err);

#endif
