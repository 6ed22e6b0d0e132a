// A YAML file as a tree of texts with their lines.
//
// Only what settings need: mappings, sequences and scalars, in one document. Anchors, aliases and
// tags are refused (nothing grows while it is read), and so is what is larger or deeper than any
// file of settings. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pollux {

constexpr size_t kYamlBytesMax = 1024 * 1024;
constexpr size_t kYamlDepthMax = 16;
constexpr size_t kYamlNodesMax = 20'000;

struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  int line = 0;                 ///< from 1
  std::string text;             ///< of a scalar
  std::vector<YamlNode> items;  ///< of a sequence; of a mapping, key and value in turn
};

struct YamlError {
  int line = 0;
  std::string message;
};

struct YamlDocument {
  YamlNode root;
  std::vector<YamlError> errors;  ///< not empty: root is not to be used
};

/// An empty text gives a null root.
YamlDocument parse_yaml(std::string_view text);

}  // namespace pollux
