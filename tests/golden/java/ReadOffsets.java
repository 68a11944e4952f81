import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Reads such a file as Connect does and prints its entries, sorted. */
public class ReadOffsets {
    public static void main(String[] args) throws Exception {
        try (ObjectInputStream is = new ObjectInputStream(new FileInputStream(args[0]))) {
            TreeMap<String, String> out = new TreeMap<>();
            for (Map.Entry<?, ?> e : ((HashMap<?, ?>) is.readObject()).entrySet())
                out.put(new String((byte[]) e.getKey(), StandardCharsets.UTF_8),
                        e.getValue() == null ? "null" : new String((byte[]) e.getValue(), StandardCharsets.UTF_8));
            out.forEach((k, v) -> System.out.println(k + " " + v));
        }
    }
}
