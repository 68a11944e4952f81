/* session_key.h - the key that signs requests between workers (KIP-507), in Connect's forms.
 * Thread: any; nothing is kept. */
#ifndef SLUICE_HERDER_SESSION_KEY_H
#define SLUICE_HERDER_SESSION_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/plugin.h"

/* Java's name of a MAC (HmacSHA256, HmacSHA384, HmacSHA512, HmacSHA1, HmacMD5); false: unknown. */
bool sluice_mac_known(const char *algorithm);
/* A new random key, base64; bits 0: as many as the algorithm's output. Owned by the caller. */
char *sluice_session_key_new(const char *algorithm, int bits, struct sluice_err *err);
/* base64 of the MAC over the body; owned by the caller. NULL: err. */
char *sluice_sign(const char *key_base64, const char *algorithm, const void *body, size_t len,
                  struct sluice_err *err);
/* Compared in constant time. */
bool sluice_signature_valid(const char *key_base64, const char *algorithm, const void *body,
                            size_t len, const char *signature_base64);

#endif
