import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import pollux.v1.PolluxGrpc;
import pollux.v1.PolluxOuterClass.Column;
import pollux.v1.PolluxOuterClass.Columns;
import pollux.v1.PolluxOuterClass.PublishReply;
import pollux.v1.PolluxOuterClass.PublishRequest;
import pollux.v1.PolluxOuterClass.Rejected;
import pollux.v1.PolluxOuterClass.Strings;

/**
 * Sends the lines of a file, each "user,success", to the stream Logins (user string, success bool).
 *
 * <p>Batches are numbered, and sent until each is acknowledged: to the first server, and after
 * trouble to the other one if there is one. Run it again over the same file, and nothing counts
 * twice.
 *
 * <p>usage: Producer NAME FILE HOST:PORT [HOST:PORT] (NAME is this file's and nobody else's)
 */
public final class Producer {
  private static final int LINES_A_BATCH = 100;
  private static final int ON_THE_WAY_MAX = 32;
  private static final long SILENCE_SECONDS_MAX = 60;
  private static final long GIVE_UP_SECONDS = 60;
  private static final long PAUSE_MS = 100;

  /** What is unanswered is to be sent again. */
  private static final class Trouble extends Exception {
    final boolean elsewhere;
    final long pauseMs;

    Trouble(String why, boolean elsewhere, long pauseMs) {
      super(why);
      this.elsewhere = elsewhere;
      this.pauseMs = pauseMs;
    }
  }

  private final String name;
  private final List<String> targets;
  private int acked = 0; // the number of the last acknowledged batch
  private int duplicates = 0;

  private Producer(String name, List<String> targets) {
    this.name = name;
    this.targets = targets;
  }

  /** Returns when all lines are acknowledged. The first batch is number 1. */
  private void send(List<String> lines) throws InterruptedException {
    final int batches = (lines.size() + LINES_A_BATCH - 1) / LINES_A_BATCH;
    long heard = System.nanoTime();
    for (int turn = 0; acked < batches; ) {
      final int before = acked;
      final String target = targets.get(turn % targets.size());
      // A server that says nothing is asked whether it lives.
      final ManagedChannel channel =
          ManagedChannelBuilder.forTarget(target)
              .usePlaintext()
              .keepAliveTime(5, TimeUnit.SECONDS)
              .keepAliveTimeout(5, TimeUnit.SECONDS)
              .build();
      try {
        sendRest(channel, lines, batches);
      } catch (Trouble trouble) {
        if (acked > before) heard = System.nanoTime();
        if (System.nanoTime() - heard > TimeUnit.SECONDS.toNanos(GIVE_UP_SECONDS)) {
          throw new IllegalStateException("gave up: " + target + ": " + trouble.getMessage());
        }
        System.err.println(target + ": " + trouble.getMessage() + "; sending again");
        if (trouble.elsewhere) ++turn;
        Thread.sleep(trouble.pauseMs);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private void sendRest(ManagedChannel channel, List<String> lines, int batches)
      throws Trouble, InterruptedException {
    final Replies replies = new Replies();
    PolluxGrpc.newStub(channel).publish(replies);
    for (int sent = acked; acked < batches; ) {
      while (sent < batches && sent - acked < ON_THE_WAY_MAX) {
        final int from = sent * LINES_A_BATCH;
        final int to = Math.min(from + LINES_A_BATCH, lines.size());
        replies.requests.onNext(request(++sent, lines.subList(from, to)));
      }
      final Object reply = replies.queue.poll(SILENCE_SECONDS_MAX, TimeUnit.SECONDS);
      if (reply == null) throw new Trouble("no answer", true, PAUSE_MS);
      if (reply instanceof Status) {
        final Status status = (Status) reply;
        throw new Trouble(status.getCode() + " " + status.getDescription(), true, PAUSE_MS);
      }
      take((PublishReply) reply);
    }
  }

  /** Replies come in the order of the requests. */
  private void take(PublishReply reply) throws Trouble {
    if (reply.hasAccepted()) {
      if (reply.getNumber() != acked + 1) {
        throw new IllegalStateException(
            "batch " + reply.getNumber() + " was accepted before batch " + (acked + 1));
      }
      ++acked;
      if (reply.getAccepted().getDuplicate()) ++duplicates;
      return;
    }
    final Rejected rejected = reply.getRejected();
    switch (Status.fromCodeValue(rejected.getCode()).getCode()) {
      case RESOURCE_EXHAUSTED:
      case ABORTED:
        throw new Trouble(
            rejected.getMessage(), false, Math.max(PAUSE_MS, rejected.getRetryAfterMs()));
      case UNAVAILABLE:
        throw new Trouble(rejected.getMessage(), true, PAUSE_MS);
      case FAILED_PRECONDITION:
        if (rejected.getExpectedNumber() <= acked) {
          throw new IllegalStateException(
              String.format(
                  "batches %d to %d were acknowledged, and the server has forgotten them",
                  rejected.getExpectedNumber(), acked));
        }
        break;
      default:
        break;
    }
    throw new IllegalStateException(
        String.format(
            "batch %d is refused: %s %s",
            reply.getNumber(), rejected.getMessage(), rejected.getBadRowsList()));
  }

  private PublishRequest request(int number, List<String> lines) {
    final Strings.Builder users = Strings.newBuilder();
    final ByteString.Output text = ByteString.newOutput();
    final byte[] successes = new byte[lines.size()];
    final Columns.Builder columns = Columns.newBuilder().setRows(lines.size());
    for (int row = 0; row < lines.size(); ++row) {
      final String line = lines.get(row);
      final int comma = line.lastIndexOf(',');
      final byte[] user = line.substring(0, comma).getBytes(StandardCharsets.UTF_8);
      text.write(user, 0, user.length);
      users.addEnds(text.size());
      successes[row] = (byte) (line.endsWith(",true") ? 1 : 0);
      columns.addTimestampsMs(System.currentTimeMillis());
    }
    users.setText(text.toByteString());
    columns.addColumns(Column.newBuilder().setName("user").setStrings(users));
    columns.addColumns(
        Column.newBuilder().setName("success").setBools(ByteString.copyFrom(successes)));
    return PublishRequest.newBuilder()
        .setStream("Logins")
        .setProducer(name)
        .setNumber(number)
        .setColumns(columns)
        .build();
  }

  /** Puts replies, and behind them the status that the stream ends with, into a queue. */
  private static final class Replies
      implements ClientResponseObserver<PublishRequest, PublishReply> {
    final BlockingQueue<Object> queue = new LinkedBlockingQueue<>();
    ClientCallStreamObserver<PublishRequest> requests;

    @Override
    public void beforeStart(ClientCallStreamObserver<PublishRequest> stream) {
      requests = stream;
    }

    @Override
    public void onNext(PublishReply reply) {
      queue.add(reply);
    }

    @Override
    public void onError(Throwable error) {
      queue.add(Status.fromThrowable(error));
    }

    @Override
    public void onCompleted() {
      queue.add(Status.UNAVAILABLE.withDescription("the server ended the stream"));
    }
  }

  public static void main(String[] arguments) throws Exception {
    final List<String> targets = Arrays.asList(arguments).subList(2, arguments.length);
    final Producer producer = new Producer(arguments[0], targets);
    producer.send(Files.readAllLines(Path.of(arguments[1])));
    System.out.println(
        producer.acked + " batches acknowledged, " + producer.duplicates + " of them known already");
  }
}
