// bench_ingest: the client of scripts/bench ingest, and the plain TCP server that stands beside.
// Sends for a while, prints one JSON object. Exit 1 with a message on the first failure.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <thread>

#include "tests/bench/ingest/feed.h"
#include "tests/bench/ingest/raw_server.h"

namespace pollux::bench {
namespace {

constexpr char kUsage[] =
    "usage: bench_ingest raw-server\n"
    "       bench_ingest columns|rows|json polluxd|raw PORT PID ROWS CONNECTIONS WINDOW SECONDS\n"
    "                    [RATE FILE]\n"
    "PORT and PID are the server's; ROWS events a request, WINDOW requests on the way on each of\n"
    "CONNECTIONS connections. With RATE (columns only) so many events are due each second, and\n"
    "FILE gets a line for each request: when it was due, in milliseconds of the steady clock, and\n"
    "the microseconds until it was acknowledged.\n";
constexpr std::chrono::milliseconds kWarmUp{500};

struct Moment {
  int64_t ns;
  double client_cpu_seconds;
  double server_cpu_seconds;
  uint64_t requests;
};

double seconds_of(clockid_t clock) {
  timespec time = {};
  if (clock_gettime(clock, &time) != 0) throw std::runtime_error("the server is gone");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Measurement {
 public:
  Measurement(const FeedOptions& options, uint32_t rows, int connections, pid_t server)
      : requests_(rows) {
    if (clock_getcpuclockid(server, &server_clock_) != 0) {
      throw std::runtime_error("no process " + std::to_string(server));
    }
    bool socket = options.raw || options.form == Form::kJson;
    for (int i = 0; i < connections; ++i) {
      feeds_.push_back(socket ? make_socket_feed(options, requests_)
                              : make_grpc_feed(options, requests_));
    }
  }

  void run(std::chrono::milliseconds duration) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    threads.reserve(feeds_.size());
    for (auto& feed : feeds_) threads.emplace_back([&] { run_feed(*feed, stop); });
    std::this_thread::sleep_for(kWarmUp);
    for (auto& feed : feeds_) feed->meter().measure(true);
    begin_ = now();
    std::this_thread::sleep_for(duration);
    end_ = now();
    for (auto& feed : feeds_) feed->meter().measure(false);
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }

  /// A line a request.
  void write_samples(const std::string& path) const {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + path);
    for (const auto& feed : feeds_) {
      const auto& latencies = feed->meter().latencies_us();
      for (size_t i = 0; i < latencies.size(); ++i) {
        std::fprintf(file, "%.3f %u\n", static_cast<double>(feed->meter().sent_at_ns()[i]) / 1e6,
                     latencies[i]);
      }
    }
    if (std::fclose(file) != 0) throw std::runtime_error("cannot write " + path);
  }

  void print() {
    std::vector<uint32_t> latencies;
    uint64_t failures = 0;
    uint64_t refused = 0;
    for (auto& feed : feeds_) {
      const std::vector<uint32_t>& more = feed->meter().latencies_us();
      latencies.insert(latencies.end(), more.begin(), more.end());
      for (uint64_t i = 0; i < feed->meter().sends(); ++i) failures += requests_.failures(i);
      for (uint64_t i : feed->meter().refused_requests()) failures -= requests_.failures(i);
      refused += feed->meter().refused_requests().size();
    }
    std::sort(latencies.begin(), latencies.end());
    if (latencies.empty()) throw std::runtime_error("nothing was acknowledged");
    auto quantile = [&](size_t percent) { return latencies[latencies.size() * percent / 100]; };
    std::printf(
        "{\"events\": %llu, \"seconds\": %.6f, \"client_cpu_seconds\": %.6f, "
        "\"server_cpu_seconds\": %.6f, \"ack_p50_us\": %u, \"ack_p99_us\": %u, "
        "\"request_bytes\": %zu, \"all_events\": %llu, \"all_failures\": %llu, "
        "\"refused_requests\": %llu}\n",
        count((end_.requests - begin_.requests) * requests_.rows()),
        static_cast<double>(end_.ns - begin_.ns) * 1e-9,
        end_.client_cpu_seconds - begin_.client_cpu_seconds,
        end_.server_cpu_seconds - begin_.server_cpu_seconds, quantile(50), quantile(99),
        feeds_[0]->request_bytes(), count(acked() * requests_.rows()), count(failures),
        count(refused));
  }

 private:
  static unsigned long long count(uint64_t number) { return number; }

  static void run_feed(Feed& feed, const std::atomic<bool>& stop) {
    try {
      feed.run(stop);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bench_ingest: %s\n", error.what());
      std::quick_exit(1);
    }
  }

  uint64_t acked() {
    uint64_t requests = 0;
    for (auto& feed : feeds_) requests += feed->meter().acks();
    return requests;
  }

  Moment now() {
    return {steady_ns(), seconds_of(CLOCK_PROCESS_CPUTIME_ID), seconds_of(server_clock_), acked()};
  }

  const Requests requests_;
  clockid_t server_clock_ = 0;
  std::vector<std::unique_ptr<Feed>> feeds_;
  Moment begin_ = {};
  Moment end_ = {};
};

Form form_of(const std::string& name) {
  const std::map<std::string, Form> forms = {
      {"columns", Form::kColumns}, {"rows", Form::kRows}, {"json", Form::kJson}};
  auto found = forms.find(name);
  if (found == forms.end()) throw std::runtime_error("unknown form " + name);
  return found->second;
}

void measure(char** words, bool steady) {
  FeedOptions options;
  options.form = form_of(words[0]);
  options.raw = std::string(words[1]) == "raw";
  options.port = static_cast<uint16_t>(std::atoi(words[2]));
  options.window = static_cast<uint32_t>(std::atoi(words[6]));
  if (options.window < 1 || options.window > AckMeter::kWindowMax) {
    throw std::runtime_error("WINDOW must be 1 to " + std::to_string(AckMeter::kWindowMax));
  }
  const auto rows = static_cast<uint32_t>(std::atoi(words[4]));
  const int connections = std::atoi(words[5]);
  if (steady) {
    const double rate = std::atof(words[8]);
    if (rate <= 0 || options.form != Form::kColumns || options.raw) {
      throw std::runtime_error("RATE must be positive, and is for columns to polluxd");
    }
    options.apart_ns = static_cast<int64_t>(1e9 * rows * connections / rate);
  }
  Measurement measurement(options, rows, connections, std::atoi(words[3]));
  measurement.run(std::chrono::milliseconds(static_cast<int64_t>(std::atof(words[7]) * 1000)));
  if (steady) measurement.write_samples(words[9]);
  measurement.print();
}

}  // namespace
}  // namespace pollux::bench

int main(int argc, char** argv) {
  try {
    if (argc == 2 && std::string(argv[1]) == "raw-server") {
      pollux::bench::run_raw_server();
      return 0;
    }
    if (argc != 9 && argc != 11) {
      std::fputs(pollux::bench::kUsage, stderr);
      return 2;
    }
    pollux::bench::measure(argv + 1, argc == 11);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_ingest: %s\n", error.what());
    return 1;
  }
  return 0;
}
