// How much is logged, and in which form.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pollux {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kText, kJson };

/// By the enums' values; settings and log lines use the same names.
constexpr std::array<std::string_view, 4> kLogLevelNames = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kLogFormatNames = {"text", "json"};

}  // namespace pollux
