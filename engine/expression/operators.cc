#include "engine/expression/operators.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "engine/base/check.h"

namespace pollux {

AttributeType promote(AttributeType left, AttributeType right) {
  for (AttributeType type : {AttributeType::kDouble, AttributeType::kFloat, AttributeType::kLong}) {
    if (left == type || right == type) return type;
  }
  return AttributeType::kInt;
}

namespace {

using Kind = ast::Expression::Kind;

/// Calls `use` with a value of the C++ type that holds the numeric type.
template <class F>
auto with_numeric(AttributeType type, F&& use) {
  switch (type) {
    case AttributeType::kInt:
      return use(int32_t{});
    case AttributeType::kLong:
      return use(int64_t{});
    case AttributeType::kFloat:
      return use(float{});
    default:
      return use(double{});
  }
}

class NumericCast final : public Expression {
 public:
  NumericCast(ExpressionPtr operand, AttributeType to)
      : Expression(to), operand_(std::move(operand)) {}

  Vec evaluate(const Frame& frame) override {
    Vec from = operand_->evaluate(frame);
    Vec out = from;
    out.type = type();
    out.strays = nullptr;
    uint32_t rows = from.constant ? 1 : frame.rows;
    with_numeric(type(), [&](auto to_tag) {
      using To = decltype(to_tag);
      To* to = buffer_.values<To>(rows);
      with_numeric(from.type, [&](auto from_tag) {
        const auto* values = from.as<decltype(from_tag)>();
        for (uint32_t i = 0; i < rows; ++i) to[i] = static_cast<To>(values[i]);
      });
      out.data = to;
    });
    return out;
  }

 private:
  ExpressionPtr operand_;
  VecBuffer buffer_;
};

/// Two operands of one type; nulls are joined before the kernel runs.
class Binary : public Expression {
 public:
  Binary(AttributeType type, ExpressionPtr left, ExpressionPtr right)
      : Expression(type), left_(std::move(left)), right_(std::move(right)) {}

 protected:
  struct Operands {
    Vec left, right;
    uint32_t rows;  ///< 1 when both are constant
    bool constant;
  };

  Operands operands(const Frame& frame) {
    Operands in{left_->evaluate(frame), right_->evaluate(frame), frame.rows, false};
    in.constant = in.left.constant && in.right.constant;
    if (in.constant) in.rows = 1;
    return in;
  }

  /// Null where either is; nullptr when there is none. Writable memory.
  uint8_t* joined_nulls(const Operands& in) {
    if (in.left.nulls == nullptr && in.right.nulls == nullptr) return nullptr;
    uint8_t* nulls = buffer_.nulls(in.rows);
    for (uint32_t i = 0; i < in.rows; ++i) nulls[i] = in.left.is_null(i) || in.right.is_null(i);
    return nulls;
  }

  VecBuffer buffer_;

 private:
  ExpressionPtr left_, right_;
};

/// Applies `combine` to all rows, with the loops split by which side is constant.
template <class T, class R, class F>
void combine_rows(const Vec& left, const Vec& right, uint32_t rows, R* to, F combine) {
  const T* a = left.as<T>();
  const T* b = right.as<T>();
  if (right.constant) {
    const T constant = b[0];
    if (left.constant) {
      for (uint32_t i = 0; i < rows; ++i) to[i] = combine(a[0], constant);
    } else {
      for (uint32_t i = 0; i < rows; ++i) to[i] = combine(a[i], constant);
    }
  } else if (left.constant) {
    const T constant = a[0];
    for (uint32_t i = 0; i < rows; ++i) to[i] = combine(constant, b[i]);
  } else {
    for (uint32_t i = 0; i < rows; ++i) to[i] = combine(a[i], b[i]);
  }
}

/// Integers wrap around, as Java's do.
template <class T, class F>
auto wrapping(F combine) {
  return [combine](T a, T b) -> T {
    if constexpr (std::is_integral_v<T>) {
      using U = std::make_unsigned_t<T>;
      return static_cast<T>(combine(static_cast<U>(a), static_cast<U>(b)));
    } else {
      return combine(a, b);
    }
  };
}

class Arithmetic final : public Binary {
 public:
  Arithmetic(Kind kind, AttributeType type, ExpressionPtr left, ExpressionPtr right)
      : Binary(type, std::move(left), std::move(right)), kind_(kind) {}

  Vec evaluate(const Frame& frame) override {
    Operands in = operands(frame);
    Vec out;
    out.type = type();
    out.constant = in.constant;
    uint8_t* nulls = joined_nulls(in);
    with_numeric(type(), [&](auto tag) {
      using T = decltype(tag);
      T* to = buffer_.values<T>(in.rows);
      out.data = to;
      switch (kind_) {
        case Kind::kAdd:
          return combine_rows<T>(in.left, in.right, in.rows, to,
                                 wrapping<T>([](auto a, auto b) { return a + b; }));
        case Kind::kSubtract:
          return combine_rows<T>(in.left, in.right, in.rows, to,
                                 wrapping<T>([](auto a, auto b) { return a - b; }));
        case Kind::kMultiply:
          return combine_rows<T>(in.left, in.right, in.rows, to,
                                 wrapping<T>([](auto a, auto b) { return a * b; }));
        default:
          nulls = divide<T>(in, nulls, to);
      }
    });
    out.nulls = nulls;
    return out;
  }

 private:
  template <class T>
  uint8_t* divide(const Operands& in, uint8_t* nulls, T* to) {
    for (uint32_t i = 0; i < in.rows; ++i) {
      T a = in.left.at<T>(i);
      T b = in.right.at<T>(i);
      if (b == T{0}) {
        if (nulls == nullptr) {
          nulls = buffer_.nulls(in.rows);
          std::memset(nulls, 0, in.rows);
        }
        nulls[i] = 1;
        to[i] = T{0};
        continue;
      }
      to[i] = kind_ == Kind::kDivide ? quotient(a, b) : remainder(a, b);
    }
    return nulls;
  }

  template <class T>
  static T quotient(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (b == -1) return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
    }
    return a / b;
  }
  template <class T>
  static T remainder(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      return b == -1 ? T{0} : static_cast<T>(a % b);
    } else {
      return std::fmod(a, b);
    }
  }

  Kind kind_;
};

class Comparison final : public Binary {
 public:
  Comparison(Kind kind, AttributeType operand_type, ExpressionPtr left, ExpressionPtr right)
      : Binary(AttributeType::kBool, std::move(left), std::move(right)),
        kind_(kind),
        operand_type_(operand_type) {}

  Vec evaluate(const Frame& frame) override {
    Operands in = operands(frame);
    Vec out;
    out.type = AttributeType::kBool;
    out.constant = in.constant;
    auto* to = buffer_.values<uint8_t>(in.rows);
    out.data = to;
    switch (operand_type_) {
      case AttributeType::kString:
        compare_equality<StringRef>(in, to);
        break;
      case AttributeType::kBool:
        compare_equality<uint8_t>(in, to);
        break;
      default:
        with_numeric(operand_type_, [&](auto tag) { compare<decltype(tag)>(in, to); });
    }
    if (in.left.nulls != nullptr || in.right.nulls != nullptr) {
      const uint8_t with_null = kind_ == Kind::kNotEqual ? 1 : 0;
      for (uint32_t i = 0; i < in.rows; ++i) {
        if (in.left.is_null(i) || in.right.is_null(i)) to[i] = with_null;
      }
    }
    return out;
  }

 private:
  template <class T>
  void compare_equality(const Operands& in, uint8_t* to) {
    auto equal = [](const T& a, const T& b) -> uint8_t { return a == b; };
    auto different = [](const T& a, const T& b) -> uint8_t { return !(a == b); };
    if (kind_ == Kind::kEqual) {
      combine_rows<T>(in.left, in.right, in.rows, to, equal);
    } else {
      combine_rows<T>(in.left, in.right, in.rows, to, different);
    }
  }

  template <class T>
  void compare(const Operands& in, uint8_t* to) {
    auto run = [&](auto truth) { combine_rows<T>(in.left, in.right, in.rows, to, truth); };
    switch (kind_) {
      case Kind::kEqual:
        return run([](T a, T b) -> uint8_t { return a == b; });
      case Kind::kNotEqual:
        return run([](T a, T b) -> uint8_t { return a != b; });
      case Kind::kLess:
        return run([](T a, T b) -> uint8_t { return a < b; });
      case Kind::kLessEqual:
        return run([](T a, T b) -> uint8_t { return a <= b; });
      case Kind::kGreater:
        return run([](T a, T b) -> uint8_t { return a > b; });
      default:
        return run([](T a, T b) -> uint8_t { return a >= b; });
    }
  }

  Kind kind_;
  AttributeType operand_type_;
};

uint8_t truth_of(const Vec& values, uint32_t row) {
  return static_cast<uint8_t>(values.at<uint8_t>(row) != 0 && !values.is_null(row));
}

class Logic final : public Binary {
 public:
  Logic(bool conjunction, ExpressionPtr left, ExpressionPtr right)
      : Binary(AttributeType::kBool, std::move(left), std::move(right)),
        conjunction_(conjunction) {}

  Vec evaluate(const Frame& frame) override {
    Operands in = operands(frame);
    Vec out;
    out.type = AttributeType::kBool;
    out.constant = in.constant;
    auto* to = buffer_.values<uint8_t>(in.rows);
    out.data = to;
    for (uint32_t i = 0; i < in.rows; ++i) {
      uint8_t a = truth_of(in.left, i);
      uint8_t b = truth_of(in.right, i);
      to[i] = conjunction_ ? a & b : a | b;
    }
    return out;
  }

 private:
  bool conjunction_;
};

class Not final : public Expression {
 public:
  explicit Not(ExpressionPtr operand)
      : Expression(AttributeType::kBool), operand_(std::move(operand)) {}

  Vec evaluate(const Frame& frame) override {
    Vec in = operand_->evaluate(frame);
    Vec out;
    out.type = AttributeType::kBool;
    out.constant = in.constant;
    uint32_t rows = in.constant ? 1 : frame.rows;
    auto* to = buffer_.values<uint8_t>(rows);
    for (uint32_t i = 0; i < rows; ++i) to[i] = truth_of(in, i) ^ 1;
    out.data = to;
    return out;
  }

 private:
  ExpressionPtr operand_;
  VecBuffer buffer_;
};

class IsNull final : public Expression {
 public:
  explicit IsNull(ExpressionPtr operand)
      : Expression(AttributeType::kBool), operand_(std::move(operand)) {}

  Vec evaluate(const Frame& frame) override {
    Vec in = operand_->evaluate(frame);
    Vec out;
    out.type = AttributeType::kBool;
    out.constant = in.constant;
    uint32_t rows = in.constant ? 1 : frame.rows;
    auto* to = buffer_.values<uint8_t>(rows);
    for (uint32_t i = 0; i < rows; ++i) to[i] = in.is_null(i) ? 1 : 0;
    out.data = to;
    return out;
  }

 private:
  ExpressionPtr operand_;
  VecBuffer buffer_;
};

class IsAbsent final : public Expression {
 public:
  explicit IsAbsent(uint32_t source) : Expression(AttributeType::kBool), source_(source) {}

  Vec evaluate(const Frame& frame) override {
    Vec out;
    out.type = AttributeType::kBool;
    out.constant = true;
    absent_ = frame.sources[source_].batch == nullptr ? 1 : 0;
    out.data = &absent_;
    return out;
  }

 private:
  uint32_t source_;
  uint8_t absent_ = 0;
};

}  // namespace

ExpressionPtr make_numeric_cast(ExpressionPtr operand, AttributeType to) {
  if (operand->type() == to) return operand;
  return std::make_shared<NumericCast>(std::move(operand), to);
}

ExpressionPtr make_arithmetic(Kind kind, ExpressionPtr left, ExpressionPtr right) {
  AttributeType type = promote(left->type(), right->type());
  return std::make_shared<Arithmetic>(kind, type, make_numeric_cast(std::move(left), type),
                                      make_numeric_cast(std::move(right), type));
}

ExpressionPtr make_comparison(Kind kind, ExpressionPtr left, ExpressionPtr right) {
  AttributeType type = left->type();
  if (is_numeric(type)) {
    type = promote(type, right->type());
    left = make_numeric_cast(std::move(left), type);
    right = make_numeric_cast(std::move(right), type);
  }
  return std::make_shared<Comparison>(kind, type, std::move(left), std::move(right));
}

ExpressionPtr make_logic(bool conjunction, ExpressionPtr left, ExpressionPtr right) {
  return std::make_shared<Logic>(conjunction, std::move(left), std::move(right));
}

ExpressionPtr make_not(ExpressionPtr operand) { return std::make_shared<Not>(std::move(operand)); }

ExpressionPtr make_is_null(ExpressionPtr operand) {
  return std::make_shared<IsNull>(std::move(operand));
}

ExpressionPtr make_is_absent(uint32_t source) { return std::make_shared<IsAbsent>(source); }

}  // namespace pollux
