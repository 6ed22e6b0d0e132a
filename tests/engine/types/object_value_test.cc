// Objects as bytes: equal values are equal bytes, and foreign bytes do no harm.
#include "engine/types/object_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pollux {
namespace {

TEST(ObjectValue, PlainValuesComeBackAsTheyWere) {
  const Value values[] = {true,
                          false,
                          int32_t{-1},
                          std::numeric_limits<int32_t>::min(),
                          int64_t{1} << 40,
                          1.5F,
                          -0.0,
                          std::numeric_limits<double>::infinity(),
                          std::string("é"),
                          std::string()};
  for (const Value& value : values) {
    std::string bytes = encode_object(value);
    EXPECT_TRUE(is_object(bytes)) << to_text(value);
    EXPECT_EQ(decode_object(bytes), value) << to_text(value);
  }
  EXPECT_TRUE(is_null(decode_object(encode_object({}))));
  EXPECT_TRUE(std::isnan(std::get<double>(decode_object(encode_object(std::nan("7"))))));
}

TEST(ObjectValue, BytesOrderAsNumbersDo) {
  EXPECT_LT(encode_object(-5), encode_object(3));
  EXPECT_LT(encode_object(std::numeric_limits<int64_t>::min()), encode_object(int64_t{0}));
  EXPECT_LT(encode_object(-2.5), encode_object(-1.0));
  EXPECT_LT(encode_object(-1.0), encode_object(0.25));
  EXPECT_LT(encode_object(0.25), encode_object(1e300));
}

TEST(ObjectValue, SetsAndMapsDoNotKnowHowTheyWereMade) {
  std::string a = encode_object("a");
  std::string one = encode_object(1);
  std::string two = encode_object(2);
  EXPECT_EQ(make_set({a, one, a}), make_set({one, a}));
  EXPECT_EQ(make_map({{a, one}, {one, two}}), make_map({{one, one}, {a, one}, {one, two}}));
  EXPECT_NE(make_list({a, one}), make_list({one, a}));
  EXPECT_NE(encode_object(1), encode_object(int64_t{1}));
}

TEST(ObjectValue, PartsAreFound) {
  std::string a = encode_object("a");
  std::string list = *make_list({a, encode_object({}), *make_list({})});
  std::string map = *make_map({{a, list}});
  EXPECT_EQ(size_of_object(list), 3u);
  EXPECT_EQ(find_in_map(map, a), std::string_view(list));
  EXPECT_EQ(find_in_map(map, encode_object("b")), std::nullopt);
  EXPECT_EQ(object_text(map), "{a=[a, null, []]}");
  EXPECT_TRUE(parts_of(a).empty());
}

TEST(ObjectValue, DepthIsBounded) {
  std::string object = *make_list({});
  for (int depth = 1; depth < kObjectDepthMax; ++depth) object = *make_list({object});
  EXPECT_TRUE(is_object(object));
  EXPECT_EQ(make_list({object}), std::nullopt);
}

TEST(ObjectValue, SizeIsBounded) {
  std::string large = encode_text_object(std::string(kObjectBytesMax / 2, 'x'));
  EXPECT_TRUE(make_list({large}).has_value());
  EXPECT_EQ(make_list({large, large}), std::nullopt);
}

TEST(ObjectValue, EveryCutOfAnObjectIsNone) {
  std::string object = *make_map({{encode_object("k"), *make_list({encode_object(1.5)})}});
  EXPECT_TRUE(is_object(object));
  for (size_t size = 0; size < object.size(); ++size) {
    EXPECT_FALSE(is_object(std::string_view(object).substr(0, size))) << size;
  }
  EXPECT_FALSE(is_object(object + "x"));
}

TEST(ObjectValue, NoChangedByteDoesHarm) {
  const std::string object =
      *make_map({{encode_object("k"), *make_list({encode_object(1.5), encode_object("x")})}});
  for (size_t at = 0; at < object.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = object;
      changed[at] = static_cast<char>(byte);
      if (is_object(changed)) EXPECT_FALSE(object_text(changed).empty());
    }
  }
}

}  // namespace
}  // namespace pollux
