#include "tests/oracle/oracle_subject.h"

#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

#include "tests/oracle/oracle.h"

namespace pollux::oracle {
namespace {

class OracleSubject final : public conformance::Subject {
 public:
  bool tells_errors() const override { return false; }

  std::string deploy(const std::string& text) override {
    if (text.find("idle.time") != std::string::npos) {
      throw conformance::Unsupported{"the oracle's time does not go on when it is idle"};
    }
    oracle_.emplace(text);
    if (oracle_->syntax_error()) return oracle_->error();
    expect_no_error();
    oracle_->record_deliveries(true);
    return {};
  }

  void send(const std::string& stream, std::vector<conformance::SentEvent> events, bool one_chunk,
            int64_t) override {
    try {
      Chunk chunk;
      for (conformance::SentEvent& event : events) {
        chunk.push_back({EventKind::kCurrent, event.timestamp, std::move(event.row)});
        if (one_chunk) continue;
        oracle_->send_chunk(stream, std::exchange(chunk, {}));
      }
      if (one_chunk) oracle_->send_chunk(stream, std::move(chunk));
    } catch (const std::bad_variant_access&) {
      throw conformance::Unsupported{"values of other types than the stream's"};
    } catch (const std::out_of_range&) {
      throw conformance::Unsupported{"an event of another length than the stream's"};
    }
    expect_no_error();
  }

  void advance(int64_t now_ms) override {
    for (auto due = oracle_->next_deadline(); due && *due <= now_ms;
         due = oracle_->next_deadline()) {
      oracle_->advance(*due);
    }
    oracle_->advance(now_ms);
    expect_no_error();
  }

  conformance::Answer query(const std::string&) override {
    throw conformance::Unsupported{"the oracle answers no queries"};
  }

  std::string save() override {
    throw conformance::Unsupported{"the oracle does not tell its state"};
  }

  std::string restore(const std::string&) override { return "the oracle takes no state"; }

  bool has(bool, const std::string&) const override {
    throw conformance::Unsupported{"the oracle does not tell its queries and streams"};
  }

  std::vector<conformance::Delivery> take_deliveries() override {
    std::vector<conformance::Delivery> taken;
    for (; taken_ < oracle_->deliveries().size(); ++taken_) {
      const Delivery& delivery = oracle_->deliveries()[taken_];
      conformance::Delivery one{delivery.query, delivery.target, {}};
      for (const Event& event : delivery.events) {
        one.events.push_back({event.kind == EventKind::kExpired, event.data});
      }
      taken.push_back(std::move(one));
    }
    return taken;
  }

 private:
  void expect_no_error() const {
    if (!oracle_->error().empty()) throw conformance::Unsupported{oracle_->error()};
  }

  std::optional<Oracle> oracle_;
  size_t taken_ = 0;
};

}  // namespace

std::unique_ptr<conformance::Subject> make_oracle_subject(int64_t, Dialect) {
  return std::make_unique<OracleSubject>();
}

}  // namespace pollux::oracle
