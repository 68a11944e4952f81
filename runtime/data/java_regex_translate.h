/* java_regex_translate.h - a Java pattern into PCRE2's language; see java_regex.h. */
#ifndef SLUICE_DATA_JAVA_REGEX_TRANSLATE_H
#define SLUICE_DATA_JAVA_REGEX_TRANSLATE_H

#include <stdbool.h>

#include "base/buf.h"

struct sluice_regex_name {
    char *name;
    uint32_t number;
};

struct sluice_regex_names { /* of groups, as they come */
    struct sluice_regex_name *items;
    size_t n, cap;
};

enum { /* inline flags; the letters of (?idmsuxU) */
       REGEX_I = 1,
       REGEX_D = 2,
       REGEX_M = 4,
       REGEX_S = 8,
       REGEX_U = 16, /* u */
       REGEX_X = 32,
       REGEX_UNICODE = 64 /* U */
};

/* One pass over the pattern; the fields are the parser's own. */
struct sluice_regex_parser {
    const char *text, *at, *end;
    struct sluice_buf *out;
    struct sluice_err *err;
    struct sluice_regex_names *names;
    uint32_t groups; /* begun so far */
    uint32_t all;    /* in the whole pattern */
    unsigned flags;  /* REGEX_* in force */
    unsigned depth;
    bool quoting; /* between \Q and \E */
};

#define REGEX_END UINT32_MAX

/* Appends the PCRE2 pattern (UTF, no options). False: err. */
bool sluice_regex_translate(struct sluice_regex_parser *p);

/* Between the two files: java_regex_class.c reads what stands for one character. */
uint32_t sluice_regex_peek(struct sluice_regex_parser *p); /* skips blanks and comments under x */
uint32_t sluice_regex_next(struct sluice_regex_parser *p); /* taken raw */
/* The same, and whether it was quoted by \Q..\E. */
uint32_t sluice_regex_take(struct sluice_regex_parser *p, bool *quoted);
bool sluice_regex_error(struct sluice_regex_parser *p, const char *what);
void sluice_regex_literal(struct sluice_buf *out, uint32_t code);
/* Behind "[": the class as an expression that takes one character. */
bool sluice_regex_class(struct sluice_regex_parser *p);
/* The members of \d \D \h \H \s \S \v \V \w \W as part of a [class]; NULL: no such letter. */
const char *sluice_regex_letter_class(const struct sluice_regex_parser *p, uint32_t letter);
/* Behind \p or \P: its members as part of a [class]. */
bool sluice_regex_property(struct sluice_regex_parser *p, bool negated, struct sluice_buf *out);
/* Behind a backslash: the one character that 0 x u c t n r f a e, or anything that is no letter,
 * stands for. */
bool sluice_regex_escaped(struct sluice_regex_parser *p, uint32_t letter, uint32_t *code);

#endif
