// gal/core/detail/abi.hpp: a name for what the compiler's flags make of the library.
// Provides: GAL_ABI, the inline namespace of everything in gal.
#pragma once

// Templates and inline functions are compiled in every unit that uses them, and the linker keeps one copy of each name.
// Bodies that depend on flags (which instructions, whether AVX2 is asked for at run time, OpenMP) must not share a name
// between units with other flags: a program would run instructions that its processor lacks, or threads that it did not
// ask for. So everything lies in a namespace whose name says what the bodies depend on: gal::flags_avx2_fma_openmp::mlp,
// spelled gal::mlp. Objects of such units have different types, and the linker refuses to mix them up.
#if defined(__AVX512F__)
#define GAL_ABI_REGISTERS _avx512
#elif defined(__AVX2__)
#define GAL_ABI_REGISTERS _avx2
#elif defined(__AVX__)
#define GAL_ABI_REGISTERS _avx
#elif defined(__SSE4_1__)
#define GAL_ABI_REGISTERS _sse4
#elif defined(__SSE3__)
#define GAL_ABI_REGISTERS _sse3
#else
#define GAL_ABI_REGISTERS
#endif

#if defined(__FMA__)
#define GAL_ABI_FMA _fma
#else
#define GAL_ABI_FMA
#endif

#if defined(GAL_NO_DISPATCH)
#define GAL_ABI_DISPATCH _no_dispatch
#else
#define GAL_ABI_DISPATCH
#endif

#if defined(_OPENMP)
#define GAL_ABI_OPENMP _openmp
#else
#define GAL_ABI_OPENMP
#endif

#define GAL_ABI_JOIN_(registers, fma, dispatch, openmp) flags##registers##fma##dispatch##openmp
#define GAL_ABI_JOIN(registers, fma, dispatch, openmp) GAL_ABI_JOIN_(registers, fma, dispatch, openmp)
#define GAL_ABI GAL_ABI_JOIN(GAL_ABI_REGISTERS, GAL_ABI_FMA, GAL_ABI_DISPATCH, GAL_ABI_OPENMP)
