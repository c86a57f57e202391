# How graft's own targets are compiled. Nothing here reaches a user's target.
include(CheckCXXSourceCompiles)

# Asked of the compiler, not of the host: cross builds and universal binaries are then right too.
check_cxx_source_compiles(
  "#if !defined(__x86_64__)
#error another processor
#endif
int main() {}"
  GRAFT_X86_64)

# Warnings, and arithmetic as written: the promise of equal bits does not survive contraction or fast math, whatever
# CMAKE_CXX_FLAGS says.
function(graft_own_flags target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(
    ${target}
    PRIVATE -Wall
            -Wextra
            -Wpedantic
            -Wconversion
            -Wshadow
            # libstdc++'s own stable_sort calls a function that it deprecates, and clang says so.
            $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
            # GCC 12 warns falsely of "literal" + std::string (GCC bug 105651).
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            $<$<BOOL:${GRAFT_WERROR}>:-Werror>
            -fno-fast-math
            -ffp-contract=off)
endfunction()

# g++ says by a macro that a sanitizer is on; clang is made to say the same.
if(GRAFT_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  string(TOUPPER ${GRAFT_SANITIZE} sanitizer)
  add_compile_definitions(__SANITIZE_${sanitizer}__=1)
endif()

if(GRAFT_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=address,undefined)
elseif(GRAFT_SANITIZE STREQUAL "thread")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "GRAFT_SANITIZE=thread needs clang: g++ cannot leave oneTBB's headers out")
  endif()
  # The distribution's oneTBB is not instrumented, so its inlined half must not be either.
  add_compile_options(-fsanitize=thread -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/tests/tsan/ignorelist.txt
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(GRAFT_SANITIZE STREQUAL "fuzzer")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "GRAFT_SANITIZE=fuzzer needs clang: libFuzzer is part of it")
  endif()
  # Only the fuzz targets are linked to the fuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(GRAFT_SANITIZE)
  message(FATAL_ERROR "GRAFT_SANITIZE = ${GRAFT_SANITIZE}: must be address, thread, fuzzer or empty")
endif()
