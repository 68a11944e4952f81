/* Signatures of requests between workers: vectors of RFC 4231 and RFC 2202, and what is refused. */
#include "herder/session_key.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const struct {
    const char *algorithm, *key, *data, *mac; /* key and MAC in base64 */
} vectors[] = {
    {"HmacSHA256", "CwsLCwsLCwsLCwsLCwsLCwsLCws=", "Hi There",
     "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c="},
    {"HmacSHA256", "SmVmZQ==", "what do ya want for nothing?",
     "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
    {"HmacSHA512", "SmVmZQ==", "what do ya want for nothing?",
     "Fkt6e/z4GeLjlfvnO1bgo4e9ZCIugx/WECcM1+olBVSXWL91wFqZSm0DT2X48Ob9yuqxo01Ka0tjbgcKOLznNw=="},
    {"HmacSHA1", "SmVmZQ==", "what do ya want for nothing?", "7/zfauXrL6LSdBbV8YTfnCWafHk="},
    {"HmacMD5", "SmVmZQ==", "what do ya want for nothing?", "dQx4PmqwtQPqqG4xCl23OA=="},
};

TEST(signatures_are_those_of_the_standards)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct sluice_err err = {{0}};
        size_t len = strlen(vectors[i].data);
        char *mac = sluice_sign(vectors[i].key, vectors[i].algorithm, vectors[i].data, len, &err);
        CHECK_STR(mac, vectors[i].mac);
        CHECK(sluice_signature_valid(vectors[i].key, vectors[i].algorithm, vectors[i].data, len,
                                     vectors[i].mac));
        free(mac);
    }
}

TEST(keys_are_as_long_as_asked_for_and_never_the_same)
{
    struct sluice_err err = {{0}};
    char *a = sluice_session_key_new("HmacSHA256", 0, &err);
    char *b = sluice_session_key_new("HmacSHA256", 0, &err);
    char *c = sluice_session_key_new("HmacSHA512", 128, &err);
    CHECK(strlen(a) == 44 && strlen(b) == 44 && strlen(c) == 24);
    CHECK(strcmp(a, b) != 0);
    char *mac = sluice_sign(a, "HmacSHA256", "", 0, &err);
    CHECK(sluice_signature_valid(a, "HmacSHA256", "", 0, mac));
    CHECK(!sluice_signature_valid(b, "HmacSHA256", "", 0, mac));
    CHECK(!sluice_signature_valid(a, "HmacSHA512", "", 0, mac));
    CHECK(!sluice_signature_valid(a, "HmacSHA256", "x", 1, mac));
    free(mac);
    free(a);
    free(b);
    free(c);
}

TEST(what_is_no_key_algorithm_or_signature_is_refused)
{
    struct sluice_err err = {{0}};
    CHECK(sluice_mac_known("HmacSHA384") && !sluice_mac_known("SHA256") && !sluice_mac_known(NULL));
    CHECK(!sluice_session_key_new("Rot13", 0, &err));
    CHECK(strstr(err.msg, "HmacSHA256"));
    CHECK(!sluice_session_key_new("HmacSHA256", 1000000, &err));
    static const char *const keys[] = {"", "a", "=", "====", "!!!!", "SmVmZQ", "Sm=mZQ=="};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CHECK(!sluice_sign(keys[i], "HmacSHA256", "x", 1, &err));
    char *key = sluice_session_key_new("HmacSHA256", 0, &err);
    static const char *const signatures[] = {"", "x", "AAAA", "sDRMYdjbOFNcqK/Or/C/K4gdwgDJgz2n"};
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        CHECK(!sluice_signature_valid(key, "HmacSHA256", "x", 1, signatures[i]));
    free(key);
}
