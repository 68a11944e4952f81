/* text.h - UTF-8 as Java counts it, values as Java prints them, and a plain byte buffer. */
#ifndef SLUICE_PLUGINS_FILE_TEXT_H
#define SLUICE_PLUGINS_FILE_TEXT_H

#include "sluice/plugin.h"

struct text {
    char *data;
    size_t len, cap;
};

/* False: out of memory, the text is as before. */
bool text_reserve(struct text *text, size_t n);
bool text_add(struct text *text, const void *data, size_t n);
void text_fini(struct text *text);

/* Bytes that the character at s takes (at least 1) and the UTF-16 units that Java counts for it; a
 * byte that is not UTF-8 counts as one U+FFFD, *valid false. */
size_t text_char(const char *s, size_t n, unsigned *units, bool *valid);
/* UTF-16 units of n bytes. */
int64_t text_units(const char *s, size_t n);
/* n bytes as valid UTF-8 into out, which has room for 3 * n; the bytes written. */
size_t text_repair(const char *s, size_t n, char *out);

/* Appends the value as Java's toString() has it: Struct{a=1,b=x}, {k=v}, [1, 2], null; strings and
 * bytes as they are. False: out of memory. */
bool text_add_value(struct text *text, const struct sluice_schema *schema,
                    const struct sluice_value *value);

#endif
