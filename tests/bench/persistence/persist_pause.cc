#include "tests/bench/persistence/persist_pause.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <optional>
#include <vector>

#include "tests/bench/persistence/lasting_node.h"
#include "tests/bench/persistence/login_feed.h"
#include "tests/bench/persistence/probe_meter.h"

namespace pollux::bench {
namespace {

constexpr uint32_t kUsers = 1'000'000;
constexpr uint32_t kBatchRows = 200;

/// A window, its groups and a table; results of nothing but the probes.
std::string plan_text(uint64_t window_rows) {
  return "@app:name('" + std::string(kPausedPlan) + "')\n" + LoginFeed::kStream +
         "@PrimaryKey('username') define table LastLogin (username string, ip string, ts long);\n"
         "define window Recent (username string, ip string, success bool, region string, "
         "ts long, risk double) length(" +
         std::to_string(window_rows) +
         ");\n"
         "from LoginStream insert into Recent;\n"
         "from Recent select username, count() as logins, avg(risk) as avgRisk group by username "
         "having logins > 1000000 insert into Busy;\n"
         "from LoginStream select username, ip, ts update or insert into LastLogin "
         "set LastLogin.ip = ip, LastLogin.ts = ts on LastLogin.username == username;\n"
         "from LoginStream[region == '" +
         LoginFeed::kProbe + "'] select ts insert into Probe;\n";
}

double cpu_seconds(int who) {
  rusage used = {};
  ::getrusage(who, &used);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// In milliseconds; `latencies` is sorted.
double at(const std::vector<int64_t>& latencies, double share) {
  if (latencies.empty()) return 0;
  auto rank = static_cast<size_t>(share * static_cast<double>(latencies.size()));
  return static_cast<double>(latencies[std::min(rank, latencies.size() - 1)]) / 1e6;
}

class Measurement {
 public:
  explicit Measurement(const PauseOptions& options)
      : options_(options),
        node_(options.folder, options.sync ? SyncMode::kEveryCommit : SyncMode::kNever),
        plan_(plan_text(options.window_rows)) {
    node_.deploy(plan_);
    probes_ = std::make_unique<ProbeMeter>(node_.node().find_results("Probe"));
    feed_ = std::make_unique<LoginFeed>(node_.node().intake(), kUsers, kBatchRows);
    feed_->send(options.window_rows + options.window_rows / 10);
    node_.wait_until_applied(kPausedPlan);
    probes_->take_once(feed_->sent() / kBatchRows);
    node_.persist();  // both begin with what a first round leaves behind
  }

  void end() { node_.persist(); }

  void run(bool persist) {
    double cpu = cost();
    uint64_t sent = feed_->sent();
    int64_t begun = now_ns();
    std::future<PersistReport> round;
    int64_t round_end = 0;
    std::atomic<bool> done = !persist;
    if (persist) {
      round = std::async(std::launch::async, [&] {
        PersistReport report = node_.persist();
        round_end = now_ns();
        done = true;
        return report;
      });
    }
    auto until = begun + static_cast<int64_t>(options_.seconds * 1e9);
    std::vector<Latency> acks =
        feed_->send_steadily(options_.rate, [&] { return now_ns() >= until && done; });
    std::vector<Latency> latencies = probes_->take_once(feed_->sent() / kBatchRows);
    cpu = cost() - cpu;
    std::optional<PersistReport> report;
    if (persist) report = round.get();
    print(report, acks, latencies, round_end, cpu, feed_->sent() - sent,
          static_cast<double>(now_ns() - begun) / 1e9);
  }

 private:
  /// CPU of the node and its children, without those who send and read.
  double cost() const {
    return cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN) - cpu_seconds(RUSAGE_THREAD) -
           probes_->cpu_seconds();
  }

  static void print(const std::optional<PersistReport>& report, const std::vector<Latency>& acks,
                    const std::vector<Latency>& results, int64_t round_end, double cpu,
                    uint64_t events, double seconds) {
    if (acks.size() != results.size()) throw std::runtime_error("results are missing");
    std::vector<int64_t> all;
    std::vector<int64_t> commits;
    std::vector<int64_t> applies;
    std::vector<int64_t> meanwhile;
    for (size_t i = 0; i < acks.size(); ++i) {  // both in the order of their entries
      int64_t apply = results[i].took_ns - acks[i].took_ns;
      all.push_back(results[i].took_ns);
      commits.push_back(acks[i].took_ns);
      applies.push_back(apply);
      if (results[i].due_ns < round_end) meanwhile.push_back(apply);
    }
    for (auto* each : {&all, &commits, &applies, &meanwhile}) std::sort(each->begin(), each->end());
    std::printf(
        "{\"persist\": %s, \"events\": %llu, \"seconds\": %.2f, \"cpu_us_per_event\": %.4f, "
        "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f, "
        "\"commit_p999_ms\": %.3f, \"apply_p50_ms\": %.3f, \"apply_p999_ms\": %.3f",
        report ? "true" : "false", static_cast<unsigned long long>(events), seconds,
        cpu * 1e6 / static_cast<double>(events), at(all, 0.5), at(all, 0.99), at(all, 0.999),
        at(all, 1), at(commits, 0.999), at(applies, 0.5), at(applies, 0.999));
    if (report) {
      const PersistedPlan& plan = report->plans.front();
      std::printf(
          ", \"round_ms\": %llu, \"round_apply_p999_ms\": %.3f, \"pause_ms\": %.3f, "
          "\"state_bytes\": %llu, \"file_bytes\": %llu",
          static_cast<unsigned long long>(report->took_ms), at(meanwhile, 0.999),
          static_cast<double>(plan.pause_us) / 1e3,
          static_cast<unsigned long long>(plan.state_bytes),
          static_cast<unsigned long long>(plan.file_bytes));
    }
    std::printf("}\n");
    std::fflush(stdout);
  }

  const PauseOptions options_;
  LastingNode node_;
  const std::string plan_;
  std::unique_ptr<ProbeMeter> probes_;
  std::unique_ptr<LoginFeed> feed_;
};

}  // namespace

void measure_pause(const PauseOptions& options) {
  Measurement measurement(options);
  for (uint32_t pair = 0; pair < options.pairs; ++pair) {
    measurement.run(/*persist=*/false);
    measurement.run(/*persist=*/true);
  }
  measurement.end();
}

}  // namespace pollux::bench
