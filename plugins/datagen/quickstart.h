/* quickstart.h - built-in schemas, by name. */
#ifndef DATAGEN_QUICKSTART_H
#define DATAGEN_QUICKSTART_H

#include <stddef.h>

struct quickstart {
    const char *name;
    const char *key;    /* default of schema.keyfield */
    const char *schema; /* Avro with arg.properties */
};

/* All of them, ended by one without a name. */
const struct quickstart *quickstart_all(void);
/* The one of this name, in any case; NULL when there is none. */
const struct quickstart *quickstart_find(const char *name);

#endif
