#include "server/stores/datasource.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace pollux {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

Datasource read(const Options& given, EndpointMistakes& mistakes,
                const std::string& type = "postgresql") {
  EndpointDefinition definition;
  definition.name = "analytics";
  definition.type = type;
  for (const auto& [key, value] : given) definition.options.push_back({key, value, {}});
  return read_datasource(definition, mistakes);
}

std::string mistakes_of(const Options& given, const std::string& type = "postgresql") {
  EndpointMistakes mistakes;
  read(given, mistakes, type);
  std::string all;
  for (const EndpointMistake& mistake : mistakes) all += mistake.message + "\n";
  return all;
}

TEST(DatasourceTest, IsWhatItsOptionsSay) {
  ASSERT_EQ(::setenv("POLLUX_TEST_SECRET", "of the environment", 1), 0);
  EndpointMistakes mistakes;
  Datasource datasource = read({{"url", "postgresql://ann@db.example:6543/logins"},
                                {"password_variable", "POLLUX_TEST_SECRET"},
                                {"max_active", "7"},
                                {"max_wait", "2 s"},
                                {"min_idle", "3"},
                                {"test_on_borrow", "false"},
                                {"validation_query", "SELECT 2"},
                                {"validation_interval", "1 min"},
                                {"default_auto_commit", "false"},
                                {"timeout", "5 s"},
                                {"tls", "verify"},
                                {"tls_ca_file", "/ca"},
                                {"tls_certificate_file", "/cert"},
                                {"tls_key_file", "/key"}},
                               mistakes);
  ASSERT_TRUE(mistakes.empty()) << mistakes[0].message;
  EXPECT_EQ(datasource.name, "analytics");
  EXPECT_EQ(datasource.address.host, "db.example");
  EXPECT_EQ(datasource.address.port, 6543);
  EXPECT_EQ(datasource.address.user, "ann");
  EXPECT_EQ(datasource.address.database, "logins");
  EXPECT_EQ(datasource.address.password, "of the environment");
  EXPECT_EQ(datasource.address.tls.mode, TlsMode::kVerify);
  EXPECT_EQ(datasource.address.tls.ca_file, "/ca");
  EXPECT_EQ(datasource.address.tls.certificate_file, "/cert");
  EXPECT_EQ(datasource.address.tls.key_file, "/key");
  EXPECT_EQ(datasource.pool.max_active, 7u);
  EXPECT_EQ(datasource.pool.max_wait_ms, 2'000);
  EXPECT_EQ(datasource.pool.min_idle, 3u);
  EXPECT_FALSE(datasource.pool.test_on_borrow);
  EXPECT_EQ(datasource.pool.validation_query, "SELECT 2");
  EXPECT_EQ(datasource.pool.validation_interval_ms, 60'000);
  EXPECT_EQ(datasource.timeout_ms, 5'000);
}

TEST(DatasourceTest, MistakesAreTold) {
  EXPECT_NE(mistakes_of({}).find("url"), std::string::npos);
  EXPECT_NE(mistakes_of({{"url", "mysql://db/x"}}).find("must begin with postgresql://"),
            std::string::npos);
  EXPECT_NE(mistakes_of({{"url", "postgresql://ann:pw@db/x"}}).find("a password does not stand"),
            std::string::npos);
  EXPECT_NE(mistakes_of({{"url", "postgresql://db"}}).find("the database is missing"),
            std::string::npos);
  const Options fine = {{"url", "postgresql://db/x"}};
  EXPECT_EQ(mistakes_of(fine), "");
  auto with = [&](const std::string& key, const std::string& value) {
    Options options = fine;
    options.emplace_back(key, value);
    return mistakes_of(options);
  };
  EXPECT_NE(with("password_variable", "POLLUX_TEST_NOT_THERE").find("POLLUX_TEST_NOT_THERE"),
            std::string::npos);
  EXPECT_NE(with("default_auto_commit", "true").find("must be off"), std::string::npos);
  EXPECT_NE(with("tls_ca_file", "/ca").find("tls is off"), std::string::npos);
  EXPECT_NE(with("tls_key_file", "/key").find("go together"), std::string::npos);
  EXPECT_NE(with("max_activ", "3").find("max_activ"), std::string::npos);
  EXPECT_NE(mistakes_of(fine, "oracle").find("unknown type"), std::string::npos);
}

TEST(DatasourceTest, APasswordIsGivenOnce) {
  ASSERT_EQ(::setenv("POLLUX_TEST_SECRET", "one", 1), 0);
  EXPECT_NE(mistakes_of({{"url", "postgresql://db/x"},
                         {"password", "two"},
                         {"password_variable", "POLLUX_TEST_SECRET"}})
                .find("give one"),
            std::string::npos);
}

}  // namespace
}  // namespace pollux
