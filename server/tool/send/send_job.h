// Sends the rows of one file to a stream of a server.
//
// Thread: the main thread. Failure: told on the console; the exit code says of which kind.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/client/producer.h"
#include "server/tool/client/client_session.h"
#include "server/tool/error_report.h"
#include "server/tool/input_options.h"
#include "server/tool/send/latency_counts.h"

namespace pollux::tool {

struct SendOptions {
  std::string stream{};
  std::string path{};
  std::string producer{};  ///< empty: a name that nobody else has
  std::string timestamp{};
  std::vector<std::string> constants{};  ///< [STREAM.]ATTRIBUTE=VALUE
  InputOptions input{};
  uint32_t batch_rows = 1000;
  uint32_t window = 32;
  double rate = 0;  ///< events a second; 0: as fast as it goes
  double retry_for = 60;
  bool http = false;
  bool acks = false;  ///< each is told as it comes
  bool json = false;
};

class SendJob {
 public:
  /// Borrows both.
  SendJob(const SendOptions& options, const ConnectionOptions& connection);

  ExitCode run();

 private:
  using Clock = std::chrono::steady_clock;

  // Each is false, with the reason told, when it is over.
  bool find_stream();
  bool open_input();
  bool start_producer();
  OpenChannel way_to_servers(const std::vector<std::string>& servers) const;
  bool send_rows();
  bool on_row_error();
  bool take_row();
  bool send_batch();
  bool on_pause();
  bool wait_for_acks();
  bool producer_failed(const absl::Status& status);

  void tell_ack(const ProducerCallbacks::Acked& acked);
  void keep_rate();
  void show_progress();
  void report();
  std::string summary_text(double seconds);
  std::string summary_json(double seconds);

  const SendOptions& options_;
  const ConnectionOptions& connection_;
  ClientSession session_;
  ErrorReport errors_;
  const std::string name_;  // of the producer
  const bool repeatable_;   // the same input gives the same batches
  uint32_t rows_max_;
  SchemaPtr schema_;
  size_t row_bytes_ = 0;
  std::unique_ptr<RowReader> reader_;
  std::shared_ptr<EventBatch> batch_;
  uint64_t events_ = 0;  // in batches that were handed to the producer
  Clock::time_point started_;
  // ---- of the producer's thread, until close() ----
  LatencyCounts latency_us_;          // of batches
  std::vector<std::string> details_;  // rows that the server found wrong

  std::unique_ptr<Producer> producer_;  // last: its thread uses the above
};

}  // namespace pollux::tool
