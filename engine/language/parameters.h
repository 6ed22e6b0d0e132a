// ${parameters} of a plan: what an operator sets without editing the text.
//
// `${name}` is replaced by the parameter's value, `${name:default}` by the default where no value
// is given, everywhere but in comments, before the text is read: a value is text, and means what it
// means where it stands. Values are not looked into for further parameters. What only looks similar
// (`${a b}`, a `$` alone) stays as it is.
// Thread: any. Never throws.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/diagnostics.h"

namespace pollux {

/// Values by name; a name has letters, digits, '_', '.' and '-'.
using PlanParameters = std::map<std::string, std::string, std::less<>>;

bool is_parameter_name(std::string_view name);

/// A text with its parameters filled in, that knows where its parts come from.
class FilledText {
 public:
  FilledText(std::string_view text, const PlanParameters& parameters);

  const std::string& text() const { return filled_; }
  /// Parameters without a value, at their places in the original; empty when all have one.
  const Diagnostics& errors() const { return errors_; }
  /// Where in the original what stands at `filled` comes from: for a part of a value, where its
  /// parameter stands.
  Location original(Location filled) const;
  /// Moves what was said of text() to the original.
  void to_original(Diagnostics& diagnostics) const;

 private:
  struct Replaced {
    Location filled_begin, filled_end;
    Location original_begin, original_end;
  };
  class Reader;

  std::string filled_;
  std::vector<Replaced> replaced_;  ///< in the order of the text
  Diagnostics errors_;
};

}  // namespace pollux
