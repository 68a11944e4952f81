/* avro_resolve.c - whether what one Avro schema wrote can be read by another: the rules of Avro's
 * specification (schema resolution). Owner: any one thread. */
#include <assert.h>

#include "base/err.h"
#include "data/converters/avro_schema.h"

#define PAIRS_MAX 100000u

struct resolver {
    struct sluice_err *err;
    unsigned pairs;
    struct pair {
        const struct pair *above;
        const struct avro_schema *writer, *reader;
    } const *open; /* records on the way here: of a cycle, seeing it again is enough */
};

int avro_field_of(const struct avro_schema *reader, const char *name)
{
    for (uint32_t i = 0; i < reader->n; i++) {
        if (strcmp(reader->fields[i].name, name) == 0) return (int)i;
    }
    for (uint32_t i = 0; i < reader->n; i++) {
        for (const char **alias = reader->fields[i].aliases; alias && *alias; alias++) {
            if (strcmp(*alias, name) == 0) return (int)i;
        }
    }
    return -1;
}

static bool promotes(enum avro_type from, enum avro_type to)
{
    switch (from) {
    case AVRO_INT: return to == AVRO_LONG || to == AVRO_FLOAT || to == AVRO_DOUBLE;
    case AVRO_LONG: return to == AVRO_FLOAT || to == AVRO_DOUBLE;
    case AVRO_FLOAT: return to == AVRO_DOUBLE;
    case AVRO_STRING: return to == AVRO_BYTES;
    case AVRO_BYTES: return to == AVRO_STRING;
    default: return false;
    }
}

int avro_fits(const struct avro_schema *writer, const struct avro_schema *reader)
{
    if (writer == reader) return 3;
    if (writer->type != reader->type)
        return promotes((enum avro_type)writer->type, (enum avro_type)reader->type);
    if (!writer->full) return 3;
    if (writer->type == AVRO_FIXED && writer->size != reader->size) return 0;
    if (strcmp(writer->full, reader->full) == 0) return 3;
    for (const char **alias = reader->aliases; alias && *alias; alias++) {
        if (strcmp(*alias, writer->full) == 0) return 3;
    }
    return strcmp(writer->name, reader->name) == 0 ? 2 : writer->type == AVRO_RECORD;
}

static const char *name_of(const struct avro_schema *schema)
{
    return schema->full ? schema->full : avro_type_name((enum avro_type)schema->type);
}

static bool resolve(struct resolver *r, const struct avro_schema *writer,
                    const struct avro_schema *reader);

static bool resolve_records(struct resolver *r, const struct avro_schema *writer,
                            const struct avro_schema *reader)
{
    for (const struct pair *at = r->open; at; at = at->above) {
        if (at->writer == writer && at->reader == reader) return true;
    }
    struct pair pair = {r->open, writer, reader};
    r->open = &pair;
    bool ok = true;
    for (uint32_t i = 0; i < reader->n && ok; i++) {
        const struct avro_field *field = &reader->fields[i];
        bool found = false;
        for (uint32_t j = 0; j < writer->n && ok; j++) {
            if (avro_field_of(reader, writer->fields[j].name) != (int)i) continue;
            found = true;
            ok = resolve(r, writer->fields[j].schema, field->schema) ||
                 sluice_err_wrap(r->err, "field %s", field->name);
        }
        if (ok && !found && !field->has_dflt)
            ok = sluice_err_set(r->err, "%s reads a field %s, without default, that is not written",
                                reader->full, field->name);
    }
    r->open = pair.above;
    return ok;
}

static bool resolve_enums(struct resolver *r, const struct avro_schema *writer,
                          const struct avro_schema *reader)
{
    for (uint32_t i = 0; i < writer->n && !reader->enum_dflt; i++) {
        bool found = false;
        for (uint32_t j = 0; j < reader->n && !found; j++)
            found = strcmp(writer->symbols[i], reader->symbols[j]) == 0;
        if (!found)
            return sluice_err_set(r->err, "the enum %s does not know the symbol %s", reader->full,
                                  writer->symbols[i]);
    }
    return true;
}

static bool resolve(struct resolver *r, const struct avro_schema *writer,
                    const struct avro_schema *reader)
{
    if (writer == reader) return true;
    if (++r->pairs > PAIRS_MAX)
        return sluice_err_set(r->err, "the schemas have too many parts to compare");
    if (writer->type == AVRO_UNION) {
        for (uint32_t i = 0; i < writer->n; i++) {
            if (!resolve(r, writer->types[i], reader)) return false;
        }
        return true;
    }
    if (reader->type == AVRO_UNION) {
        for (int fit = 3; fit > 0; fit--) {
            for (uint32_t i = 0; i < reader->n; i++) {
                if (avro_fits(writer, reader->types[i]) != fit) continue;
                return resolve(r, writer, reader->types[i]);
            }
        }
        return sluice_err_set(r->err, "the union to be read holds no %s", name_of(writer));
    }
    int fit = avro_fits(writer, reader);
    if (fit < (writer->full ? 2 : 1))
        return sluice_err_set(r->err, "%s cannot be read as %s", name_of(writer), name_of(reader));
    switch ((enum avro_type)writer->type) {
    case AVRO_RECORD: return resolve_records(r, writer, reader);
    case AVRO_ENUM: return resolve_enums(r, writer, reader);
    case AVRO_ARRAY:
    case AVRO_MAP: return resolve(r, writer->elem, reader->elem);
    default: return true;
    }
}

bool avro_resolves(const struct avro_schema *writer, const struct avro_schema *reader,
                   struct sluice_err *err)
{
    struct resolver r = {.err = err};
    assert(writer && reader);
    return resolve(&r, writer, reader);
}
