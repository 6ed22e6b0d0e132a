#include "server/extensions/extension_loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <variant>
#include <vector>

#include "engine/extension/extension_functions.h"

namespace pollux {

absl::StatusOr<size_t> load_extension(const std::string& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    return absl::InvalidArgumentError("the extension " + path + " cannot be loaded: " +
                                      (reason != nullptr ? reason : "no reason is known"));
  }
  auto entry = reinterpret_cast<pollux_extension_entry>(::dlsym(library, POLLUX_EXTENSION_SYMBOL));
  const pollux_extension* extension = entry != nullptr ? entry() : nullptr;
  if (extension == nullptr) {
    return absl::InvalidArgumentError(path + " is no extension: it has no function " +
                                      POLLUX_EXTENSION_SYMBOL);
  }
  auto functions = functions_of(*extension);
  if (auto* reason = std::get_if<std::string>(&functions)) {
    return absl::InvalidArgumentError("the extension " + path + " " + *reason);
  }
  auto& entries = std::get<std::vector<FunctionEntry>>(functions);
  size_t count = entries.size();
  add_functions(std::move(entries));
  return count;
}

absl::StatusOr<size_t> load_extensions(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() == ".so") paths.push_back(file.path().string());
  }
  if (error) {
    return absl::InvalidArgumentError("extensions_dir: " + folder +
                                      " cannot be read: " + error.message());
  }
  std::sort(paths.begin(), paths.end());
  size_t functions = 0;
  for (const std::string& path : paths) {
    absl::StatusOr<size_t> loaded = load_extension(path);
    if (!loaded.ok()) return loaded.status();
    functions += *loaded;
  }
  return functions;
}

}  // namespace pollux
