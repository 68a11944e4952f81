/* builtins.h - the converters and transforms that come with the runtime. They register through the
 * same descriptions as shared objects do; one line in builtins.c each. */
#ifndef SLUICE_DATA_BUILTINS_H
#define SLUICE_DATA_BUILTINS_H

#include "sluice/plugin.h"

extern const struct sluice_plugin sluice_json_converter;           /* converters/json.c */
extern const struct sluice_plugin sluice_string_converter;         /* converters/string.c */
extern const struct sluice_plugin sluice_bytes_converter;          /* converters/bytes.c */
extern const struct sluice_plugin sluice_simple_header_converter;  /* converters/simple_header.c */
extern const struct sluice_plugin sluice_protobuf_converter;       /* converters/protobuf.c */
extern const struct sluice_plugin sluice_json_schema_converter;    /* converters/ */
extern const struct sluice_plugin sluice_avro_converter;           /* converters/avro.c */
extern const struct sluice_plugin sluice_extract_new_record_state; /* transforms/ */

/* transforms/debezium_*.c */
extern const struct sluice_plugin sluice_debezium_filter;
extern const struct sluice_plugin sluice_debezium_router;
extern const struct sluice_plugin sluice_debezium_partition_routing;
extern const struct sluice_plugin sluice_debezium_event_router;
extern const struct sluice_plugin sluice_debezium_logical_table_router;
extern const struct sluice_plugin sluice_debezium_header_to_value;
extern const struct sluice_plugin sluice_debezium_changed_state;
extern const struct sluice_plugin sluice_debezium_timezone_converter;
extern const struct sluice_plugin sluice_debezium_logical_message;

extern const struct sluice_plugin sluice_cast_key, sluice_cast_value; /* transforms/cast.c */
extern const struct sluice_plugin sluice_drop_headers;
extern const struct sluice_plugin sluice_extract_field_key, sluice_extract_field_value;
extern const struct sluice_plugin sluice_filter;
extern const struct sluice_plugin sluice_flatten_key, sluice_flatten_value;
extern const struct sluice_plugin sluice_header_from_key, sluice_header_from_value;
extern const struct sluice_plugin sluice_hoist_field_key, sluice_hoist_field_value;
extern const struct sluice_plugin sluice_insert_field_key, sluice_insert_field_value;
extern const struct sluice_plugin sluice_insert_header;

extern const struct sluice_plugin sluice_mask_field_key, sluice_mask_field_value;
extern const struct sluice_plugin sluice_regex_router;
extern const struct sluice_plugin sluice_replace_field_key, sluice_replace_field_value;
extern const struct sluice_plugin sluice_set_schema_metadata_key, sluice_set_schema_metadata_value;
extern const struct sluice_plugin sluice_timestamp_converter_key, sluice_timestamp_converter_value;
extern const struct sluice_plugin sluice_timestamp_router;
extern const struct sluice_plugin sluice_value_to_key;

extern const struct sluice_plugin sluice_short_converter; /* converters/primitive.c */
extern const struct sluice_plugin sluice_integer_converter, sluice_long_converter;
extern const struct sluice_plugin sluice_float_converter, sluice_double_converter;
extern const struct sluice_plugin sluice_boolean_converter;

extern const struct sluice_plugin sluice_has_header_key; /* predicates/has_header_key.c */
extern const struct sluice_plugin sluice_record_is_tombstone;
extern const struct sluice_plugin sluice_topic_name_matches;

/* All of them, NULL-ended; the same form as a shared object's entry. */
const struct sluice_plugin *const *sluice_builtins(void);

#endif
