import java.util.Comparator;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.types.Password;

/** Every property of Kafka's own clients: one line "client name default", sorted; "-": has none. */
public class ClientProperties {
    static String text(ConfigDef.ConfigKey key) {
        Object value = key.hasDefault() ? key.defaultValue : null;
        if (value == null || value instanceof Password) return "-";
        return ConfigDef.convertToString(value, key.type);
    }

    static void print(String client, ConfigDef definition) {
        definition.configKeys().values().stream()
            .sorted(Comparator.comparing((ConfigDef.ConfigKey key) -> key.name))
            .forEach(key -> System.out.println((client + " " + key.name + " " + text(key)).stripTrailing()));
    }

    public static void main(String[] args) {
        print("producer", ProducerConfig.configDef());
        print("consumer", ConsumerConfig.configDef());
        print("admin", AdminClientConfig.configDef());
    }
}
