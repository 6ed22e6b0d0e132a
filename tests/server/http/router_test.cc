#include "server/http/router.h"

#include <gtest/gtest.h>

#include "server/http/http_target.h"

namespace pollux {
namespace {

HttpRoute route(const std::string& method, const std::string& pattern) {
  return {method, pattern, [](HttpRequest, const Responder&) {}};
}

/// "pattern name=value ..." or "405 ALLOW" or "404".
std::string matched(const Router& router, std::string_view method, std::string_view path) {
  HttpTarget target;
  if (parse_http_target(path, target) != nullptr) return "400";
  Router::Match match = router.match(method, target.segments);
  if (match.route == nullptr) return match.allow.empty() ? "404" : "405 " + match.allow;
  std::string text = match.route->method + " " + match.route->pattern;
  for (const auto& parameter : match.parameters) {
    text += " " + parameter.name + "=" + parameter.value;
  }
  return text;
}

TEST(RouterTest, FindsByPathAndMethod) {
  Router router;
  for (const char* pattern : {"/", "/v1/plans", "/v1/plans/{plan}", "/v1/plans/validate",
                              "/v1/streams/{stream}/events"}) {
    router.add(route(std::string_view(pattern).ends_with("validate") ? "POST" : "GET", pattern));
  }
  router.add(route("DELETE", "/v1/plans/{plan}"));
  EXPECT_EQ(matched(router, "GET", "/"), "GET /");
  EXPECT_EQ(matched(router, "GET", "/v1/plans"), "GET /v1/plans");
  EXPECT_EQ(matched(router, "DELETE", "/v1/plans/p"), "DELETE /v1/plans/{plan} plan=p");
  EXPECT_EQ(matched(router, "GET", "/v1/streams/a%2Fb%20c/events?x"),
            "GET /v1/streams/{stream}/events stream=a/b c");
  EXPECT_EQ(matched(router, "POST", "/v1/plans/validate"), "POST /v1/plans/validate");
  EXPECT_EQ(matched(router, "HEAD", "/v1/plans"), "GET /v1/plans");
}

TEST(RouterTest, ALiteralGoesFirstButHidesNoOtherMethod) {
  Router router;
  router.add(route("GET", "/p/{name}"));
  router.add(route("POST", "/p/check"));
  EXPECT_EQ(matched(router, "GET", "/p/check"), "GET /p/{name} name=check");
  EXPECT_EQ(matched(router, "PUT", "/p/check"), "405 POST, GET, HEAD");
}

TEST(RouterTest, NamesNothingElse) {
  Router router;
  router.add(route("GET", "/v1/plans/{plan}"));
  for (const char* path : {"/", "/v1", "/v1/plans", "/v1/plans/", "/v1/plans/p/", "/v1//plans/p",
                           "/V1/plans/p", "/v1/plans/../plans/p", "/v1/plans/p/q"}) {
    EXPECT_EQ(matched(router, "GET", path), "404") << path;
  }
  EXPECT_EQ(matched(router, "GET", "/v1/plans/.."), "GET /v1/plans/{plan} plan=..");
  EXPECT_EQ(matched(router, "get", "/v1/plans/p"), "405 GET, HEAD");
}

TEST(HttpTargetTest, DecodesPathAndQuery) {
  HttpTarget target;
  ASSERT_EQ(parse_http_target("http://h:1/a%41/%c3%a9?x=1%202&y&=z&x=a+b%2B&&q==", target),
            nullptr);
  EXPECT_EQ(target.path, "/a%41/%c3%a9");
  EXPECT_EQ(target.segments, (std::vector<std::string>{"aA", "\xc3\xa9"}));
  std::string query;
  for (const auto& parameter : target.query) query += parameter.name + "=" + parameter.value + ";";
  EXPECT_EQ(query, "x=1 2;y=;=z;x=a b+;q==;");
}

TEST(HttpTargetTest, RefusesWhatIsNoPath) {
  for (const char* text :
       {"", "*", "host:80", "a/b", "/%", "/%1", "/%zz", "/a%00b", "/?%", "/?a=%0"}) {
    HttpTarget target;
    EXPECT_NE(parse_http_target(text, target), nullptr) << text;
  }
}

}  // namespace
}  // namespace pollux
