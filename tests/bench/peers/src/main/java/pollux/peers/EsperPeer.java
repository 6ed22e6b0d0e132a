package pollux.peers;

import com.espertech.esper.common.client.EPCompiled;
import com.espertech.esper.common.client.EventBean;
import com.espertech.esper.common.client.EventSender;
import com.espertech.esper.common.client.EventType;
import com.espertech.esper.common.client.configuration.Configuration;
import com.espertech.esper.compiler.client.CompilerArguments;
import com.espertech.esper.compiler.client.EPCompileException;
import com.espertech.esper.compiler.client.EPCompilerProvider;
import com.espertech.esper.runtime.client.EPDeployException;
import com.espertech.esper.runtime.client.EPDeployment;
import com.espertech.esper.runtime.client.EPRuntime;
import com.espertech.esper.runtime.client.EPRuntimeProvider;
import com.espertech.esper.runtime.client.EPStatement;
import com.espertech.esper.runtime.client.UpdateListener;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Esper with object-array events in and out, no locks and no timer thread: everything is done by
 * the feeding thread. Esper has no call for a batch; a batch is a loop.
 */
final class EsperPeer implements Peer {
  /** The column that makes Esper give no rows for expiring groups; no other engine has it. */
  private static final String EXTRA = "extra";

  private final Dataset data;
  private final EPRuntime runtime;
  private final EventSender input;
  private final boolean hasTable;
  private Object[][] rows = {};
  /** What a listener threw: Esper only logs it, and goes on. */
  private RuntimeException failure;

  EsperPeer(Dataset data, Workload workload, RowSink sink)
      throws EPCompileException, EPDeployException {
    this.data = data;
    Configuration configuration = configuration();
    runtime = EPRuntimeProvider.getRuntime(workload.name(), configuration);
    runtime.initialize();
    EPDeployment deployment =
        runtime.getDeploymentService().deploy(compile(workload, configuration));
    for (EPStatement statement : deployment.getStatements()) {
      if (Workload.isResult(statement.getName())) statement.addListener(listener(statement, sink));
    }
    input = runtime.getEventService().getEventSender("LoginStream");
    hasTable = workload.text().contains("create table");
  }

  private static Configuration configuration() {
    Configuration configuration = new Configuration();
    configuration
        .getCommon()
        .addEventType(
            "LoginStream",
            new String[] {"username", "ip", "success", "region", "ts", "risk"},
            new Object[] {
              String.class, String.class, Boolean.class, String.class, Long.class, Double.class
            });
    configuration
        .getCommon()
        .addEventType(
            "UserStream",
            new String[] {"username", "dept", "level"},
            new Object[] {String.class, String.class, Integer.class});
    var threading = configuration.getRuntime().getThreading();
    threading.setInternalTimerEnabled(false);
    threading.setListenerDispatchPreserveOrder(false);
    threading.setInsertIntoDispatchPreserveOrder(false);
    threading.setNamedWindowConsumerDispatchPreserveOrder(false);
    configuration.getRuntime().getExecution().setDisableLocking(true);
    return configuration;
  }

  private static EPCompiled compile(Workload workload, Configuration configuration)
      throws EPCompileException {
    String module =
        workload.paragraphs().stream()
            .map(EsperPeer::withObjectArrays)
            .collect(Collectors.joining(";\n"));
    return EPCompilerProvider.getCompiler().compile(module, new CompilerArguments(configuration));
  }

  private static String withObjectArrays(String statement) {
    boolean hasResults = statement.startsWith("@name");
    return hasResults ? "@EventRepresentation(objectarray) " + statement : statement;
  }

  private UpdateListener listener(EPStatement statement, RowSink sink) {
    EventType type = statement.getEventType();
    int query = Workload.queryOf(statement.getName());
    int columns =
        (int) Arrays.stream(type.getPropertyNames()).filter(name -> !name.equals(EXTRA)).count();
    return (newEvents, oldEvents, ignored, alsoIgnored) -> {
      if (newEvents == null) return;
      try {
        for (EventBean event : newEvents) {
          sink.row(query, (Object[]) event.getUnderlying(), columns);
        }
      } catch (RuntimeException error) {
        failure = error;
      }
    };
  }

  @Override
  public void loadUsers() {
    if (!hasTable) return;
    EventSender users = runtime.getEventService().getEventSender("UserStream");
    for (Object[] user : data.users()) users.sendEvent(user.clone());
  }

  @Override
  public void prepare(long from, int count) {
    rows = new Object[count][];
    for (int i = 0; i < count; ++i) rows[i] = data.row(from + i);
  }

  @Override
  public void feed() {
    for (Object[] row : rows) input.sendEvent(row);
    if (failure != null) throw failure;
    rows = new Object[0][];
  }

  @Override
  public void close() {
    runtime.destroy();
  }
}
