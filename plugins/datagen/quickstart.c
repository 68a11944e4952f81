/* quickstart.c - the built-in schemas: fields, types and ranges as those of the same name in
 * kafka-connect-datagen; the lists of words are sluice's own. */
#include "quickstart.h"

#include <strings.h>

#define RECORD(space, name, fields)                                                                \
    "{\"type\":\"record\",\"namespace\":\"" space "\",\"name\":\"" name "\",\"fields\":[" fields   \
    "]}"
#define FIELD(name, type, props)                                                                   \
    "{\"name\":\"" name "\",\"type\":{\"type\":\"" type "\",\"arg.properties\":{" props "}}}"
#define REGEX(name, text) FIELD(name, "string", "\"regex\":\"" text "\"")
#define RANGE(name, type, min, max)                                                                \
    FIELD(name, type, "\"range\":{\"min\":" #min ",\"max\":" #max "}")
#define COUNT(name, type, start, step)                                                             \
    FIELD(name, type, "\"iteration\":{\"start\":" #start ",\"step\":" #step "}")
#define WORDS(name, list) FIELD(name, "string", "\"options\":[" list "]")

#define ADDRESSES                                                                                  \
    "\"10.127.16.56\",\"10.148.77.135\",\"10.149.147.164\",\"10.16.188.180\","                     \
    "\"10.23.112.108\",\"10.233.130.55\",\"10.243.58.162\",\"10.31.132.108\","                     \
    "\"10.62.24.142\",\"100.12.143.220\",\"100.179.200.63\",\"100.194.88.39\","                    \
    "\"100.75.108.37\",\"100.96.25.141\",\"172.122.179.171\",\"172.166.148.175\","                 \
    "\"172.243.39.102\",\"172.77.64.204\",\"172.88.178.90\",\"192.108.11.247\","                   \
    "\"192.150.237.117\",\"192.16.212.145\",\"192.18.216.24\",\"192.225.88.187\","                 \
    "\"192.73.184.99\",\"192.74.156.251\",\"192.91.44.157\",\"198.110.199.81\","                   \
    "\"198.128.149.205\",\"198.150.102.13\",\"198.203.225.210\",\"198.209.175.47\","               \
    "\"198.25.94.150\",\"198.31.147.79\",\"198.53.128.175\",\"203.13.19.211\","                    \
    "\"203.150.243.16\",\"203.17.145.16\",\"203.20.196.143\",\"203.89.6.241\""
#define AGENTS                                                                                     \
    "\"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\","                  \
    "\"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15\""
#define REQUESTS                                                                                   \
    "\"GET / HTTP/1.1\",\"GET /account HTTP/1.1\",\"GET /cart HTTP/1.1\","                         \
    "\"POST /login HTTP/1.1\",\"GET /static/app.js HTTP/1.1\","                                    \
    "\"GET /static/logo.svg HTTP/1.1\""
#define USERNAMES                                                                                  \
    "\"rivka.s\",\"tomasz88\",\"inga_b\",\"pedro-77\",\"mei.lin\",\"oskar_v\","                    \
    "\"nadia4\",\"jules1990\",\"amara.k\",\"finn_o\",\"leila22\",\"hugo.p\","                      \
    "\"sana_m\",\"kofi_a\",\"vera.z\",\"dario9\",\"yuki_t\",\"bruno.c\""
#define FIRST_NAMES                                                                                \
    "\"Ada\",\"Bilal\",\"Chiara\",\"Dmitri\",\"Esme\",\"Farid\",\"Greta\",\"Hiro\","               \
    "\"Ines\",\"Jonas\",\"Kemi\",\"Luca\""
#define LAST_NAMES                                                                                 \
    "\"Almeida\",\"Brandt\",\"Castillo\",\"Dubois\",\"Eriksen\",\"Farkas\","                       \
    "\"Gruber\",\"Haddad\",\"Ito\",\"Jansen\",\"Kowalski\",\"Lindqvist\""
#define CITIES "\"Lisbon\",\"Osaka\",\"Toronto\",\"Nairobi\",\"Vienna\",\"Seattle\""

/* clang-format off */
static const struct quickstart quickstarts[] = {
    {"clickstream", "ip",
     RECORD("clickstream", "events",
            WORDS("ip", ADDRESSES) ","
            RANGE("userid", "int", -1, 40) ","
            WORDS("remote_user", "\"-\"") ","
            COUNT("time", "string", 1, 10) ","
            COUNT("_time", "long", 1, 10) ","
            WORDS("request", REQUESTS) ","
            WORDS("status", "\"200\",\"302\",\"404\",\"405\",\"406\",\"407\"") ","
            WORDS("bytes", "\"256\",\"1024\",\"1536\",\"2048\",\"4096\",\"8192\",\"16384\"") ","
            WORDS("referrer", "\"-\"") ","
            WORDS("agent", AGENTS))},
    {"clickstream_users", "user_id",
     RECORD("clickstream", "users",
            COUNT("user_id", "int", 1, 1) ","
            WORDS("username", USERNAMES) ","
            RANGE("registered_at", "long", 1407645330000, 1502339792000) ","
            WORDS("first_name", FIRST_NAMES) ","
            WORDS("last_name", LAST_NAMES) ","
            WORDS("city", CITIES) ","
            WORDS("level", "\"Bronze\",\"Silver\",\"Gold\""))},
    {"orders", "orderid",
     RECORD("ksql", "orders",
            RANGE("ordertime", "long", 1487715775521, 1519273364600) ","
            COUNT("orderid", "int", 0, 1) ","
            REGEX("itemid", "Item_[1-9][0-9]{0,2}") ","
            RANGE("orderunits", "double", 0.1, 10.0) ","
            "{\"name\":\"address\",\"type\":{\"type\":\"record\",\"name\":\"address\",\"fields\":["
            REGEX("city", "City_[1-9]{0,2}") ","
            REGEX("state", "State_[1-9]{0,2}") ","
            RANGE("zipcode", "long", 10000, 99999) "]}}")},
    {"pageviews", "viewtime",
     RECORD("ksql", "pageviews",
            COUNT("viewtime", "long", 1, 10) ","
            REGEX("userid", "User_[1-9]") ","
            REGEX("pageid", "Page_[1-9][0-9]"))},
    {"users", "userid",
     RECORD("ksql", "users",
            RANGE("registertime", "long", 1487715775521, 1519273364600) ","
            REGEX("userid", "User_[1-9]") ","
            REGEX("regionid", "Region_[1-9]") ","
            WORDS("gender", "\"MALE\",\"FEMALE\",\"OTHER\""))},
    {NULL, NULL, NULL},
};
/* clang-format on */

const struct quickstart *quickstart_all(void) { return quickstarts; }

const struct quickstart *quickstart_find(const char *name)
{
    for (const struct quickstart *q = quickstarts; q->name; q++) {
        if (strcasecmp(q->name, name) == 0) return q;
    }
    return NULL;
}
