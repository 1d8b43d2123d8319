import com.fasterxml.jackson.databind.ObjectMapper;
import io.dapr.client.DaprClient;
import io.dapr.client.DaprClientBuilder;
import io.dapr.exceptions.DaprErrorDetails.ErrorDetailType;
import io.dapr.exceptions.DaprException;
import io.dapr.utils.TypeRef;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads secrets through the SDK for Java and prints a line of JSON for each. The SDK finds the sidecar and the token in the
 * environment. Usage: Client STORE/NAME ... (one secret), STORE ... (all)
 */
public final class Client {
    private static final int PATIENCE_MS = 30_000;

    /** What the SDK gives for one secret, or for all. */
    private static Object read(DaprClient client, String step) {
        int at = step.indexOf('/');
        return at < 0
            ? client.getBulkSecret(step).block()
            : client.getSecret(step.substring(0, at), step.substring(at + 1)).block();
    }

    /** What a program can learn from an exception of the SDK. */
    private static Map<String, Object> show(DaprException exception) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("code", exception.getErrorCode());
        shown.put("message", exception.getMessage());
        shown.put("status", exception.getHttpStatusCode());
        shown.put("reason", detail(exception, ErrorDetailType.ERROR_INFO, "reason"));
        shown.put("resource", detail(exception, ErrorDetailType.RESOURCE_INFO, "resourceName"));
        return shown;
    }

    private static String detail(DaprException exception, ErrorDetailType type, String name) {
        return exception.getErrorDetails() == null ? null : exception.getErrorDetails().get(type, name, TypeRef.STRING);
    }

    public static void main(String[] steps) throws Exception {
        ObjectMapper json = new ObjectMapper();
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (DaprClient client = new DaprClientBuilder().build()) {
            client.waitForSidecar(PATIENCE_MS).block();
            for (String step : steps) {
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("step", step);
                try {
                    line.put("value", read(client, step));
                } catch (DaprException exception) {
                    line.put("error", show(exception));
                }
                out.println(json.writeValueAsString(line));
            }
        }
        // The threads of the SDK outlive its client and would keep the process.
        System.exit(0);
    }
}
