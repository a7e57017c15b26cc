# Helpers that give every target of the project the same language level, warnings and sanitizers.

if(MILLRACE_SANITIZE STREQUAL "address")
  # For what is large and no library: unrolled kernels, programs and tests. UndefinedBehaviorSanitizer's checks of every
  # pointer take as long to compile as all else; what is read and written there AddressSanitizer still sees.
  set(MILLRACE_UNCHECKED_POINTERS -fno-sanitize=alignment,null,object-size,pointer-overflow)
endif()

function(millrace_configure target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  # Contraction is left to the code: the compiler must not turn a*b+c into a fused operation on one
  # machine and not on another.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                           -Wno-sign-conversion -ffp-contract=off)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlaps inside std::string's operator+ that are not there (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(MILLRACE_SANITIZE STREQUAL "address")
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all
                                             -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # Large functions check memory by calls, not inline: unrolled kernels would take minutes to compile.
      target_compile_options(${target} PRIVATE --param=asan-instrumentation-with-call-threshold=300)
    endif()
  elseif(MILLRACE_SANITIZE STREQUAL "thread")
    target_compile_options(${target} PRIVATE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=thread)
  endif()
  if(MILLRACE_SANITIZE)
    # Highway compiles a kernel once per instruction set; these two take as long as the others and differ
    # little from SSE2. Users' builds have them all.
    target_compile_definitions(${target} PRIVATE "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4)")
  endif()
endfunction()

# millrace_library(formats SOURCES a.cpp b.cpp LINK PUBLIC x PRIVATE y)
function(millrace_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(millrace_${name} STATIC ${arg_SOURCES})
  add_library(millrace::${name} ALIAS millrace_${name})
  set_target_properties(millrace_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(millrace_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(millrace_${name} ${arg_LINK})
  millrace_configure(millrace_${name})
endfunction()

# millrace_executable(trainer SOURCES main.cpp LINK millrace::train): lands in <build>/bin.
function(millrace_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK})
  # A program that is copied with its libraries finds them beside it, and they each other: that takes the older
  # kind of path, which counts for what libraries link too. In the build tree there is no such folder. Copied from there
  # or installed, the path is the same: one that CMake means to change later ends in the current folder.
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin"
                                           BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/../lib"
                                           INSTALL_RPATH_USE_LINK_PATH ON)
  target_link_options(${name} PRIVATE -Wl,--disable-new-dtags)
  millrace_configure(${name})
endfunction()

# CTest's tests of a program, one for each suite of it.
function(millrace_test_suites name prefix)
  set(tests_file "${CMAKE_CURRENT_BINARY_DIR}/${name}_suites.cmake")
  add_custom_command(TARGET ${name} POST_BUILD BYPRODUCTS "${tests_file}"
    COMMAND "${CMAKE_COMMAND}" -D "program=$<TARGET_FILE:${name}>" -D name=${name} -D "prefix=${prefix}"
            -D "folder=${PROJECT_SOURCE_DIR}" -D "out=${tests_file}" -P "${PROJECT_SOURCE_DIR}/cmake/suites_of_tests.cmake"
    VERBATIM)
  set(include_file "${CMAKE_CURRENT_BINARY_DIR}/${name}_include.cmake")
  file(WRITE "${include_file}"
       "if(EXISTS [=[${tests_file}]=])\n  include([=[${tests_file}]=])\nelse()\n"
       "  add_test(${name}_NOT_BUILT ${name}_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include_file}")
endfunction()

# millrace_test(formats_tests LABELS unit SOURCES a_test.cpp LINK millrace::formats): one GoogleTest
# program in <build>/tests, each of whose cases is a CTest test (under a sanitizer each suite), with PREFIX before its
# name where one is given. Labels choose what runs under which sanitizer: unit (everything quick), tsan (threads worth
# watching), e2e (whole programs).
function(millrace_test name)
  cmake_parse_arguments(arg "" "PREFIX" "SOURCES;LINK;LABELS" ${ARGN})
  millrace_executable(${name} SOURCES ${arg_SOURCES} LINK GTest::gtest GTest::gtest_main ${arg_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  # What is tested is optimised, the tests hardly: that takes half the time of compiling them.
  target_compile_options(${name} PRIVATE $<IF:$<BOOL:${MILLRACE_SANITIZE}>,-O0,-O1> ${MILLRACE_UNCHECKED_POINTERS})
  if(MILLRACE_SANITIZE)
    millrace_test_suites(${name} "${arg_PREFIX}")
  else()
    gtest_discover_tests(${name} TEST_PREFIX "${arg_PREFIX}" DISCOVERY_TIMEOUT 120
                         WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" PROPERTIES TIMEOUT 600)
  endif()
  if(MILLRACE_SANITIZE STREQUAL "thread" AND NOT "tsan" IN_LIST arg_LABELS)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)  # nobody would run it
  endif()
  # Labels go through a file of their own: gtest_discover_tests flattens lists, so that a second label
  # would be read as the name of a property.
  set(labels_file "${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake")
  file(WRITE "${labels_file}"
       "if(${name}_TESTS)\n  set_tests_properties(\${${name}_TESTS} PROPERTIES LABELS \"${arg_LABELS}\")\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${labels_file}")
endfunction()
include(GoogleTest)
