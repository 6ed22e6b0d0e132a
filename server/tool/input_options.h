// How rows of a file are read: options that `pollux run` and `pollux send` share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "server/formats/csv_reader.h"
#include "server/formats/row_layout.h"
#include "server/formats/row_reader.h"

namespace CLI {
class App;
}

namespace pollux::tool {

enum class InputFormat : uint8_t { kByContent, kCsv, kJsonLines };
enum class OnError : uint8_t { kStop, kSkip };

struct InputOptions {
  InputFormat format = InputFormat::kByContent;
  CsvHeader header = CsvHeader::kAuto;
  OnError on_error = OnError::kStop;
  size_t line_bytes_max = 1024 * 1024;
};

/// Adds --format, --header, --on-error and --line-bytes-max; `to` outlives the parse.
void add_input_options(CLI::App& command, InputOptions& to);

/// A reader of the file at `path`, or of standard input for "-". Null when it cannot be opened;
/// `error` then says why.
std::unique_ptr<RowReader> open_rows(const std::string& path, const RowLayout& layout,
                                     const InputOptions& options, std::string& error);

}  // namespace pollux::tool
