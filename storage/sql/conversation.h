// A session for some statements that belong together, by one deadline. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/remote/session_pool.h"

namespace pollux::sql {

/// An error of any statement ends the session, and all that is asked behind it is kUnavailable;
/// what was not committed by then is as if it had never been asked.
template <class Session>
class Conversation {
 public:
  using Pool = SessionPool<Session>;

  Conversation(typename Pool::Lease lease, Deadline deadline)
      : lease_(std::move(lease)), deadline_(deadline) {}

  /// Its transaction is dropped, by ending the session.
  void give_up() { lease_.break_off(); }
  /// More time, for what comes next.
  void set_deadline(int64_t ms) { deadline_ = Deadline(ms); }

 protected:
  const Session& session() const { return *lease_; }
  /// What `call(session, deadline)` answers.
  template <class Call>
  std::invoke_result_t<Call, Session&, const Deadline&> make(Call&& call) {
    if (!lease_.is_whole()) {
      return absl::UnavailableError("the session ended with an earlier error");
    }
    auto answer = call(*lease_, deadline_);
    if (!answer.ok()) lease_.break_off();
    return answer;
  }

 private:
  typename Pool::Lease lease_;
  Deadline deadline_;
};

/// `Talk` is one of the session.
template <class Talk>
absl::StatusOr<Talk> begin_conversation(const std::shared_ptr<typename Talk::Pool>& pool,
                                        int64_t timeout_ms) {
  Deadline deadline(timeout_ms);
  auto lease = pool->take(deadline);
  if (!lease.ok()) return lease.status();
  return Talk(*std::move(lease), deadline);
}

}  // namespace pollux::sql
