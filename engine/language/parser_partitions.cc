// partition with (..) begin query; .. end
#include <utility>

#include "engine/language/parser_state.h"

namespace pollux {

bool Parser::at_partition_end() const {
  // A definition or a partition cannot stand inside: there the `end` was forgotten.
  bool outside = at_statement_start() && at_any({Keyword::kDefine, Keyword::kPartition});
  return at(TokenKind::kEnd) || at(Keyword::kEnd) || outside;
}

bool Parser::partition(std::vector<ast::Annotation> annotations, ast::Partition& out) {
  out.annotations = std::move(annotations);
  out.location = peek().location;
  if (!expect(Keyword::kPartition)) return false;
  if (!partition_header(out)) {
    // The queries inside are read nevertheless, if the body can be found.
    while (!at(TokenKind::kEnd) && !at_symbol(";") && !at(Keyword::kBegin)) skip();
    if (!at(Keyword::kBegin)) return false;
  }
  if (!expect(Keyword::kBegin)) return false;
  Location body = peek().location;
  while (!at_partition_end() && !full()) {
    if (!accept_symbol(";")) partition_statement(out);
  }
  if (out.queries.empty() && !full() && diagnostics_.empty()) {
    report(body, "the partition is empty", "a query");
  }
  return expect(Keyword::kEnd);
}

bool Parser::partition_header(ast::Partition& out) {
  if (!expect(Keyword::kWith) || !expect_symbol("(")) return false;
  do {
    if (!partition_key(out.keys.emplace_back())) return false;
  } while (accept_symbol(","));
  return accept_symbol(")") || fail("',' or ')'");
}

bool Parser::partition_key(ast::PartitionKey& out) {
  out.location = peek().location;
  ast::ExpressionPtr first;
  if (!expression_into(first)) return false;
  repair({Keyword::kOf, Keyword::kAs});
  if (at(Keyword::kAs)) {
    auto range = [&](ast::ExpressionPtr condition) {
      ast::PartitionRange& added = out.ranges.emplace_back();
      added.condition = std::move(condition);
      return expect(Keyword::kAs) && string(added.key, "the range's name in quotes");
    };
    if (!range(std::move(first))) return false;
    while (accept(Keyword::kOr)) {
      ast::ExpressionPtr condition;
      if (!expression_into(condition) || !range(std::move(condition))) return false;
    }
  } else {
    out.value = std::move(first);
  }
  if (!accept(Keyword::kOf)) return fail(out.value ? "an operator, 'of' or 'as'" : "'or' or 'of'");
  return name(out.stream, "a stream's name");
}

void Parser::partition_statement(ast::Partition& out) {
  size_t start = position_;
  std::vector<ast::Annotation> own;
  ast::Query query;
  bool read = annotations(own, nullptr);
  if (read) {
    repair({Keyword::kFrom, Keyword::kEnd});
    if (at_partition_end()) {
      if (!own.empty()) fail("'from'", "an annotation stands before what it speaks of");
      return;
    }
    read = at(Keyword::kFrom) ? this->query(std::move(own), query) : fail("'from', '@' or 'end'");
  }
  if (read) out.queries.push_back(std::move(query));
  if (accept_symbol(";") || at_partition_end()) return;
  if (read) read = at_statement_start() ? (fail("';' or 'end'"), true) : fail("';' or 'end'");
  // To where the next query, or what follows the partition, can be read.
  auto ends_partition = [&] {
    const Token& next = peek(1);
    return at(Keyword::kEnd) &&
           (next.kind == TokenKind::kEnd || at_symbol(";", 1) || at_symbol("@", 1) ||
            next.keyword == Keyword::kDefine || next.keyword == Keyword::kFrom ||
            next.keyword == Keyword::kPartition);
  };
  while (!read && !at(TokenKind::kEnd)) {
    if (accept_symbol(";") || ends_partition()) break;
    skip();
  }
  if (position_ == start) skip();
}

}  // namespace pollux
