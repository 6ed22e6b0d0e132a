package pollux.peers;

import io.siddhi.core.SiddhiAppRuntime;
import io.siddhi.core.SiddhiManager;
import io.siddhi.core.event.ComplexEvent;
import io.siddhi.core.event.Event;
import io.siddhi.core.stream.input.InputHandler;
import io.siddhi.core.stream.output.StreamCallback;
import java.util.Set;

/** Siddhi, through its shortest ways in and out. */
final class SiddhiPeer implements Peer {
  /**
   * Workloads whose rows stay the same when a batch is sent as one Event[]. Siddhi takes an Event[]
   * as one chunk, and gives only the last row of each group for a chunk, so W2 and W3 (and W7,
   * which holds W2) must be sent event by event.
   */
  private static final Set<String> WHOLE_BATCHES = Set.of("W0", "W1", "W4", "W5", "W6");

  private final Dataset data;
  private final int batch;
  private final SiddhiManager manager = new SiddhiManager();
  private final SiddhiAppRuntime runtime;
  private final InputHandler input;
  private final boolean wholeBatches;
  private Event[][] batches = {};
  private Object[][] rows = {};
  private long firstTimestamp;
  /** What a callback threw: Siddhi only logs it, and goes on. */
  private RuntimeException failure;

  SiddhiPeer(Dataset data, Workload workload, int batch, RowSink sink) {
    this.data = data;
    this.batch = batch;
    wholeBatches = batch > 1 && WHOLE_BATCHES.contains(workload.name());
    runtime = manager.createSiddhiAppRuntime(workload.text());
    for (String stream : runtime.getStreamDefinitionMap().keySet()) {
      if (Workload.isResult(stream)) runtime.addCallback(stream, callback(stream, sink));
    }
    runtime.start();
    input = runtime.getInputHandler("LoginStream");
  }

  private StreamCallback callback(String stream, RowSink sink) {
    int query = Workload.queryOf(stream);
    return new StreamCallback() {
      // Overrides the step that would copy each row into an Event first.
      @Override
      public void receive(ComplexEvent chunk) {
        try {
          for (ComplexEvent event = chunk; event != null; event = event.getNext()) {
            Object[] values = event.getOutputData();
            sink.row(query, values, values.length);
          }
        } catch (RuntimeException error) {
          failure = error;
        }
      }

      @Override
      public void receive(Event[] events) {
        failure = new IllegalStateException("results came by another way than expected");
      }
    };
  }

  @Override
  public void loadUsers() throws InterruptedException {
    if (!runtime.getTableDefinitionMap().containsKey("UserTable")) return;
    InputHandler users = runtime.getInputHandler("UserStream");
    for (Object[] user : data.users()) users.send(data.timestamp(0), user.clone());
  }

  @Override
  public void prepare(long from, int count) {
    if (!wholeBatches) {
      rows = new Object[count][];
      firstTimestamp = data.timestamp(from);
      for (int i = 0; i < count; ++i) rows[i] = data.row(from + i);
      return;
    }
    batches = new Event[(count + batch - 1) / batch][];
    for (int b = 0; b < batches.length; ++b) {
      int size = Math.min(batch, count - b * batch);
      batches[b] = new Event[size];
      for (int i = 0; i < size; ++i) {
        long position = from + (long) b * batch + i;
        batches[b][i] = new Event(data.timestamp(position), data.row(position));
      }
    }
  }

  @Override
  public void feed() throws InterruptedException {
    if (wholeBatches) {
      for (Event[] events : batches) input.send(events);
    } else {
      long timestamp = firstTimestamp;
      for (Object[] row : rows) input.send(timestamp++, row);
    }
    if (failure != null) throw failure;
    batches = new Event[0][];
    rows = new Object[0][];
  }

  @Override
  public void close() {
    runtime.shutdown();
    manager.shutdown();
  }
}
