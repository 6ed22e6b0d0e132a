#include "server/tool/send/send_job.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <thread>
#include <utility>

#include "server/client/grpc_channel.h"
#include "server/formats/json_text.h"
#include "server/tool/client/json_fields.h"
#include "server/tool/run/input_plan.h"
#include "server/tool/send/http_channel.h"
#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

/// A batch that is about so large is full even if it has few rows: servers bound messages.
constexpr size_t kBatchBytesMax = 1024 * 1024;
/// Of these batches so many windows are read ahead.
constexpr size_t kBufferedWindows = 2;
/// Of a server that is silent, and the same where another may take its place: it is left when it
/// does not answer a question or a connection for so long, or a ping for half of it.
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::seconds kPatienceOfTwo{1};
/// With a rate, batches are cut so that several go out each second.
constexpr double kBatchesPerSecondMin = 10;

std::string random_producer() {
  std::random_device random;
  char name[32];
  std::snprintf(name, sizeof name, "pollux-send-%08x%08x", random(), random());
  return name;
}

uint32_t rows_for_rate(const SendOptions& options) {
  if (options.rate <= 0) return options.batch_rows;
  const double rows = std::max(1.0, options.rate / kBatchesPerSecondMin);
  return static_cast<uint32_t>(std::min<double>(options.batch_rows, rows));
}

int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string millis(uint64_t micros) { return fixed(static_cast<double>(micros) / 1000, 3); }

/// Options may name an attribute alone: here there is only one stream.
std::string with_stream(const std::string& stream, const std::string& text) {
  return text.starts_with(stream + ".") ? text : stream + "." + text;
}

/// Where the server at `url` takes gRPC. It may be started anew on another port.
absl::StatusOr<std::string> grpc_target_of(const std::string& url, std::chrono::seconds patience) {
  absl::StatusOr<ApiAnswer> answer = ApiClient(url).call({.path = "/v1/node", .timeout = patience});
  if (!answer.ok()) return answer.status();
  simdjson::dom::parser parser;
  uint64_t port = 0;
  if (parser.parse(answer->body)["grpc_port"].get(port) != simdjson::SUCCESS) {
    return absl::FailedPreconditionError(
        url + " names no gRPC port; --grpc HOST:PORT names one, --http does without");
  }
  // It still reads its journal.
  if (port == 0) return absl::UnavailableError(url + " does not take gRPC yet");
  return host_of_url(url) + ":" + std::to_string(port);
}

}  // namespace

SendJob::SendJob(const SendOptions& options, const ConnectionOptions& connection)
    : options_(options),
      connection_(connection),
      session_(connection, options.json),
      errors_(session_.console()),
      name_(options.producer.empty() ? random_producer() : options.producer),
      repeatable_(!options.producer.empty()),
      rows_max_(rows_for_rate(options)),
      started_(Clock::now()) {}

ExitCode SendJob::run() {
  if (!find_stream() || !open_input() || !start_producer()) return session_.finish();
  started_ = Clock::now();
  if (send_rows()) wait_for_acks();
  session_.console().wipe_bar();
  report();
  return session_.finish();
}

// ---- before the first row ----

bool SendJob::find_stream() {
  std::optional<ApiAnswer> answer =
      session_.ask({.path = "/v1/streams/" + url_encoded(options_.stream)});
  if (!answer) return false;
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  bool takes_events = true;
  if (parser.parse(answer->body).get(document) == simdjson::SUCCESS &&
      document["takes_events"].get(takes_events) == simdjson::SUCCESS && !takes_events) {
    session_.fail(ExitCode::kUsage,
                  "stream " + options_.stream + " takes no events: only queries insert into it");
    return false;
  }
  absl::StatusOr<SchemaPtr> schema = schema_of_answer(*answer, options_.stream);
  if (!schema.ok()) {
    session_.fail(schema.status());
    return false;
  }
  schema_ = *schema;
  for (const Attribute& attribute : schema_->attributes()) row_bytes_ += width_of(attribute.type);
  return true;
}

bool SendJob::open_input() {
  RunOptions asked;
  asked.inputs.push_back(options_.stream + "=" + options_.path);
  for (const std::string& constant : options_.constants) {
    asked.constants.push_back(with_stream(options_.stream, constant));
  }
  if (!options_.timestamp.empty()) {
    asked.timestamps.push_back(with_stream(options_.stream, options_.timestamp));
  }
  InputPlan plan = resolve_options(asked, {StreamInfo{.schema = schema_, .input = true}});
  for (const std::string& error : plan.errors) session_.fail(ExitCode::kUsage, error);
  if (!plan.errors.empty()) return false;
  std::string error;
  reader_ = open_rows(options_.path, plan.files.front().layout, options_.input, error);
  if (reader_ == nullptr) session_.fail(ExitCode::kFailed, error);
  return reader_ != nullptr;
}

OpenChannel SendJob::way_to_servers(const std::vector<std::string>& servers) const {
  if (options_.http) {
    const HttpChannelOptions http{options_.stream, name_};
    return [http](const std::string& server, BatchChannel::Callbacks on) {
      return open_http_channel(http, server, std::move(on));
    };
  }
  const std::chrono::seconds patience = servers.size() > 1 ? kPatienceOfTwo : kPatience;
  const GrpcChannelOptions grpc{.stream = options_.stream,
                                .producer = name_,
                                .batches_in_flight_max = options_.window,
                                .connect_timeout = patience,
                                .ping_interval = patience};
  const bool by_url = connection_.grpc.empty();
  return [grpc, by_url, patience](
             const std::string& target,
             BatchChannel::Callbacks on) -> absl::StatusOr<std::unique_ptr<BatchChannel>> {
    if (!by_url) return open_grpc_channel(grpc, target, std::move(on));
    absl::StatusOr<std::string> named = grpc_target_of(target, patience);
    if (!named.ok()) return named.status();
    return open_grpc_channel(grpc, *named, std::move(on));
  };
}

bool SendJob::start_producer() {
  ProducerOptions options{.stream = options_.stream, .producer = name_};
  options.targets = connection_.grpc.empty() || options_.http ? session_.client().urls()
                                                              : split_list(connection_.grpc);
  options.batches_in_flight_max = options_.window;
  options.buffered_batches_max = size_t{options_.window} * kBufferedWindows;
  options.retry_for = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(options_.retry_for));
  ProducerCallbacks callbacks;
  callbacks.on_acked = [this](const ProducerCallbacks::Acked& acked) {
    latency_us_.add(static_cast<uint64_t>(acked.took.count()));
    if (options_.acks) tell_ack(acked);
  };
  callbacks.on_refused = [this](const ProducerCallbacks::Refused& refused) {
    details_ = refused.details;
  };
  callbacks.on_trouble = [this](const std::string& text) {
    session_.console().message(printable(text));
  };
  auto producer = Producer::start(options, std::move(callbacks), way_to_servers(options.targets));
  if (!producer.ok()) {
    session_.fail(producer.status());
    return false;
  }
  producer_ = *std::move(producer);
  return true;
}

// ---- rows ----

bool SendJob::send_rows() {
  Wait wait = repeatable_ ? Wait::kYes : Wait::kNo;
  for (;;) {
    switch (reader_->next(wait)) {
      case ReadStatus::kRow:
        if (!take_row()) return false;
        break;
      case ReadStatus::kRowError:
        if (!on_row_error()) return false;
        break;
      case ReadStatus::kNotReady:
        if (!on_pause()) return false;
        wait = Wait::kYes;
        continue;
      case ReadStatus::kEnd:
        return send_batch();
      case ReadStatus::kFailed: {
        const RowError error = reader_->error();
        const bool sent = send_batch();
        errors_.add(options_.path == "-" ? "stdin" : options_.path, error);
        session_.fail(
            error.kind == RowErrorKind::kUnreadable ? ExitCode::kFailed : ExitCode::kBadInput,
            "nothing more can be read");
        return sent;
      }
    }
    wait = repeatable_ ? Wait::kYes : Wait::kNo;
  }
}

bool SendJob::on_row_error() {
  errors_.add(options_.path == "-" ? "stdin" : options_.path, reader_->error());
  if (options_.input.on_error == OnError::kSkip) return true;
  // What came before it still goes out and is waited for.
  if (send_batch()) wait_for_acks();
  session_.fail(ExitCode::kBadInput, "stopped there; --on-error skip goes on");
  return false;
}

bool SendJob::take_row() {
  if (batch_ == nullptr) batch_ = std::make_shared<EventBatch>(schema_);
  reader_->append_to(*batch_);
  if (reader_->timestamp_is_row_number()) batch_->mutable_timestamps().back() = wall_clock_ms();
  const size_t bytes = batch_->rows() * row_bytes_ + batch_->arena().bytes_used();
  if (batch_->rows() < rows_max_ && bytes < kBatchBytesMax) return true;
  return send_batch();
}

bool SendJob::on_pause() {
  // Nothing to read for now: what was read is to arrive before we wait for more.
  return send_batch() && wait_for_acks();
}

bool SendJob::send_batch() {
  if (batch_ == nullptr) return true;
  keep_rate();
  events_ += batch_->rows();
  absl::Status sent = producer_->send(std::exchange(batch_, nullptr));
  show_progress();
  return sent.ok() || producer_failed(sent);
}

bool SendJob::wait_for_acks() {
  absl::Status flushed = producer_->flush();
  show_progress();
  return flushed.ok() || producer_failed(flushed);
}

bool SendJob::producer_failed(const absl::Status& status) {
  session_.fail(exit_code_of(status), printable(std::string(status.message())));
  for (const std::string& detail : details_) session_.console().message("  " + printable(detail));
  return false;
}

/// On the producer's thread: until it has ended nobody else writes to standard output.
void SendJob::tell_ack(const ProducerCallbacks::Acked& acked) {
  session_.console().wipe_bar();
  OutputBuffer& out = session_.out();
  out.append("{\"batch\":" + std::to_string(acked.number) + ",\"events\":" +
             std::to_string(acked.events) + ",\"epoch\":" + std::to_string(acked.id.epoch.value) +
             ",\"position\":" + std::to_string(acked.id.position.value) +
             ",\"duplicate\":" + (acked.duplicate ? "true" : "false") + "}\n");
  out.flush();
}

void SendJob::keep_rate() {
  if (options_.rate <= 0) return;
  std::this_thread::sleep_until(
      started_ + std::chrono::duration_cast<Clock::duration>(
                     std::chrono::duration<double>(static_cast<double>(events_) / options_.rate)));
}

// ---- what is said ----

void SendJob::show_progress() {
  session_.console().show({.bytes_done = reader_->input().bytes_read(),
                           .bytes_total = reader_->input().bytes_total(),
                           .events = events_,
                           .acked = producer_->counters().acked});
}

void SendJob::report() {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  (void)producer_->close();  // how it ended was told
  session_.out().append(options_.json ? summary_json(seconds) : summary_text(seconds));
}

std::string SendJob::summary_text(double seconds) {
  const ProducerCounters totals = producer_->counters();
  const double rate = static_cast<double>(totals.acked) / std::max(seconds, 1e-9);
  return counted(totals.sent, "event") + " sent, " + with_thousands(totals.acked) + " acked, " +
         counted(totals.duplicates, "duplicate") + ", " + with_thousands(totals.put_off) +
         " refused, " + errors_.summary() + "; " + fixed(seconds, 3) + " s, " +
         with_thousands(static_cast<uint64_t>(rate)) + " events/s; acks p50 " +
         millis(latency_us_.quantile(0.5)) + " ms, p99 " + millis(latency_us_.quantile(0.99)) +
         " ms, max " + millis(latency_us_.max()) + " ms\n";
}

std::string SendJob::summary_json(double seconds) {
  const ProducerCounters totals = producer_->counters();
  const double rate = static_cast<double>(totals.acked) / std::max(seconds, 1e-9);
  return "{\"stream\":" + json_string(options_.stream) + ",\"producer\":" + json_string(name_) +
         ",\"sent\":" + std::to_string(totals.sent) + ",\"acked\":" + std::to_string(totals.acked) +
         ",\"duplicates\":" + std::to_string(totals.duplicates) +
         ",\"refused\":" + std::to_string(totals.put_off) +
         ",\"errors\":" + std::to_string(errors_.total()) +
         ",\"reconnects\":" + std::to_string(totals.reconnects) +
         ",\"failovers\":" + std::to_string(totals.failovers) +
         ",\"seconds\":" + fixed(seconds, 6) + ",\"events_per_second\":" + fixed(rate, 1) +
         ",\"ack_ms\":{\"p50\":" + millis(latency_us_.quantile(0.5)) +
         ",\"p99\":" + millis(latency_us_.quantile(0.99)) +
         ",\"max\":" + millis(latency_us_.max()) + "}}\n";
}

}  // namespace pollux::tool
