// The table of settings, and the texts that are made from it.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include "server/settings/load.h"
#include "server/settings/setting_table.h"
#include "server/settings/settings_text.h"

namespace pollux {
namespace {

std::string text_of_file(const std::string& path) {
  std::ifstream file(std::string(POLLUX_SOURCE_DIR) + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const Setting& setting(std::string_view name) {
  for (const Setting& known : setting_table()) {
    if (known.name == name) return known;
  }
  throw std::out_of_range(std::string(name));
}

std::string read_back(std::string_view name, std::string_view text) {
  absl::StatusOr<SettingValue> value = parse_setting(setting(name), text);
  return value.ok() ? setting_text(setting(name), *value) : std::string(value.status().message());
}

TEST(SettingTableTest, EachRowIsSound) {
  std::set<std::string_view> names;
  for (const Setting& row : setting_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(row.doc.ends_with('.')) << row.name;
    absl::StatusOr<SettingValue> value = parse_setting(row, row.default_text);
    if (row.name == "node.name") continue;  // the host's, which no table knows
    ASSERT_TRUE(value.ok()) << row.name << ": " << value.status();
    EXPECT_EQ(setting_text(row, *value), row.default_text) << "as it would be written";
    Settings settings;
    row.store(settings, *value);
    EXPECT_EQ(row.fetch(settings), *value) << row.name;
    const bool is_number = row.type == SettingType::kCount || row.type == SettingType::kPort ||
                           row.type == SettingType::kDuration || row.type == SettingType::kBytes;
    EXPECT_EQ(is_number, row.max > 0) << row.name << ": numbers have a range";
    EXPECT_LE(row.min, row.max) << row.name;
  }
}

TEST(SettingTableTest, DefaultsAreWhatTheCodeSees) {
  const Settings settings = load_settings({}).settings;
  EXPECT_EQ(settings.http.port, 9763);
  EXPECT_EQ(settings.grpc.port, 9873);
  EXPECT_EQ(settings.http.body_bytes_max, 16u << 20);
  EXPECT_EQ(settings.query.rows_max, 1'000'000u);
  EXPECT_EQ(settings.producers.forget_after, std::chrono::hours(7 * 24));
  EXPECT_EQ(settings.shutdown.drain_timeout, std::chrono::seconds(10));
  EXPECT_EQ(settings.log.level, LogLevel::kInfo);
  EXPECT_EQ(settings.data_dir, "./data");
  EXPECT_FALSE(settings.node.name.empty());
}

TEST(SettingTableTest, TheDefaultsFileIsThatOfTheTable) {
  EXPECT_EQ(text_of_file("conf/pollux.yaml"), defaults_file())
      << "polluxd --print-defaults > conf/pollux.yaml";
  EXPECT_EQ(text_of_file("docs/settings.md"), reference_page())
      << "polluxd --print-reference > docs/settings.md";
}

TEST(SettingTableTest, TheDefaultsFileChangesNothing) {
  const LoadedSettings loaded =
      load_settings({std::string(POLLUX_SOURCE_DIR) + "/conf/pollux.yaml", {}});
  EXPECT_TRUE(loaded.errors.empty());
  const SettingChanges changes = reload_differences(load_settings({}).settings, loaded.settings);
  EXPECT_TRUE(changes.reloadable.empty());
  EXPECT_TRUE(changes.restart.empty());
  for (const SettingPlace& place : loaded.places) EXPECT_GT(place.line, 0) << "none is left out";
}

TEST(SettingTableTest, HelpNamesEachSetting) {
  const std::string help = settings_help();
  for (const Setting& row : setting_table()) {
    EXPECT_NE(help.find("  " + std::string(row.name) + " = "), std::string::npos) << row.name;
  }
}

TEST(SettingValueTest, DurationsHaveUnits) {
  EXPECT_EQ(read_back("http.body_timeout", "250ms"), "250 ms");
  EXPECT_EQ(read_back("http.body_timeout", "15 min"), "15 min");
  EXPECT_EQ(read_back("http.body_timeout", "120  seconds"), "2 min");
  EXPECT_EQ(read_back("producers.forget_after", "1 day"), "1 day");
  EXPECT_EQ(read_back("producers.forget_after", "36 h"), "36 h");
  EXPECT_EQ(read_back("shutdown.drain_timeout", "0"), "0 s");
  EXPECT_EQ(read_back("query.timeout", "30"),
            "'30' has no unit (250 ms, 30 s, 15 min, 2 h, 7 days)");
  EXPECT_EQ(read_back("query.timeout", "30 MiB"),
            "'30 MiB' has an unknown unit (250 ms, 30 s, 15 min, 2 h, 7 days)");
  EXPECT_EQ(read_back("query.timeout", "1 day"), "'1 day' is out of range: duration, 10 ms to 1 h");
}

TEST(SettingValueTest, BytesHaveBinaryUnitsOrNone) {
  EXPECT_EQ(read_back("http.body_bytes_max", "64 MiB"), "64 MiB");
  EXPECT_EQ(read_back("http.body_bytes_max", "2048"), "2 KiB");
  EXPECT_EQ(read_back("http.body_bytes_max", "1025 bytes"), "1025 bytes");
  EXPECT_EQ(read_back("http.body_bytes_max", "64 MB"),
            "'64 MB' has an unknown unit (bytes, KiB, MiB, GiB, TiB)");
  EXPECT_EQ(read_back("http.body_bytes_max", "2 GiB"),
            "'2 GiB' is out of range: bytes, 1 KiB to 1 GiB");
  // No product wraps around into the range.
  EXPECT_EQ(read_back("http.body_bytes_max", "16777217 TiB"),
            "'16777217 TiB' is out of range: bytes, 1 KiB to 1 GiB");
  EXPECT_EQ(read_back("http.body_bytes_max", "99999999999999999999"),
            "'99999999999999999999' is out of range: bytes, 1 KiB to 1 GiB");
}

TEST(SettingValueTest, NumbersAreWhole) {
  for (const char* text : {"", "-1", "1.5", "0x10", "9763x", "nine", "1e3", " 5", "1,000"}) {
    EXPECT_EQ(read_back("http.port", text), "'" + std::string(text) + "' is no whole number");
  }
  EXPECT_EQ(read_back("http.port", "65536"), "'65536' is out of range: port, 0 to 65535");
}

TEST(SettingValueTest, ChoicesAndAddresses) {
  EXPECT_EQ(read_back("log.level", "warning"), "warning");
  EXPECT_EQ(read_back("log.level", "warnin"),
            "'warnin' is not debug, info, warning or error; did you mean 'warning'?");
  EXPECT_EQ(read_back("log.format", "xml"), "'xml' is not text or json");
  EXPECT_EQ(read_back("http.bind_address", "::1"), "::1");
  EXPECT_EQ(read_back("http.bind_address", "localhost"),
            "'localhost' is no IPv4 or IPv6 address (0.0.0.0, 127.0.0.1, ::)");
}

TEST(SettingValueTest, PortsMoveExceptZero) {
  Settings settings;
  settings.port_offset = 100;
  EXPECT_EQ(moved_port(9763, settings), 9863);
  EXPECT_EQ(moved_port(0, settings), 0);
}

}  // namespace
}  // namespace pollux
