/* What Kafka's own transforms and predicates gave for thousands of generated records
 * (tests/golden/java/run.sh), replayed. */
#include "golden/smt.h"

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Where we say it otherwise than Java, and why (docs/internals/transforms.md). */
static bool accepts(char **cols, const char *java, const char *ours)
{
    if (begins(ours, java)) return true; /* the same, and what to do */
    /* a config: in the words of our option tables */
    if (begins(cols[6], "?\"Invalid value ")) return begins(ours, "Invalid ");
    /* a field that is not there: a NullPointerException in Java, unless it finds another mistake
     * before that */
    if (begins(cols[0], "HeaderFrom") && begins(ours, "Unknown field: ")) {
        return begins(java, "Cannot invoke \"org.apache.kafka.connect.data.Field.schema()\"") ||
               begins(java, "Invalid value: null used for required field: ");
    }
    return false;
}

static void row(char **cols, int line) { smt_replay(cols, line, accepts); }

static void replay(const char *file, size_t at_least)
{
    char path[128];
    size_t before = sluice_schema_count();
    snprintf(path, sizeof path, "golden/transforms/%s.txt", file);
    CHECK(text_rows(path, row) >= at_least);
    CHECK_INT(sluice_schema_count(), before);
}

TEST(cast_does_as_kafka) { replay("cast", 580); }
TEST(cast_converts_values_as_java) { replay("cast_values", 1000); }
TEST(extract_field_does_as_kafka) { replay("extract_field", 600); }
TEST(flatten_does_as_kafka) { replay("flatten", 600); }
TEST(header_from_does_as_kafka) { replay("header_from", 500); }
TEST(hoist_field_does_as_kafka) { replay("hoist_field", 300); }
TEST(insert_field_does_as_kafka) { replay("insert_field", 600); }
TEST(header_transforms_and_predicates_do_as_kafka) { replay("headers", 190); }
