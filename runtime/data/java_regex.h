/* java_regex.h - regular expressions as java.util.regex has them.
 *
 * A pattern is parsed by Java's grammar and written anew for PCRE2, so that what the two read
 * differently (., $, ^, \R, classes with && and unions, (?i) for ASCII only, \p names, group
 * names, \0 octals, a second {n}) means what Java means. What PCRE2 cannot do is refused when the
 * pattern is compiled, with the reason. Matching is bounded in steps and memory: a pattern that
 * explodes on some text is an error for that text, never a hang.
 *
 * Owner: one thread at a time (a regex holds its match). Texts are UTF-8; bytes that are not match
 * nothing. */
#ifndef SLUICE_DATA_JAVA_REGEX_H
#define SLUICE_DATA_JAVA_REGEX_H

#include <stdbool.h>

#include "sluice/plugin.h"

struct sluice_java_regex;

#define SLUICE_REGEX_NOCASE 1u /* as Pattern.CASE_INSENSITIVE: ASCII letters */

/* NULL: no Java pattern, or one that cannot be translated; err is Java's description with "near
 * index N". Freed by the caller. */
struct sluice_java_regex *sluice_java_regex_new(const char *pattern, unsigned flags,
                                                struct sluice_err *err);
void sluice_java_regex_free(struct sluice_java_regex *regex); /* takes NULL */

enum sluice_match {
    SLUICE_MATCH_NO,
    SLUICE_MATCH_YES,
    SLUICE_MATCH_FAILED /* it took too many steps; err */
};

/* Matcher.matches(): the whole text. */
enum sluice_match sluice_java_regex_matches(struct sluice_java_regex *regex, const char *text,
                                            size_t len, struct sluice_err *err);
/* Matcher.find() from a byte on: where it is found, with its groups, sluice_java_regex_group()
 * tells until the next call. */
enum sluice_match sluice_java_regex_find(struct sluice_java_regex *regex, const char *text,
                                         size_t len, size_t from, struct sluice_err *err);
/* The i-th group of the last match, 0 is all of it, as a piece of that text; false: it took no
 * part, or there is none. */
bool sluice_java_regex_group(const struct sluice_java_regex *regex, uint32_t i, size_t *start,
                             size_t *end);
uint32_t sluice_java_regex_groups(const struct sluice_java_regex *regex); /* besides 0 */
/* Number of a named group, 0: there is none. */
uint32_t sluice_java_regex_named(const struct sluice_java_regex *regex, const char *name,
                                 size_t len);
/* Appends the text with its first (or every) match replaced by Java's rules: $1, ${name}, \x for x
 * itself. FAILED: the replacement is wrong (Java's words), the steps or the buffer ran out; NO: the
 * text was appended unchanged. */
enum sluice_match sluice_java_regex_replace(struct sluice_java_regex *regex, const char *text,
                                            size_t len, const char *replacement, bool all,
                                            struct sluice_buf *out, struct sluice_err *err);

#endif
