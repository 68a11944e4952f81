import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Writes the file that Connect's FileOffsetBackingStore.save() writes: one HashMap of byte arrays. */
public class WriteOffsets {
    public static void main(String[] args) throws IOException {
        Map<byte[], byte[]> raw = new HashMap<>();
        for (int i = 1; i + 1 < args.length; i += 2)
            raw.put(args[i].getBytes(StandardCharsets.UTF_8),
                    args[i + 1].equals("null") ? null : args[i + 1].getBytes(StandardCharsets.UTF_8));
        try (ObjectOutputStream os = new ObjectOutputStream(new FileOutputStream(args[0]))) {
            os.writeObject(raw);
        }
    }
}
