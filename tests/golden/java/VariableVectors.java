import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigTransformer;
import org.apache.kafka.common.config.provider.ConfigProvider;

/** What ConfigTransformer makes of texts with variables: lines "text TAB result". The provider m knows
 * every key but those with a u in them, under the paths "" and p; n stands for a variable. */
public class VariableVectors {
    static class Known implements ConfigProvider {
        public void configure(Map<String, ?> configs) { }
        public void close() { }
        public ConfigData get(String path) { return get(path, Set.of()); }
        public ConfigData get(String path, Set<String> keys) {
            Map<String, String> data = new HashMap<>();
            for (String key : keys) {
                if (!path.isEmpty() && !path.equals("p") || key.contains("u")) continue;
                data.put(key, key.equals("n") ? "${m:a}" : "<" + path + "|" + key + ">");
            }
            return new ConfigData(data);
        }
    }

    static final String[] PIECES = {"${", "${", "${", "${m:", "${m:p:", "}", "}", "}", ":", ":", "m", "m", "p",
        "a", "n", "u", "$", "{", " ", "é", "\\", "$1", ""};

    public static void main(String[] args) {
        ConfigTransformer transformer = new ConfigTransformer(Map.of("m", new Known()));
        Random random = new Random(7);
        for (int i = 0; i < 6000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(14); n > 0; n--) text.append(PIECES[random.nextInt(PIECES.length)]);
            Map<String, String> config = Map.of("k", text.toString());
            System.out.println(text + "\t" + transformer.transform(config).data().get("k"));
        }
    }
}
