#include "tests/bench/workload_data.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace pollux::bench {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): the same numbers with every standard library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, limit) up to a bias of limit / 2^32.
  uint32_t below(uint32_t limit) {
    return static_cast<uint32_t>(((next() >> 32) * uint64_t{limit}) >> 32);
  }
  double uniform() { return static_cast<double>(next() >> 40) * 0x1p-24; }

 private:
  uint64_t state_;
};

// Draws rank r with probability proportional to 1 / (r + 1).
class Zipf {
 public:
  explicit Zipf(uint32_t ranks) {
    double sum = 0;
    for (uint32_t r = 0; r < ranks; ++r) cumulated_.push_back(sum += 1.0 / (r + 1));
  }
  uint32_t draw(Random& random) const {
    double at = random.uniform() * cumulated_.back();
    auto found = std::upper_bound(cumulated_.begin(), cumulated_.end() - 1, at);
    return static_cast<uint32_t>(found - cumulated_.begin());
  }

 private:
  std::vector<double> cumulated_;
};

template <class... Args>
std::string text_of(const char* format, Args... args) {
  char text[64];
  int size = std::snprintf(text, sizeof text, format, args...);
  return std::string(text, static_cast<size_t>(size));
}

std::string username(uint32_t user) { return text_of("user%05u@example.com", user); }

// 65,536 addresses spread over 10.0.0.0/8, so that their lengths differ as real ones do.
std::string address(uint32_t n) {
  return text_of("10.%u.%u.%u", n >> 8, n & 255, (n * 40'503u >> 7) & 255);
}

std::ofstream open_to_write(const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) throw std::runtime_error("cannot write " + path);
  return file;
}

void finish(std::ofstream& file, const std::string& path) {
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

// Splits the lines of a file into exactly `fields` texts each and hands them to `take`.
template <class Take>
void read_lines(const std::string& path, size_t fields, Take take) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string line;
  std::vector<std::string_view> row;
  for (size_t number = 1; std::getline(file, line); ++number) {
    row.clear();
    std::string_view rest = line;
    for (size_t tab; (tab = rest.find('\t')) != rest.npos; rest.remove_prefix(tab + 1)) {
      row.push_back(rest.substr(0, tab));
    }
    row.push_back(rest);
    if (row.size() != fields) {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": expected " +
                               std::to_string(fields) + " fields");
    }
    take(row);
  }
}

template <class T>
T number(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::runtime_error("not a number: " + std::string(text));
  }
  return value;
}

}  // namespace

std::vector<LoginEvent> make_events(uint64_t seed, uint32_t count) {
  Random random(seed);
  Zipf users(kUsers);
  std::vector<LoginEvent> events;
  events.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    LoginEvent event;
    event.username = username(users.draw(random));
    event.ip = address(random.below(kAddresses));
    event.success = random.below(5) != 0;
    event.region = text_of("region-%02u", random.below(kRegions));
    event.ts = kFirstTimestampMs + i;
    event.risk = random.uniform();
    events.push_back(std::move(event));
  }
  return events;
}

std::vector<User> make_users() {
  std::vector<User> users;
  users.reserve(kUsers);
  for (uint32_t u = 0; u < kUsers; ++u) {
    users.push_back({username(u), text_of("dept-%02u", u % 40), static_cast<int32_t>(u % 10)});
  }
  return users;
}

void write_events(const std::string& path, const std::vector<LoginEvent>& events) {
  std::ofstream file = open_to_write(path);
  for (const LoginEvent& e : events) {
    file << e.username << '\t' << e.ip << '\t' << (e.success ? "true" : "false") << '\t' << e.region
         << '\t' << e.ts << '\t' << text_of("%.17g", e.risk) << '\n';
  }
  finish(file, path);
}

void write_users(const std::string& path, const std::vector<User>& users) {
  std::ofstream file = open_to_write(path);
  for (const User& u : users) file << u.username << '\t' << u.dept << '\t' << u.level << '\n';
  finish(file, path);
}

std::vector<LoginEvent> read_events(const std::string& path) {
  std::vector<LoginEvent> events;
  read_lines(path, 6, [&](const std::vector<std::string_view>& row) {
    events.push_back({std::string(row[0]), std::string(row[1]), row[2] == "true",
                      std::string(row[3]), number<int64_t>(row[4]), number<double>(row[5])});
  });
  return events;
}

std::vector<User> read_users(const std::string& path) {
  std::vector<User> users;
  read_lines(path, 3, [&](const std::vector<std::string_view>& row) {
    users.push_back({std::string(row[0]), std::string(row[1]), number<int32_t>(row[2])});
  });
  return users;
}

}  // namespace pollux::bench
