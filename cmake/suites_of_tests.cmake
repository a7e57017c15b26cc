# Writes CTest's tests of a GoogleTest program, one for each of its suites:
#
#   cmake -D program=FILE -D name=formats_tests -D prefix=TEXT -D folder=FOLDER -D out=FILE -P suites_of_tests.cmake
#
# A process for each case, as gtest_discover_tests has it, takes a sanitizer longer than most cases take.
execute_process(COMMAND "${program}" --gtest_list_tests WORKING_DIRECTORY "${folder}" RESULT_VARIABLE status
                OUTPUT_VARIABLE listed ERROR_VARIABLE errors)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${program} --gtest_list_tests: ${status}\n${listed}${errors}")
endif()

# A suite's line is its name and a dot, before what its type or its parameters are; its cases are indented.
string(REGEX MATCHALL "(^|\n)[^ \n][^ \n]*\\.[^\n]*" suites "${listed}")
set(tests "")
set(lines "")
foreach(suite IN LISTS suites)
  string(REGEX REPLACE "^\n?([^ ]*)\\..*$" "\\1" suite "${suite}")
  set(test "${prefix}${suite}")
  list(APPEND tests "${test}")
  string(APPEND lines "add_test([=[${test}]=] [=[${program}]=] [=[--gtest_filter=${suite}.*]=])\n"
                      "set_tests_properties([=[${test}]=] PROPERTIES WORKING_DIRECTORY [=[${folder}]=] TIMEOUT 2400)\n")
endforeach()
if(NOT tests)
  message(FATAL_ERROR "${program} --gtest_list_tests: expected suites, found\n${listed}")
endif()
string(APPEND lines "set(${name}_TESTS [=[${tests}]=])\n")
file(WRITE "${out}" "${lines}")
