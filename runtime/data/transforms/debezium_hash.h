/* debezium_hash.h - the two hashes of PartitionRouting: Java's hashCode() and MurmurHash3. */
#ifndef SLUICE_DATA_TRANSFORMS_DEBEZIUM_HASH_H
#define SLUICE_DATA_TRANSFORMS_DEBEZIUM_HASH_H

#include "sluice/value.h"

/* hashCode() of the value's Java object; octets count as a ByteBuffer, a struct as the list of its
 * values (Java's differs from process to process). */
uint32_t dbz_java_hash(const struct sluice_schema *schema, const struct sluice_value *v);
/* Debezium's MurmurHash3: of a text's UTF-8, else of the hashCode(). */
uint32_t dbz_murmur_hash(const struct sluice_schema *schema, const struct sluice_value *v);

#endif
