#include "tests/oracle/rate_limiter.h"

#include <algorithm>
#include <map>
#include <optional>

namespace pollux::oracle {

namespace {

class PassThrough : public RateLimiter {
 public:
  void process(CombinedChunk chunk) override { let_out(std::move(chunk)); }
};

// Keeps the newest event of each group, in the order in which the groups came.
void keep_newest(CombinedChunk& held, Combined event) {
  auto found = std::find_if(held.begin(), held.end(),
                            [&](const Combined& other) { return other.group == event.group; });
  if (found == held.end()) {
    held.push_back(std::move(event));
  } else {
    *found = std::move(event);
  }
}

class AllPerEvents : public RateLimiter {
 public:
  explicit AllPerEvents(int64_t amount) : amount_(amount) {}
  void process(CombinedChunk chunk) override {
    CombinedChunk out;
    for (Combined& event : chunk) {
      held_.push_back(std::move(event));
      if (static_cast<int64_t>(held_.size()) < amount_) continue;
      out.insert(out.end(), held_.begin(), held_.end());
      held_.clear();
    }
    let_out(std::move(out));
  }

 private:
  int64_t amount_;
  CombinedChunk held_;
};

class FirstPerEvents : public RateLimiter {
 public:
  explicit FirstPerEvents(int64_t amount) : amount_(amount) {}
  void process(CombinedChunk chunk) override {
    CombinedChunk out;
    for (Combined& event : chunk) {
      if (++count_ == 1) out.push_back(std::move(event));
      if (count_ == amount_) count_ = 0;
    }
    let_out(std::move(out));
  }

 private:
  int64_t amount_;
  int64_t count_ = 0;
};

class FirstOfGroupPerEvents : public RateLimiter {
 public:
  explicit FirstOfGroupPerEvents(int64_t amount) : amount_(amount) {}
  void process(CombinedChunk chunk) override {
    CombinedChunk out;
    for (Combined& event : chunk) {
      std::string group = event.group;
      if (++counts_[group] == 1) out.push_back(std::move(event));
      if (counts_[group] == amount_) counts_.erase(group);
    }
    let_out(std::move(out));
  }

 private:
  int64_t amount_;
  std::map<std::string, int64_t> counts_;
};

class LastPerEvents : public RateLimiter {
 public:
  LastPerEvents(int64_t amount, bool grouped) : amount_(amount), grouped_(grouped) {}
  void process(CombinedChunk chunk) override {
    CombinedChunk out;
    for (Combined& event : chunk) {
      if (grouped_) {
        keep_newest(held_, std::move(event));
      } else {
        held_ = {std::move(event)};
      }
      if (++count_ < amount_) continue;
      count_ = 0;
      out.insert(out.end(), held_.begin(), held_.end());
      held_.clear();
    }
    let_out(std::move(out));
  }

 private:
  int64_t amount_;
  bool grouped_;
  int64_t count_ = 0;
  CombinedChunk held_;
};

class AllPerTime : public PerTime {
 public:
  using PerTime::PerTime;
  void process(CombinedChunk chunk) override {
    held_.insert(held_.end(), chunk.begin(), chunk.end());
  }

 private:
  CombinedChunk take() override { return std::exchange(held_, {}); }
  CombinedChunk held_;
};

class LastPerTime : public PerTime {
 public:
  LastPerTime(int64_t period, bool grouped, Clock& clock)
      : PerTime(period, clock), grouped_(grouped) {}
  void process(CombinedChunk chunk) override {
    for (Combined& event : chunk) {
      if (grouped_) {
        keep_newest(held_, std::move(event));
      } else {
        held_ = {std::move(event)};
      }
    }
  }

 private:
  CombinedChunk take() override { return std::exchange(held_, {}); }
  bool grouped_;
  CombinedChunk held_;
};

class FirstPerTime : public RateLimiter {
 public:
  FirstPerTime(int64_t period, bool grouped, Clock& clock)
      : period_(period), grouped_(grouped), clock_(clock) {}
  void process(CombinedChunk chunk) override {
    CombinedChunk out;
    for (Combined& event : chunk) {
      auto& last = last_[grouped_ ? event.group : std::string()];
      if (!last || *last + period_ <= clock_.now()) {
        last = clock_.now();
        out.push_back(std::move(event));
      }
      if (!grouped_) break;  // only the first of a chunk is ever looked at
    }
    let_out(std::move(out));
  }

 private:
  int64_t period_;
  bool grouped_;
  Clock& clock_;
  std::map<std::string, std::optional<int64_t>> last_;
};

std::unique_ptr<RateLimiter> per_events(const ast::OutputRate& rate, bool grouped) {
  switch (rate.which) {
    case ast::OutputRate::Which::kAll:
      return std::make_unique<AllPerEvents>(rate.amount);
    case ast::OutputRate::Which::kFirst:
      if (grouped) return std::make_unique<FirstOfGroupPerEvents>(rate.amount);
      return std::make_unique<FirstPerEvents>(rate.amount);
    default:
      return std::make_unique<LastPerEvents>(rate.amount, grouped);
  }
}

std::unique_ptr<RateLimiter> per_time(const ast::OutputRate& rate, bool grouped, Clock& clock) {
  switch (rate.which) {
    case ast::OutputRate::Which::kAll:
      return std::make_unique<AllPerTime>(rate.amount, clock);
    case ast::OutputRate::Which::kFirst:
      return std::make_unique<FirstPerTime>(rate.amount, grouped, clock);
    default:
      return std::make_unique<LastPerTime>(rate.amount, grouped, clock);
  }
}

}  // namespace

std::unique_ptr<RateLimiter> make_rate_limiter(const RatePlan& plan, Clock& clock,
                                               RateLimiter::Out out) {
  std::unique_ptr<RateLimiter> limiter;
  switch (plan.rate->kind) {
    case ast::OutputRate::Kind::kNone:
      limiter = std::make_unique<PassThrough>();
      break;
    case ast::OutputRate::Kind::kEvents:
      limiter = per_events(*plan.rate, plan.grouped);
      break;
    case ast::OutputRate::Kind::kTime:
      limiter = per_time(*plan.rate, plan.grouped, clock);
      break;
    case ast::OutputRate::Kind::kSnapshot:
      limiter = make_snapshot(plan, clock);
      break;
  }
  limiter->out_ = std::move(out);
  return limiter;
}

}  // namespace pollux::oracle
