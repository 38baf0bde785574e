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
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;

/**
 * Trino's own engine, in one process, on the memory connector, each catalog a place of its own. Runs the statements of a
 * file, one after each line "-- >>> catalog key name": key "-" is a statement that makes a relation, any other a question.
 * A catalog's relations are made in order, then its questions are asked; catalogs and questions run side by side, once all of
 * the catalog "shared" is made. Each question's answer is added as a line of JSON to a second file: catalog, name, key,
 * columns, types, rows; what failed goes to a third: catalog, name, error.
 */
public class Runner {
    private record Step(String catalog, String key, String name, String sql) {}

    private final LocalQueryRunner runner;
    private final PrintWriter answers;
    private final PrintWriter failures;
    private final ExecutorService pool;
    private final Phaser open = new Phaser(1);

    private Runner(LocalQueryRunner runner, PrintWriter answers, PrintWriter failures, int threads) {
        this.runner = runner;
        this.answers = answers;
        this.failures = failures;
        this.pool = Executors.newFixedThreadPool(threads);
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, List<Step>> catalogs = new LinkedHashMap<>();
        String[] parts = Files.readString(Path.of(arguments[0])).split("(?m)^-- >>> ");
        for (int i = 1; i < parts.length; i++) {
            int end = parts[i].indexOf('\n');
            String[] head = parts[i].substring(0, end).trim().split(" ", 3);
            catalogs.computeIfAbsent(head[0], name -> new ArrayList<>()).add(new Step(head[0], head[1], head[2], parts[i].substring(end + 1)));
        }
        try (LocalQueryRunner runner = LocalQueryRunner.create(session("system"));
                PrintWriter answers = new PrintWriter(
                        Files.newBufferedWriter(Path.of(arguments[1]), StandardOpenOption.CREATE, StandardOpenOption.APPEND));
                PrintWriter failures = new PrintWriter(Files.newBufferedWriter(Path.of(arguments[2])))) {
            int number = 0;
            for (String catalog : catalogs.keySet()) {
                runner.createCatalog(catalog, memory(number++), Map.of("memory.max-data-per-node", "2GB"));
            }
            Runner own = new Runner(runner, answers, failures, Integer.parseInt(arguments[3]));
            List<Step> shared = catalogs.remove("shared");
            if (shared != null) {
                own.make(shared);
            }
            catalogs.values().forEach(steps -> own.submit(() -> own.make(steps)));
            own.open.arriveAndAwaitAdvance();
        }
        System.exit(0);
    }

    private void submit(Runnable work) {
        open.register();
        pool.submit(() -> {
            try {
                work.run();
            } finally {
                open.arriveAndDeregister();
            }
        });
    }

    private void make(List<Step> steps) {
        for (Step step : steps) {
            if (step.key().equals("-")) {
                run(step);
            }
        }
        for (Step step : steps) {
            if (!step.key().equals("-")) {
                submit(() -> run(step));
            }
        }
    }

    private void run(Step step) {
        long began = System.currentTimeMillis();
        StringBuilder line = new StringBuilder("{\"catalog\":").append(text(step.catalog()));
        line.append(",\"name\":").append(text(step.name())).append(",\"key\":").append(text(step.key()));
        PrintWriter to = answers;
        try {
            MaterializedResult result = runner.execute(session(step.catalog()), step.sql());
            if (!step.key().equals("-")) {
                rows(line, result);
            }
        } catch (Throwable error) {
            StringBuilder causes = new StringBuilder(String.valueOf(error.getMessage()));
            error.printStackTrace();
            for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
                causes.append("; ").append(cause);
            }
            line.append(",\"error\":").append(text(causes.toString()));
            to = failures;
        }
        long took = System.currentTimeMillis() - began;
        System.err.printf("%6d ms %s %s%s%n", took, step.catalog(), step.name(), to == failures ? " FAILED" : "");
        if (to == failures || !step.key().equals("-")) {
            synchronized (to) {
                to.println(line.append(",\"millis\":").append(took).append("}"));
                to.flush();
            }
        }
    }

    private static void rows(StringBuilder line, MaterializedResult result) {
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
