/* base64.h - the standard alphabet, with padding. */
#ifndef SLUICE_DATA_BASE64_H
#define SLUICE_DATA_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Writes 4 * ((len + 2) / 3) characters; returns their end. */
char *sluice_base64_write(char *to, const void *data, size_t len);
/* Writes at most 3 * (len / 4) octets; *n says how many. White space between groups is passed over,
 * padding is required, as Jackson does. False: not base64. */
bool sluice_base64_read(char *to, const char *text, size_t len, size_t *n);

#endif
