# `cmake --build build/cuda --target package`: a tarball of the programs, and of the test programs where they are
# configured, that runs where it is unpacked; scripts/package.sh says what is in it. A script and not CPack:
# which libraries belong to the system is decided by what the programs link.
add_custom_target(package
  COMMAND "${PROJECT_SOURCE_DIR}/scripts/package.sh" "${PROJECT_BINARY_DIR}"
  DEPENDS trainer tools
  COMMENT "Packing a tarball"
  VERBATIM USES_TERMINAL)
foreach(checker cuda_engine_tests products_bench)  # what gpu_check.sh runs
  if(TARGET ${checker})
    add_dependencies(package ${checker})
  endif()
endforeach()
