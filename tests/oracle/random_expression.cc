#include "tests/oracle/random_expression.h"

#include <algorithm>

namespace pollux::oracle {

namespace {

using Type = AttributeType;

std::vector<Reach> of_type(const std::vector<Reach>& reach, Type type) {
  std::vector<Reach> fitting;
  std::copy_if(reach.begin(), reach.end(), std::back_inserter(fitting),
               [type](const Reach& each) { return each.type == type; });
  return fitting;
}

std::string leaf(Random& random, Type type, const std::vector<Reach>& reach) {
  std::vector<Reach> fitting = of_type(reach, type);
  if (fitting.empty() || random.chance(15)) return random_constant(random, type);
  return random.pick(fitting).text;
}

Type random_number_type(Random& random) {
  static const std::vector<Type> kTypes = {Type::kInt, Type::kLong, Type::kFloat, Type::kDouble};
  return random.pick(kTypes);
}

// A type of which two, one of them `type`, give `type` when they are added.
Type narrower(Random& random, Type type) {
  static const std::vector<Type> kTypes = {Type::kInt, Type::kLong, Type::kFloat, Type::kDouble};
  auto rank = std::find(kTypes.begin(), kTypes.end(), type) - kTypes.begin();
  return kTypes[random.below(static_cast<size_t>(rank) + 1)];
}

std::string call_of_any_type(Random& random, Type type, const std::vector<Reach>& reach,
                             int depth) {
  auto argument = [&] { return random_expression(random, type, reach, depth - 1); };
  switch (random.below(3)) {
    case 0:
      return "ifThenElse(" + random_condition(random, reach, depth - 1) + ", " + argument() + ", " +
             argument() + ")";
    case 1:
      return "coalesce(" + argument() + ", " + argument() + ")";
    default:
      return "default(" + leaf(random, type, reach) + ", " + random_constant(random, type) + ")";
  }
}

// A function that gives a number of exactly this type.
std::string number_call(Random& random, Type type, const std::vector<Reach>& reach, int depth) {
  if (type == Type::kInt) {
    if (random.chance(50)) {
      return "str:length(" + random_expression(random, Type::kString, reach, depth - 1) + ")";
    }
    return "time:extract(currentTimeMillis(), '" + random.word({"year", "month"}) + "')";
  }
  return call_of_any_type(random, type, reach, depth);
}

std::string number(Random& random, Type type, const std::vector<Reach>& reach, int depth) {
  switch (random.below(8)) {
    case 3:
      return number_call(random, type, reach, depth);
    case 0:
      return call_of_any_type(random, type, reach, depth);
    case 1: {
      std::string function = random.word({"maximum", "minimum"});
      return function + "(" + random_expression(random, type, reach, depth - 1) + ", " +
             random_expression(random, type, reach, depth - 1) + ")";
    }
    case 2: {
      Type from = random_type(random);
      return "convert(" + random_expression(random, from, reach, depth - 1) + ", '" +
             std::string(name_of(type)) + "')";
    }
    default: {
      std::string operation = random.word({"+", "-", "*", "/", "%"});
      std::string wide = random_expression(random, type, reach, depth - 1);
      std::string other = random_expression(random, narrower(random, type), reach, depth - 1);
      if (random.chance(50)) std::swap(wide, other);
      return "(" + wide + " " + operation + " " + other + ")";
    }
  }
}

std::string string_expression(Random& random, const std::vector<Reach>& reach, int depth) {
  switch (random.below(6)) {
    case 2:
      return "str:upper(" + random_expression(random, Type::kString, reach, depth - 1) + ")";
    case 3:
      return "time:dateFormat(currentTimeMillis(), '" +
             random.word({"yyyy-MM-dd", "yyyy-MM-dd HH"}) + "')";
    case 0: {
      Type other = random_type(random);
      return "str:concat(" + random_expression(random, Type::kString, reach, depth - 1) + ", " +
             random_expression(random, other, reach, depth - 1) + ")";
    }
    case 1: {
      Type from = random_type(random);
      return "convert(" + random_expression(random, from, reach, depth - 1) + ", 'string')";
    }
    default:
      return call_of_any_type(random, Type::kString, reach, depth);
  }
}

std::string comparison(Random& random, const std::vector<Reach>& reach, int depth) {
  switch (random.below(10)) {
    case 2: {
      std::string function =
          random.word({"Boolean", "Double", "Float", "Integer", "Long", "String"});
      return "instanceOf" + function + "(" +
             random_expression(random, random_type(random), reach, depth - 1) + ")";
    }
    case 3:
      return "str:contains(" + random_expression(random, Type::kString, reach, depth - 1) + ", " +
             random_constant(random, Type::kString) + ")";
    case 0:
      return "(" + leaf(random, Type::kString, reach) + random.word({" == ", " != "}) +
             random_expression(random, Type::kString, reach, depth - 1) + ")";
    case 1:
      return "(" + random_expression(random, Type::kBool, reach, depth - 1) +
             random.word({" == ", " != "}) + random_constant(random, Type::kBool) + ")";
    default: {
      Type left = random_number_type(random);
      Type right = random.chance(60) ? left : random_number_type(random);
      return "(" + random_expression(random, left, reach, depth - 1) +
             random.word({" > ", " >= ", " < ", " <= ", " == ", " != ", " >= ", " <= "}) +
             random_expression(random, right, reach, depth - 1) + ")";
    }
  }
}

}  // namespace

AttributeType random_type(Random& random) {
  static const std::vector<Type> kTypes = {Type::kString, Type::kInt,    Type::kLong,
                                           Type::kFloat,  Type::kDouble, Type::kBool};
  return random.pick(kTypes);
}

std::string random_constant(Random& random, AttributeType type) {
  switch (type) {
    case Type::kString:
      return random.word({"'a'", "'b'", "'c'", "'7'", "''", "'a longer text of more bytes'"});
    case Type::kInt:
      return std::to_string(random.between(0, 5));
    case Type::kLong:
      return std::to_string(random.between(0, 5)) + "L";
    case Type::kFloat:
      return random.word({"0.5f", "1.5f", "2.0f", "3.25f"});
    case Type::kDouble:
      return random.word({"0.1", "1.5", "2.0", "3.3", "100.0"});
    default:
      return random.word({"true", "false"});
  }
}

std::string random_condition(Random& random, const std::vector<Reach>& reach, int depth) {
  if (depth <= 0) {
    std::vector<Reach> flags = of_type(reach, Type::kBool);
    if (!flags.empty() && random.chance(20)) return "(" + random.pick(flags).text + " == true)";
    return comparison(random, reach, 0);
  }
  switch (random.below(8)) {
    case 0:
      return "(" + random_condition(random, reach, depth - 1) + " and " +
             random_condition(random, reach, depth - 1) + ")";
    case 1:
      return "(" + random_condition(random, reach, depth - 1) + " or " +
             random_condition(random, reach, depth - 1) + ")";
    case 2:
      return "(not (" + random_condition(random, reach, depth - 1) + "))";
    case 3:
      if (!reach.empty()) {
        std::string check = "(" + random.pick(reach).text + " is null)";
        return random.chance(70) ? "(not " + check + ")" : check;
      }
      return comparison(random, reach, depth);
    default:
      return comparison(random, reach, depth);
  }
}

std::string random_expression(Random& random, AttributeType type, const std::vector<Reach>& reach,
                              int depth) {
  if (depth <= 0 || random.chance(45)) return leaf(random, type, reach);
  switch (type) {
    case Type::kBool:
      return random.chance(70) ? random_condition(random, reach, depth - 1)
                               : call_of_any_type(random, type, reach, depth);
    case Type::kString:
      return string_expression(random, reach, depth);
    default:
      return number(random, type, reach, depth);
  }
}

std::string random_aggregate(Random& random, const std::vector<Reach>& reach, bool join,
                             AttributeType& type) {
  std::vector<Reach> numbers;
  std::copy_if(reach.begin(), reach.end(), std::back_inserter(numbers),
               [](const Reach& each) { return is_numeric(each.type); });
  size_t which = numbers.empty() ? random.below(2) : random.below(11);
  type = Type::kLong;
  if (which == 0) return random.chance(50) ? "count()" : "count(" + random.pick(reach).text + ")";
  if (which == 1) {
    std::vector<Reach> countable = reach;
    std::erase_if(countable, [](const Reach& each) { return each.type == Type::kBool; });
    if (countable.empty() || join) return "count()";
    return "distinctCount(" + random.pick(countable).text + ")";
  }
  if (which == 10) {
    type = Type::kBool;
    return random.word({"and(", "or("}) + random_condition(random, reach, 1) + ")";
  }
  Reach argument = random.pick(numbers);
  if (random.chance(25)) argument.text = number(random, argument.type, reach, 1);
  if (which <= 4) {
    bool whole = argument.type == Type::kInt || argument.type == Type::kLong;
    type = whole ? Type::kLong : Type::kDouble;
    return "sum(" + argument.text + ")";
  }
  if (which <= 6) {
    type = Type::kDouble;
    return random.word({"avg(", "stdDev("}) + argument.text + ")";
  }
  type = argument.type;
  return random.word({"min(", "max(", "min(", "max(", "minForever(", "maxForever("}) +
         argument.text + ")";
}

}  // namespace pollux::oracle
