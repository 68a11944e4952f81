/* utf8.h - UTF-8 at the edges: what is not valid must not reach logs, JSON or Kafka's strings. */
#ifndef SLUICE_BASE_UTF8_H
#define SLUICE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes (1 to 4) of the valid character that s starts with; 0: none within n bytes (overlong forms,
 * surrogates and what lies beyond U+10FFFF are not valid). */
size_t sluice_utf8_char(const char *s, size_t n);
bool sluice_utf8_valid(const char *s, size_t n);
/* Bytes (1 to 4) of the code point, written to out; U+FFFD for what is none. */
size_t sluice_utf8_put(uint32_t code_point, char out[4]);
/* The longest whole-character prefix of at most max bytes of a valid text of n bytes. */
size_t sluice_utf8_cut(const char *s, size_t n, size_t max);

#endif
