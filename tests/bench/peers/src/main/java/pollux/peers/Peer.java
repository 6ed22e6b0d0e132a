package pollux.peers;

/**
 * One engine with one workload deployed. Feeding thread only; failures are exceptions, and end the
 * worker.
 *
 * <p>Events are fed in two steps, so that only the engine's own work is measured: {@link #prepare}
 * makes the objects that the engine's fastest way in takes, {@link #feed} sends them.
 */
interface Peer extends AutoCloseable {
  /** Loads the users into the workload's table, if it has one. */
  void loadUsers() throws Exception;

  /** Makes the objects for events {@code [from, from + count)} of the feed. */
  void prepare(long from, int count);

  /** Sends what was prepared, in calls of at most the batch given at opening. */
  void feed() throws Exception;

  @Override
  void close();
}
