#include "server/tool/input_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <initializer_list>
#include <map>
#include <string_view>

#include "server/formats/json_lines_reader.h"

namespace pollux::tool {

namespace {

const std::map<std::string, InputFormat> kFormats = {{"csv", InputFormat::kCsv},
                                                     {"jsonl", InputFormat::kJsonLines}};
const std::map<std::string, CsvHeader> kHeaders = {
    {"auto", CsvHeader::kAuto}, {"yes", CsvHeader::kYes}, {"no", CsvHeader::kNo}};
const std::map<std::string, OnError> kOnErrors = {{"stop", OnError::kStop},
                                                  {"skip", OnError::kSkip}};

/// Takes one of the names of `values`.
template <class T>
void add_choice(CLI::App& command, const std::string& flag, T& to,
                const std::map<std::string, T>& values, const std::string& metavar,
                const std::string& description) {
  command
      .add_option_function<std::string>(
          flag, [&to, &values](const std::string& text) { to = values.at(text); }, description)
      ->check(CLI::IsMember(values).description(""))
      ->type_name(metavar);
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

/// By the file's name, else by its first visible byte.
InputFormat detect_format(const std::string& path, InputBuffer& buffer) {
  if (ends_with_any(path, {".csv", ".CSV"})) return InputFormat::kCsv;
  if (ends_with_any(path, {".jsonl", ".ndjson", ".json"})) return InputFormat::kJsonLines;
  constexpr std::string_view kInvisible = "\xEF\xBB\xBF \t\r\n";
  for (;;) {
    size_t first = buffer.view().find_first_not_of(kInvisible);
    if (first != std::string_view::npos) {
      return buffer.view()[first] == '{' ? InputFormat::kJsonLines : InputFormat::kCsv;
    }
    // A read that fails here fails again, with its message, in the reader.
    bool more = buffer.view().size() < InputBuffer::kReadBytes &&
                buffer.fill(Wait::kYes) == InputBuffer::Fill::kData;
    if (!more) return InputFormat::kCsv;
  }
}

}  // namespace

void add_input_options(CLI::App& command, InputOptions& to) {
  add_choice(command, "--format", to.format, kFormats, "csv|jsonl",
             "How files are written (default: by the file's name, else its first byte)");
  add_choice(command, "--header", to.header, kHeaders, "yes|no|auto",
             "Does CSV begin with a header? (auto: yes if its fields all name attributes)");
  add_choice(command, "--on-error", to.on_error, kOnErrors, "stop|skip",
             "At a row with an error (default: stop, with what came before it done)");
  command.add_option("--line-bytes-max", to.line_bytes_max, "Longest row that is read")
      ->check(CLI::Range(size_t{16}, size_t{1} << 30))
      ->type_name("BYTES")
      ->capture_default_str();
}

std::unique_ptr<RowReader> open_rows(const std::string& path, const RowLayout& layout,
                                     const InputOptions& options, std::string& error) {
  std::string why;
  std::unique_ptr<FileSource> source = FileSource::open(path, why);
  if (source == nullptr) {
    error = path + ": cannot open: " + why;
    return nullptr;
  }
  auto buffer = std::make_unique<InputBuffer>(std::move(source));
  InputFormat format = options.format;
  if (format == InputFormat::kByContent) format = detect_format(path, *buffer);
  RowReaderOptions reader_options{.line_bytes_max = options.line_bytes_max};
  if (format == InputFormat::kJsonLines) {
    return std::make_unique<JsonLinesReader>(std::move(buffer), layout, reader_options);
  }
  return std::make_unique<CsvReader>(std::move(buffer), layout, reader_options, options.header);
}

}  // namespace pollux::tool
