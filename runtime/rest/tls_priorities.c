/* tls_priorities.c - Java's names of protocols and cipher suites in GnuTLS' words.
 *
 * A GnuTLS priority string has no suites but their parts (key exchange, cipher, MAC), so that what
 * is switched on is every combination of the parts of the suites that are named. */
#include <assert.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "rest/tls.h"

/* The next word of a list: its length; *at stands behind it. */
static size_t next_word(const char **at, const char **word)
{
    *at += strspn(*at, ", \t\r\n");
    *word = *at;
    size_t len = strcspn(*at, ", \t\r\n");
    *at += len;
    return len;
}

static void add_once(struct sluice_buf *buf, const char *part)
{
    char *term = sluice_xasprintf(":+%s", part);
    size_t len = strlen(term);
    const char *found = strstr(sluice_buf_str(buf), term);
    while (found && found[len] && found[len] != ':') found = strstr(found + 1, term);
    if (!found) sluice_buf_adds(buf, term);
    free(term);
}

static bool add_protocols(struct sluice_buf *buf, const char *list, struct sluice_err *err)
{
    static const struct {
        const char *java, *gnutls;
    } known[] = {{"TLSv1.3", "VERS-TLS1.3"}, {"TLSv1.2", "VERS-TLS1.2"}};
    bool any = false;
    const char *word;
    for (size_t len; (len = next_word(&list, &word));) {
        size_t i = 0, n = sizeof known / sizeof *known;
        while (i < n && (strlen(known[i].java) != len || strncmp(known[i].java, word, len) != 0))
            i++;
        if (i < n) {
            add_once(buf, known[i].gnutls);
            any = true;
        } else {
            sluice_log(SLUICE_WARN, NULL, -1,
                       "ssl.enabled.protocols: %.*s is left out; TLSv1.2 and TLSv1.3 are served",
                       (int)len, word);
        }
    }
    return any || sluice_err_set(err, "ssl.enabled.protocols names neither TLSv1.2 nor TLSv1.3");
}

/* GnuTLS' name of a suite lacks Java's "WITH_" and has the underscores elsewhere. */
static bool same_suite(const char *gnutls, const char *java, size_t len)
{
    const char *end = java + len;
    for (;;) {
        if (*gnutls == '_') gnutls++;
        if (java < end && *java == '_') java++;
        if (end - java > 5 && strncmp(java, "WITH_", 5) == 0) java += 5;
        if (!*gnutls || java == end) return !*gnutls && java == end;
        if (*gnutls == '_' || *java == '_') continue;
        if (*gnutls++ != *java++) return false;
    }
}

static bool add_suite(struct sluice_buf *buf, const char *java, size_t len)
{
    gnutls_kx_algorithm_t kx;
    gnutls_cipher_algorithm_t cipher;
    gnutls_mac_algorithm_t mac;
    const char *name;
    for (size_t i = 0; (name = gnutls_cipher_suite_info(i, NULL, &kx, &cipher, &mac, NULL)); i++) {
        if (!same_suite(name, java, len)) continue;
        if (kx != GNUTLS_KX_UNKNOWN) add_once(buf, gnutls_kx_get_name(kx));
        add_once(buf, gnutls_cipher_get_name(cipher));
        add_once(buf, gnutls_mac_get_name(mac));
        return true;
    }
    return false;
}

static bool add_suites(struct sluice_buf *buf, const char *list, struct sluice_err *err)
{
    bool any = false;
    const char *word;
    sluice_buf_adds(buf, ":-KX-ALL:-CIPHER-ALL:-MAC-ALL");
    for (size_t len; (len = next_word(&list, &word));) {
        if (add_suite(buf, word, len)) any = true;
        else
            sluice_log(SLUICE_WARN, NULL, -1, "ssl.cipher.suites: %.*s is not known here, left out",
                       (int)len, word);
    }
    return any || sluice_err_set(err, "ssl.cipher.suites names no cipher suite that is known here");
}

char *sluice_tls_priorities(const char *protocols, const char *suites, struct sluice_err *err)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    sluice_buf_adds(&buf, "NORMAL:-VERS-ALL");
    bool ok = add_protocols(&buf, protocols ? protocols : "TLSv1.2,TLSv1.3", err) &&
              (!suites || add_suites(&buf, suites, err));
    gnutls_priority_t parsed = NULL;
    if (ok && gnutls_priority_init(&parsed, sluice_buf_str(&buf), NULL) != GNUTLS_E_SUCCESS)
        ok = sluice_err_set(err,
                            "ssl.cipher.suites and ssl.enabled.protocols leave nothing that "
                            "GnuTLS can serve (%s)",
                            sluice_buf_str(&buf));
    if (parsed) gnutls_priority_deinit(parsed);
    char *text = ok ? sluice_xstrdup(sluice_buf_str(&buf)) : NULL;
    sluice_buf_fini(&buf);
    return text;
}
