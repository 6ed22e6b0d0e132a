#include "server/http/router.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace pollux {

std::vector<Router::Segment> Router::split(std::string_view pattern) {
  POLLUX_CHECK(pattern.starts_with('/'));
  std::vector<Segment> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    size_t end = std::min(pattern.find('/'), pattern.size());
    std::string_view text = pattern.substr(0, end);
    bool parameter = text.starts_with('{');
    POLLUX_CHECK(!parameter || (text.size() > 2 && text.ends_with('}')));
    if (parameter) text = text.substr(1, text.size() - 2);
    segments.push_back({std::string(text), parameter});
    pattern.remove_prefix(end);
  }
  return segments;
}

void Router::add(HttpRoute route) {
  POLLUX_CHECK(route.handler != nullptr && !route.method.empty());
  std::vector<Segment> segments = split(route.pattern);
  auto before = [](const Segment& a, const Segment& b) {
    return std::pair(a.parameter, std::string_view(a.text)) <
           std::pair(b.parameter, std::string_view(b.text));
  };
  auto place = std::lower_bound(
      paths_.begin(), paths_.end(), segments, [&](const Path& path, const auto& wanted) {
        return std::lexicographical_compare(path.segments.begin(), path.segments.end(),
                                            wanted.begin(), wanted.end(), before);
      });
  auto same = [](const Segment& a, const Segment& b) {
    return a.parameter == b.parameter && a.text == b.text;
  };
  if (place == paths_.end() || !std::equal(segments.begin(), segments.end(),
                                           place->segments.begin(), place->segments.end(), same)) {
    place = paths_.insert(place, Path{std::move(segments), {}});
  }
  for (const HttpRoute& other : place->routes) POLLUX_CHECK(other.method != route.method);
  place->routes.push_back(std::move(route));
}

bool Router::fits(const Path& path, const std::vector<std::string>& segments) {
  if (path.segments.size() != segments.size()) return false;
  for (size_t i = 0; i < segments.size(); ++i) {
    const Segment& wanted = path.segments[i];
    if (wanted.parameter ? segments[i].empty() : segments[i] != wanted.text) return false;
  }
  return true;
}

std::vector<HttpParameter> Router::parameters_of(const Path& path,
                                                 const std::vector<std::string>& segments) {
  std::vector<HttpParameter> parameters;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (path.segments[i].parameter) parameters.push_back({path.segments[i].text, segments[i]});
  }
  return parameters;
}

Router::Match Router::match(std::string_view method,
                            const std::vector<std::string>& segments) const {
  Match match;
  auto allow = [&match](std::string_view name) {
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += name;
  };
  for (const Path& path : paths_) {
    if (!fits(path, segments)) continue;
    const HttpRoute* get = nullptr;
    for (const HttpRoute& route : path.routes) {
      if (route.method == method) match.route = &route;
      if (route.method == "GET") get = &route;
      allow(route.method);
      if (route.method == "GET") allow("HEAD");
    }
    if (match.route == nullptr && method == "HEAD") match.route = get;
    if (match.route == nullptr) continue;
    match.parameters = parameters_of(path, segments);
    break;
  }
  return match;
}

std::vector<std::pair<std::string, std::string>> Router::routes() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Path& path : paths_) {
    for (const HttpRoute& route : path.routes) all.emplace_back(route.method, route.pattern);
  }
  return all;
}

}  // namespace pollux
