// What every heap runs before any script: takes away what depends on time, chance or memory, makes
// the rest unchangeable, and lets built-in functions that go through an array or a text count that
// as steps. Internal to engine/script.
#pragma once

namespace pollux {

constexpr const char* kJavaScriptPrelude = R"js((function (global, steps) {
  'use strict';
  var charge = function (prototype, names, cost) {
    names.forEach(function (name) {
      var original = prototype[name];
      if (!original) return;
      prototype[name] = function () {
        steps(cost(this));
        return original.apply(this, arguments);
      };
    });
  };
  charge(Array.prototype, ['concat', 'every', 'filter', 'forEach', 'indexOf', 'join', 'lastIndexOf',
    'map', 'reduce', 'reduceRight', 'reverse', 'shift', 'slice', 'some', 'sort', 'splice',
    'toLocaleString', 'toString', 'unshift'], function (array) { return array.length; });
  charge(String.prototype, ['concat', 'indexOf', 'lastIndexOf', 'repeat', 'replace', 'slice',
    'split', 'startsWith', 'endsWith', 'includes', 'substr', 'substring', 'toLowerCase',
    'toUpperCase', 'trim'], function (text) { return String(text).length / 16; });
  Function.prototype.bind = function (that) {
    var bound = this, first = Array.prototype.slice.call(arguments, 1);
    return function () {
      steps(0);
      return bound.apply(that, first.concat(Array.prototype.slice.call(arguments)));
    };
  };
  var absent = function (what) {
    return function () {
      throw new Error(what + ' is not there: equal events give equal results');
    };
  };
  global.Date = absent('Date');
  Math.random = absent('Math.random');
  delete Function.prototype.constructor;
  ['ArrayBuffer', 'Buffer', 'CBOR', 'DataView', 'Duktape', 'Float32Array', 'Float64Array',
    'Function', 'Int16Array', 'Int32Array', 'Int8Array', 'Proxy', 'Reflect', 'RegExp', 'Symbol',
    'TextDecoder', 'TextEncoder', 'Uint16Array', 'Uint32Array', 'Uint8Array',
    'Uint8ClampedArray', 'eval', 'globalThis', 'performance'
  ].forEach(function (name) { delete global[name]; });
  ['match', 'search'].forEach(function (name) { delete String.prototype[name]; });
  ['__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__', '__proto__'
  ].forEach(function (name) { delete Object.prototype[name]; });

  var freeze = Object.freeze, namesOf = Object.getOwnPropertyNames;
  var describe = Object.getOwnPropertyDescriptor, prototypeOf = Object.getPrototypeOf;
  var seen = [], ahead = [global];
  ['assign', 'defineProperties', 'defineProperty', 'freeze', 'preventExtensions', 'seal',
    'setPrototypeOf'].forEach(function (name) { delete Object[name]; });
  while (ahead.length > 0) {
    var each = ahead.pop();
    var object = each !== null && (typeof each === 'object' || typeof each === 'function');
    if (!object || seen.indexOf(each) >= 0) continue;
    seen.push(each);
    namesOf(each).forEach(function (name) {
      var property = describe(each, name);
      ahead.push(property.value, property.get, property.set);
    });
    ahead.push(prototypeOf(each));
    freeze(each);
  }
}))js";

}  // namespace pollux
