/* expr.h - the expressions of a dataset's fields: parsed once, names bound to native functions,
 * constant arguments made once; then evaluated for each record. */
#ifndef DATAGEN_EXPR_H
#define DATAGEN_EXPR_H

#include "js.h"

enum expr_op {
    EXPR_CONST,
    EXPR_PICK, /* one of a word list */
    EXPR_CALL, /* a native function */
    EXPR_ARRAY,
    EXPR_OBJECT,
    EXPR_FUNCTION, /* () => a: a value that helpers call */
    EXPR_INDEX,    /* a[b] */
    EXPR_ITERATION,
    EXPR_AND,
    EXPR_OR,
    EXPR_COND,
    EXPR_NOT,
    EXPR_NEG,
    EXPR_ADD,
    EXPR_SUB,
    EXPR_MUL,
    EXPR_DIV,
    EXPR_MOD,
    EXPR_POW,
    EXPR_LT,
    EXPR_GT,
    EXPR_LE,
    EXPR_GE,
    EXPR_EQ,
    EXPR_NE
};

struct expr {
    enum expr_op op;
    uint8_t kind, elem;            /* enum js_kind of the value; of an array's items */
    uint32_t n;                    /* args */
    struct expr **args;            /* a, b, c of an operator; of a call; items; values of fields */
    const char **keys;             /* OBJECT */
    struct sluice_value value;     /* CONST */
    const struct faker_list *list; /* PICK */
    const struct js_function *function; /* CALL, PICK */
    const struct sluice_value *fixed;   /* CALL: arguments that are all constant */
};

/* Compiles the text; all lives in the arena. NULL with err set: where it stopped and what is
 * known. */
struct expr *expr_compile(struct datagen_arena *arena, const char *text, struct sluice_err *err);
/* The value; js->failed tells of an error. Memory from js->mem. */
struct sluice_value expr_eval(struct js *js, const struct expr *expr);
/* Folds an expression without random parts into a constant; sets kinds from its operands. */
void expr_settle(struct datagen_arena *arena, struct expr *expr);

#endif
