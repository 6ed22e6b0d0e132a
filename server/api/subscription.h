// One subscriber of a stream's results: server-sent events, from where it stands on.
//
// Thread: any. It lives as long as the client listens; nothing waits for a slow one, which is told
// what it missed and let go.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "server/api/stream_heartbeat.h"
#include "server/http/responder.h"
#include "server/node/result_log.h"

namespace pollux {

class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  /// Results from offset `from` on.
  static void begin(const ResultLogs& logs, std::shared_ptr<ResultLog> log, uint64_t from,
                    const Responder& responder, StreamHeartbeat& heartbeat);

  Subscription(const ResultLogs& logs, std::shared_ptr<ResultLog> log, uint64_t from)
      : logs_(logs), log_(std::move(log)), next_(from) {}

 private:
  static constexpr size_t kRowsAtOnce = 256;

  void listen();
  void closed();
  /// Writes what is there; one thread at a time, whoever comes meanwhile leaves it a note.
  void pump();
  bool write_some();
  std::string text_of(const ResultLog::Read& read) const;

  const ResultLogs& logs_;
  const std::shared_ptr<ResultLog> log_;
  ResponseStream stream_;
  std::unique_ptr<ResultLog::Listener> listener_;

  std::mutex mutex_;
  bool closed_ = false;
  bool pumping_ = false;
  bool again_ = false;
  uint64_t next_;  // of whoever pumps, as all below
  std::string unsent_;
  bool ends_ = false;  // behind what is unsent
};

}  // namespace pollux
