/* protobuf_known.c - the .proto files that schemas may import without the registry holding them:
 * the messages of Google's and Confluent's public types, without their comments and options. */
#include <string.h>

#include "data/converters/protobuf_model.h"

static const struct {
    const char *name, *text;
} files[] = {
    {"google/protobuf/timestamp.proto",
     "syntax = \"proto3\"; package google.protobuf;\n"
     "message Timestamp { int64 seconds = 1; int32 nanos = 2; }"},
    {"google/protobuf/duration.proto", "syntax = \"proto3\"; package google.protobuf;\n"
                                       "message Duration { int64 seconds = 1; int32 nanos = 2; }"},
    {"google/protobuf/any.proto", "syntax = \"proto3\"; package google.protobuf;\n"
                                  "message Any { string type_url = 1; bytes value = 2; }"},
    {"google/protobuf/empty.proto",
     "syntax = \"proto3\"; package google.protobuf;\nmessage Empty {}"},
    {"google/protobuf/field_mask.proto", "syntax = \"proto3\"; package google.protobuf;\n"
                                         "message FieldMask { repeated string paths = 1; }"},
    {"google/protobuf/source_context.proto", "syntax = \"proto3\"; package google.protobuf;\n"
                                             "message SourceContext { string file_name = 1; }"},
    {"google/protobuf/struct.proto",
     "syntax = \"proto3\"; package google.protobuf;\n"
     "message Struct { map<string, Value> fields = 1; }\n"
     "message Value { oneof kind { NullValue null_value = 1; double number_value = 2;\n"
     "  string string_value = 3; bool bool_value = 4; Struct struct_value = 5;\n"
     "  ListValue list_value = 6; } }\n"
     "message ListValue { repeated Value values = 1; }\n"
     "enum NullValue { NULL_VALUE = 0; }"},
    {"google/protobuf/wrappers.proto", "syntax = \"proto3\";\npackage google.protobuf;\n\n"
                                       "message DoubleValue {\n  double value = 1;\n}\n"
                                       "message FloatValue {\n  float value = 1;\n}\n"
                                       "message Int64Value {\n  int64 value = 1;\n}\n"
                                       "message UInt64Value {\n  uint64 value = 1;\n}\n"
                                       "message Int32Value {\n  int32 value = 1;\n}\n"
                                       "message UInt32Value {\n  uint32 value = 1;\n}\n"
                                       "message BoolValue {\n  bool value = 1;\n}\n"
                                       "message StringValue {\n  string value = 1;\n}\n"
                                       "message BytesValue {\n  bytes value = 1;\n}\n"},
    {"google/type/date.proto", "syntax = \"proto3\"; package google.type;\n"
                               "message Date { int32 year = 1; int32 month = 2; int32 day = 3; }"},
    {"google/type/timeofday.proto",
     "syntax = \"proto3\"; package google.type;\n"
     "message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3;\n"
     "  int32 nanos = 4; }"},
    {"google/type/datetime.proto",
     "syntax = \"proto3\"; package google.type;\n"
     "import \"google/protobuf/duration.proto\";\n"
     "message DateTime { int32 year = 1; int32 month = 2; int32 day = 3; int32 hours = 4;\n"
     "  int32 minutes = 5; int32 seconds = 6; int32 nanos = 7;\n"
     "  oneof time_offset { google.protobuf.Duration utc_offset = 8; TimeZone time_zone = 9; } }\n"
     "message TimeZone { string id = 1; string version = 2; }"},
    {"google/type/decimal.proto",
     "syntax = \"proto3\"; package google.type; message Decimal { string value = 1; }"},
    {"google/type/money.proto",
     "syntax = \"proto3\"; package google.type;\n"
     "message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }"},
    {"google/type/latlng.proto", "syntax = \"proto3\"; package google.type;\n"
                                 "message LatLng { double latitude = 1; double longitude = 2; }"},
    {"google/type/interval.proto", "syntax = \"proto3\"; package google.type;\n"
                                   "import \"google/protobuf/timestamp.proto\";\n"
                                   "message Interval { google.protobuf.Timestamp start_time = 1;\n"
                                   "  google.protobuf.Timestamp end_time = 2; }"},
    {"google/type/dayofweek.proto",
     "syntax = \"proto3\"; package google.type;\n"
     "enum DayOfWeek { DAY_OF_WEEK_UNSPECIFIED = 0; MONDAY = 1; TUESDAY = 2; WEDNESDAY = 3;\n"
     "  THURSDAY = 4; FRIDAY = 5; SATURDAY = 6; SUNDAY = 7; }"},
    {"google/type/month.proto",
     "syntax = \"proto3\"; package google.type;\n"
     "enum Month { MONTH_UNSPECIFIED = 0; JANUARY = 1; FEBRUARY = 2; MARCH = 3; APRIL = 4;\n"
     "  MAY = 5; JUNE = 6; JULY = 7; AUGUST = 8; SEPTEMBER = 9; OCTOBER = 10; NOVEMBER = 11;\n"
     "  DECEMBER = 12; }"},
    {"confluent/type/decimal.proto",
     "syntax = \"proto3\"; package confluent.type;\n"
     "message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }"},
    {"confluent/meta.proto",
     "syntax = \"proto3\"; package confluent;\n"
     "message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }"},
};

const char *pb_well_known(const char *name)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].name, name) == 0) return files[i].text;
    }
    return NULL;
}
