// Places of addresses by a MaxMind database, one that is made here.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "server/geo/mmdb_lookup.h"

namespace pollux {
namespace {

// Fields of the MaxMind DB format, version 2.0: a control byte of type and size, then the bytes.
enum Type { kText = 2, kUint16 = 5, kUint32 = 6, kMap = 7 };

std::string field(Type type, size_t size) {
  return std::string(1, static_cast<char>((static_cast<int>(type) << 5) | static_cast<int>(size)));
}
std::string text(const std::string& value) { return field(kText, value.size()) + value; }
std::string number(Type type, uint32_t value) {
  std::string bytes;
  for (; value != 0; value >>= 8) bytes.insert(bytes.begin(), static_cast<char>(value));
  return field(type, bytes.size()) + bytes;
}
std::string place(const std::string& part, const std::string& name) {
  return text(part) + field(kMap, 1) + text("names") + field(kMap, 1) + text("en") + text(name);
}

/// A tree of one node: addresses up to 127.255.255.255 have the record, others have none.
std::string database(const std::string& record) {
  std::string tree{'\0', '\0', '\x11', '\0', '\0', '\x01'};
  std::string metadata = field(kMap, 9) + text("binary_format_major_version") + number(kUint16, 2) +
                         text("binary_format_minor_version") + number(kUint16, 0) +
                         text("build_epoch") + std::string("\x01\x02\x01", 3) +
                         text("database_type") + text("Test") + text("ip_version") +
                         number(kUint16, 4) + text("node_count") + number(kUint32, 1) +
                         text("record_size") + number(kUint16, 24) + text("description") +
                         field(kMap, 0) + text("languages") + std::string("\x00\x04", 2);
  return tree + std::string(16, '\0') + record +
         "\xab\xcd\xef"
         "MaxMind.com" +
         metadata;
}

class MmdbLookupTest : public testing::Test {
 protected:
  ~MmdbLookupTest() override { std::filesystem::remove(path_); }

  absl::StatusOr<std::shared_ptr<const AddressLookup>> open(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return open_mmdb(path_);
  }

  std::string path_ =
      (std::filesystem::temp_directory_path() / ("mmdb" + std::to_string(::getpid()))).string();
};

TEST_F(MmdbLookupTest, PlacesAreFound) {
  auto lookup =
      open(database(field(kMap, 2) + place("country", "Österreich") + place("city", "Wien")));
  ASSERT_TRUE(lookup.ok()) << lookup.status();
  EXPECT_EQ((*lookup)->country("10.1.2.3"), "Österreich");
  EXPECT_EQ((*lookup)->city("10.1.2.3"), "Wien");
  EXPECT_EQ((*lookup)->country("200.1.2.3"), std::nullopt);
}

TEST_F(MmdbLookupTest, WhatIsNoAddressIsNowhere) {
  auto lookup = open(database(field(kMap, 1) + place("country", "Chile")));
  ASSERT_TRUE(lookup.ok()) << lookup.status();
  for (const char* address : {"", "10.1.2", "host", "10.1.2.3.4", "2001:db8::1"}) {
    EXPECT_EQ((*lookup)->country(address), std::nullopt) << address;
  }
  EXPECT_EQ((*lookup)->city("10.1.2.3"), std::nullopt);
}

TEST_F(MmdbLookupTest, WhatIsNoDatabaseIsToldByName) {
  auto lookup = open("no database");
  ASSERT_FALSE(lookup.ok());
  EXPECT_NE(lookup.status().message().find("geo.database: " + path_), std::string::npos);
  EXPECT_FALSE(open_mmdb(path_ + ".missing").ok());
}

}  // namespace
}  // namespace pollux
