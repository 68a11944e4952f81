/* builtins.c - one line for each converter and transform that comes with the runtime. */
#include "data/builtins.h"

/* clang-format off */
static const struct sluice_plugin *const builtins[] = {
    &sluice_json_converter,
    &sluice_string_converter,
    &sluice_bytes_converter,
    &sluice_simple_header_converter,
    &sluice_avro_converter,
    &sluice_protobuf_converter,
    &sluice_json_schema_converter,

    &sluice_extract_new_record_state,
    &sluice_debezium_filter,
    &sluice_debezium_router,
    &sluice_debezium_partition_routing,
    &sluice_debezium_event_router,
    &sluice_debezium_logical_table_router,
    &sluice_debezium_header_to_value,
    &sluice_debezium_changed_state,
    &sluice_debezium_timezone_converter,
    &sluice_debezium_logical_message,

    &sluice_cast_key,
    &sluice_cast_value,
    &sluice_drop_headers,
    &sluice_extract_field_key,
    &sluice_extract_field_value,
    &sluice_filter,
    &sluice_flatten_key,
    &sluice_flatten_value,
    &sluice_header_from_key,
    &sluice_header_from_value,
    &sluice_hoist_field_key,
    &sluice_hoist_field_value,
    &sluice_insert_field_key,
    &sluice_insert_field_value,
    &sluice_insert_header,

    &sluice_mask_field_key,
    &sluice_mask_field_value,
    &sluice_regex_router,
    &sluice_replace_field_key,
    &sluice_replace_field_value,
    &sluice_set_schema_metadata_key,
    &sluice_set_schema_metadata_value,
    &sluice_timestamp_converter_key,
    &sluice_timestamp_converter_value,
    &sluice_timestamp_router,
    &sluice_value_to_key,

    &sluice_short_converter,
    &sluice_integer_converter,
    &sluice_long_converter,
    &sluice_float_converter,
    &sluice_double_converter,
    &sluice_boolean_converter,

    &sluice_has_header_key,
    &sluice_record_is_tombstone,
    &sluice_topic_name_matches,

    NULL,
};
/* clang-format on */

const struct sluice_plugin *const *sluice_builtins(void) { return builtins; }
