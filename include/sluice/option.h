/* option.h - a plugin's options: a row drives checks, REST, masking of secrets and docs/CONFIG.md.
 * Part of the plugin ABI (plugin.h): rows are only ever appended to. */
#ifndef SLUICE_OPTION_H
#define SLUICE_OPTION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As in Kafka's ConfigDef.Type. */
enum sluice_option_type {
    SLUICE_OPT_BOOLEAN,
    SLUICE_OPT_STRING,
    SLUICE_OPT_INT,
    SLUICE_OPT_SHORT,
    SLUICE_OPT_LONG,
    SLUICE_OPT_DOUBLE,
    SLUICE_OPT_LIST, /* comma separated */
    SLUICE_OPT_CLASS,
    SLUICE_OPT_PASSWORD /* never logged, shown as [hidden] */
};

enum sluice_importance { SLUICE_HIGH, SLUICE_MEDIUM, SLUICE_LOW };

#define SLUICE_OPT_REQUIRED 1u /* no default: must be given */
#define SLUICE_OPT_NONEMPTY 2u /* the empty string is refused */
#define SLUICE_OPT_NOCASE 4u   /* valid words in any case */
#define SLUICE_OPT_IGNORED 8u  /* accepted for drop-in's sake, without effect: warned of once */

struct sluice_option {
    const char *key; /* may hold one '*': "column.mask.with.*.chars" */
    uint8_t type;    /* enum sluice_option_type */
    uint8_t importance;
    uint16_t flags;
    const char *fallback; /* as written in a config; NULL: null */
    const char *valid;    /* NULL: any; words: "none|all"; numbers, inclusive: "1..", "0..65535" */
    const char *group;    /* NULL: none */
    const char *doc;      /* one or two sentences; never NULL */
};

#ifdef __cplusplus
}
#endif

#endif
