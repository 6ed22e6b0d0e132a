// Files that want to break their reader: each ends in a clear error, soon, and in little memory.

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "server/settings/load.h"
#include "server/settings/yaml_tree.h"
#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

std::string repeated(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string error_of(const std::string& yaml) {
  const YamlDocument document = parse_yaml(yaml);
  if (document.errors.empty()) return "none";
  return std::to_string(document.errors[0].line) + ": " + document.errors[0].message;
}

TEST(HostileYamlTest, AliasBombsAreRefused) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [" + repeated("*" + before + ", ", 8) + "*" + before +
            "]\n";
  }
  EXPECT_EQ(error_of(bomb), "1: anchors (&name) are not taken here");
  EXPECT_NE(error_of("a: *a\n"), "none");
  EXPECT_EQ(error_of("a: !!binary x\n"), "1: tags (!name) are not taken here");
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"), "2: a second document; there can be only one");
}

TEST(HostileYamlTest, DeepNestingIsRefused) {
  EXPECT_EQ(error_of(repeated("[", 17) + repeated("]", 17)), "1: nested deeper than 16 levels");
  const std::vector<std::string> deep = {
      repeated("[", 100'000),     repeated("{", 100'000),     repeated("- ", 100'000),
      repeated("? ", 100'000),    repeated("a: {", 100'000),  repeated("[{", 100'000),
      repeated("!a ", 100'000),   repeated("&a ", 100'000),   repeated("a: ", 100'000),
      repeated("a:\n", 100'000),  repeated("- a\n", 100'000), repeated("%TAG ! x\n", 50'000),
      repeated("---\n", 100'000), repeated("]", 100'000),     repeated("'", 99'999),
      repeated("\"\\", 100'000),  repeated("a", 1'000'000),   repeated(": ", 100'000),
      repeated("| ", 100'000),    repeated("#\n", 100'000),   repeated("[a, ", 100'000),
  };
  for (const std::string& yaml : deep) {
    const auto begin = std::chrono::steady_clock::now();
    parse_yaml(yaml);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10))
        << yaml.substr(0, 20);
  }
}

TEST(HostileYamlTest, ManyValuesAreRefused) {
  EXPECT_EQ(error_of("[" + repeated("a, ", kYamlNodesMax) + "a]"), "1: more than 20000 values");
}

TEST(HostileYamlTest, BinaryAndBrokenTextsAreRefused) {
  EXPECT_EQ(error_of(std::string("http:\n\0", 7)),
            "2: control characters or no UTF-8: not a text file");
  EXPECT_NE(error_of("a: \xff\n"), "none");
  EXPECT_NE(error_of("\x7f"
                     "ELF"),
            "none");
  EXPECT_NE(error_of("a: b: c\n"), "none");
  EXPECT_NE(error_of("a:\n\t- b\n"), "none");
  EXPECT_EQ(error_of(""), "none");
  EXPECT_EQ(error_of("# only a comment\n"), "none");
}

TEST(HostileYamlTest, BytesAtRandomNeverBreakTheReader) {
  std::mt19937 random(20260101);  // NOLINT(cert-msc51-cpp): the same bytes each time
  const std::string letters = "ab:-?[]{},#&*!|>'\"%@`\n \n  1~.<=\\/";
  for (int round = 0; round < 5000; ++round) {
    std::string yaml;
    for (size_t i = random() % 60; i > 0; --i) yaml += letters[random() % letters.size()];
    parse_yaml(yaml);
  }
}

class HostileFileTest : public ShellTest {};

TEST_F(HostileFileTest, AHugeFileIsRefusedWithoutBeingRead) {
  write("huge.yaml", "");
  ASSERT_EQ(::truncate(path("huge.yaml").c_str(), 100 * 1024 * 1024), 0);
  ShellResult run = shell("polluxd --check --config huge.yaml");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.err, "huge.yaml: longer than 1048576 bytes\n");
  write("small.yaml", "a: b: c\n");
  EXPECT_LT(run.memory_kib, shell("polluxd --check --config small.yaml").memory_kib + 10 * 1024);
}

TEST_F(HostileFileTest, KeysAndValuesFromOutsideStayOneLineInMessages) {
  write("pollux.yaml", "\"a\\nb\\e[2J\": 1\nhttp:\n  port: \"1\\n2\\e[2J\"\n\"" +
                           std::string(1000, 'k') + "\": 1\n");
  const LoadedSettings loaded =
      load_settings({path("pollux.yaml"), {"POLLUX__\x1b[2J\n=1", "POLLUX__HTTP__PORT=\x1b[2J"}});
  EXPECT_EQ(loaded.errors.size(), 5u);
  for (const SettingError& error : loaded.errors) {
    const std::string text = to_text(error);
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_LT(text.size(), 500u);
  }
}

}  // namespace
}  // namespace pollux
