package pollux.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * A worker process: commands on stdin, one JSON line on stdout for each.
 *
 * <pre>
 * load WORKLOADS-FOLDER EVENTS-FILE USERS-FILE
 * export WORKLOAD BATCH COUNT FILE     rows of the first COUNT events, as text
 * open WORKLOAD BATCH SECTION          deploys; events are prepared SECTION at a time, untimed
 * run CPU-SECONDS WALL-SECONDS         goes on feeding until either is used up
 * state WINDOW                         live heap above that of the freshly deployed engine, once
 *                                      the number of events fed is a multiple of WINDOW
 * close
 * </pre>
 *
 * Ends with exit 0 when stdin ends, and with exit 1 and a stack trace on the first failure.
 */
public final class Worker {
  /** Events prepared at a time when rows are exported; a multiple of every batch size in use. */
  private static final int EXPORT_SECTION = 16_384;
  /** One collection can leave what only the next one finds unreachable. */
  private static final int COLLECTIONS = 3;

  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final String engine;
  private Path workloads;
  private Dataset data;
  private Peer peer;
  private CountingSink sink;
  private int section;
  private long position;
  private long heapBaseline;

  private Worker(String engine) {
    this.engine = engine;
  }

  public static void main(String[] arguments) throws Exception {
    // stdout belongs to the answers; whatever a library prints goes to stderr.
    PrintStream answers = System.out;
    System.setOut(System.err);
    if (arguments.length != 1) throw new IllegalArgumentException("usage: Worker siddhi|esper");
    Worker worker = new Worker(arguments[0]);
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      answers.println(worker.answer(line.split("\t")));
      answers.flush();
    }
    System.exit(0);
  }

  private String answer(String[] command) throws Exception {
    return switch (command[0]) {
      case "load" -> load(Path.of(command[1]), Path.of(command[2]), Path.of(command[3]));
      case "export" ->
          export(command[1], Integer.parseInt(command[2]), Integer.parseInt(command[3]),
              Path.of(command[4]));
      case "open" -> open(command[1], Integer.parseInt(command[2]), Integer.parseInt(command[3]));
      case "run" -> run(Double.parseDouble(command[1]), Double.parseDouble(command[2]));
      case "state" -> state(Integer.parseInt(command[1]));
      case "close" -> close();
      default -> throw new IllegalArgumentException("no such command: " + command[0]);
    };
  }

  private String load(Path folder, Path events, Path users) throws IOException {
    workloads = folder;
    data = Dataset.read(events, users);
    return "{\"ok\": true}";
  }

  private Peer deploy(String workload, int batch, RowSink rows) throws Exception {
    return switch (engine) {
      case "siddhi" ->
          new SiddhiPeer(data, Workload.read(workloads, workload, ".siddhi"), batch, rows);
      case "esper" -> new EsperPeer(data, Workload.read(workloads, workload, ".epl"), rows);
      default -> throw new IllegalArgumentException("no such engine: " + engine);
    };
  }

  private String export(String workload, int batch, int count, Path file) throws Exception {
    try (ExportSink rows = new ExportSink(file);
        Peer exported = deploy(workload, batch, rows)) {
      exported.loadUsers();
      for (int from = 0; from < count; from += EXPORT_SECTION) {
        exported.prepare(from, Math.min(EXPORT_SECTION, count - from));
        exported.feed();
      }
      return "{\"rows\": " + rows.rows() + "}";
    }
  }

  private String open(String workload, int batch, int sectionEvents) throws Exception {
    sink = new CountingSink();
    section = sectionEvents;
    position = 0;
    peer = deploy(workload, batch, sink);
    heapBaseline = liveHeap();
    peer.loadUsers();
    return "{\"ok\": true}";
  }

  private String run(double cpuSeconds, double wallSeconds) throws Exception {
    long cpuLimit = (long) (cpuSeconds * 1e9);
    long wallEnd = System.nanoTime() + (long) (wallSeconds * 1e9);
    long first = position;
    long rowsBefore = sink.rows();
    long cpu = 0;
    long wall = 0;
    do {
      peer.prepare(position, section);
      long wallStart = System.nanoTime();
      long cpuStart = threads.getCurrentThreadCpuTime();
      peer.feed();
      cpu += threads.getCurrentThreadCpuTime() - cpuStart;
      wall += System.nanoTime() - wallStart;
      position += section;
    } while (cpu < cpuLimit && System.nanoTime() < wallEnd);
    return String.format(
        "{\"events\": %d, \"cpu_ns\": %d, \"wall_ns\": %d, \"rows\": %d, \"checksum\": \"%s\"}",
        position - first, cpu, wall, sink.rows() - rowsBefore,
        Long.toUnsignedString(sink.checksum()));
  }

  /** Batch windows are as full as they get just before a multiple of their length is passed. */
  private String state(int window) throws Exception {
    for (int left = (int) (window - position % window) % window; left > 0; ) {
      int count = Math.min(left, section);
      peer.prepare(position, count);
      peer.feed();
      position += count;
      left -= count;
    }
    return "{\"state_bytes\": " + Math.max(0, liveHeap() - heapBaseline) + "}";
  }

  /** Bytes of the objects that can be reached: the last line of the JVM's class histogram. */
  private static long liveHeap() throws JMException {
    for (int i = 0; i < COLLECTIONS; ++i) System.gc();
    Object histogram =
        ManagementFactory.getPlatformMBeanServer()
            .invoke(
                new ObjectName("com.sun.management:type=DiagnosticCommand"),
                "gcClassHistogram",
                new Object[] {new String[0]},
                new String[] {String[].class.getName()});
    String[] total = histogram.toString().strip().lines().reduce("", (a, b) -> b).split("\\s+");
    if (!total[0].equals("Total")) throw new IllegalStateException("no total in a histogram");
    return Long.parseLong(total[2]);
  }

  private String close() {
    peer.close();
    peer = null;
    return "{\"ok\": true}";
  }
}
