// /metrics as Prometheus sees it, and as docs/metrics.md describes it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>
#include <sstream>

#include "tests/server/api/api_testing.h"

namespace pollux {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class MetricsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    deploy_logins();
    ASSERT_EQ(send(json({login("ada"), login("bob")}).dump()).status, 200);
    ASSERT_TRUE(becomes_true([&] { return node_->node().find_results("Seen")->rows() == 2; }));
  }
  void TearDown() override {
    if (prometheus_ > 0) {
      ::kill(prometheus_, SIGKILL);
      ::waitpid(prometheus_, nullptr, 0);
    }
    ApiTest::TearDown();
  }

  std::string metrics() { return get("/metrics").text; }
  /// Lines that are values, not comments.
  static std::set<std::string> series(const std::string& text) {
    std::set<std::string> names;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line[0] != '#') names.insert(line.substr(0, line.rfind(' ')));
    }
    return names;
  }

  static uint16_t free_port() {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    ::close(fd);
    return ntohs(address.sin_port);
  }

  void start_prometheus(uint16_t port) {
    std::ofstream(folder_ + "/prometheus.yml")
        << "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: pollux\n"
           "    static_configs:\n      - targets: ['127.0.0.1:"
        << node_->http_port() << "']\n";
    std::string config = "--config.file=" + folder_ + "/prometheus.yml";
    std::string data = "--storage.tsdb.path=" + folder_ + "/prometheus";
    std::string listen = "--web.listen-address=127.0.0.1:" + std::to_string(port);
    std::string log = folder_ + "/prometheus.log";
    prometheus_ = ::fork();
    if (prometheus_ != 0) return;
    if (std::freopen(log.c_str(), "w", stderr) != nullptr) {
      ::execlp("prometheus", "prometheus", config.c_str(), data.c_str(), listen.c_str(), nullptr);
    }
    ::_exit(127);
  }

  pid_t prometheus_ = -1;
};

TEST_F(MetricsTest, PromtoolHasNothingToSay) {
  Answer answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.find("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  std::ofstream(folder_ + "/metrics") << answer.text;
  std::string command =
      "promtool check metrics < " + folder_ + "/metrics > " + folder_ + "/said 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(file_text(folder_ + "/said"), "");
}

TEST_F(MetricsTest, PrometheusScrapesThem) {
  uint16_t port = free_port();
  start_prometheus(port);
  HttpClientRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(port) + "/api/v1/query?query=";
  const std::string base = request.url;
  json value;
  auto scraped = [&](const std::string& query) {
    request.url = base + query;
    auto response = client_.request(request);
    if (!response.ok() || response->status != 200) return false;
    json found = json::parse(response->body)["data"]["result"];
    if (found.empty()) return false;
    value = found[0]["value"][1];
    return true;
  };
  ASSERT_TRUE(becomes_true([&] { return scraped("pollux_events_total"); }))
      << file_text(folder_ + "/prometheus.log");
  EXPECT_EQ(value, "2");
  ASSERT_TRUE(scraped("up"));
  EXPECT_EQ(value, "1");
  ASSERT_TRUE(scraped("pollux_plan_results_total%7Bplan%3D%22Logins%22%7D"));
  EXPECT_EQ(value, "2");
  ASSERT_TRUE(scraped("pollux_info%7Bversion%3D%221.2.3%22%7D"));
}

TEST_F(MetricsTest, EventsAddNoSeriesHoweverManyUsersTheyName) {
  std::string plan = "@app:name('Fifty')";
  for (int i = 0; i < 50; ++i) {
    std::string n = std::to_string(i);
    plan += "define stream In" + n + " (user string);";
    plan += "from In" + n + " select user insert into Out" + n + ";";
  }
  ASSERT_EQ(deploy(plan).status, 201);
  std::set<std::string> before = series(metrics());
  for (int i = 0; i < 50; ++i) {
    json events = json::array();
    for (int user = 0; user < 200; ++user) {
      events.push_back({{"user", "user" + std::to_string(user) + "\"\n{}"}});
    }
    std::string producer = "producer" + std::to_string(i);
    Answer answer = call("POST", "/v1/streams/In" + std::to_string(i) + "/events", events.dump(),
                         {{"Content-Type", "application/json"},
                          {"Pollux-Producer", producer},
                          {"Pollux-Sequence", "1"}});
    ASSERT_EQ(answer.status, 200) << answer.text;
    call("POST", "/v1/streams/None" + std::to_string(i) + "/events", events.dump());
    get("/v1/plans/none" + std::to_string(i));
  }
  ASSERT_TRUE(
      becomes_true([&] { return get("/v1/plans/Fifty").body["counts"]["results"] == 50 * 200; }));
  EXPECT_EQ(series(metrics()), before);
  ASSERT_EQ(call("DELETE", "/v1/plans/Fifty").status, 200);
  for (const std::string& each : series(metrics())) {
    EXPECT_EQ(each.find("Out4"), std::string::npos) << each << " is of a plan that is gone";
    EXPECT_EQ(each.find("Fifty"), std::string::npos) << each;
  }
}

TEST_F(MetricsTest, NamesOfAnyTextAreLabels) {
  const char* text = "define stream S (a int); from S select a insert into T;";
  ASSERT_EQ(deploy(text, "?name=a%22b%5Cc%0Ad").status, 201);
  EXPECT_NE(metrics().find(R"(pollux_plan_events_total{plan="a\"b\\c\nd"} 0)"), std::string::npos)
      << metrics();
}

/// Rows of the page's table: | `name` | type | labels | meaning |
std::map<std::string, std::vector<std::string>> documented() {
  std::map<std::string, std::vector<std::string>> families;
  std::istringstream lines(file_text(std::string(POLLUX_SOURCE_DIR) + "/docs/metrics.md"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `pollux_")) continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(2));
    for (std::string cell; std::getline(row, cell, '|');) {
      cell.erase(0, cell.find_first_not_of(' '));
      cell.erase(cell.find_last_not_of(' ') + 1);
      cells.push_back(cell);
    }
    families[cells.at(0).substr(1, cells.at(0).size() - 2)] = {cells.at(1), cells.at(2),
                                                               cells.at(3)};
  }
  return families;
}

TEST_F(MetricsTest, ThePageListsAllFamiliesAndNoOthers) {
  std::map<std::string, std::vector<std::string>> served;
  std::map<std::string, std::set<std::string>> labels;
  std::set<std::string> with_series;
  std::istringstream lines(metrics());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, kind, name, rest;
    words >> hash >> kind >> name >> std::ws;
    std::getline(words, rest);
    if (line.starts_with("# HELP")) served[name] = {"", "", rest};
    if (line.starts_with("# TYPE")) served[name][0] = rest;
    if (hash == "#") continue;
    with_series.insert(line.substr(0, line.find_first_of("{ ")));
    size_t brace = line.find('{');
    size_t equals = brace == std::string::npos ? brace : line.find('=', brace);
    for (size_t at = brace; equals != std::string::npos;) {
      labels[line.substr(0, brace)].insert(line.substr(at + 1, equals - at - 1));
      at = line.find(",", equals);
      equals = at == std::string::npos ? at : line.find('=', at);
    }
  }
  std::map<std::string, std::vector<std::string>> page = documented();
  for (auto& [name, cells] : served) {
    // A family without series shows no labels: there are no sinks and receivers here.
    if (!with_series.contains(name) && page.contains(name)) cells[1] = page[name][1];
    for (const std::string& label : labels[name]) {
      cells[1] += (cells[1].empty() ? "" : ", ") + label;
    }
  }
  EXPECT_EQ(page, served) << "docs/metrics.md is to be brought up to date";
}

}  // namespace
}  // namespace pollux
