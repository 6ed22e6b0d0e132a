// The shape of a stream: its name and its attributes in order. Immutable and shared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/types/attribute_type.h"

namespace pollux {

struct Attribute {
  std::string name;
  AttributeType type;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

class Schema {
 public:
  Schema(std::string name, std::vector<Attribute> attributes)
      : name_(std::move(name)), attributes_(std::move(attributes)) {}

  const std::string& name() const { return name_; }
  const std::vector<Attribute>& attributes() const { return attributes_; }
  size_t size() const { return attributes_.size(); }
  const Attribute& operator[](size_t index) const { return attributes_[index]; }

  /// Index of the attribute of exactly this name.
  std::optional<size_t> find(std::string_view name) const {
    for (size_t i = 0; i < attributes_.size(); ++i) {
      if (attributes_[i].name == name) return i;
    }
    return std::nullopt;
  }

  /// Same attributes in the same order; names of the streams may differ.
  bool same_attributes(const Schema& other) const { return attributes_ == other.attributes_; }

 private:
  std::string name_;
  std::vector<Attribute> attributes_;
};

using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace pollux
