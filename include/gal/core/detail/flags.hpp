// gal/core/detail/flags.hpp: refuses the flags of the compiler with which the library would compute something else than it says. Every
// header includes this one. docs/architecture.md has the table of flags ("Flags of the compiler").
// Provides: nothing public.
#pragma once

#include <gal/core/detail/abi.hpp>

// A sentence is one line.
// clang-format off
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "gal: refused flag -ffinite-math-only (part of -ffast-math and -Ofast): the compiler would take every number for finite, so NaN in data, losses and gradients would pass unseen. Safe in place of them: -fno-math-errno -fno-trapping-math -fno-signed-zeros -freciprocal-math."
#elif defined(__ASSOCIATIVE_MATH__)
#error "gal: refused flag -fassociative-math (part of -funsafe-math-optimizations, -ffast-math and -Ofast): the compiler would reorder sums, which makes NaN of square roots and optimizer steps and rounds small values of tanh to 0. Safe in place of it: -fno-math-errno -fno-trapping-math -fno-signed-zeros -freciprocal-math."
#elif defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ < 0 || __FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error "gal: refused flag -mfpmath=387 (the default of -m32): the compiler would keep results in more digits than their type has, and the elementary functions depend on its rounding. Write -msse2 -mfpmath=sse."
#endif
static_assert(sizeof(0.1) == sizeof(double), "gal: refused flag -fsingle-precision-constant: constants of double would have the digits of float.");
// clang-format on
