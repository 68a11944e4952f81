/* access.c - names and passwords. */
#include "rest/access.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/props.h"
#include "data/base64.h"

#define FILE_MAX ((size_t)1 << 20)
#define CREDENTIALS_MAX 8192
#define ENTRY "KafkaConnect"
#define EXTENSION "BasicAuthSecurityRestExtension"
#define MODULE "PropertyFileLoginModule"
#define JAAS_PROPERTY "java.security.auth.login.config"
#define DIGEST 32

struct sluice_access {
    struct sluice_map users; /* name to password */
};

/* ---- JAAS: Entry { class flag name=value ... ; }; ---- */

struct jaas {
    const char *at;
    char *word;  /* the token, owned; NULL at the end or when punct */
    char punct;  /* one of { } ; = */
    bool quoted; /* the word stood in quotes */
    bool broken; /* a quote or comment without end */
};

static void skip_blanks(struct jaas *jaas)
{
    for (;;) {
        jaas->at += strspn(jaas->at, " \t\r\n\f");
        if (strncmp(jaas->at, "//", 2) == 0 || *jaas->at == '#') {
            jaas->at += strcspn(jaas->at, "\n");
        } else if (strncmp(jaas->at, "/*", 2) == 0) {
            const char *end = strstr(jaas->at + 2, "*/");
            jaas->broken |= !end;
            jaas->at = end ? end + 2 : jaas->at + strlen(jaas->at);
        } else {
            return;
        }
    }
}

static void quoted_word(struct jaas *jaas)
{
    char quote = *jaas->at++;
    const char *end = jaas->at;
    while (*end && *end != quote) end += *end == '\\' && end[1] ? 2 : 1;
    jaas->broken |= !*end;
    char *word = sluice_xmalloc((size_t)(end - jaas->at) + 1), *to = word;
    for (const char *c = jaas->at; c < end; c++) {
        if (*c == '\\' && c + 1 < end) c++;
        *to++ = *c;
    }
    *to = '\0';
    jaas->word = word;
    jaas->quoted = true;
    jaas->at = *end ? end + 1 : end;
}

/* False at the end. */
static bool next_token(struct jaas *jaas)
{
    free(jaas->word);
    jaas->word = NULL;
    jaas->punct = '\0';
    jaas->quoted = false;
    skip_blanks(jaas);
    if (!*jaas->at || jaas->broken) return false;
    if (strchr("{};=", *jaas->at)) {
        jaas->punct = *jaas->at++;
    } else if (*jaas->at == '"' || *jaas->at == '\'') {
        quoted_word(jaas);
    } else {
        size_t len = strcspn(jaas->at, " \t\r\n\f{};=\"'");
        jaas->word = sluice_xstrndup(jaas->at, len);
        jaas->at += len;
    }
    return !jaas->broken;
}

static bool is_flag(const char *word)
{
    static const char *const flags[] = {"required", "requisite", "sufficient", "optional"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcasecmp(word, flags[i]) == 0) return true;
    }
    return false;
}

/* Behind "class": its flag and options, up to the semicolon. options may be NULL. */
static bool read_module(struct jaas *jaas, struct sluice_map *options)
{
    if (!next_token(jaas) || !jaas->word || !is_flag(jaas->word)) return false;
    while (next_token(jaas) && jaas->word) {
        char *name = jaas->word;
        jaas->word = NULL;
        bool ok = next_token(jaas) && jaas->punct == '=' && next_token(jaas) && jaas->word;
        if (ok && options) sluice_map_set(options, name, jaas->word);
        free(name);
        if (!ok) return false;
    }
    return jaas->punct == ';';
}

/* Behind "{", up to "};". The modules of the entry that is looked for are kept. */
static bool read_entry(struct jaas *jaas, bool wanted, char **module, struct sluice_map *options,
                       int *modules)
{
    while (next_token(jaas) && jaas->word) {
        if (wanted && ++*modules == 1) *module = sluice_xstrdup(jaas->word);
        if (!read_module(jaas, wanted && *modules == 1 ? options : NULL)) return false;
    }
    return jaas->punct == '}' && next_token(jaas) && jaas->punct == ';';
}

bool sluice_jaas_entry(const char *text, const char *entry, char **module,
                       struct sluice_map *options, struct sluice_err *err)
{
    struct jaas jaas = {.at = text};
    int modules = 0;
    bool ok = true;
    *module = NULL;
    while (ok && next_token(&jaas)) {
        bool wanted = jaas.word && strcmp(jaas.word, entry) == 0;
        ok = jaas.word && next_token(&jaas) && jaas.punct == '{' &&
             read_entry(&jaas, wanted, module, options, &modules);
    }
    ok = ok && !jaas.broken;
    free(jaas.word);
    if (ok && modules == 1) return true;
    size_t line = 1;
    for (const char *c = text; c < jaas.at; c++) line += *c == '\n';
    if (!ok)
        sluice_err_set(err,
                       "line %zu is not as JAAS has it: %s { <class> required name=\"value\"; "
                       "};",
                       line, entry);
    else if (modules == 0) sluice_err_set(err, "there is no entry %s with a login module", entry);
    else sluice_err_set(err, "the entry %s has %d login modules; give it one", entry, modules);
    free(*module);
    *module = NULL;
    return false;
}

/* ---- loading ---- */

static bool class_is(const char *word, size_t len, const char *name)
{
    size_t n = strlen(name);
    if (len < n || strncmp(word + len - n, name, n) != 0) return false;
    return len == n || word[len - n - 1] == '.';
}

/* Whether the extension is asked for; *ok false: another one is, which nobody here knows. */
static bool wants_basic(const char *list, bool *ok, struct sluice_err *err)
{
    bool wants = false;
    *ok = true;
    for (const char *at = list ? list : ""; *ok && *at;) {
        at += strspn(at, ", \t\r\n");
        size_t len = strcspn(at, ", \t\r\n");
        if (len && class_is(at, len, EXTENSION)) wants = true;
        else if (len)
            *ok = sluice_err_set(err,
                                 "rest.extension.classes names %.*s, which is not known here; "
                                 "org.apache.kafka.connect.rest.basic.auth.extension." EXTENSION
                                 " is the only one",
                                 (int)len, at);
        at += len;
    }
    return wants;
}

/* Owned; NULL: nobody names a file. */
static char *jaas_path(const struct sluice_map *props)
{
    static const char option[] = "-D" JAAS_PROPERTY "=";
    const char *path = sluice_map_get(props, JAAS_PROPERTY);
    if (path && *path) return sluice_xstrdup(path);
    const char *opts = getenv("KAFKA_OPTS"), *found = opts ? strstr(opts, option) : NULL;
    if (!found) return NULL;
    found += sizeof option - 1;
    char quote = *found == '"' || *found == '\'' ? *found++ : '\0';
    size_t len = quote ? strcspn(found, (char[]){quote, '\0'}) : strcspn(found, " \t");
    return len ? sluice_xstrndup(found, len) : NULL;
}

static bool load_users(struct sluice_access *access, const char *path, struct sluice_err *err)
{
    size_t len;
    char *text = sluice_file_read(path, FILE_MAX, &len, err);
    if (!text) return false;
    bool ok = sluice_props_parse(&access->users, text, len, err);
    explicit_bzero(text, len);
    free(text);
    if (ok && access->users.n == 0) /* Java lets everybody in then */
        ok = sluice_err_set(err, "%s names no user; give it lines user=password", path);
    return ok;
}

static bool load_jaas(struct sluice_access *access, const char *path, struct sluice_err *err)
{
    struct sluice_map options = {0};
    char *module = NULL;
    size_t len;
    char *text = sluice_file_read(path, FILE_MAX, &len, err);
    bool ok = text && sluice_jaas_entry(text, ENTRY, &module, &options, err);
    if (text && !ok) sluice_err_wrap(err, "JAAS file %s", path);
    const char *file = sluice_map_get(&options, "file");
    if (ok && !class_is(module, strlen(module), MODULE)) {
        ok = sluice_err_set(err,
                            "JAAS file %s: the login module %s is not known here; use "
                            "org.apache.kafka.connect.rest.basic.auth.extension." MODULE,
                            path, module);
    } else if (ok && (!file || !*file)) {
        ok = sluice_err_set(err, "JAAS file %s: " MODULE " has no option file=\"...\"", path);
    }
    ok = ok && load_users(access, file, err);
    if (text) explicit_bzero(text, len);
    free(text);
    free(module);
    sluice_map_fini(&options);
    return ok;
}

bool sluice_access_load(const struct sluice_map *props, struct sluice_access **out,
                        struct sluice_err *err)
{
    bool ok;
    *out = NULL;
    if (!wants_basic(sluice_map_get(props, "rest.extension.classes"), &ok, err)) return ok;
    if (!ok) return false;
    char *path = jaas_path(props);
    if (!path)
        return sluice_err_set(err, EXTENSION " needs a JAAS file: set " JAAS_PROPERTY
                                             " in the worker properties, or "
                                             "-D" JAAS_PROPERTY "=... in KAFKA_OPTS");
    struct sluice_access *access = sluice_xcalloc(1, sizeof *access);
    ok = load_jaas(access, path, err);
    free(path);
    if (ok) *out = access;
    else sluice_access_free(access);
    return ok;
}

void sluice_access_free(struct sluice_access *access)
{
    if (!access) return;
    for (size_t i = 0; i < access->users.n; i++) {
        if (access->users.items[i].value)
            explicit_bzero(access->users.items[i].value, strlen(access->users.items[i].value));
    }
    sluice_map_fini(&access->users);
    free(access);
}

/* ---- asking ---- */

static bool same_secret(const char *a, const char *b)
{
    unsigned char left[DIGEST], right[DIGEST];
    size_t n = 0, m = 0;
    /* digests, so that neither length nor first difference shows */
    bool ok = EVP_Q_digest(NULL, "SHA256", NULL, a, strlen(a), left, &n) == 1 &&
              EVP_Q_digest(NULL, "SHA256", NULL, b, strlen(b), right, &m) == 1;
    assert(!ok || (n == DIGEST && m == DIGEST));
    return ok && CRYPTO_memcmp(left, right, DIGEST) == 0;
}

bool sluice_access_allows(const struct sluice_access *access, const char *authorization)
{
    const char *at = authorization ? authorization : "";
    size_t method = strcspn(at, " ");
    if (method != 5 || strncasecmp(at, "Basic", 5) != 0) return false;
    at += method + strspn(at + method, " ");
    size_t len = strcspn(at, " \t");
    if (len == 0 || len > CREDENTIALS_MAX) return false;
    char plain[CREDENTIALS_MAX];
    size_t n = 0;
    bool ok = sluice_base64_read(plain, at, len, &n) && n < sizeof plain;
    if (ok) {
        plain[n] = '\0';
        char *password = memchr(plain, ':', n);
        ok = password && strlen(plain) == n;
        if (ok) {
            *password++ = '\0';
            const char *right = sluice_map_get(&access->users, plain);
            bool same = same_secret(password, right ? right : "\x01 nobody");
            ok = right && same;
        }
    }
    explicit_bzero(plain, sizeof plain);
    return ok;
}

bool sluice_access_internal(const struct sluice_route *route)
{
    return (strcmp(route->method, "POST") == 0 &&
            strcmp(route->path, "/connectors/{}/tasks") == 0) ||
           (strcmp(route->method, "PUT") == 0 && strcmp(route->path, "/connectors/{}/fence") == 0);
}
