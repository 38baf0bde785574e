import io.trino.Session;
import io.trino.plugin.memory.MemoryConnectorFactory;
import io.trino.spi.connector.Connector;
import io.trino.spi.connector.ConnectorContext;
import io.trino.spi.connector.ConnectorFactory;
import io.trino.spi.type.TimeZoneKey;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.MaterializedResult;
import io.trino.testing.MaterializedRow;
import io.trino.testing.TestingSession;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Trino's own engine, in one process: runs the statements of a file (one after each line "-- >>> catalog name") on the
 * memory connector, each catalog a place of its own, and writes one line of JSON for each: catalog, name, and error or
 * columns, types and rows.
 */
public class Runner {
    public static void main(String[] arguments) throws Exception {
        try (LocalQueryRunner runner = LocalQueryRunner.create(session("system"));
                PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(arguments[1])))) {
            Set<String> catalogs = new HashSet<>();
            String[] parts = Files.readString(Path.of(arguments[0])).split("(?m)^-- >>> ");
            for (int i = 1; i < parts.length; i++) {
                int end = parts[i].indexOf('\n');
                long began = System.currentTimeMillis();
                String[] names = parts[i].substring(0, end).trim().split(" ", 2);
                StringBuilder line = new StringBuilder("{\"catalog\":").append(text(names[0]));
                line.append(",\"name\":").append(text(names[1]));
                if (catalogs.add(names[0])) {
                    runner.createCatalog(names[0], memory(catalogs.size()), Map.of("memory.max-data-per-node", "2GB"));
                }
                try {
                    MaterializedResult result = runner.execute(session(names[0]), parts[i].substring(end + 1));
                    line.append(",\"columns\":").append(list(result.getColumnNames()));
                    line.append(",\"types\":").append(list(result.getTypes().stream().map(Object::toString).toList()));
                    line.append(",\"rows\":[");
                    boolean first = true;
                    for (MaterializedRow row : result.getMaterializedRows()) {
                        line.append(first ? "[" : ",[");
                        first = false;
                        for (int field = 0; field < row.getFieldCount(); field++) {
                            line.append(field == 0 ? "" : ",").append(json(row.getField(field)));
                        }
                        line.append("]");
                    }
                    line.append("]");
                } catch (Throwable error) {
                    StringBuilder causes = new StringBuilder(String.valueOf(error.getMessage()));
                    error.printStackTrace();
                    for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
                        causes.append("; ").append(cause);
                    }
                    line.append(",\"error\":").append(text(causes.toString()));
                }
                line.append(",\"millis\":").append(System.currentTimeMillis() - began);
                out.println(line.append("}"));
                out.flush();
            }
        }
        System.exit(0);
    }

    /** The memory connector under a name of its own: a runner takes each name once. */
    private static ConnectorFactory memory(int number) {
        return new ConnectorFactory() {
            @Override
            public String getName() {
                return "memory_" + number;
            }

            @Override
            public Connector create(String catalog, Map<String, String> config, ConnectorContext context) {
                return new MemoryConnectorFactory().create(catalog, config, context);
            }
        };
    }

    private static Session session(String catalog) {
        return TestingSession.testSessionBuilder()
                .setCatalog(catalog).setSchema("default")
                .setTimeZoneKey(TimeZoneKey.UTC_KEY)
                .build();
    }

    private static String list(List<?> values) {
        StringBuilder out = new StringBuilder("[");
        for (Object value : values) {
            out.append(out.length() == 1 ? "" : ",").append(json(value));
        }
        return out.append("]").toString();
    }

    private static String json(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Long || value instanceof Integer) {
            return String.valueOf(value);
        }
        return value instanceof List<?> values ? list(values) : text(value.toString());
    }

    private static String text(String value) {
        StringBuilder out = new StringBuilder("\"");
        for (char sign : value.toCharArray()) {
            if (sign == '"' || sign == '\\') {
                out.append('\\').append(sign);
            } else if (sign < ' ' || sign > '~') {
                out.append(String.format("\\u%04x", (int) sign));
            } else {
                out.append(sign);
            }
        }
        return out.append('"').toString();
    }
}
