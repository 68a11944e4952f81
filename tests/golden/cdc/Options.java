import io.debezium.config.Field;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Prints each property of Debezium's Postgres connector: name, type, default, allowed words (- for
 *  none), separated by tabs. options.tsv was made with it and 3.6.3: javac and java with the jars that
 *  scripts/services/connect.sh installs. */
public class Options {
    /** Where properties are declared that the connector reads without listing them. */
    static final String[] DECLARING = {
            "io.debezium.config.CommonConnectorConfig",
            "io.debezium.connector.postgresql.PostgresConnectorConfig",
            "io.debezium.heartbeat.Heartbeat",
            "io.debezium.pipeline.signal.channels.FileSignalChannel",
            "io.debezium.pipeline.signal.channels.KafkaSignalChannel",
            "io.debezium.relational.RelationalDatabaseConnectorConfig",
            "io.debezium.schema.AbstractRegexTopicNamingStrategy",
            "io.debezium.schema.AbstractTopicNamingStrategy",
    };

    public static void main(String[] args) throws Exception {
        Map<String, Field> all = new TreeMap<>();
        for (Field field : PostgresConnectorConfig.ALL_FIELDS) {
            all.put(field.name(), field);
        }
        for (String name : DECLARING) {
            for (java.lang.reflect.Field constant : Class.forName(name).getDeclaredFields()) {
                if (Modifier.isStatic(constant.getModifiers()) && constant.getType() == Field.class) {
                    constant.setAccessible(true);
                    Field field = (Field) constant.get(null);
                    all.putIfAbsent(field.name(), field);
                }
            }
        }
        for (Field field : all.values()) {
            TreeSet<String> words = new TreeSet<>();
            if (field.allowedValues() != null) {
                field.allowedValues().forEach(word -> words.add(word.toString()));
            }
            System.out.println(String.join("\t", field.name(), field.type().toString(),
                    field.defaultValue() == null ? "-" : field.defaultValueAsString(),
                    words.isEmpty() ? "-" : String.join("|", words)));
        }
    }
}
